"""Signed batches in the fold: each once, whatever comes again, in whatever order, and nothing else under its number."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.decide.fold import Fold
from stream.decide.sequences import WINDOW, Sequence, judge
from stream.records.audit import AuditEntry
from stream.records.instants import MINUTE
from stream.records.journal import Command, Entry, SignedMeasurements, encode
from stream.records.lanes import Lane
from stream.records.output import Kind
from tests.accept.regions import region
from tests.accept.signers import NOW, payload, send, signed
from tests.accept.signers import stage as stage_of


def batch(sequence: int, content: str = "", part: int = 0, **fields: object) -> SignedMeasurements:
    digest = sha256(f"{sequence}{content}".encode()).digest()[:16]
    return SignedMeasurements("rill", "h", b"", b"", b"", b"", "ava-gauges", "k1", sequence, digest, part, **fields)


def stage(tale, at: int, value: float, sequence: int, part: int = 0) -> SignedMeasurements:
    row = tale.region.series.row_of["upper/stage"]
    columns = (np.array([row], "<i4").tobytes(), np.array([at], "<i8").tobytes(), np.array([value]).tobytes(), bytes(1))
    content = sha256(f"{sequence}/{value}/{at}".encode()).digest()[:16]
    return SignedMeasurements("rill", tale.region.region_hash, *columns, "ava-gauges", "k1", sequence, content, part, lane="test")


def audited(tale) -> list[AuditEntry]:
    return [msgspec.json.decode(one.value, type=AuditEntry) for one in tale.outputs if one.kind is Kind.AUDIT]


def test_a_batch_counts_once_and_its_parts_once_each():
    known = []
    assert [judge(known, batch(7, part=part)) for part in (0, 1, 0, 1, 2)] == [
        Sequence.FRESH, Sequence.FRESH, Sequence.REPEAT, Sequence.REPEAT, Sequence.FRESH,
    ]  # fmt: skip


def test_other_content_under_a_used_number_is_refused_whatever_part_it_is():
    known = []
    judge(known, batch(7))
    assert [judge(known, batch(7, "forged", part)) for part in (0, 1)] == [Sequence.REUSED, Sequence.REUSED]


def test_a_number_older_than_what_is_remembered_is_refused():
    known = []
    for sequence in range(10, 10 + WINDOW):
        assert judge(known, batch(sequence)) is Sequence.FRESH
    assert judge(known, batch(9)) is Sequence.OLD
    assert judge(known, batch(10)) is Sequence.REPEAT
    assert judge(known, batch(10 + WINDOW)) is Sequence.FRESH
    assert judge(known, batch(10)) is Sequence.OLD


@given(st.permutations(list(range(40))), st.lists(st.integers(0, 39), max_size=60))
def test_in_whatever_order_batches_come_each_counts_once_and_repeats_never(order, again):
    known = []
    assert [judge(known, batch(one)) for one in order] == [Sequence.FRESH] * 40
    assert {judge(known, batch(one)) for one in again} <= {Sequence.REPEAT}
    assert [one.sequence for one in known] == list(range(40))


@given(st.lists(st.integers(0, 2 * WINDOW), max_size=400))
def test_what_is_remembered_is_bounded_and_in_order(sequences):
    known = []
    for one in sequences:
        judge(known, batch(one))
    assert len(known) <= WINDOW
    assert [one.sequence for one in known] == sorted({one.sequence for one in known})


@pytest.mark.parametrize("clock", ["broker", "observed"])
def test_a_replayed_batch_is_dropped_and_counted_and_a_forged_number_is_audited_and_not_detected_on(story, start, clock):
    tale = story(clock=clock)
    for minute in range(0, 60, 10):
        tale.give(start + minute * MINUTE, stage(tale, start + minute * MINUTE, 1.0, minute))
    again = start + 61 * MINUTE
    tale.give(again, stage(tale, start + 50 * MINUTE, 1.0, 50))
    tale.give(again + 1, stage(tale, again, 9.9, 50))
    counts = tale.state.core.counts
    assert (counts.repeated, counts.sequence_refused) == (1, 1)
    (one,) = audited(tale)
    assert (one.reason, one.by, one.principal, one.key_id, one.sequence, one.proven) == (
        "sequence_reused",
        "fold",
        "ava-gauges",
        "k1",
        50,
        True,
    )
    assert not [output for output in tale.outputs if output.kind is Kind.EVIDENCE and json.loads(output.value)["value"] == 9.9]
    tale.give(again + 2, stage(tale, again + 2, 9.9, 51))
    tale.give(again + 10 * MINUTE, stage(tale, again + 10 * MINUTE, 9.9, 52))
    tale.tick(again + 20 * MINUTE)
    assert [output for output in tale.outputs if output.kind is Kind.EVIDENCE and json.loads(output.value)["value"] == 9.9]


def test_what_was_signed_is_remembered_through_a_restart(story, start):
    tale = story()
    tale.give(start, stage(tale, start, 1.0, 3))
    tale.state = tale.fold.restore(tale.fold.snapshot(tale.state))
    tale.give(start + MINUTE, stage(tale, start, 1.0, 3))
    tale.give(start + MINUTE, stage(tale, start, 5.0, 3))
    assert (tale.state.core.counts.repeated, len(audited(tale))) == (1, 1)


def test_however_the_journal_is_cut_into_calls_the_outputs_are_the_same(story, start):
    tale = story()
    for number in range(30):
        at = start + number * 10 * MINUTE
        tale.give(at, stage(tale, at, 1.0 + number / 5, number // 2))
    whole = tale.fold.apply(tale.fold.initial(tale.state.core.partition), tale.entries)
    assert [one for one in whole if one.kind is Kind.AUDIT] == [one for one in tale.outputs if one.kind is Kind.AUDIT]
    assert whole == tale.outputs


def test_a_batch_over_domains_of_two_partitions_is_known_in_each_also_after_a_restart():
    known = replace(region(), hazards=())
    fold = Fold(lambda _: known, lane=Lane.LIVE, clock="broker", partitions=12)
    states = {}
    both = payload(stage_of(), stage_of(series="mixed/stage"))
    other = payload(stage_of(value=9.0), stage_of(series="mixed/stage", value=9.0))
    audit = []
    for number, content in enumerate((both, both, other)):
        for entry in send(signed(payload=content)).entries:
            if entry.partition not in states:
                states[entry.partition] = fold.initial(entry.partition)
                fold.apply(states[entry.partition], [Entry(0, NOW, encode(Command("activate", known.name, known.region_hash)))])
            state = states[entry.partition] = fold.restore(fold.snapshot(states[entry.partition]))
            audit += [one for one in fold.apply(state, [Entry(number + 1, NOW + number, entry.value)]) if one.kind is Kind.AUDIT]
    assert len(states) == 2
    assert [(one.core.counts.repeated, one.core.counts.sequence_refused) for one in states.values()] == [(1, 1)] * 2
    assert {msgspec.json.decode(one.value, type=AuditEntry).domain for one in audit} == {"basin", "both"}
