"""The laws of the flat arrays: intervals, sums to the outlet and reachability against walks that know nothing of them."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.topology.places import QUIET, river_city, rivers, source
from topology import river_wave
from topology.base import Places, Reach
from topology.downstream import Start, by_walk, ways_below
from topology.network import build_network, downstream
from topology.river import build_cities, build_clock, cities_below


def above(down: dict[str, set[str]], reach: str) -> set[str]:
    """Every reach from which water comes to this one, by following each one down."""

    def passes(at: str) -> bool:
        return at == reach or any(passes(to) for to in down[at] if to)

    return {at for at in down if passes(at)}


@settings(max_examples=200)
@given(rivers(splits=False))
def test_in_a_random_tree_upstream_is_one_interval(river) -> None:
    rows = river[0].reaches
    network, down = build_network(rows), {row.reach: {row.downstream} for row in rows}
    for reach in down:
        at = network.index[reach]
        interval = range(at, at + network.tree.size.item(at))
        assert {network.reaches[i] for i in interval} == above(down, reach)


def test_in_the_real_network_upstream_of_every_reach_is_one_interval(texas) -> None:
    network = build_network(texas)
    down = network.below
    # Brute force, from every reach to the outlet: each reach on the way has one more upstream, itself included.
    upstream = [[] for _ in texas]
    for start in range(len(texas)):
        at = start
        while at >= 0:
            upstream[at].append(start)
            at = down.item(at)
    for at, those in enumerate(upstream):
        assert those == list(range(at, at + network.tree.size.item(at)))


def test_the_runs_of_a_path_are_few(texas) -> None:
    network = build_network(texas)
    most = 0
    for start in range(0, len(texas), 7):
        at, runs = start, 0
        while at >= 0:
            low = network.tree.run.item(at)
            assert all(network.below.item(i) == i - 1 for i in range(low + 1, at + 1))
            at, runs = network.below.item(low), runs + 1
        most = max(most, runs)
    assert 1 < most <= math.log2(len(texas)) + 1


def same_ways(network, clock, points, start) -> None:
    quick, slow = ways_below(network, clock, points, start), by_walk(network, clock, points, start)
    quick, slow = quick.at(np.argsort(quick.point)), slow.at(np.argsort(slow.point))
    assert quick.point.tolist() == slow.point.tolist()
    assert quick.marks.tolist() == slow.marks.tolist()
    assert quick.share.tolist() == slow.share.tolist()
    # Sums to the outlet are large beside short ways: their last digits are all that may differ.
    far = network.tree.below_km.max() + network.length_km.max()
    np.testing.assert_allclose(quick.distance_km, slow.distance_km, rtol=1e-9, atol=1e-12 * far)
    np.testing.assert_allclose(quick.hours, slow.hours, rtol=1e-9, atol=1e-12 * max(1.0, clock.to_outlet.hours.max()))


@settings(max_examples=300)
@given(rivers(splits=False), st.booleans(), st.sampled_from([0.0, 10.0, 40.0, math.inf]))
def test_in_a_random_tree_sums_to_the_outlet_answer_as_the_walk(river, whole_reach, within_km) -> None:
    places, reach, km = river
    marked = tuple(replace(row, drawn=row.line % 3 == 0) for row in places.reaches)
    cities = build_cities(replace(places, reaches=marked), ())
    network = cities.network
    clock = build_clock(network, network.celerity_m_per_s, 1.5)
    same_ways(network, clock, cities.points, Start(network.index[reach], km, within_km, whole_reach))


def test_in_the_real_network_sums_to_the_outlet_answer_as_the_walk(texas) -> None:
    chance = random.Random(5)
    spots = [(row.reach, chance.choice([0.0, row.length_km, row.length_km * chance.random()])) for row in texas[::3]]
    cities = build_cities(Places(tuple(river_city(f"c{n}", spot) for n, spot in enumerate(spots)), texas), ())
    network = cities.network
    clock = build_clock(network, network.velocity_m_per_s, 0.5)
    for reach, km in chance.sample(spots, 300):
        same_ways(network, clock, cities.points, Start(network.index[reach], km))


@settings(max_examples=200)
@given(rivers(splits=True))
def test_in_a_random_network_what_is_reached_equals_brute_force(river) -> None:
    places, reach, _ = river
    network = build_network(places.reaches)
    down: dict[str, set[str]] = {}
    for row in places.reaches:
        down.setdefault(row.reach, set()).add(row.downstream)
    expected = {other for other in down if reach in above(down, other)}
    assert {network.reaches[below.reach] for below in downstream(network, reach, 0.0)} == expected


@settings(max_examples=150)
@given(rivers(splits=True), st.data())
def test_a_river_link_added_anywhere_never_removes_a_city(river, data) -> None:
    places, reach, km = river
    clock = {"min_share": 0.0}
    before = {i.city_id for i in river_wave.footprint(river_wave.build(places, clock), source(reach=reach, reach_km=km), QUIET)}
    names = sorted({row.reach for row in places.reaches}, key=lambda name: int(name[1:]))
    upper, lower = sorted(data.draw(st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True)), key=lambda name: int(name[1:]))
    own = [row for row in places.reaches if row.reach == upper]
    assume(lower not in {row.downstream for row in own})
    halved = [replace(row, fraction=row.fraction / 2) if row.reach == upper else row for row in places.reaches]
    more = replace(places, reaches=(*halved, replace(own[0], downstream=lower, fraction=0.5, line=99)))
    after = {i.city_id for i in river_wave.footprint(river_wave.build(more, clock), source(reach=reach, reach_km=km), QUIET)}
    assert before <= after


def test_a_city_off_the_path_is_never_reached(texas) -> None:
    chance = random.Random(11)
    chosen = chance.sample(texas, 2_000)
    cities = build_cities(Places(tuple(river_city(row.reach, (row.reach, row.length_km / 2)) for row in chosen), texas), ())
    clock = build_clock(cities.network, cities.network.velocity_m_per_s, 0.5)
    down = {row.reach: row.downstream for row in texas}
    for start in chance.sample(texas, 200):
        path, at = [], start.reach
        while at:
            path.append(at)
            at = down[at]
        reached = [one.city_id for one in cities_below(cities, clock, source(reach=start.reach))]
        assert reached == [at for at in path if at in {row.reach for row in chosen}]


def test_a_place_within_reach_ends_the_question_there(texas) -> None:
    cities = build_cities(Places(tuple(river_city(row.reach, (row.reach, 0.0)) for row in texas), texas), ())
    clock = build_clock(cities.network, cities.network.velocity_m_per_s, 0.5)
    for start in random.Random(2).sample(texas, 50):
        asked = source(reach=start.reach)
        everything = [(one.city_id, one.distance_km, one.hours) for one in cities_below(cities, clock, asked)]
        near = [(one.city_id, one.distance_km, one.hours) for one in cities_below(cities, clock, asked, within_km=100.0)]
        assert near == [one for one in everything if one[1] <= 100.0]


@pytest.mark.parametrize("count", [1, 2, 3, 64, 65, 1000])
def test_a_river_without_branches_of_any_length_is_one_run(count) -> None:
    rows = [Reach(f"r{i}", f"r{i + 1}" if i + 1 < count else "", 1.0) for i in range(count)]
    random.Random(0).shuffle(rows)
    network = build_network(rows)
    assert network.tree.size.tolist() == list(range(count, 0, -1))
    assert set(network.tree.run.tolist()) == {0}
    assert network.tree.below_km.tolist() == list(range(count))
    assert [network.reaches[i] for i in range(count)] == [f"r{i}" for i in reversed(range(count))]


def test_rivers_that_never_meet_stay_apart() -> None:
    rows = [Reach(f"{name}{i}", f"{name}{i + 1}" if i < 3 else "", 1.0) for name in "abc" for i in range(4)]
    network = build_network(rows)
    for one, other in itertools.permutations("abc", 2):
        reached = {network.reaches[below.reach] for below in downstream(network, f"{one}0", 0.0)}
        assert not any(reach.startswith(other) for reach in reached)
