"""The canary's measurements through ACCEPT and the fold: every door, every partition, before any region is active, and nothing else is touched."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.accept.door import Accept, DoorRecord
from stream.decide.fold import Fold
from stream.errors import UnknownRegion
from stream.health.canary import measurement
from stream.health.canary_rounds import Sent, Widths, round_of
from stream.records.canary import DOORS, INGEST, PRINCIPAL, Put
from stream.records.instants import HOUR, MINUTE, SECOND, to_text
from stream.records.journal import Entry
from stream.records.lanes import Lane
from stream.records.output import Kind
from stream.region.canary import with_canary
from stream.settings import Settings
from tests.decide.small_river import City

PARTITIONS = 4
ROUND_AT = 1_700_000_000_123
EVERY = round_of(3, Widths(PARTITIONS, PARTITIONS, intake=True))


def accept(sent: list[Sent], lane: Lane = Lane.LIVE, said: str = "live"):
    """What ACCEPT makes of them, each at its door."""
    prefix = {Lane.LIVE: "", Lane.EXERCISE: "exercise.", Lane.TEST: "t."}[lane]
    doors = Accept(with_canary([], PARTITIONS), Settings(lane=lane, prefix=prefix, partitions=PARTITIONS), PARTITIONS)
    made = []
    for one in sent:
        record = DoorRecord(one.put.partition, 7, ROUND_AT + 5, measurement(one, ROUND_AT, said))
        own = one.put.door == INGEST
        made.append(doors.accept("ingest.canary" if own else one.put.door, [record], ROUND_AT + 9, PRINCIPAL if own else ""))
    return made


def no_region(region_hash: str):
    raise UnknownRegion(region_hash)


def answers(lane: Lane, said: str):
    """What the folds of all partitions answer to a round, with the entries they got."""
    fold = Fold(no_region, lane=lane, clock="broker", partitions=PARTITIONS)
    found = []
    for accepted in accept(EVERY, lane, said):
        assert accepted.refused == []
        (entry,) = accepted.entries
        state = fold.initial(entry.partition)
        before = fold.snapshot(state)
        found += fold.apply(state, [Entry(0, ROUND_AT + 20, entry.value)])
        state.core.time = fold.initial(entry.partition).core.time  # every record tells the time, and this one no more than that
        assert fold.snapshot(state) == before
    return found


@pytest.mark.parametrize("lane", [Lane.LIVE, Lane.EXERCISE, Lane.TEST])
def test_every_measurement_of_a_round_is_answered_without_any_region(lane):
    found = [(one.kind, one.lane, json.loads(one.value)) for one in answers(lane, lane.value)]
    assert found == [
        (
            Kind.CANARY,
            lane.value,
            {
                "type": "canary",
                "lane": "test",
                "round_at": to_text(ROUND_AT),
                "door": one.put.door,
                "door_partition": one.put.partition,
                "journal_partition": one.journal_partition,
                "journalled_at": to_text(ROUND_AT + 20),
            },
        )
        for one in EVERY
    ]


def test_another_lanes_canary_is_refused_at_the_doors():
    refused = [one.reason for accepted in accept(EVERY, Lane.LIVE, "exercise") for one in accepted.refused]
    assert refused == ["other_lane"] * len(EVERY)


def test_a_fold_without_that_lane_counts_it_and_says_nothing():
    fold = Fold(no_region, lane=Lane.LIVE, clock="broker", partitions=PARTITIONS)
    state = fold.initial(0)
    entry = accept(EVERY, Lane.EXERCISE, "exercise")[0].entries[0]
    assert fold.apply(state, [Entry(0, ROUND_AT, entry.value)]) == []
    assert fold.other_lane(state) == 1


def test_only_the_canary_speaks_through_its_own_door():
    doors = Accept(with_canary([], PARTITIONS), Settings(partitions=PARTITIONS), PARTITIONS)
    report = b'{"report":"intervention","domain":"canary-0","act":"gates","reach":"r","km":1,"starts_at":1,"factor":1,"by":"x"}'
    at_the_door = doors.accept("water", [DoorRecord(0, 0, ROUND_AT, report)], ROUND_AT)
    assert at_the_door.entries == []
    assert len(at_the_door.refused) == 1
    stranger = doors.accept("ingest.other", [DoorRecord(0, 0, ROUND_AT, measurement(EVERY[-1], ROUND_AT, "live"))], ROUND_AT, "other")
    assert [one.reason for one in stranger.refused] == ["unknown_principal"]


def test_a_value_that_no_canary_sends_is_not_answered():
    one = Sent(Put("water", 0), 2)
    doors = Accept(with_canary([], PARTITIONS), Settings(partitions=PARTITIONS), PARTITIONS)
    record = measurement(one, ROUND_AT, "live").replace(b'"value":0', b'"value":-0.5')
    (entry,) = doors.accept("water", [DoorRecord(0, 0, ROUND_AT, record)], ROUND_AT).entries
    fold = Fold(no_region, lane=Lane.LIVE, clock="broker", partitions=PARTITIONS)
    assert fold.apply(fold.initial(2), [Entry(0, ROUND_AT, entry.value)]) == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.floats(0, 1), min_size=1, max_size=20), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_a_journal_says_the_same_with_a_canary_in_it_however_it_is_cut(story, start, places, sizes):
    tale = story()
    City(tale, start).until(start + HOUR, upper_stage=1.0)
    City(tale, start + HOUR).until(start + 4 * HOUR, step=20 * MINUTE, upper_stage=5.0)
    assert any(one.kind is Kind.CITY for one in tale.outputs)
    entries, given_by = list(tale.entries), accept(EVERY, tale.fold._lane, tale.fold._lane.value)
    for number, place in enumerate(places):
        at = int(place * len(entries))
        timestamp = entries[at - 1].timestamp if at else start - SECOND
        entries.insert(at, Entry(0, timestamp, given_by[number % len(given_by)].entries[0].value))

    state, outputs, at, turn = tale.fold.initial(tale.state.core.partition), [], 0, 0
    while at < len(entries):
        size = sizes[turn % len(sizes)]
        outputs += tale.fold.apply(state, entries[at : at + size])
        at, turn = at + size, turn + 1

    assert [one for one in outputs if one.kind is not Kind.CANARY] == tale.outputs
    assert sum(one.kind is Kind.CANARY for one in outputs) == len(places)
    assert outputs == tale.fold.apply(tale.fold.initial(tale.state.core.partition), entries)
    assert tale.fold.snapshot(state) == tale.fold.snapshot(tale.state)


def test_a_canary_needs_every_door():
    assert {one.put.door for one in EVERY} == set(DOORS)
