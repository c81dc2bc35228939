"""Either clock at a door may be wrong by a day, the broker's or ours: nothing is refused, or kept from warning, because of it."""

from __future__ import annotations

import json

import msgspec
import pytest

from stream.accept.door import DoorRecord
from stream.accept.refusal import Refused
from stream.accept.statements import Stated, judge
from stream.records import journal
from stream.records.instants import DAY, HOUR, to_text
from stream.records.lanes import Lane
from stream.records.statement import Statement
from stream.region.load import load
from tests.accept import signers
from tests.accept.test_door import ACCEPT, NOW, stage
from tests.decide.conftest import FILES, make_bundle

AHEAD, BEHIND = NOW + DAY, NOW - DAY
CLOCKS = [
    pytest.param(AHEAD, NOW, id="the broker a day ahead"),
    pytest.param(BEHIND, NOW, id="the broker a day behind"),
    pytest.param(NOW, AHEAD, id="ours a day ahead"),
    pytest.param(NOW, BEHIND, id="ours a day behind"),
]


def give(message, *, appended_at, now):
    return ACCEPT["broker"].accept("water", [DoorRecord(0, 0, appended_at, json.dumps(message).encode())], now)


@pytest.mark.parametrize(("appended_at", "now"), CLOCKS)
def test_what_was_measured_just_now_is_neither_late_nor_of_the_future(appended_at, now):
    out = give(stage(observed_at=to_text(NOW - 1_000)), appended_at=appended_at, now=now)
    assert (out.accepted, out.late, out.refused) == (1, 0, [])


def test_what_both_clocks_call_late_or_of_the_future_is():
    assert give(stage(observed_at=to_text(NOW - 2 * DAY)), appended_at=NOW, now=NOW + 5_000).late == 1
    assert give(stage(observed_at=to_text(NOW + DAY)), appended_at=NOW, now=NOW - 5_000).refused[0].reason is Refused.TIME_FUTURE


def test_what_a_worker_reads_hours_after_it_came_is_not_late_for_that():
    assert give(stage(observed_at=to_text(NOW - 1_000)), appended_at=NOW, now=NOW + 3 * HOUR).late == 0


@pytest.mark.parametrize(("appended_at", "now"), CLOCKS)
def test_a_batch_signed_just_now_counts(appended_at, now):
    value = signers.signed(signed_at=to_text(signers.NOW - 60_000))
    shift = signers.NOW - NOW
    out = signers.accept().accept("measurements.water", [DoorRecord(1, 5, appended_at + shift, value)], now + shift)
    assert (out.accepted, out.refused) == (1, [])


def test_a_key_that_has_ended_by_both_clocks_counts_no_more():
    value = signers.signed("old", key_id="old", signed_at=to_text(signers.NOW - 2 * HOUR))
    out = signers.accept().accept("measurements.water", [DoorRecord(1, 5, signers.NOW, value)], signers.NOW)
    assert out.refused[0].reason is Refused.KEY_NOT_VALID


@pytest.mark.parametrize(("broker", "ours"), [(0, -2 * HOUR), (-2 * HOUR, 0)])
def test_a_key_that_has_ended_by_one_clock_only_counts(broker, ours):
    value = signers.signed("old", key_id="old", signed_at=to_text(signers.NOW - 2 * HOUR))
    out = signers.accept().accept("measurements.water", [DoorRecord(1, 5, signers.NOW + broker, value)], signers.NOW + ours)
    assert (out.accepted, out.refused) == (1, [])


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    return load(make_bundle(FILES, tmp_path_factory.mktemp("rill")))


@pytest.mark.parametrize(
    "times", [{}, {"starts_at": to_text(NOW - 60_000)}, {"ends_at": to_text(NOW + HOUR)}], ids=["now", "began", "ends"]
)
@pytest.mark.parametrize(("received_at", "now"), CLOCKS)
def test_what_a_person_says_just_now_counts(region, received_at, now, times):
    made = {"type": "statement", "act": "report", "domain": "rill", "by": "chen", "id": "1", "hazard": "flood", "level": "orange", **times}
    found = judge(Stated(msgspec.convert(made, Statement), "ava", received_at, Lane.TEST, now), [region])
    assert isinstance(found, journal.Statement), found
