"""Broken messages of every kind we know, each with the reason it must be refused for. Good neighbours are made here too.

Used on ACCEPT alone (test_corpus.py) and through a real broker (test_bad_input_through_kafka.py).
"""

from __future__ import annotations

import gzip
import json
from typing import NamedTuple

from stream.accept.refusal import Refused
from stream.records.instants import to_text

HOUR_MS = 3_600_000


class Known(NamedTuple):
    """Series of some region that the messages are about. `naive_zone` series: in a zone where 1990-09-16T01:30 came twice (Asia/Shanghai)."""

    water: str
    water_unit: str
    air: str
    area: str
    now: int
    bytes_max: int


class Broken(NamedTuple):
    """A message (None: a record without value) for a door, and what must become of it: exactly one refusal, at `index` of an array."""

    kind: str
    door: str
    value: bytes | None
    reason: Refused
    index: int | None = None
    sound: int = 0
    """How many good measurements are in it besides, to be accepted all the same."""


def good(known: Known, value: object = 1.25, **other: object) -> dict[str, object]:
    """A good water measurement, with some fields changed."""
    return {"series": known.water, "observed_at": to_text(known.now - HOUR_MS), "value": value} | other


def good_count(known: Known, **other: object) -> dict[str, object]:
    """A good case count, with some fields changed."""
    period = {"period_start_at": to_text(known.now - 25 * HOUR_MS), "period_end_at": to_text(known.now - HOUR_MS)}
    return {"area": known.area, "value": 3} | period | other


def without(message: dict[str, object], *names: str) -> bytes:
    return as_bytes({name: value for name, value in message.items() if name not in names})


def as_bytes(message: object) -> bytes:
    return json.dumps(message).encode()


def corpus(known: Known) -> list[Broken]:
    """All of them."""
    return [
        *_no_json(known),
        *_wrong_fields(known),
        *_wrong_times(known),
        *_wrong_meaning(known),
        *_reports(known),
        *_arrays(known),
        *_counts(known),
    ]


def _no_json(known: Known) -> list[Broken]:
    text = as_bytes(good(known))
    kinds: list[tuple[str, bytes | None, Refused]] = [
        ("a record without value (tombstone)", None, Refused.TOMBSTONE),
        ("no bytes", b"", Refused.EMPTY),
        ("only white space", b" \r\n\t", Refused.EMPTY),
        ("larger than the limit", as_bytes(good(known, note="x" * known.bytes_max)), Refused.TOO_LARGE),
        ("white space beyond the limit", b" " * (known.bytes_max + 1), Refused.TOO_LARGE),
        ("plain text", b"water is rising!", Refused.NOT_JSON),
        ("a message cut off", text[:-7], Refused.NOT_JSON),
        ("junk after the object", text + b" x", Refused.NOT_JSON),
        ("NUL after the object", text + b"\0", Refused.NOT_JSON),
        ("two objects", text + text, Refused.NOT_JSON),
        ("two objects with a comma", text + b"," + text, Refused.NOT_JSON),
        ("what would break out of a joined array", b"1],[2", Refused.WRONG_TYPE),
        ("single quotes", text.replace(b'"', b"'"), Refused.NOT_JSON),
        ("trailing comma", text[:-1] + b",}", Refused.NOT_JSON),
        ("leading zero", text.replace(b"1.25", b"01.25"), Refused.NOT_JSON),
        ("comment", b"/* now */" + text, Refused.NOT_JSON),
        ("byte order mark", b"\xef\xbb\xbf" + text, Refused.NOT_JSON),
        ("CSV", b"series,observed_at,value\na,b,1\n", Refused.NOT_JSON),
        ("XML", b"<alert><value>1</value></alert>", Refused.NOT_JSON),
        ("lone surrogate", text.replace(known.water.encode(), b"\\ud800"), Refused.NOT_JSON),
        ("raw NUL in a name", text.replace(known.water.encode(), b"a\0b"), Refused.NOT_JSON),
        ("gzip", gzip.compress(text, mtime=0), Refused.NOT_UTF8),
        ("UTF-16", json.dumps(good(known)).encode("utf-16"), Refused.NOT_UTF8),
        ("Latin-1 in a name", text.replace(known.water.encode(), "Köln".encode("latin-1")), Refused.NOT_UTF8),
        ("overlong UTF-8 in a name", text.replace(known.water.encode(), b"\xc0\xaf"), Refused.NOT_UTF8),
        ("random bytes", bytes(range(256)), Refused.NOT_UTF8),
        ("100,000 brackets", b"[" * 100_000, Refused.TOO_DEEP),
        ("a field 50,000 deep", text[:-1] + b',"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}", Refused.TOO_DEEP),
        ("objects 30,000 deep", b'{"a":' * 30_000 + b"1" + b"}" * 30_000, Refused.TOO_DEEP),
    ]
    return [Broken(kind, "water", value, reason) for kind, value, reason in kinds]


def _wrong_fields(known: Known) -> list[Broken]:
    text = as_bytes(good(known))
    kinds = [
        ("null", b"null", Refused.WRONG_TYPE),
        ("a bare number", b"3.5", Refused.WRONG_TYPE),
        ("a bare text", b'"3.5"', Refused.WRONG_TYPE),
        ("a value in quotes", as_bytes(good(known, "1.25")), Refused.WRONG_TYPE),
        ("no value (null)", as_bytes(good(known, None)), Refused.WRONG_TYPE),
        ("a truth value", as_bytes(good(known, value=True)), Refused.WRONG_TYPE),
        ("a list of values", as_bytes(good(known, [1, 2])), Refused.WRONG_TYPE),
        ("a numeric series", as_bytes(good(known, series=7)), Refused.WRONG_TYPE),
        ("value missing", without(good(known), "value"), Refused.MISSING_FIELD),
        ("time missing", without(good(known), "observed_at"), Refused.MISSING_FIELD),
        ("series missing", without(good(known), "series"), Refused.MISSING_FIELD),
        ("quantity missing", without(good(known, station="x"), "series"), Refused.MISSING_FIELD),
        ("empty object", b"{}", Refused.MISSING_FIELD),
        ("empty name", as_bytes(good(known, series="")), Refused.OUT_OF_RANGE),
        ("name of 10,000 letters", as_bytes(good(known, series="s" * 10_000)), Refused.OUT_OF_RANGE),
        ("NaN", text.replace(b"1.25", b"NaN"), Refused.NOT_FINITE),
        ("Infinity", text.replace(b"1.25", b"Infinity"), Refused.NOT_FINITE),
        ("-Infinity", text.replace(b"1.25", b"-Infinity"), Refused.NOT_FINITE),
        ("1e999", text.replace(b"1.25", b"1e999"), Refused.NOT_FINITE),
        ("an integer of 400 digits", text.replace(b"1.25", b"7" * 400), Refused.NOT_FINITE),
    ]
    return [Broken(kind, "water", value, reason) for kind, value, reason in kinds]


def _wrong_times(known: Known) -> list[Broken]:
    kinds = [
        ("a time in words", "yesterday", Refused.TIME_INVALID),
        ("a date without time", "2024-05-01", Refused.TIME_INVALID),
        ("the 30th of February", "2024-02-30T00:00:00Z", Refused.TIME_INVALID),
        ("second 60", "2016-12-31T23:59:60Z", Refused.TIME_INVALID),
        ("year 20240", "20240-05-01T00:00:00Z", Refused.TIME_INVALID),
        ("offset of 25 hours", "2024-05-01T00:00:00+25:00", Refused.TIME_INVALID),
        ("a time in quotes as number", "1714564800", Refused.TIME_INVALID),
        ("year 9999", "9999-12-31T23:59:59Z", Refused.TIME_ABSURD),
        ("year 1", "0001-01-01T00:00:00Z", Refused.TIME_ABSURD),
        ("before 1970", "1969-12-31T23:59:59Z", Refused.TIME_ABSURD),
        ("milliseconds for seconds", known.now, Refused.TIME_ABSURD),
        ("1e300 seconds", 1e300, Refused.TIME_ABSURD),
        ("negative seconds", -1, Refused.TIME_ABSURD),
        ("an hour that came twice", "1990-09-16T01:30:00", Refused.TIME_AMBIGUOUS),
        ("a day ahead", to_text(known.now + 24 * HOUR_MS), Refused.TIME_FUTURE),
        ("ten years ahead as number", known.now / 1000 + 3.2e8, Refused.TIME_FUTURE),
    ]
    return [Broken(kind, "water", as_bytes(good(known, observed_at=at)), reason) for kind, at, reason in kinds]


def _wrong_meaning(known: Known) -> list[Broken]:
    kinds = [
        ("unknown station", {"series": "nowhere/stage"}, Refused.UNKNOWN_SERIES),
        ("zero-width space in a name", {"series": known.water[0] + "\u200b" + known.water[1:]}, Refused.UNKNOWN_SERIES),
        ("right-to-left override in a name", {"series": "\u202e" + known.water}, Refused.UNKNOWN_SERIES),
        ("NUL in a name", {"series": known.water + "\0"}, Refused.UNKNOWN_SERIES),
        ("name in capitals", {"series": known.water.upper()}, Refused.UNKNOWN_SERIES),
        ("name with a blank", {"series": known.water + " "}, Refused.UNKNOWN_SERIES),
        ("SQL in a name", {"series": "'; drop table stations; --"}, Refused.UNKNOWN_SERIES),
        ("air at the water door", {"series": known.air}, Refused.WRONG_FAMILY),
        ("a unit nobody knows", {"unit": "furlongz"}, Refused.UNIT_UNKNOWN),
        ("a tower of powers as unit", {"unit": "9**9**9**9"}, Refused.UNIT_UNKNOWN),
        ("code as unit", {"unit": "__import__('os')"}, Refused.UNIT_UNKNOWN),
        ("kilograms of water level", {"unit": "kg"}, Refused.UNIT_INCOMPATIBLE),
    ]
    return [Broken(kind, "water", as_bytes(good(known) | change), reason) for kind, change, reason in kinds] + [
        Broken("water at the air door", "air", as_bytes(good(known)), Refused.WRONG_FAMILY),
        Broken("a case count at the water door", "water", as_bytes(good_count(known)), Refused.MISSING_FIELD),
    ]


def _reports(known: Known) -> list[Broken]:
    report = {
        "report": "intervention",
        "domain": "nowhere",
        "act": "delay",
        "reach": "r1",
        "km": 1,
        "starts_at": to_text(known.now),
        "by": "gate 3",
    }
    kinds = [
        ("a report on a river nobody knows", {}, Refused.UNKNOWN_REACH),
        ("a report of another kind", {"report": "party"}, Refused.OUT_OF_RANGE),
        ("a report of an act that is none", {"act": "prayer"}, Refused.OUT_OF_RANGE),
        ("a report above the river's first kilometre", {"km": -1}, Refused.OUT_OF_RANGE),
        ("a report that makes water stronger", {"factor": 1.5}, Refused.OUT_OF_RANGE),
        ("a report with a field of its own", {"weather": "fine"}, Refused.UNKNOWN_FIELD),
        ("a report whose start is no time", {"starts_at": "noon"}, Refused.TIME_INVALID),
        ("a report on a nameless reach", {"reach": 7}, Refused.WRONG_TYPE),
    ]
    return [
        *(Broken(kind, "water", as_bytes(report | change), reason) for kind, change, reason in kinds),
        Broken("a report by nobody", "water", without(report, "by"), Refused.MISSING_FIELD),
        Broken("a report cut off", "water", as_bytes(report)[:-1], Refused.NOT_JSON),
        Broken("a measurement of an exercise", "water", as_bytes(good(known, lane="exercise")), Refused.OTHER_LANE),
        Broken("a lane that there is not", "water", as_bytes(good(known, lane="drill")), Refused.OUT_OF_RANGE),
        Broken("a count of an exercise", "health", as_bytes(good_count(known, lane="exercise")), Refused.OTHER_LANE),
        Broken("a report of an exercise", "water", as_bytes(report | {"lane": "exercise"}), Refused.OTHER_LANE),
        Broken("a report at the air door", "air", as_bytes(report), Refused.MISSING_FIELD),
        Broken("a measurement that speaks of a report", "water", as_bytes(good(known, None, note="report")), Refused.WRONG_TYPE),
    ]


def _arrays(known: Known) -> list[Broken]:
    one = good(known)
    kinds = [
        ("empty array", b"[]", Refused.EMPTY, None),
        ("array cut off", as_bytes([one, one])[:-1], Refused.NOT_JSON, None),
        ("array of arrays", as_bytes([[one]]), Refused.WRONG_TYPE, 0),
        ("null in an array", b"[null]", Refused.WRONG_TYPE, 0),
        ("150 bad elements", as_bytes([{}] * 150), Refused.MANY, None),
    ]
    mixed = as_bytes([good(known, -2), good(known, "-2"), good(known, -3)])
    return [Broken(kind, "water", value, reason, index) for kind, value, reason, index in kinds] + [
        Broken("one bad element among good ones", "water", mixed, Refused.WRONG_TYPE, 1, sound=2),
    ]


def _counts(known: Known) -> list[Broken]:
    kinds = [
        ("a patient's name", {"patient": "Zhang San"}, Refused.UNKNOWN_FIELD),
        ("an address", {"address": "7 River Road"}, Refused.UNKNOWN_FIELD),
        ("half a case", {"value": 2.5}, Refused.WRONG_TYPE),
        ("minus one case", {"value": -1}, Refused.OUT_OF_RANGE),
        ("more cases than people", {"value": 10**12}, Refused.OUT_OF_RANGE),
        ("a period that ends before it starts", {"period_end_at": to_text(known.now - 48 * HOUR_MS)}, Refused.PERIOD_INVALID),
        ("a period in the future", {"period_end_at": to_text(known.now + 48 * HOUR_MS)}, Refused.TIME_FUTURE),
        ("unknown area", {"area": "atlantis"}, Refused.UNKNOWN_SERIES),
        ("a measurement at the health door", {"observed_at": to_text(known.now)}, Refused.UNKNOWN_FIELD),
        ("cases in kilograms", {"unit": "kg"}, Refused.UNIT_INCOMPATIBLE),
    ]
    return [Broken(kind, "health", as_bytes(good_count(known) | change), reason) for kind, change, reason in kinds] + [
        Broken("a count cut off", "health", as_bytes(good_count(known))[:-3], Refused.NOT_JSON),
        Broken("a tombstone at the health door", "health", None, Refused.TOMBSTONE),
    ]
