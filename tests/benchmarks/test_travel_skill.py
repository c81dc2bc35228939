from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import travel_outbreaks
from tests.benchmarks.travel_outbreaks import coronavirus, measles
from tests.benchmarks.travel_skill import DATA, advantage, contestants, coverage, judged, skill
from tests.topology.conftest import shared_file

COMMAND = Path(__file__).with_name("travel_skill.py")


@pytest.fixture
def data() -> Path:
    for name in ("measlesWeserEms.csv", "measlesWeserEms_neighbourhood.csv", "covid_italy_province_2020H1.csv.gz"):
        shared_file(f"counts/{name}")
    return DATA


def test_a_perfect_order_has_skill_one_a_reversed_one_minus_one_and_the_never_reached_come_last():
    happened = np.append(np.arange(11.0), np.inf)
    assert skill(np.arange(12.0) * 10.0, happened, 20).kendall == pytest.approx(1.0)
    assert skill(-np.arange(12.0), happened, 20).spearman == pytest.approx(-1.0)
    assert advantage(np.arange(12.0), -np.arange(12.0), happened, 20)[0] == pytest.approx(2.0)


def test_an_outbreak_begins_where_the_first_period_had_most_cases(data):
    outbreak = measles(data)
    assert (outbreak.places[outbreak.source], outbreak.cases) == ("03452", 2.0)
    assert outbreak.arrived_day[outbreak.source] == 0.0
    assert np.isinf(outbreak.arrived_day).sum() == 2
    italy = coronavirus(data)
    assert italy.places[italy.source] == "Lodi"
    assert np.isfinite(italy.arrived_day).all()


def test_travel_orders_the_arrivals_of_italy_better_than_chance_and_states_no_more(data):
    found = {told.name: it for told, it in judged(coronavirus(data), 60)}
    ours = found["tocsin travel, gravity"]
    assert ours.kendall_interval[0] > 0.2
    assert ours.kendall > found["plain distance"].kendall - 0.1
    stated = {told.name: told.confidence for told in contestants(coronavirus(data))}["tocsin travel, gravity"]
    assert stated <= 0.2 < ours.kendall


def test_without_populations_distance_alone_orders_and_population_is_no_contestant(data, monkeypatch):
    monkeypatch.setattr(travel_outbreaks, "find_spec", lambda _: None)
    outbreak = coronavirus(data)
    found = {told.name: it.kendall for told, it in judged(outbreak, 20)}
    assert "not installed" in outbreak.note
    assert found["tocsin travel, gravity"] == pytest.approx(found["plain distance"])
    assert "population, largest first" not in found


def test_percentiles_are_counted_where_both_are_known(data):
    inside, of, _ = coverage(measles(data), {})
    assert 0 <= inside <= of == 14


def test_the_command_prints_every_contestant_of_every_outbreak(data):
    done = subprocess.run([sys.executable, str(COMMAND), "--small"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("plain ") >= 4
    assert done.stdout.count("times, ") == 8
