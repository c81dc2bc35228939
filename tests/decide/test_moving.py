"""Stations that move between domains, regions that follow each other in any order: nothing is lost, and nobody hears that a danger is over."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.decide.fold import Fold
from stream.records.journal import ForwardedMeasurements, decode
from stream.records.output import Kind
from stream.records.warning import Lane
from tests.decide.moved import PARTITIONS, STATIONS, World, region

LOWERING = {"better", "cleared", "left", "cancelled", "expired"}
APART, TOGETHER = (("east", 0), ("west", 1)), (("east", 2), ("west", 2))
EAST, WEST = (
    {"left": "east", "moved": "east", "steady": "east", "right": "west"},
    {"left": "east", "moved": "west", "steady": "east", "right": "west"},
)
SLOW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

STEP = st.one_of(
    st.tuples(st.just("measure"), st.sampled_from(STATIONS)),
    st.tuples(st.just("accept"), st.integers(0, 5), st.integers(0, 3)),
    st.tuples(st.just("accept"), st.integers(0, 5), st.integers(0, 3)),
    st.tuples(st.just("publish")),
    st.tuples(st.just("follow"), st.integers(0, PARTITIONS - 1)),
    st.tuples(st.just("run"), st.integers(0, PARTITIONS - 1), st.integers(1, 8)),
    st.tuples(st.just("tick"), st.integers(0, PARTITIONS - 1)),
)
FAULT = st.one_of(
    st.tuples(st.just("again"), st.integers(0, 30), st.integers(0, 3)),
    st.tuples(st.just("checkpoint"), st.integers(0, PARTITIONS - 1)),
    st.tuples(st.just("restart"), st.integers(0, PARTITIONS - 1)),
)


def worlds(*homes: dict[str, str], pins=APART) -> World:
    return World([region(tuple(sorted(one.items())), pins) for one in homes])


def play(world: World, steps) -> World:
    for name, *given_ in steps:
        if name == "accept":
            if world.waiting:
                world.accept(world.waiting[given_[0] % len(world.waiting)], given_[1])
        elif name == "again":
            if world.doors:
                world.accept(given_[0] % len(world.doors), given_[1])
        else:
            getattr(world, name)(*given_)
    world.settle()
    return world


def domains_of(world: World) -> dict[tuple[str, int], Counter[str]]:
    found = defaultdict(Counter)
    for taken in world.fold.taken.values():
        for one in taken:
            found[one.station, one.observed_at][one.domain] += 1
    return found


def holds(world: World) -> None:
    """What is true whatever happened in whatever order."""
    found = domains_of(world)
    lost = [world.doors[number] for number in world.deliveries if (world.doors[number][1], world.doors[number][0]) not in found]
    assert not lost
    assert not any(state.core.held or state.core.moves.stuck for state in world.states.values())
    assert not [body for body in world.said() if body["type"] == "warning" and body["reason"] in LOWERING]
    contents = defaultdict(set)
    for body in world.said():
        if body["type"] == "warning":
            contents[body["warning_id"], body["revision"]].add(str(body))
    assert all(len(one) == 1 for one in contents.values())
    fold = Fold(world.by_hash.__getitem__, lane=Lane.TEST, clock="broker", partitions=PARTITIONS)
    for number in range(PARTITIONS):
        state = fold.initial(number)
        outputs = fold.apply(state, world.journals[number])
        assert fold.snapshot(state) == world.fold.snapshot(world.states[number])
        assert [(one.kind, one.key, one.value) for one in outputs] == [(one.kind, one.key, one.value) for one in world.outputs[number]]


@given(st.lists(STEP, max_size=60), st.sampled_from([APART, TOGETHER]), st.integers(1, 3))
@SLOW
def test_every_measurement_comes_to_exactly_one_domain_in_whatever_order_doors_and_journals_see_the_regions(steps, pins, moves):
    world = play(worlds(*[WEST if number % 2 else EAST for number in range(moves + 1)], pins=pins), steps)
    holds(world)
    found = domains_of(world)
    assert {(one, at): number for (one, at), by in found.items() if (number := by.total()) != 1} == {}


@given(st.lists(st.one_of(STEP, FAULT), max_size=80), st.sampled_from([APART, TOGETHER]), st.integers(1, 3))
@SLOW
def test_no_deadline_overtakes_a_measurement_that_is_on_its_way_to_its_new_domain(steps, pins, moves):
    world = play(worlds(*[WEST if number % 2 else EAST for number in range(moves + 1)], pins=pins), steps)
    assert world.fold.overtaken == []


@given(st.lists(st.one_of(STEP, FAULT), max_size=80), st.sampled_from([APART, TOGETHER]), st.integers(1, 3))
@SLOW
def test_repetitions_and_restarts_lose_nothing_and_raise_no_end(steps, pins, moves):
    world = play(worlds(*[WEST if number % 2 else EAST for number in range(moves + 1)], pins=pins), steps)
    holds(world)


@given(st.lists(st.one_of(STEP, FAULT), max_size=60), st.sampled_from([APART, TOGETHER]))
@SLOW
def test_a_domain_scores_no_measurement_twice(steps, pins):
    world = play(worlds(EAST, WEST, pins=pins), steps)
    apart = sum(len(by) for by in domains_of(world).values())
    assert sum(state.core.counts.scored for state in world.states.values()) <= apart


def measured(world: World, rounds: int) -> None:
    """Every station is measured, accepted by the first region and decided, so many times."""
    for _ in range(rounds):
        for station in STATIONS:
            world.measure(station)
        for number in list(world.waiting):
            world.accept(number, 0)
        for partition in range(PARTITIONS):
            world.tick(partition)
            world.run(partition)
        world.now += 500


def flooded(pins) -> World:
    """Both domains have been measured for a while, with one station of the eastern one in flood."""
    world = worlds(EAST, WEST, pins=pins)
    measured(world, 20)
    return world


@pytest.mark.parametrize("pins", [APART, TOGETHER])
def test_a_station_that_moves_in_an_open_flood_warns_from_its_new_domain_and_its_old_one_clears_nothing(pins):
    world = flooded(pins)
    world.settle()
    warnings = [body for body in world.said() if body["type"] == "warning" and body["city_id"] == "moved"]
    assert [(body["level"], body["reason"]) for body in warnings if body["reason"] == "first"] == [("red", "first"), ("red", "first")]
    assert not [body for body in warnings if body["reason"] in LOWERING]
    east = next(state.core.domains["east"] for state in world.states.values() if "east" in state.core.domains).hazards["flood"]
    assert east.sources["moved/stage"].placed.kind == "retired"
    assert "moved/stage" in east.retired


@pytest.mark.parametrize("pins", [APART, TOGETHER])
def test_a_station_that_moved_is_not_called_silent_in_its_old_domain(pins):
    world = flooded(pins)
    world.settle()
    said = [body for body in world.said(Kind.STATION_HEALTH) if body["domain"] == "east" and body["station"] == "moved"]
    assert said == []


@pytest.mark.parametrize("pins", [APART, TOGETHER])
def test_what_a_station_found_before_it_moved_ends_by_the_hazards_limit_and_not_as_over(pins):
    world = flooded(pins)
    world.settle()
    for _ in range(1_300):
        world.now += 2_000
        world.measure("steady")
        for number in list(world.waiting):
            world.accept(number, 1)
        for partition in range(PARTITIONS):
            world.tick(partition)
            world.run(partition)
    east = [body for body in world.said() if body["type"] == "warning" and body["city_id"] == "moved"]
    first = east[0]["warning_id"]
    assert [body["reason"] for body in east if body["warning_id"] == first][-1] == "expired"
    domain = next(state.core.domains["east"] for state in world.states.values() if "east" in state.core.domains)
    assert domain.hazards["flood"].retired == {}
    assert "moved/stage" not in domain.hazards["flood"].sources


@pytest.mark.parametrize("pins", [APART, TOGETHER])
def test_a_station_that_comes_back_goes_on_where_it_was(pins):
    world = flooded(pins)
    world.regions.append(world.regions[0])
    world.publish()
    for partition in range(PARTITIONS):
        world.follow(partition)
        world.run(partition)
    world.settle()
    east = next(state.core.domains["east"] for state in world.states.values() if "east" in state.core.domains).hazards["flood"]
    assert east.sources["moved/stage"].placed is None
    assert east.retired == {}
    assert not [body for body in world.said() if body["type"] == "warning" and body["reason"] in LOWERING]


@pytest.mark.parametrize("pins", [APART, TOGETHER])
def test_a_station_that_comes_back_calm_ends_what_it_had_found(pins):
    world = flooded(pins)
    world.settle()
    first = next(body["warning_id"] for body in world.said() if body["type"] == "warning" and body["city_id"] == "moved")
    world.regions.append(world.regions[0])
    world.flooded.clear()
    world.settle()
    assert [body["msg_type"] for body in world.said() if body.get("warning_id") == first][-1] == "all_clear"


def test_a_domain_that_is_no_more_says_that_nothing_is_known_and_its_stations_go_on_elsewhere():
    merged = dict.fromkeys(EAST, "west")
    world = World([region(tuple(sorted(EAST.items())), APART), region(tuple(sorted(merged.items())), APART[1:])])
    measured(world, 10)
    world.settle()
    ends = [body for body in world.said() if body["type"] == "warning" and body["reason"] in LOWERING]
    assert {(body["city_id"], body["reason"], body["msg_type"]) for body in ends} == {
        (name, "expired", "update") for name in ("moved", "steady")
    }
    last = {body["city_id"]: body["state"] for body in world.said() if body["type"] == "status" and body["domain"] == "east"}
    assert last == dict.fromkeys(("left", "moved", "steady"), "unknown")
    now = {body["city_id"]: body["state"] for body in world.said() if body["type"] == "status" and body["domain"] == "west"}
    assert now == {"left": "clear", "right": "clear", "moved": "warned", "steady": "warned"}


def test_what_was_sent_on_says_how_often():
    world = flooded(APART)
    world.measure("moved")
    world.publish()
    world.follow(0)
    world.accept(world.waiting[0], 0)
    world.run(0)
    sent = [
        message for one in world.outputs[0] if one.kind is Kind.JOURNAL and isinstance(message := decode(one.value), ForwardedMeasurements)
    ]
    assert [(message.domain, message.hops, message.region_hash) for message in sent] == [("west", 1, world.regions[1].region_hash)]


def test_where_a_region_was_active_that_was_skipped_here_the_door_is_read_no_further_than_its_domains_have_handed_over():
    world = worlds(EAST, WEST, EAST)
    measured(world, 3)
    world.measure("moved")
    measured_at = world.now
    world.publish()
    world.accept(world.waiting[0], 1)  # into the journal of the western domain, whose owner does not follow yet
    world.publish()
    world.follow(0)
    world.run(0)
    learned_at = world.now
    for _ in range(5):
        world.now += 1_000
        world.tick(0)
        world.tick(1)
        world.run(0)
        world.run(1)
    assert world.states[0].core.doors_written_at <= learned_at
    world.follow(1)
    world.run(1)
    world.settle()
    assert world.fold.overtaken == []
    assert world.states[0].core.doors_written_at > learned_at
    assert measured_at in [one.observed_at for one in world.fold.taken[0] if one.station == "moved"]
