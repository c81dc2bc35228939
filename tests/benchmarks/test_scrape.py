"""Watching stays cheap, however many cities there are."""

from __future__ import annotations

import pytest

from tests.benchmarks.generated import Size
from tests.benchmarks.scrape import main, measure, states

SERIES_MOST = 10_000
CITIES = 3_000


@pytest.mark.slow
def test_three_thousand_warned_cities_in_twelve_partitions_stay_below_ten_thousand_series(tmp_path):
    made = states(Size(CITIES, CITIES), tmp_path / "region")
    quiet, asked = measure(made, per_city=False), measure(made, per_city=True)
    assert quiet.series < SERIES_MOST
    assert asked.series == quiet.series + 2 * CITIES, "each city and hazard costs two series"


def test_the_benchmark_says_what_watching_costs(capsys):
    without, with_cities = main("--small")
    assert "60 cities, 60 warnings in force" in capsys.readouterr().out
    assert without.series < with_cities.series
