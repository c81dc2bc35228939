"""Silences: what a city is spared, and that no raise, no end and nothing red is ever among it."""

from __future__ import annotations

import pytest

from stream.records.instants import DAY, HOUR, MINUTE, to_text
from stream.records.output import Kind
from tests.decide.small_river import City


@pytest.fixture
def city(story, start):
    return City(story(), start)


def test_a_silenced_warning_is_not_sent_but_stands_and_the_status_says_so(city, start):
    name = city.silence("yellow")
    city.until(start + HOUR, upper_stage=2.5)
    assert city.heard("bor") == []
    assert city.heard("cam") == [("alert", "blue", "first")], "another city's messages are its own affair"
    standing = city.standing()
    assert (standing["level"], standing["reason"], standing["muted_by"]) == ("blue", "first", [f"silence:{name}"])
    status = city.last_status()
    assert (status["state"], status["level"], status["muted_by"]) == ("warned", "blue", [f"silence:{name}"])
    assert "not over" in status["text"]["en"]
    (muted,) = city.incident()["muted"]
    assert (muted["city_id"], muted["by"], muted["why"], muted["until_at"]) == ("bor", "li", "we know", to_text(start + 24 * HOUR))
    assert {one.reason for one in city.tale.outputs if one.kind is Kind.WARNINGS and one.city_id == "bor"} == {"silence_muted"}


def test_a_raise_above_the_silenced_level_is_sent_at_once_as_the_citys_first_alert(city, start):
    city.silence("yellow")
    city.until(start + HOUR, upper_stage=2.5)
    city.until(start + HOUR + 10 * MINUTE, upper_stage=4.5)
    (heard,) = city.tale.messages("bor")
    assert (heard["msg_type"], heard["level"], heard["reason"], heard["muted_by"]) == ("alert", "orange", "worse", [])
    assert heard["sent_at"] == to_text(start + HOUR + 10 * MINUTE)


def test_red_is_sent_whatever_was_silenced(city, start):
    city.silence("red")
    city.until(start + HOUR, upper_stage=5.5)
    assert city.heard() == [("alert", "red", "first")]


def test_what_was_sent_is_ended_visibly(city, start):
    city.until(start + HOUR, upper_stage=2.5)
    city.silence("orange", hours=150)
    city.until(start + 2 * HOUR)
    assert city.standing()["reason"] == "muted"
    city.until(start + 4 * DAY, step=HOUR // 2, upper_stage=1.0)
    assert city.heard() == [("alert", "blue", "first"), ("all_clear", "blue", "cleared")]


def test_a_lowering_from_above_the_silenced_level_is_told_before_it_is_quiet(city, start):
    city.silence("yellow", "ava", hours=150)
    city.until(start + HOUR, upper_stage=4.5)
    city.until(start + DAY, step=HOUR // 2, upper_stage=2.5)
    assert [(level, reason) for _, level, reason in city.heard("ava") if reason != "extended"] == [("orange", "first"), ("blue", "better")]
    assert city.heard("ava")[-1][2] == "better"
    assert city.standing("ava")["muted_by"] != []


def test_what_was_never_sent_is_not_ended_either(city, start):
    city.silence("yellow", hours=150)
    city.until(start + HOUR, upper_stage=2.5)
    city.until(start + 4 * DAY, step=HOUR // 2, upper_stage=1.0)
    assert city.heard() == []
    assert (city.standing()["msg_type"], city.standing()["muted_by"] != []) == ("all_clear", True)
    assert city.last_status()["state"] == "clear"


def test_a_silence_ends_at_its_time_and_what_stands_is_sent_at_that_instant(city, start):
    city.silence("yellow", hours=2.25)
    city.until(start + 2 * HOUR, upper_stage=2.5)
    assert city.heard() == []
    city.until(start + 3 * HOUR)
    (heard,) = city.tale.messages("bor")
    assert (heard["msg_type"], heard["reason"], heard["sent_at"]) == ("alert", "unmuted", to_text(start + 2 * HOUR + 15 * MINUTE))
    assert city.last_status()["muted_by"] == []


def test_a_silence_taken_back_ends_at_once_and_only_its_own_city_may(city, start):
    name = city.silence("yellow")
    city.until(start + HOUR, upper_stage=2.5)
    city.states("unsilence", "cam", about=name)
    assert city.heard() == []
    city.states("unsilence", "bor", about=name)
    assert city.heard() == [("alert", "blue", "unmuted")]


def test_a_silence_ends_with_the_event(city, start):
    city.silence("yellow", hours=150)
    city.until(start + HOUR, upper_stage=2.5)
    city.until(start + 4 * DAY, step=HOUR // 2, upper_stage=1.0)
    assert city.tale.state.core.domains["rill"].silences == {}
    city.until(city.at + HOUR, upper_stage=2.5)
    assert city.heard() == [("alert", "blue", "first")], "another event is sent, although the silence would have lasted"


def test_a_planned_silence_begins_at_its_time_and_not_before(city, start):
    city.silence("yellow", hours=10, starts_at=start + 2 * HOUR)
    city.until(start + HOUR, upper_stage=2.5)
    assert city.heard() == [("alert", "blue", "first")]
    city.until(start + 3 * HOUR)
    assert (city.standing()["reason"], city.standing()["sent_at"]) == ("muted", to_text(start + 2 * HOUR))


def test_a_silence_of_one_incident_mutes_that_one_only(city, start):
    city.until(start + HOUR, upper_stage=2.5)
    told = city.tale.messages("bor")[-1]
    city.silence("yellow", about=told["incident_id"])
    assert city.standing()["muted_by"] != []
    city.silence("yellow", "ava", about=told["incident_id"])
    assert city.standing("ava")["muted_by"] != [], "each city's silence is its own"
    assert city.standing("cam")["muted_by"] == []


def test_a_silence_of_an_event_that_was_withdrawn_by_hand_is_over_too(city, start):
    city.silence("yellow", hours=150)
    city.until(start + HOUR, upper_stage=2.5)
    city.states("cancel", "ava", about=city.tale.messages("ava")[-1]["incident_id"], text="the gauge was being washed")
    city.until(city.at + HOUR, upper_stage=1.0)
    assert city.tale.state.core.domains["rill"].silences == {}


def test_a_silence_of_another_danger_or_incident_mutes_nothing(city, start):
    city.silence("yellow", hazard="pollutant")
    city.silence("yellow", about="inc-of-long-ago")
    city.until(start + HOUR, upper_stage=2.5)
    assert city.heard() == [("alert", "blue", "first")]


@pytest.mark.parametrize(
    "fields",
    [
        {"level": ""},
        {"level": "none"},
        {"level": "yellow", "matchers": (("station", "upper"),)},
        {"level": "", "matchers": (("level", "amber"),)},
    ],
)
def test_a_silence_that_is_not_understood_mutes_nothing_and_is_counted(city, start, fields):
    before = city.tale.state.core.counts.unmatched
    city.states("silence", ends_at=start + DAY, **fields)
    assert city.tale.state.core.counts.unmatched == before + 1
    city.until(start + HOUR, upper_stage=2.5)
    assert city.heard() == [("alert", "blue", "first")]


def test_a_silence_without_an_end_ends_after_a_week(city, start):
    city.states("silence", level="blue")
    (one,) = city.tale.state.core.domains["rill"].silences.values()
    assert one.ends_at == start + 7 * DAY


def test_the_same_statement_twice_counts_once_and_does_not_begin_again_after_the_event(city, start):
    name = city.silence("yellow", id="stm-same")
    assert city.silence("yellow", id="stm-same") == name
    assert len(city.tale.state.core.domains["rill"].silences) == 1


def test_a_city_cannot_fill_the_memory_with_silences(city):
    for _ in range(50):
        city.silence("blue")
    assert len(city.tale.state.core.domains["rill"].silences) == 20


def test_what_must_be_answered_is_sent_and_only_after_the_answer_muted(story, files, start):
    flood = files["hazards/flood.toml"].replace("[rules]\n", "[rules]\nacknowledge_blue_s = 3600\n")
    city = City(story({"hazards/flood.toml": flood}), start)
    city.silence("yellow")
    city.until(start + 30 * MINUTE, upper_stage=2.5)
    assert city.heard() == [("alert", "blue", "first")]


def test_a_correction_by_hand_reaches_whoever_was_told_before_also_while_it_is_muted(city, start):
    city.until(start + HOUR, upper_stage=2.5)
    told = city.tale.messages("ava")[-1]
    city.silence("yellow", "ava")
    city.until(start + 2 * HOUR)
    assert city.standing("ava")["muted_by"] != []
    city.states("correct", "ava", about=told["warning_id"], text="the gauge was read wrongly")
    last = city.tale.messages("ava")[-1]
    assert (last["reason"], last["muted_by"]) == ("correction", [])
    city.until(start + 3 * HOUR)
    assert city.standing("ava")["reason"] == "muted", "and then it is quiet again"


def test_a_withdrawal_by_hand_reaches_whoever_was_told_before_and_nobody_who_never_was(city, start):
    city.silence("yellow", "bor")
    city.until(start + HOUR, upper_stage=2.5)
    told = city.tale.messages("ava")[-1]
    city.silence("yellow", "ava")
    city.until(start + 2 * HOUR)
    city.states("cancel", "ava", about=told["incident_id"], text="an exercise of the gauge")
    assert city.heard("ava")[-1] == ("cancel", "blue", "cancelled")
    assert city.heard("bor") == []
    assert city.standing("bor")["msg_type"] == "cancel"
