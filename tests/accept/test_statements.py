"""Statements of people: readable or refused with a reason, and about what is there and is their city's to speak of."""

from __future__ import annotations

import msgspec
import pytest

from stream.accept.refusal import Fault, Refused
from stream.accept.statements import Stated, judge, read
from stream.records.acknowledgement import Acknowledgement
from stream.records.instants import DAY, HOUR, MINUTE, to_text
from stream.records.lanes import Lane
from stream.records.statement import Statement, statement_id
from stream.region.load import load
from tests.decide.conftest import FILES, make_bundle

NOW = 1_790_000_000_000
SILENCE = {"act": "silence", "level": "yellow", "ends_at": to_text(NOW + HOUR), "text": "we know"}


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    cities = FILES["cities.geojson"].replace('"level": "city"', '"level": "city", "parents": ["land"]')
    return load(make_bundle(FILES | {"cities.geojson": cities}, tmp_path_factory.mktemp("rill")))


def stated(of="ava", on=Lane.TEST, **fields):
    made = {"type": "statement", "act": "report", "domain": "rill", "by": "chen", "id": "1", "hazard": "flood", "level": "orange", **fields}
    return Stated(msgspec.convert(made, Statement), of, NOW, on)


def test_a_statement_is_told_from_an_answer_by_its_type():
    assert isinstance(read(b'{"type":"statement","act":"report","domain":"d","by":"li","id":"1"}', 1_000), Statement)
    assert isinstance(read(b'{"warning_id":"statement","revision":1,"action":"seen","by":"li"}', 1_000), Acknowledgement)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Refused.TOMBSTONE),
        (b'{"type":"statement"' + b" " * 2_000 + b"}", Refused.TOO_LARGE),
        (b'{"type":"statement"', Refused.NOT_JSON),
        (b'{"type":"statement"}', Refused.MISSING_FIELD),
        (b'{"type":"statement","act":"shout","domain":"d","by":"li","id":"1"}', Refused.OUT_OF_RANGE),
        (b'{"type":"statement","act":"report","domain":"d","by":"","id":"1"}', Refused.OUT_OF_RANGE),
        (b'{"type":"statement","act":"report","domain":"d","by":"li","id":"1","city_id":"bor"}', Refused.UNKNOWN_FIELD),
        (b'{"type":"statement","act":"report","domain":"d","by":"li","id":"1","km":-1}', Refused.OUT_OF_RANGE),
        (b'{"type":["statement"]}', Refused.UNKNOWN_FIELD),
        (b'{"type":"statement","act":' + b"[" * 5_000 + b"]" * 5_000 + b"}", Refused.TOO_DEEP),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(value, reason):
    fault = read(value, 1_000 if reason is Refused.TOO_LARGE else 20_000)
    assert isinstance(fault, Fault)
    assert fault.reason is reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"lane": "exercise"}, Refused.OTHER_LANE),
        ({"domain": "brook"}, Refused.UNKNOWN_DOMAIN),
        ({"city": "rome"}, Refused.UNKNOWN_CITY),
        ({"hazard": "eruption"}, Refused.UNKNOWN_HAZARD),
        ({"level": None}, Refused.MISSING_FIELD),
        ({"reach": "r9", "km": 1.0}, Refused.UNKNOWN_REACH),
        ({"reach": "r1"}, Refused.OUT_OF_RANGE),
        ({"reach": "r1", "km": 36.5}, Refused.OUT_OF_RANGE),
        ({"latitude": 30.0}, Refused.MISSING_FIELD),
        ({"starts_at": to_text(NOW + HOUR)}, Refused.TIME_FUTURE),
        ({"starts_at": 1e12}, Refused.TIME_ABSURD),
        ({"ends_at": to_text(NOW - MINUTE)}, Refused.PERIOD_INVALID),
        ({"act": "confirm"}, Refused.MISSING_FIELD),
        ({"act": "cancel", "about": "wrn-1"}, Refused.NO_REASON),
        ({"act": "correct", "about": "stm-1", "text": " "}, Refused.NO_REASON),
        ({"act": "correct", "about": "wrn-1", "text": "lower", "level": "blue"}, Refused.OUT_OF_RANGE),
        ({"act": "correct", "about": "inc-1", "text": "there", "level": None, "reach": "r1", "km": 1.0}, Refused.OUT_OF_RANGE),
        ({"act": "maintain", "about": "nowhere", "ends_at": to_text(NOW + HOUR)}, Refused.UNKNOWN_STATION),
        ({"act": "maintain", "about": "lower", "ends_at": to_text(NOW + HOUR)}, Refused.NOT_YOURS),
        ({"act": "maintain", "about": "upper"}, Refused.PERIOD_INVALID),
        ({"act": "maintain", "about": "upper", "ends_at": to_text(NOW + 100 * DAY)}, Refused.PERIOD_INVALID),
        (SILENCE | {"level": None}, Refused.MISSING_FIELD),
        (SILENCE | {"level": "red"}, Refused.OUT_OF_RANGE),
        (SILENCE | {"level": "none"}, Refused.OUT_OF_RANGE),
        (SILENCE | {"hazard": "eruption"}, Refused.UNKNOWN_HAZARD),
        (SILENCE | {"matchers": {"station": "upper"}}, Refused.UNKNOWN_FIELD),
        (SILENCE | {"text": " "}, Refused.NO_REASON),
        (SILENCE | {"ends_at": None}, Refused.PERIOD_INVALID),
        (SILENCE | {"ends_at": to_text(NOW + 8 * DAY)}, Refused.PERIOD_INVALID),
        ({"act": "unsilence"}, Refused.MISSING_FIELD),
    ],
)
def test_what_is_not_there_or_not_its_own_is_refused(region, fields, reason):
    fault = judge(stated(**fields), [region])
    assert isinstance(fault, Fault), fault
    assert fault.reason is reason
    assert fault.detail


def test_a_city_no_region_knows_may_state_nothing(region):
    assert judge(stated("rome"), [region]).reason is Refused.NOT_YOURS


def test_who_states_it_and_when_are_the_topics_and_the_brokers(region):
    made = judge(stated("bor", reach="r1", km=10.0, starts_at=to_text(NOW - HOUR), text="oil"), [region])
    assert (made.city_id, made.received_at, made.starts_at, made.place_city, made.reach) == ("bor", NOW, NOW - HOUR, "", "r1")
    assert (made.statement_id, made.region_hash, made.lane) == (statement_id("bor", "1"), region.region_hash, "test")


def test_a_report_without_a_place_is_of_the_city_itself_and_an_administration_must_name_one(region):
    assert judge(stated(), [region]).place_city == "ava"
    assert judge(stated("land"), [region]).reason is Refused.UNKNOWN_CITY
    assert judge(stated("land", city="bor"), [region]).place_city == "bor"


def test_who_stands_above_a_city_may_speak_of_its_stations(region):
    made = judge(stated("land", act="maintain", about="upper/stage", ends_at=to_text(NOW + HOUR)), [region])
    assert (made.act, made.about, made.ends_at) == ("maintain", "upper/stage", NOW + HOUR)


def test_a_silence_is_a_citys_own_and_covers_no_more_than_orange(region):
    made = judge(stated("bor", **SILENCE, matchers={"level": "orange"}), [region])
    assert (made.act, made.city_id, made.matchers, made.ends_at) == ("silence", "bor", (("level", "orange"),), NOW + HOUR)
    assert judge(stated("land", **SILENCE), [region]).reason is Refused.UNKNOWN_CITY


def test_an_exercise_has_to_say_that_it_is_one(region):
    assert judge(stated(on=Lane.EXERCISE), [region]).reason is Refused.OTHER_LANE
    assert judge(stated(on=Lane.EXERCISE, lane="exercise"), [region]).lane == "exercise"
