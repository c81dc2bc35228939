from __future__ import annotations

import json

import pytest

from stream.accept.door import Accept, DoorRecord
from stream.accept.refusal import Refused
from stream.records.instants import to_text
from stream.records.journal import Flag, columns, decode
from stream.settings import Settings
from tests.accept.regions import region

NOW = 1_714_564_800_000
ACCEPT = Accept([region()], Settings(), 12)


def one(message, door="water"):
    text = message if isinstance(message, bytes) else json.dumps(message).encode()
    return ACCEPT.accept(door, [DoorRecord(0, 0, NOW, text)], NOW)


def flags(out):
    return columns(decode(out.entries[0].value)).flags.tolist()


@pytest.mark.parametrize(("age_ms", "late"), [(7_200_000, 0), (7_200_001, Flag.LATE)])
def test_late_begins_just_after_max_late_s(age_ms, late):
    assert flags(one({"series": "mixed/stage", "observed_at": to_text(NOW - age_ms), "value": 1})) == [late]


@pytest.mark.parametrize(("ahead_ms", "accepted"), [(120_000, 1), (120_001, 0)])
def test_the_future_begins_just_after_max_future_s(ahead_ms, accepted):
    assert one({"series": "mixed/stage", "observed_at": to_text(NOW + ahead_ms), "value": 1}).accepted == accepted


@pytest.mark.parametrize(("length_ms", "accepted"), [(1, 1), (0, 0), (-1, 0)])
def test_a_period_ends_after_it_starts(length_ms, accepted):
    count = {"area": "north", "value": 1, "period_start_at": to_text(NOW - 1000 - length_ms), "period_end_at": to_text(NOW - 1000)}
    assert one(count, "health").accepted == accepted


@pytest.mark.parametrize(
    ("quality", "flag"), [("suspect", 2), ("SUSPECT", 2), ("3", 2), ("Fail", 2), ("good", 0), ("1", 0), ("unchecked", 0)]
)
def test_a_quality_that_says_doubtful_marks_the_value(quality, flag):
    assert flags(one({"series": "upper/stage", "observed_at": to_text(NOW), "value": 1, "quality": quality})) == [flag]


@pytest.mark.parametrize(("extra", "accepted"), [(0, 1), (1, 0)])
def test_a_message_may_be_exactly_as_large_as_the_limit(extra, accepted):
    text = json.dumps({"series": "upper/stage", "observed_at": to_text(NOW), "value": 1}).encode()
    assert one(text + b" " * (Settings().door_bytes_max - len(text) + extra)).accepted == accepted


@pytest.mark.parametrize(
    "at", ["2199-12-31T23:59:59.999Z", "2107-03-04T05:06:07.008009Z", "2040-01-01T00:00:00.000999Z", "2005-11-13T13:45:00.9999+08:00"]
)
def test_instants_are_exact_to_the_millisecond_in_any_year(at):
    accept = Accept([region()], Settings(), 12)
    out = accept.accept(
        "water", [DoorRecord(0, 0, 7_258_118_400_000, json.dumps({"series": "upper/stage", "observed_at": at, "value": 1}).encode())], NOW
    )
    found = columns(decode(out.entries[0].value)).observed_at.tolist()[0]
    assert to_text(found)[:23].rstrip("Z") == {"2005-11-13T13:45:00.9999+08:00": "2005-11-13T05:45:00.999"}.get(
        at, at[:23].rstrip("Z")
    ).removesuffix(".000")


def test_a_message_that_is_only_just_not_too_deep_is_never_raised_about():
    # The depth that can be read depends on how deep the caller already is: every depth around the limit must end in one of both ways.
    for depth in range(850, 1050, 3):
        text = b'[{"series":"no/such","observed_at":0,"value":1,"x":' + b"[" * depth + b"]" * depth + b"}]"
        (refusal,) = one(text).refused
        assert refusal.reason in {Refused.UNKNOWN_SERIES, Refused.TOO_DEEP}
