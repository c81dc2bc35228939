"""Suspects of a danger of unknown source: against brute force on random rivers, and on the Songhua of 2005."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from stream.records.instants import from_text
from tests.topology.places import HOUR, NOW, hours_of, rivers
from topology.base import Passage, Reach, TopologyError
from topology.network import build_network
from topology.river import build_clock
from topology.upstream import SPEEDS, Belief, Clean, likeliest, suspects

NAN = float("nan")


def graph(rows):
    network = build_network(rows)
    return network, build_clock(network, network.celerity_m_per_s, 1.5)


def as_mapping(network, among) -> dict[str, float]:
    return {network.reaches[reach]: p for reach, p in zip(among.reach.tolist(), among.probability.tolist(), strict=True)}


def ways_down(rows: dict[str, list[Reach]], hours: dict[str, float], start: str, end: str) -> list[float]:
    """Hours of every path from the lower end of one reach to the upper end of another, reach by reach."""
    found = []

    def walk(at: str, gone: float) -> None:
        for row in rows[at]:
            if row.downstream == end:
                found.append(gone)
            if row.downstream:
                walk(row.downstream, gone + hours[row.downstream])

    walk(start, 0.0)
    return found


def brute_force(rows, hours, passage: Passage, clean: list[Clean], belief: Belief) -> dict[str, float]:
    """Each reach cut into pieces at the places found clean; every piece weighed by itself."""
    by_reach: dict[str, list[Reach]] = {}
    for row in rows:
        by_reach.setdefault(row.reach, []).append(row)

    def inside(reach: str, run_km: float) -> float:
        return 0.0 if run_km <= 0 else hours[reach] * run_km / by_reach[reach][0].length_km

    def to_place(reach: str, km: float, end: str, end_km: float) -> float | None:
        if reach == end:
            return inside(reach, end_km - km) if km <= end_km else None
        between = ways_down(by_reach, hours, reach, end)
        rest = inside(reach, by_reach[reach][0].length_km - km) + inside(end, end_km)
        return min(between) + rest if between else None

    weight = {}
    factors = [math.exp(belief.log_sd * norm.ppf((step + 0.5) / SPEEDS)) for step in range(SPEEDS)]
    for reach, own in by_reach.items():
        until = min(own[0].length_km, passage.reach_km) if reach == passage.reach else own[0].length_km
        if to_place(reach, 0.0, passage.reach, passage.reach_km) is None:
            continue
        cuts = sorted({0.0, until, *(c.reach_km for c in clean if c.reach == reach and c.reach_km <= until)})
        total = 0.0
        for factor, (low, high) in itertools.product(factors, itertools.pairwise(cuts)):
            part = high - low
            for c in clean:
                passes = to_place(reach, (low + high) / 2, c.reach, c.reach_km)
                rest = to_place(c.reach, c.reach_km, passage.reach, passage.reach_km)
                front_h = None if rest is None or rest == math.inf else (passage.front_at - c.at) / HOUR - rest * factor
                if passes is not None and front_h is not None and -belief.duration_h <= front_h <= 0:
                    part *= belief.missed
            total += part
        weight[reach] = total
    return {reach: w / sum(weight.values()) for reach, w in weight.items()} if sum(weight.values()) > 0 else weight


@settings(max_examples=80, deadline=None)
@given(rivers(splits=False), st.data())
def test_in_a_tree_suspects_and_their_probabilities_equal_brute_force(river, data) -> None:
    places, reach, km = river
    length = {row.reach: row.length_km for row in places.reaches}
    spots = st.sampled_from(sorted(length)).flatmap(lambda r: st.tuples(st.just(r), st.integers(0, int(length[r])).map(float)))
    clean = [Clean(*spot, NOW - hours * HOUR) for spot, hours in data.draw(st.lists(st.tuples(spots, st.integers(-100, 200)), max_size=4))]
    passage, belief = Passage(reach, km, NOW), Belief(age_max_h=math.inf)
    network, clock = graph(places.reaches)
    hours = {row.reach: hours_of(row, row.celerity_m_per_s, 1.5) for row in places.reaches}
    expected = brute_force(places.reaches, hours, passage, clean, belief)
    found = as_mapping(network, suspects(network, clock, [passage], clean, belief))
    assert set(found) == set(expected)
    if expected and sum(expected.values()) > 0:
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)
        assert math.fsum(found.values()) == pytest.approx(1.0)


@settings(max_examples=150)
@given(rivers(splits=True))
def test_where_rivers_split_the_suspects_are_the_reaches_whose_water_comes_to_the_place_in_that_time(river) -> None:
    places, reach, km = river
    network, clock = graph(places.reaches)
    rows: dict[str, list[Reach]] = {}
    for row in places.reaches:
        rows.setdefault(row.reach, []).append(row)
    hours = {row.reach: hours_of(row, row.celerity_m_per_s, 1.5) for row in places.reaches}
    among = suspects(network, clock, [Passage(reach, km, NOW)], [], Belief(age_max_h=math.inf))
    found = {network.reaches[r]: h for r, h in zip(among.reach.tolist(), among.hours.tolist(), strict=True)}
    for name, own in rows.items():
        between = ways_down(rows, hours, name, reach)
        assert (name in found) == (bool(between) or name == reach)
        if between:
            last = hours[reach] * km / rows[reach][0].length_km if km > 0 else 0.0
            assert found[name] == pytest.approx(min(between) + hours[own[0].reach] / 2 + last)


@given(rivers(splits=True), st.data())
def test_a_source_must_lie_above_every_place_where_the_danger_was_found(river, data) -> None:
    places, reach, km = river
    other = data.draw(st.sampled_from(sorted({row.reach for row in places.reaches})))
    network, clock = graph(places.reaches)
    both = suspects(network, clock, [Passage(reach, km, NOW), Passage(other, 0.0, NOW + HOUR)], [], Belief())
    alone = [
        set(as_mapping(network, suspects(network, clock, [p], [], Belief()))) for p in (Passage(reach, km, NOW), Passage(other, 0.0, NOW))
    ]
    assert set(as_mapping(network, both)) == alone[0] & alone[1]


FORK = (
    Reach("left", "trunk", 40.0, celerity_m_per_s=1.0),
    Reach("right", "trunk", 40.0, celerity_m_per_s=1.0),
    Reach("trunk", "", 40.0, celerity_m_per_s=1.0),
)
FOUND = (Passage("trunk", 10.0, NOW),)


def test_a_place_found_clean_just_before_clears_what_lies_above_it_but_not_what_lies_below() -> None:
    network, clock = graph(FORK)
    without = as_mapping(network, suspects(network, clock, FOUND, [], Belief()))
    assert without == pytest.approx({"left": 40 / 90, "right": 40 / 90, "trunk": 10 / 90})
    # The middle of the left arm is 8.3 h away and was clean an hour before.
    found = as_mapping(network, suspects(network, clock, FOUND, [Clean("left", 20.0, NOW - HOUR)], Belief()))
    assert found["right"] > found["left"]
    assert found["left"] / found["right"] == pytest.approx((20 + 20 * 0.05) / 40, rel=0.001)
    # Clean long before it could have come there, or long after it had gone: that clears nothing.
    for at in (NOW - 100 * HOUR, NOW + 200 * HOUR):
        assert as_mapping(network, suspects(network, clock, FOUND, [Clean("left", 20.0, at)], Belief())) == pytest.approx(without)


def test_listed_sites_are_suspected_before_the_open_river() -> None:
    network, clock = graph(FORK)
    found = as_mapping(network, suspects(network, clock, FOUND, [], Belief(sites={"left": 1.0, "elsewhere": 9.0})))
    assert found["left"] == pytest.approx(0.8 + 0.2 * 40 / 90)
    assert math.fsum(found.values()) == pytest.approx(1.0)


def test_a_place_off_the_river_and_a_danger_found_nowhere_are_refused() -> None:
    network, clock = graph(FORK)
    with pytest.raises(TopologyError, match="no reach 'x'"):
        suspects(network, clock, [Passage("x", 0.0, NOW)], [], Belief())
    with pytest.raises(TopologyError, match="outside reach"):
        suspects(network, clock, FOUND, [Clean("left", 41.0, NOW)], Belief())
    with pytest.raises(TopologyError, match="found nowhere"):
        suspects(network, clock, [], [], Belief())


def test_a_reach_behind_a_reservoir_stays_a_suspect_without_a_time() -> None:
    network, clock = graph((*FORK, Reach("lake", "left", 30.0, velocity_m_per_s=0.01)))
    among = suspects(network, clock, FOUND, [], Belief())
    told = {one.reach: one for one in likeliest(network, among, 10, Belief())}
    assert told["lake"].left_at is None
    assert told["lake"].probability > 0
    assert told["left"].left_at[0] < told["left"].left_at[1] < told["left"].left_at[2] < NOW


# Lengths read off a map, to 20 km: only which river it was is asked of them. 0.6 m/s is a guess for a plain in November.
SONGHUA = tuple(
    Reach(*row, velocity_m_per_s=0.6)
    for row in (
        ("jilin", "second-songhua", 60.0),
        ("second-songhua", "songyuan", 240.0),
        ("songyuan", "songhua", 40.0),
        ("nen-upper", "nen", 300.0),
        ("nen", "songhua", 300.0),
        ("songhua", "", 220.0),
    )
)


def test_on_the_songhua_the_arm_below_jilin_is_the_likeliest_and_the_true_hour_is_inside_the_interval() -> None:
    network = build_network(SONGHUA)
    clock = build_clock(network, network.velocity_m_per_s, 0.5)
    # Found at Harbin on 24 November 2005, 02:00 local time; on the Nen nothing was ever found.
    found = [Passage("songhua", 215.0, from_text("2005-11-23T18:00:00Z"))]
    clean = [Clean("nen", 250.0, from_text(f"2005-11-{day}T16:00:00Z")) for day in (17, 19, 21)]
    belief = Belief()
    told = likeliest(network, suspects(network, clock, found, clean, belief), 6, belief)
    share = {one.reach: one.probability for one in told}
    arm = share["jilin"] + share["second-songhua"] + share["songyuan"]
    assert arm > 2 * (share["nen"] + share["nen-upper"])
    assert told[0].reach in {"second-songhua", "songhua"}
    # With the known chemical works as listed sites, one on each arm, it is Jilin.
    belief = replace(belief, sites={"jilin": 1.0, "nen-upper": 1.0})
    told = likeliest(network, suspects(network, clock, found, clean, belief), 6, belief)
    assert told[0].reach == "jilin"
    early, _, late = told[0].left_at
    assert early < from_text("2005-11-13T05:45:00Z") < late
