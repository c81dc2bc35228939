"""Where history taught how long a wave takes between gauges, that is its clock, with its own spread."""

from __future__ import annotations

import math

import pytest

from tests.topology.places import HOUR, NOW, QUIET, river_city, source
from topology import river_wave
from topology.base import Conditions, Lag, Passage, Places, Reach

CITIES = tuple(river_city(name, spot) for name, spot in (("near", ("a", 50.0)), ("mid", ("b", 50.0)), ("far", ("c", 50.0))))
ROWS = tuple(
    Reach(name, below, 50.0, celerity_m_per_s=1.0, mean_discharge_m3_per_s=100.0) for name, below in (("a", "b"), ("b", "c"), ("c", ""))
)
LAGS = (Lag(("a", 0.0), ("b", 0.0), 10.0, 0.1, 40), Lag(("b", 0.0), ("b", 50.0), 40.0, 0.6, 40))
PARAMETERS = {"floor_h": 0.0, "log_sd": 0.3, "correlation_km": 100_000.0}
GRAPH = river_wave.build(Places(CITIES, ROWS, lags=LAGS), PARAMETERS)


def ahead(conditions: Conditions = QUIET):
    return {one.reached.city_id: one for one in river_wave.forecasts(GRAPH, source(reach="a"), conditions)}


def hours(found, city: str) -> float:
    return (found[city].at(0.0) - NOW) / HOUR


def test_learned_stretches_give_the_time_and_the_rest_keeps_its_celerity() -> None:
    found = ahead()
    assert [hours(found, city) for city in ("near", "mid", "far")] == pytest.approx([10.0, 50.0, 50.0 + 50.0 / 3.6])


def test_the_spread_of_a_way_is_that_of_its_stretches_by_their_hours() -> None:
    found = ahead()
    assert found["near"].way.log_sd == pytest.approx(0.1, rel=0.01)
    assert found["mid"].way.log_sd == pytest.approx((10 * 0.1 + 40 * 0.6) / 50, rel=0.01)
    assert found["far"].way.log_sd == pytest.approx((10 * 0.1 + 40 * 0.6 + 50 / 3.6 * 0.3) / (50 + 50 / 3.6), rel=0.01)


def test_a_passage_moves_a_stretch_as_far_as_its_own_spread_allows() -> None:
    late = ahead(Conditions(10**15, passages=(Passage("a", 50.0, NOW + round(10 * math.exp(0.1) * HOUR)),)))
    # One standard deviation late on the first stretch: one standard deviation slow on the next.
    assert hours(late, "mid") == pytest.approx(10 * math.exp(0.1) + 40 * math.exp(0.6), rel=0.01)


def test_the_live_discharge_does_not_change_what_was_learned_in_floods() -> None:
    assert ahead(Conditions(NOW, discharge_m3_per_s={"a": 900.0}))["mid"].at(0.0) == ahead()["mid"].at(0.0)


def test_a_learned_reach_is_no_default_one() -> None:
    rows = tuple(Reach(row.reach, row.downstream, row.length_km) for row in ROWS)
    found = river_wave.footprint(river_wave.build(Places(CITIES, rows, lags=LAGS), PARAMETERS), source(reach="a"), QUIET)
    assert {impact.city_id: impact.reasons for impact in found} == {"near": (), "mid": (), "far": ("default_speed",)}
