"""Jobson's relations, and the river spill they were checked against: the Songhua in November and December 2005."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.topology.places import HOUR, NOW, QUIET, river_city, source
from topology.base import Conditions, Passage, Places, Reach
from topology.jobson import front_hours, peak_left, peak_velocity, tail_hours
from topology.river_slick import slicks
from topology.river_solute import build, footprint

CST = timezone(timedelta(hours=8))


def at(rows: list[dict[str, str]], section: str, event: str) -> tuple[float, int]:
    """(km above Tongjiang, instant in ms) of the one row of a section whose event starts so."""
    (row,) = [r for r in rows if r["section"].startswith(section) and r["event"].startswith(event)]
    when = datetime.fromisoformat(row["local_time_cst"]).replace(tzinfo=CST)
    return float(row["km_above_tongjiang"] or "nan"), int(when.timestamp() * 1000)


def test_two_detections_predict_the_front_at_dalai_within_a_tenth(songhua) -> None:
    (mulan_km, mulan_at), (tonghe_km, tonghe_at) = at(songhua, "Mulan", "front"), at(songhua, "Tonghe", "front")
    dalai_km, observed_at = at(songhua, "Dalai", "front")
    front_m_per_s = (mulan_km - tonghe_km) * 1000 / ((tonghe_at - mulan_at) / 1000)
    places = Places((river_city("dalai", ("songhua", 800.0 - dalai_km)),), (Reach("songhua", "", 800.0),))
    graph = build(places, {"velocity_m_per_s": 0.89 * front_m_per_s})
    spill = source(reach="songhua", reach_km=800.0 - tonghe_km, onset_at=tonghe_at, observed_at=tonghe_at)
    (dalai,) = footprint(graph, spill, QUIET)
    assert dalai.arrival.p50_at - tonghe_at == pytest.approx(observed_at - tonghe_at, rel=0.10)
    assert dalai.arrival.p10_at < observed_at < dalai.arrival.p90_at


def test_front_over_peak_is_089_as_it_was_at_mulan_and_dalai_counted_from_the_release(songhua) -> None:
    assert front_hours(100.0) / 100.0 == 0.89
    _, release_at = at(songhua, "Jilin", "release")
    for section, peak in (("Mulan", "near peak"), ("Dalai", "peak")):
        front_at, peak_at = at(songhua, section, "front")[1], at(songhua, section, peak)[1]
        assert (front_at - release_at) / (peak_at - release_at) == pytest.approx(front_hours(1.0), abs=0.02)


def test_the_tail_is_over_after_the_peak_and_grows_with_the_way() -> None:
    for hours in (1.0, 10.0, 100.0, 600.0):
        assert front_hours(hours) + tail_hours(hours) > hours
    # Worked by hand from the printed relations: Cup = 857 * 24^-0.760 = 76.6 /s, 2e6 / Cup = 26,120 s.
    assert tail_hours(24.0) == pytest.approx(26_120 / 3600, rel=0.01)
    assert tail_hours(0.0) == 0.0


@given(st.floats(0.0, 1000.0), st.floats(0.0, 1000.0), st.floats(0.5, 1000.0), st.floats(0.1, 10.0))
def test_a_peak_only_falls_and_the_tail_only_grows(first, more, age, relative) -> None:
    assert 0.0 < peak_left(first + more, age, relative) <= peak_left(first, age, relative) <= 1.0
    assert 0.0 <= tail_hours(first, relative) <= tail_hours(first + more, relative)


def test_the_passing_counts_from_the_end_of_the_source_else_from_the_newest_measurement() -> None:
    places = Places((river_city("town", ("a", 100.0)),), (Reach("a", "", 200.0),))
    graph = build(places, {})
    passed = []
    for observed_at, ended_at in ((NOW, None), (NOW + 5 * HOUR, None), (NOW + 5 * HOUR, NOW + 2 * HOUR)):
        (town,) = footprint(graph, source(reach="a", onset_at=NOW, observed_at=observed_at, ended_at=ended_at), QUIET)
        passed.append(town.arrival.passed_at)
    assert [p - passed[0] for p in passed] == [0, 5 * HOUR, 2 * HOUR]


def test_low_water_lengthens_the_tail_when_the_live_discharge_is_known() -> None:
    places = Places((river_city("town", ("a", 100.0)),), (Reach("a", "", 200.0, mean_discharge_m3_per_s=100.0),))
    graph = build(places, {})
    tails = [
        footprint(graph, source(reach="a"), Conditions(NOW, discharge_m3_per_s=flow))[0].arrival.passed_at
        for flow in ({"a": 30.0}, None, {"a": 300.0})
    ]
    assert tails == sorted(tails, reverse=True)
    assert len(set(tails)) == 3


def test_the_peak_at_dalai_follows_from_the_front_there_and_the_peak_at_mulan(songhua) -> None:
    (mulan_km, mulan_at), (dalai_km, dalai_at) = at(songhua, "Mulan", "front"), at(songhua, "Dalai", "front")
    _, release_at = at(songhua, "Jilin", "release")
    _, peak_at = at(songhua, "Dalai", "peak")
    value = {row["section"].split()[0]: float(row["nitrobenzene_mg_l"]) for row in songhua if "peak" in row["event"]}
    places = Places((river_city("dalai", ("songhua", 800.0 - dalai_km)),), (Reach("songhua", "", 800.0),))
    age_h = (mulan_at - release_at) / HOUR / 0.89
    graph = build(places, {"source_age_h": age_h, "attenuation_per_km": 0.0})
    spill = source(reach="songhua", reach_km=800.0 - mulan_km, onset_at=mulan_at, observed_at=mulan_at, value=value["Mulan"])
    (slick,) = slicks(graph, spill, Conditions(dalai_at, passages=(Passage("songhua", 800.0 - dalai_km, dalai_at),)))
    assert slick.front_at == dalai_at
    assert slick.peak_at == pytest.approx(peak_at, abs=12 * HOUR), "of 600 h since the release"
    assert slick.peak == pytest.approx(value["Dalai"], rel=0.15)
    assert slick.tail_at > slick.peak_at


@given(st.floats(1.0, 200.0), st.floats(0.1, 500.0))
def test_front_peak_and_tail_come_in_this_order_and_the_peak_only_falls(km, age_h) -> None:
    places = Places((river_city("near", ("a", km)), river_city("far", ("a", 2 * km))), (Reach("a", "", 500.0),))
    near, far = slicks(build(places, {"source_age_h": age_h}), source(reach="a", value=3.0), QUIET)
    for slick in (near, far):
        assert NOW <= slick.front_at < slick.peak_at <= slick.tail_at
    assert far.peak < near.peak < 3.0
    assert far.peak_at - far.front_at > near.peak_at - near.front_at


def test_a_reach_with_drainage_area_and_mean_discharge_runs_at_jobsons_velocity() -> None:
    given_size = Reach("a", "b", 36.0, mean_discharge_m3_per_s=100.0, drainage_area_km2=10_000.0)
    rows = (given_size, Reach("b", "", 36.0, velocity_m_per_s=1.0, mean_discharge_m3_per_s=100.0, drainage_area_km2=11_000.0))
    graph = build(Places((river_city("mid", ("b", 0.0)), river_city("end", ("b", 36.0))), rows), {})
    mid, end = footprint(graph, source(reach="a"), QUIET)
    first_h = 10.0 / peak_velocity(10_000.0, 100.0, 100.0)
    assert (mid.arrival.p50_at - NOW) / HOUR == pytest.approx(0.89 * first_h)
    assert (end.arrival.p50_at - NOW) / HOUR == pytest.approx(0.89 * (first_h + 10.0)), "a velocity that is given counts before a relation"
    assert "default_speed" not in mid.reasons


def test_jobsons_velocities_by_hand() -> None:
    # 10,000 km2 = 1e10 m2: D'a = 1e12.5 * sqrt(9.81) / 100; Q'a = 0.5, so the relation's factor is 0.5^-0.465 * 50 / 1e10.
    size = 10**12.5 * 9.81**0.5 / 100.0
    assert peak_velocity(10_000.0, 100.0, 50.0) == pytest.approx(0.020 + 0.051 * size**0.821 * 0.5**-0.465 * 5e-9)
    assert peak_velocity(10_000.0, 100.0, 50.0, 0.001) == pytest.approx(0.094 + 0.0143 * size**0.919 * 0.5**-0.465 * 0.001**0.159 * 5e-9)
