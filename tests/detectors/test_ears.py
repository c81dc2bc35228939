from __future__ import annotations

import csv
import os
from datetime import date
from pathlib import Path
from statistics import NormalDist, fmean, stdev

import numpy as np
import pytest
from streams import START, batch, table

from detectors import ears

WEEK = 604_800_000
FILE = Path(__file__).parents[3] / "shared" / "data" / "counts" / "salmNewport.csv"


def newport():
    """(first day of each week, cases in all states) of Salmonella Newport."""
    if not FILE.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{FILE} is needed")
        pytest.skip(f"{FILE} is not here")
    with FILE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [date.fromisoformat(row["epoch"]) for row in rows], np.array(
        [sum(float(v) for k, v in row.items() if k != "epoch") for row in rows]
    )


def test_the_upper_bounds_are_those_of_the_r_package_surveillance():
    # its tests/testthat/test-earsC.R: all states, the first four weeks of 2011, C1, alpha .05
    days, counts = newport()
    weeks = [i for i, day in enumerate(days) if day.isocalendar().year == 2011][:4]
    np.testing.assert_allclose(ears.upper_bounds(counts, 1, 0.05)[weeks], [3.278854, 3.278854, 3.436517, 3.855617], atol=1e-6)


@pytest.mark.parametrize("method", [1, 2, 3])
def test_the_upper_bounds_follow_the_equations_written_out(method):
    counts = np.random.default_rng(1).poisson(5.0, 60).astype(float)
    z = NormalDist().inv_cdf(0.975)

    def c2(t):
        past = counts[t - 9 : t - 2].tolist()
        return (counts[t] - fmean(past)) / stdev(past)

    found = ears.upper_bounds(counts, method, 0.025)
    for t in range(11, 60):
        past = (counts[t - 7 : t] if method == 1 else counts[t - 9 : t - 2]).tolist()
        expected = fmean(past) + z * stdev(past)
        if method == 3:
            expected = max(counts[t] + stdev(past) * (z - max(c2(t - 1) - 1, 0) - max(c2(t - 2) - 1, 0)), 0.0)
        assert found[t] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(found[: {1: 7, 2: 9, 3: 11}[method]]).all()


@pytest.mark.parametrize("method", [1, 2])
def test_the_detector_alarms_exactly_above_the_upper_bound(method):
    _, counts = newport()
    alpha = 0.01
    p = table(ears, {"method": float(method), "alpha_blue": alpha, "alpha_yellow": np.nan, "min_cases": 0.0})
    state, alarms = ears.initial(p), []
    for week, count in enumerate(counts):
        alarms.append(bool(ears.step(p, state, batch([0], [(START + week * WEEK, count, 1, True)])).level[0]))
    bounds = ears.upper_bounds(counts, method, alpha, min_sigma=0.5)
    known = ~np.isnan(bounds)
    assert sum(alarms) > 10
    np.testing.assert_array_equal(np.array(alarms)[known], (counts > bounds)[known])


def test_a_method_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="methods 1, 2 and 3"):
        ears.upper_bounds(np.ones(20), 4, 0.05)


def test_a_late_count_that_raises_says_that_it_is_late():
    p = table(ears, {})
    state = ears.initial(p)
    for week in range(30):
        ears.step(p, state, batch([0], [(START + week * WEEK, float(4 + week % 3), 1, True)]))
    found = ears.step(p, state, batch([0], [(START + 20 * WEEK, 80.0, 1, False)]))
    assert found.level[0] > 0
    assert ears.WHY[found.why[0]] == "late"
