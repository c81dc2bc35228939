"""Both river footprints against a brute-force walk over all paths, and the laws they share."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.topology.places import HOUR, NOW, QUIET, all_ways, hours_of, river_city, rivers, source
from topology import river_solute, river_wave
from topology.base import Places, Reach, TopologyError

NAN = float("nan")
WAVE = {"min_share": 0.0, "floor_h": 0.0, "log_sd": 0.35}
SOLUTE = {"min_share": 0.0, "floor_h": 0.0}


def median_h(impact) -> float:
    return math.inf if impact.arrival is None else (impact.arrival.p50_at - NOW) / HOUR


@settings(max_examples=200)
@given(rivers(splits=True))
def test_a_wave_reaches_exactly_the_cities_a_plain_walk_reaches_at_the_time_of_the_quickest_path(river) -> None:
    places, reach, km = river
    hours = {row.reach: hours_of(row, row.celerity_m_per_s, 1.5) for row in places.reaches}
    ways = all_ways(places, reach, km, hours)
    impacts = river_wave.footprint(river_wave.build(places, WAVE), source(reach=reach, reach_km=km), QUIET)
    assert {i.city_id for i in impacts} == set(ways)
    for impact in impacts:
        assert median_h(impact) == pytest.approx(min(h for _, h, _ in ways[impact.city_id]), abs=1e-6)


@given(rivers(splits=True))
def test_a_solute_reaches_the_same_cities_by_its_own_clock_front_first(river) -> None:
    places, reach, km = river
    hours = {row.reach: hours_of(row, row.velocity_m_per_s, 0.5) for row in places.reaches}
    ways = all_ways(places, reach, km, hours)
    impacts = river_solute.footprint(river_solute.build(places, SOLUTE), source(reach=reach, reach_km=km), QUIET)
    assert {i.city_id for i in impacts} == set(ways)
    for impact in impacts:
        assert median_h(impact) == pytest.approx(0.89 * min(h for _, h, _ in ways[impact.city_id]), abs=1e-6)


@given(rivers(splits=True))
def test_the_wave_weakens_by_the_share_of_all_paths_together(river) -> None:
    places, reach, km = river
    places = replace(places, cities=tuple(replace(c, river=c.river[:1]) for c in places.cities))
    ways = all_ways(places, reach, km, {row.reach: 1.0 for row in places.reaches})
    graph = river_wave.build(places, {**WAVE, "attenuation_per_km": 0.0})
    for impact in river_wave.footprint(graph, source(reach=reach, reach_km=km), QUIET):
        assert impact.intensity == pytest.approx(min(1.0, math.fsum(s for _, _, s in ways[impact.city_id])))


@given(rivers(splits=True), st.booleans())
def test_a_reach_added_below_an_outlet_never_removes_or_hurries_a_city(river, end_city) -> None:
    places, reach, km = river
    longer = tuple(replace(row, downstream=row.downstream or "new") for row in places.reaches)
    cities = (*places.cities, river_city("end", ("new", 1.0))) if end_city else places.cities
    asked = source(reach=reach, reach_km=km)
    before = river_wave.footprint(river_wave.build(places, WAVE), asked, QUIET)
    after = river_wave.footprint(river_wave.build(Places(cities, (*longer, Reach("new", "", 9.0))), WAVE), asked, QUIET)
    after_by_city = {i.city_id: i for i in after}
    for impact in before:
        assert after_by_city[impact.city_id] == impact
    assert ("end" in after_by_city) == end_city, "everything leaves through the new reach"


@given(rivers(splits=False), st.floats(0.0, 5.0))
def test_times_grow_and_chances_fall_downstream(river, spread) -> None:
    places, reach, km = river
    graph = river_wave.build(places, {**WAVE, "log_sd": spread / 5.0})
    impacts = river_wave.footprint(graph, source(reach=reach, reach_km=km), QUIET)
    timed = [i for i in impacts if i.arrival]
    for nearer, farther in itertools.pairwise(timed):
        assert nearer.arrival.p10_at <= farther.arrival.p10_at
        assert nearer.arrival.p90_at <= farther.arrival.p90_at
        assert nearer.probability >= farther.probability


def line_of(*reaches: Reach, cities: tuple[tuple[str, str, float], ...]) -> Places:
    return Places(tuple(river_city(c, (r, km)) for c, r, km in cities), reaches)


def test_water_behind_a_reservoir_without_residence_time_is_warned_without_a_time() -> None:
    places = line_of(
        Reach("a", "lake", 10.0, velocity_m_per_s=1.0),
        Reach("lake", "b", 20.0, velocity_m_per_s=0.01),
        Reach("b", "", 10.0, velocity_m_per_s=1.0),
        cities=(("shore", "lake", 0.0), ("dam", "lake", 20.0), ("below", "b", 5.0)),
    )
    for module in (river_wave, river_solute):
        shore, dam, below = module.footprint(module.build(places, {}), source(reach="a"), QUIET)
        assert shore.arrival is not None
        assert [i.city_id for i in (shore, dam, below)] == ["shore", "dam", "below"]
        for late in (dam, below):
            assert late.arrival is None
            assert "reservoir" in late.unknown_because
            assert "still_water" in late.reasons
            assert late.confidence < shore.confidence


def test_a_known_residence_time_replaces_the_unknown_speed_of_a_reservoir() -> None:
    places = line_of(
        Reach("lake", "b", 20.0, velocity_m_per_s=0.01, residence_h=100.0),
        Reach("b", "", 3.6, velocity_m_per_s=1.0, residence_h=2.0),
        cities=(("dam", "lake", 20.0), ("mid", "lake", 10.0), ("below", "b", 3.6)),
    )
    impacts = river_solute.footprint(river_solute.build(places, SOLUTE), source(reach="lake"), QUIET)
    assert [(i.city_id, round(median_h(i) / 0.89, 6)) for i in impacts] == [("mid", 50.0), ("dam", 100.0), ("below", 103.0)]
    assert all("residence" in i.reasons for i in impacts)


def test_a_way_around_a_reservoir_gives_the_time_and_says_that_there_are_branches() -> None:
    places = line_of(
        Reach("a", "lake", 3.6, 0.5, celerity_m_per_s=1.0),
        Reach("a", "canal", 3.6, 0.5, celerity_m_per_s=1.0),
        Reach("lake", "z", 1.0, celerity_m_per_s=0.01),
        Reach("canal", "z", 36.0, celerity_m_per_s=1.0),
        Reach("z", "", 3.6, celerity_m_per_s=1.0),
        cities=(("end", "z", 0.0),),
    )
    (end,) = river_wave.footprint(river_wave.build(places, {"attenuation_per_km": 0.0}), source(reach="a"), QUIET)
    assert median_h(end) == pytest.approx(11.0)
    assert end.reasons == ("still_water", "several_branches")
    assert end.intensity == 1.0


def test_a_small_tributary_hardly_threatens_a_city_on_a_large_river() -> None:
    rows = (
        Reach("brook", "stream", 10.0, mean_discharge_m3_per_s=2.0),
        Reach("main", "stream", 10.0, mean_discharge_m3_per_s=98.0),
        Reach("stream", "", 10.0, mean_discharge_m3_per_s=100.0),
    )
    graph = river_wave.build(Places((river_city("town", ("stream", 0.0)),), rows), {"attenuation_per_km": 0.0})
    assert river_wave.footprint(graph, source(reach="brook"), QUIET) == ()
    (town,) = river_wave.footprint(graph, source(reach="main"), QUIET)
    assert town.intensity == pytest.approx(0.98)
    assert town.probability == pytest.approx(0.98**0.5)


def test_a_split_halves_a_wave_and_not_a_concentration() -> None:
    rows = (Reach("a", "b", 10.0, 0.5), Reach("a", "", 10.0, 0.5), Reach("b", "", 10.0))
    places = Places((river_city("town", ("b", 0.0)),), rows)
    (wave,) = river_wave.footprint(river_wave.build(places, {"attenuation_per_km": 0.0}), source(reach="a"), QUIET)
    (solute,) = river_solute.footprint(river_solute.build(places, {"attenuation_per_km": 0.0}), source(reach="a"), QUIET)
    assert wave.intensity == 0.5
    assert solute.probability == 1.0


def test_the_city_of_the_source_cities_upstream_and_cities_without_a_kilometre_are_left_out() -> None:
    places = Places(
        (river_city("own", ("a", 6.0)), river_city("above", ("a", 4.9)), river_city("nowhere"), river_city("here", ("a", 5.0))),
        (Reach("a", "", 10.0),),
    )
    impacts = river_wave.footprint(river_wave.build(places, {}), source(city_id="own", reach="a", reach_km=5.0), QUIET)
    assert [i.city_id for i in impacts] == ["here"]


def test_a_source_off_the_network_and_a_city_off_its_reach_are_refused_in_words() -> None:
    places = Places((river_city("x", ("a", 11.0), ("q", 0.0)),), (Reach("a", "", 10.0),))
    with pytest.raises(TopologyError) as refused:
        river_wave.build(places, {})
    assert [f.table for f in refused.value.faults] == ["cities.geojson"] * 2
    assert all("city 'x'" in f.problem for f in refused.value.faults)
    graph = river_wave.build(Places((), (Reach("a", "", 10.0),)), {})
    with pytest.raises(TopologyError, match="no reach 'q'"):
        river_wave.footprint(graph, source(reach="q"), QUIET)


def test_the_wave_window_is_the_log_normal_spread_with_the_errors_of_the_clocks_added() -> None:
    rows = (Reach("a", "", 1000.0, celerity_m_per_s=1.0),)
    places = Places((river_city("near", ("a", 0.36)), river_city("far", ("a", 360.0))), rows)
    near, far = river_wave.footprint(river_wave.build(places, {"floor_h": 0.5}), source(reach="a"), QUIET)
    hours = [(t - NOW) / HOUR for t in (near.arrival.p10_at, near.arrival.p50_at, near.arrival.p90_at)]
    assert hours == pytest.approx([0.0, 0.1, 0.1 + math.hypot(0.5, 0.1 * math.expm1(1.2815515655 * 0.35))], abs=1e-4)
    # The log slowness of 360 km varies a little less than at a point: correlation exp(-distance / 1000 km), averaged over all pairs of points.
    alike = 2.0 * (0.36 - 1.0 + math.exp(-0.36)) / 0.36**2
    late = math.hypot(0.5, 100.0 * math.expm1(1.2815515655 * 0.35 * math.sqrt(alike)))
    assert (far.arrival.p90_at - far.arrival.p50_at) / HOUR == pytest.approx(late, rel=1e-6)
    assert (far.arrival.passed_at - far.arrival.p90_at) == 24 * HOUR
