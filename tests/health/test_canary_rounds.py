"""What the canary sends covers everything, and what has not come back is told in words that say what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.health.canary_rounds import LATE_PERIODS, Book, Target, Widths, explain, round_of
from stream.records.canary import DOORS, INGEST, CanaryAnswer, put_of, value_of
from stream.records.instants import to_text
from stream.region.canary import canary_region, series_of

TOPICS = {door: f"measurements.{door}" for door in DOORS[:-1]} | {INGEST: "ingest.canary"}
WIDTHS = Widths(4, 4, intake=True)
PERIOD_MS = 30_000


def widths():
    return st.builds(Widths, st.integers(1, 24), st.integers(1, 24), st.booleans())


@given(widths=widths(), number=st.integers(0, 100_000))
def test_a_round_reaches_every_door_partition_and_through_every_door_every_journal_partition(widths, number):
    sent = round_of(number, widths)
    assert len(set(sent)) == len(sent)
    for door in DOORS[:-1]:
        assert {one.put.partition for one in sent if one.put.door == door} == set(range(widths.doors))
        assert {one.journal_partition for one in sent if one.put.door == door} == set(range(widths.journal))
    assert sum(one.put.door == INGEST for one in sent) == widths.intake


@given(widths=widths(), number=st.integers(0, 100))
def test_in_time_every_door_partition_is_tried_with_every_journal_partition(widths, number):
    rounds = [round_of(number + later, widths) for later in range(widths.journal)]
    shared = {(one.put, one.journal_partition) for sent in rounds for one in sent if one.put.door != INGEST}
    assert len(shared) == 3 * widths.doors * widths.journal


@given(widths=widths(), number=st.integers(0, 100))
def test_what_is_sent_names_a_series_of_the_right_partition_and_says_where_it_was_put(widths, number):
    region = canary_region(widths.journal)
    for one in round_of(number, widths):
        row = region.series.row_of[series_of(one.put.door, one.journal_partition)]
        assert region.domains[region.series.domain[row]].pin == one.journal_partition
        assert put_of(float(value_of(one.put))) == one.put


@pytest.mark.parametrize("value", [-1.0, 0.5, 4_000_000.0, 1e300])
def test_other_values_were_put_nowhere(value):
    assert put_of(value) is None


def answer(one, round_at, **changed) -> CanaryAnswer:
    fields = {"round_at": to_text(round_at), "door": one.put.door, "door_partition": one.put.partition}
    return CanaryAnswer(**{**fields, "journal_partition": one.journal_partition, "journalled_at": to_text(round_at), **changed})


def play(rounds: int, lost) -> tuple[Book, int]:
    """A book after so many rounds, of which those are lost that `lost(number, sent)` says; and the instant at which the next would go out."""
    book = Book(WIDTHS, TOPICS, 0)
    for number in range(rounds):
        sent = round_of(number, WIDTHS)
        book.begin(number * PERIOD_MS, sent, number * 30.0)
        for one in sent:
            if not lost(number, one):
                assert book.take(answer(one, number * PERIOD_MS), number * 30.0 + 0.25).took_s == 0.25
    return book, rounds * PERIOD_MS


def test_a_round_that_came_back_leaves_nothing_missed_and_nobody_late():
    book, now = play(5, lambda *_: False)
    assert book.missed() == []
    assert book.late(now, PERIOD_MS) == {}
    assert set(book.last_at) == book.answered


def test_answers_that_nobody_waits_for_count_for_nothing():
    book = Book(WIDTHS, TOPICS, 0)
    sent = round_of(1, WIDTHS)
    book.begin(PERIOD_MS, sent, 30.0)
    assert book.take(answer(sent[0], 0), 31.0) is None  # of the round before
    assert book.take(answer(sent[0], PERIOD_MS, journal_partition=3 - sent[0].journal_partition), 31.0) is None
    assert book.take(answer(sent[0], PERIOD_MS, door="sea"), 31.0) is None
    assert book.take(answer(sent[0], PERIOD_MS), 31.0) is not None
    assert book.take(answer(sent[0], PERIOD_MS), 31.0) is None  # a repetition
    assert book.answered == {Target(TOPICS[sent[0].put.door], sent[0].put.partition), Target("journal", sent[0].journal_partition)}


@pytest.mark.parametrize("dead", [Target("journal", 2), Target("measurements.air", 1), Target("ingest.canary", 0)])
def test_what_does_not_answer_is_blamed_alone_and_within_three_periods(dead):
    def lost(number, one):
        return number >= 4 and dead in (Target(TOPICS[one.put.door], one.put.partition), Target("journal", one.journal_partition))

    book, now = play(6, lost)
    assert book.late(now, PERIOD_MS) == {dead: 3 * PERIOD_MS}  # two rounds have missed it
    assert now - 3 * PERIOD_MS <= 3 * PERIOD_MS
    assert book.late(now - PERIOD_MS + 1, PERIOD_MS) == {}
    (trouble,) = explain(book.late(now, PERIOD_MS), book.last_at)
    assert trouble.wrong.startswith(f"{dead.topic} partition {dead.partition} has not answered since 1970-01-01T00:01:30Z: ")
    assert LATE_PERIODS * PERIOD_MS < 3 * PERIOD_MS


def test_nothing_at_all_is_one_trouble_and_names_the_broker_if_it_took_nothing():
    book, now = play(6, lambda number, _: number >= 3)
    late = book.late(now, PERIOD_MS)
    (one,) = explain(late, book.last_at)
    assert "nothing has come back since 1970-01-01T00:01:00Z: no worker runs, or all hang" in one.wrong
    (other,) = explain(late, book.last_at, "10 of 10 sends were not acknowledged")
    assert "the broker does not take it (10 of 10" in other.wrong


def test_a_whole_door_and_several_partitions_are_told_in_one_line_each():
    every = [Target(topic, number) for topic in ("journal", "measurements.air") for number in range(3)]
    late = {Target("journal", 0): 0, Target("journal", 2): 0} | {Target("measurements.air", number): 0 for number in range(3)}
    journal, air = explain(late, every)
    assert journal.wrong.startswith("journal partitions 0, 2 have not answered since")
    assert "no worker reads that door, or what is sent is refused" in air.wrong
    assert "`rejected`" in air.fix
