from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.topology.places import HOUR, NOW, QUIET, source
from topology.base import CityPlace, Places, TopologyError, Travel
from topology.effective_distance import link_lengths, shortest_from
from topology.gravity import gravity_travel
from topology.radiation import radiation_travel
from topology.travel import affected, build, footprint

DAY = 24 * HOUR
CITIES = tuple(CityPlace(c, 30.0 + n, 110.0, 5.0, 1_000_000) for n, c in enumerate("abcd"))


@st.composite
def matrices(draw):
    count = draw(st.integers(1, 6))
    flows = draw(st.lists(st.sampled_from([0.0, 0.0, 1.0, 3.0, 50.0, 1000.0]), min_size=count * count, max_size=count * count))
    matrix = np.array(flows).reshape(count, count)
    np.fill_diagonal(matrix, 0.0)
    return matrix


@given(matrices())
def test_effective_distance_is_the_shortest_of_all_ways_tried_one_by_one(matrix) -> None:
    count = len(matrix)
    leaving = matrix.sum(axis=1)
    ways = shortest_from(link_lengths(matrix), 0)
    distance, links = ways.distance, ways.links
    for to in range(1, count):
        best = math.inf
        others = [i for i in range(1, count) if i != to]
        for way in itertools.chain.from_iterable(itertools.permutations(others, r) for r in range(count - 1)):
            stops = (0, *way, to)
            flows = [matrix[a, b] / leaving[a] if matrix[a, b] else 0.0 for a, b in itertools.pairwise(stops)]
            if all(flows):
                best = min(best, sum(1 - math.log(f) for f in flows))
        assert distance[to] == pytest.approx(best)
        assert (links[to] >= 1) == math.isfinite(best)
    assert (distance[0], links[0]) == (0.0, 0)


def line() -> Places:
    """a -> b -> c, nobody to d; 1,000 travellers a day each."""
    return Places(CITIES, travel=(Travel("a", "b", 1000.0), Travel("b", "c", 1000.0), Travel("d", "a", 5.0)))


STEADY = {"reproduction_number": 1.0, "incidence_log_sd": 0.0, "min_probability": 0.0}
"""Nothing grows and nothing is in doubt: waiting is plainly exponential."""


def test_the_first_importation_waits_exponentially_and_the_next_city_only_after_the_one_before() -> None:
    graph = build(line(), STEADY | {"reporting_factor": 2.0, "horizon_days": 30.0, "serial_interval_days": 5.0})
    direct, indirect = footprint(graph, source(city_id="a", value=50.0), QUIET)
    rate = 1000.0 * 50.0 * 2.0 / 1_000_000
    assert (direct.city_id, indirect.city_id) == ("b", "c")
    assert direct.probability == pytest.approx(1 - math.exp(-rate * 30), rel=1e-6)
    for at, quantile in ((direct.arrival.p10_at, 0.1), (direct.arrival.p50_at, 0.5), (direct.arrival.p90_at, 0.9)):
        days = (at - NOW) / DAY
        assert (1 - math.exp(-rate * days)) / direct.probability == pytest.approx(quantile, abs=1e-4)
    # The infected that came to b until day u send on 1,000 of a million a day: rate x 0.001 x u, so rate x 0.001 x t^2 / 2 by day t.
    assert indirect.probability == pytest.approx(1 - math.exp(-rate * 0.001 * 30**2 / 2), rel=1e-4)
    assert indirect.arrival.p50_at > direct.arrival.p50_at
    assert indirect.arrival.passed_at - direct.arrival.passed_at == 5 * DAY
    assert indirect.reasons == ("indirect",)
    assert indirect.confidence < direct.confidence


def test_a_likely_importation_has_the_plain_exponential_median() -> None:
    graph = build(line(), STEADY | {"reporting_factor": 20.0})
    first = footprint(graph, source(city_id="a", value=100.0), QUIET)[0]
    rate = 1000.0 * 100.0 * 20.0 / 1_000_000
    assert (first.arrival.p50_at - NOW) / DAY == pytest.approx(math.log(2) / rate, rel=1e-4)


def test_growth_over_generations_brings_the_first_importation_forward() -> None:
    rate, growth = 1000.0 * 20.0 * 5.0 / 1_000_000, math.log(2.0) / 4.0
    given = STEADY | {"reproduction_number": 2.0, "serial_interval_days": 4.0, "horizon_days": 20.0}
    grown = footprint(build(line(), given), source(city_id="a", value=20.0), QUIET)[0]
    expected = rate * math.expm1(growth * 20.0) / growth
    assert grown.probability == pytest.approx(1 - math.exp(-expected), rel=1e-4)
    median = -math.log1p(-0.5 * grown.probability)
    assert (grown.arrival.p50_at - NOW) / DAY == pytest.approx(math.log1p(median * growth / rate) / growth, rel=1e-4)
    slower = footprint(build(line(), given | {"serial_interval_days": 8.0}), source(city_id="a", value=20.0), QUIET)[0]
    steady = footprint(build(line(), given | {"reproduction_number": 1.0}), source(city_id="a", value=20.0), QUIET)[0]
    assert grown.arrival.p50_at < slower.arrival.p50_at
    assert grown.probability > slower.probability > steady.probability


def test_an_outbreak_never_infects_more_than_everybody() -> None:
    places = Places(CITIES, travel=(Travel("a", "b", 1e-5),))
    given = STEADY | {"reproduction_number": 30.0, "serial_interval_days": 1.0, "horizon_days": 100.0}
    (b,) = footprint(build(places, given), source(city_id="a", value=1e5), QUIET)
    assert b.probability <= 1 - math.exp(-1e-5 * 100)


def test_doubt_about_who_is_infected_widens_the_window() -> None:
    def window_days(log_sd: float) -> float:
        given = STEADY | {"incidence_log_sd": log_sd, "horizon_days": 1000.0}
        first = footprint(build(line(), given), source(city_id="a", value=20.0), QUIET)[0]
        return (first.arrival.p90_at - first.arrival.p10_at) / DAY

    assert window_days(0.0) < window_days(0.7) < window_days(1.5)


def test_no_city_is_likelier_or_earlier_reached_than_the_city_before_it() -> None:
    travel = (Travel("a", "b", 2.0), Travel("b", "c", 900_000.0), Travel("c", "d", 900_000.0))
    graph = build(Places(CITIES, travel=travel), {"min_probability": 0.0, "reproduction_number": 8.0})
    b, c, d = footprint(graph, source(city_id="a", value=20.0), QUIET)
    assert b.probability >= c.probability >= d.probability > 0
    assert b.arrival.p10_at <= c.arrival.p10_at <= d.arrival.p10_at


def test_the_direct_link_counts_where_it_is_likelier_than_the_nearest_way() -> None:
    travel = (Travel("a", "b", 9000.0), Travel("a", "c", 100.0), Travel("b", "c", 1000.0))
    graph = build(Places(CITIES, travel=travel), STEADY | {"horizon_days": 10.0})
    assert graph.ways(0).links.tolist() == [0, 1, 2, 0]
    rate = 20.0 * 5.0 / 1_000_000
    both = {i.city_id: i for i in footprint(graph, source(city_id="a", value=20.0), QUIET)}
    assert both["c"].probability == pytest.approx(1 - math.exp(-rate * 100.0 * 10.0), rel=1e-4)
    assert both["c"].reasons == ("direct",)
    growing = build(Places(CITIES, travel=travel), STEADY | {"horizon_days": 60.0})
    later = {i.city_id: i for i in footprint(growing, source(city_id="a", value=20.0), QUIET)}
    assert later["c"].reasons == ("indirect",)


def test_a_second_question_about_a_city_is_answered_from_memory_and_alike() -> None:
    graph = build(line(), {})
    first, again = (footprint(graph, source(city_id="a", value=50.0), QUIET) for _ in range(2))
    assert again == first
    assert graph.ways.from_origin.cache_info().hits == 1
    assert graph.ways(0).distance is graph.ways(0).distance
    assert not graph.ways(0).distance.flags.writeable
    assert graph.ways == build(line(), {}).ways
    assert graph.ways != build(Places(CITIES, travel=(Travel("a", "b", 1.0),)), {}).ways


def test_an_unlikely_importation_is_left_out_until_cases_grow() -> None:
    graph = build(line(), {})
    assert footprint(graph, source(city_id="a", value=0.1), QUIET) == ()
    few, many = (footprint(graph, source(city_id="a", value=v), QUIET)[0] for v in (2.0, 20.0))
    assert few.probability < many.probability
    assert few.arrival.p50_at > many.arrival.p50_at


def test_a_source_in_no_city_or_without_a_case_or_without_travellers_reaches_nobody() -> None:
    graph = build(line(), {})
    assert footprint(graph, source(city_id=""), QUIET) == ()
    assert footprint(graph, source(city_id="elsewhere"), QUIET) == ()
    assert footprint(graph, source(city_id="a", value=0.0), QUIET) == ()
    assert footprint(graph, source(city_id="c"), QUIET) == ()


def test_an_unknown_prevalence_gives_no_time_and_says_why() -> None:
    for value, population in ((float("nan"), 1_000_000), (50.0, 0)):
        places = Places((CityPlace("a", 30, 110, 5, population), CITIES[1]), travel=(Travel("a", "b", 10.0),))
        (b,) = footprint(build(places, {}), source(city_id="a", value=value), QUIET)
        assert b.arrival is None
        assert "prevalence" in b.unknown_because


def test_without_counted_travel_a_gravity_model_is_used_and_said() -> None:
    graph = build(Places(CITIES), {})
    impacts = footprint(graph, source(city_id="a", value=500.0), QUIET)
    assert [i.city_id for i in impacts] == ["b", "c", "d"]
    assert all("gravity_model" in i.reasons and i.confidence <= 0.2 for i in impacts)


@given(
    st.lists(st.tuples(st.floats(-60, 60), st.floats(-180, 180), st.sampled_from([0, 1, 20_000, 5_000_000])), min_size=2, max_size=9),
    st.booleans(),
)
def test_travel_probabilities_of_an_origin_sum_to_at_most_one(where, radiation) -> None:
    cities = tuple(CityPlace(f"c{n}", lat, lon, 5.0, people) for n, (lat, lon, people) in enumerate(where))
    travel = radiation_travel(cities, 1.0) if radiation else gravity_travel(cities, 1.0, 2.0)
    assert (travel >= 0.0).all()
    assert (travel.sum(axis=1) <= np.array([c.population for c in cities]) * (1 + 1e-9)).all()


@given(matrices())
def test_the_shares_of_cities_equally_many_links_away_sum_to_at_most_one(matrix) -> None:
    cities = tuple(CityPlace(f"c{n}", 30.0 + n, 110.0, 5.0, 100_000) for n in range(len(matrix)))
    rows = tuple(Travel(f"c{a}", f"c{b}", matrix[a, b]) for a in range(len(matrix)) for b in range(len(matrix)) if matrix[a, b])
    if not rows:
        return
    graph = build(Places(cities, travel=rows), {"min_probability": 0.0})
    impacts = footprint(graph, source(city_id="c0", value=5.0), QUIET)
    links = dict.fromkeys(graph.city_ids, 1) | {
        i.city_id: graph.ways(0).links[graph.index[i.city_id]] for i in impacts if "indirect" in i.reasons
    }
    for count in range(1, len(matrix)):
        assert sum(i.intensity for i in impacts if links[i.city_id] == count) <= 1 + 1e-9
    assert all(0.0 <= i.probability <= 1.0 for i in impacts)


def test_radiation_sends_travellers_as_the_paper_says() -> None:
    cities = (CityPlace("a", 0, 0, 5, 1000), CityPlace("b", 0, 1, 5, 500), CityPlace("c", 0, 2, 5, 2000), CityPlace("x", 0, 0.5, 5, 0))
    travel = radiation_travel(cities, 0.1)
    assert travel[0, 1] == pytest.approx(100 * 1000 * 500 / (1000 * 1500))
    assert travel[0, 2] == pytest.approx(100 * 1000 * 2000 / (1500 * 3500))
    assert travel[2, 0] == pytest.approx(200 * 2000 * 1000 / (2500 * 3500))
    assert not travel[3].any()
    assert not travel[:, 3].any()


def test_cities_equally_far_are_in_nobodys_way_whatever_their_order() -> None:
    cities = (CityPlace("m", 0, 0, 5, 100), CityPlace("east", 0, 1, 5, 300), CityPlace("west", 0, -1, 5, 300))
    travel = radiation_travel(cities, 1.0)
    assert travel[0, 1] == travel[0, 2] == pytest.approx(100 * 100 * 600 / (100 * 700) / 2)


def test_the_model_of_travel_is_named_and_radiation_is_chosen_by_its_parameter() -> None:
    graph = build(Places(CITIES), {"radiation": 1.0, "min_probability": 0.0})
    impacts = footprint(graph, source(city_id="a", value=500.0), QUIET)
    assert {i.city_id for i in impacts} == {"b", "c", "d"}
    assert all("radiation_model" in i.reasons and i.confidence <= 0.2 for i in impacts)


def test_gravity_sends_every_traveller_somewhere_and_more_of_them_to_near_and_large_cities() -> None:
    cities = (*CITIES[:3], CityPlace("big", 32.0, 110.5, 5.0, 5_000_000), CityPlace("unknown", 30.5, 110.0, 5.0, 0))
    travel = gravity_travel(cities, 0.02, 2.0)
    assert travel.sum(axis=1) == pytest.approx([0.02 * c.population for c in cities])
    assert travel[0, 1] > travel[0, 2]
    assert travel[0, 3] > travel[0, 2]
    assert not travel[:, 4].any()
    assert not travel.diagonal().any()


def test_all_faults_of_travel_are_told_at_once() -> None:
    rows = (
        Travel("a", "b", 1.0, 2),
        Travel("a", "b", 2.0, 3),
        Travel("a", "x", 1.0, 4),
        Travel("b", "b", 1.0, 5),
        Travel("b", "a", -1.0, 6),
        Travel("c", "a", float("nan"), 7),
    )
    with pytest.raises(TopologyError) as refused:
        build(Places(CITIES, travel=rows), {})
    assert [(f.table, f.line, f.field) for f in refused.value.faults] == [
        ("travel.csv", 3, "destination"),
        ("travel.csv", 4, "destination"),
        ("travel.csv", 5, "destination"),
        ("travel.csv", 6, "travellers_per_day"),
        ("travel.csv", 7, "travellers_per_day"),
    ]
    with pytest.raises(TopologyError, match="neither travel nor populations"):
        build(Places((CityPlace("a", 0, 0, 1), CityPlace("b", 0, 1, 1))), {})


def test_the_chance_counts_up_to_a_horizon_after_the_newest_measurement_or_to_the_end_of_the_outbreak() -> None:
    graph = build(line(), STEADY | {"reporting_factor": 1.0})
    chances = [
        footprint(graph, source(city_id="a", value=20.0, onset_at=NOW, observed_at=NOW + 7 * DAY, ended_at=ended), QUIET)[0].probability
        for ended in (None, NOW + 7 * DAY, NOW)
    ]
    assert chances[0] == pytest.approx(1 - math.exp(-0.02 * 28))
    assert chances[1] == pytest.approx(1 - math.exp(-0.02 * 7))
    assert chances[2] == 0.0


@given(matrices(), st.sampled_from([0.0, 0.05, 0.5]), st.sampled_from([float("nan"), 0.0, 5.0, 1e6]))
def test_who_is_affected_is_who_the_footprint_names(matrix, least, value) -> None:
    cities = tuple(CityPlace(f"c{n}", 30.0 + n, 110.0, 5.0, 100_000 * (n % 2)) for n in range(len(matrix)))
    rows = tuple(Travel(f"c{a}", f"c{b}", matrix[a, b]) for a in range(len(matrix)) for b in range(len(matrix)) if matrix[a, b])
    if not rows:
        return
    graph = build(Places(cities, travel=rows), {"min_probability": least})
    for city in graph.city_ids:
        asked = source(city_id=city, value=value)
        assert sorted(affected(graph, asked, QUIET)) == sorted(i.city_id for i in footprint(graph, asked, QUIET))
        assert city not in affected(graph, asked, QUIET)
