from __future__ import annotations

import msgspec
import pytest

from stream.region.forecasts import PER_SERIES, SEASON, Forecaster, Target, forecasts_json, read_forecasts
from stream.region.problems import Findings

COUNT = 2 * PER_SERIES + SEASON + 1
MODEL = Forecaster(("a", "b"), 3600.0, (1, 3), (1.0, 2.0), ((0.0, 1.0), (-1.0, 2.0)), (Target("b", 0.2, ((0.1,) * COUNT, (0.2,) * COUNT)),))
FILE = (MODEL,)


def read(data, domains=(0, 0)):
    findings, known = Findings(), dict(zip("ab", domains, strict=True))
    return read_forecasts(data, known, findings), [one.problem for one in findings.sorted_problems()]


def test_what_was_written_is_read_and_the_same_numbers_are_the_same_bytes():
    assert read(forecasts_json(FILE)) == (FILE, [])
    assert forecasts_json(FILE) == forecasts_json((msgspec.structs.replace(MODEL),))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"series": ("a", "c")}, "no series 'c'"),
        ({"series": ("a", "a")}, "'b' is forecast but"),
        ({"targets": (Target("b", 0.2, ((0.1,) * COUNT,)),)}, "needs 2 rows of 15 weights"),
        ({"targets": (Target("b", 0.0, ((0.1,) * COUNT,) * 2),)}, "scale that is not positive"),
        ({"windows": (3, 1)}, "not rising"),
        ({"high": (1.0,)}, "high needs a number"),
        ({"chance": ((0.0, 1.0), (0.0, -1.0))}, "slope of chance"),
    ],
)
def test_a_file_that_does_not_fit_together_is_refused_with_words(changed, said):
    found, problems = read(forecasts_json((msgspec.structs.replace(MODEL, **changed),)))
    assert found == ()
    assert any(said in one for one in problems)


def test_gauges_of_two_domains_are_never_forecast_together():
    found, problems = read(forecasts_json(FILE), (0, 1))
    assert found == ()
    assert any("of 2 domains" in one for one in problems)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'[{"series": []}]'])
def test_other_bytes_are_refused(data):
    assert "cannot be read" in read(data)[1][0]
