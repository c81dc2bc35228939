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
from topology.travel import build, footprint

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
    distance, links = shortest_from(link_lengths(matrix), 0)
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


def test_the_first_importation_waits_exponentially_and_each_city_on_the_way_adds_a_generation() -> None:
    graph = build(line(), {"reporting_factor": 2.0, "horizon_days": 30.0, "hop_delay_days": 5.0, "min_probability": 0.0})
    direct, indirect = footprint(graph, source(city_id="a", value=50.0), QUIET)
    rate = 1000.0 * 50.0 * 2.0 / 1_000_000
    assert (direct.city_id, indirect.city_id) == ("b", "c")
    assert direct.probability == pytest.approx(1 - math.exp(-rate * 30))
    for at, quantile in ((direct.arrival.p10_at, 0.1), (direct.arrival.p50_at, 0.5), (direct.arrival.p90_at, 0.9)):
        days = (at - NOW) / DAY
        assert (1 - math.exp(-rate * days)) / direct.probability == pytest.approx(quantile, abs=1e-6)
    assert indirect.arrival.p50_at - direct.arrival.p50_at == 5 * DAY
    assert indirect.reasons == ("indirect",)
    assert indirect.confidence < direct.confidence


def test_a_likely_importation_has_the_plain_exponential_median() -> None:
    graph = build(line(), {"reporting_factor": 20.0})
    first = footprint(graph, source(city_id="a", value=100.0), QUIET)[0]
    rate = 1000.0 * 100.0 * 20.0 / 1_000_000
    assert (first.arrival.p50_at - NOW) / DAY == pytest.approx(math.log(2) / rate, rel=1e-6)


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
    graph = build(line(), {"reporting_factor": 1.0, "min_probability": 0.0})
    chances = [
        footprint(graph, source(city_id="a", value=20.0, onset_at=NOW, observed_at=NOW + 7 * DAY, ended_at=ended), QUIET)[0].probability
        for ended in (None, NOW + 7 * DAY, NOW)
    ]
    assert chances[0] == pytest.approx(1 - math.exp(-0.02 * 28))
    assert chances[1] == pytest.approx(1 - math.exp(-0.02 * 7))
    assert chances[2] == 0.0
