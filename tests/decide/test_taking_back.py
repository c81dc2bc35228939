"""What somebody says was wrong: everybody who was ever told hears it, and only those who answer for it may say so."""

from __future__ import annotations

import json

import pytest

from stream.records.instants import HOUR, MINUTE
from stream.records.journal import Statement
from stream.records.output import Kind

AGREEMENT = """
[rill]
parties = ["north", "south", "east"]
hazards = ["flood"]
notify_from_level = "yellow"
"""
CITIES = ["ava", "bor", "cam"]


def stated(tale, at, act, about, **other):
    fields = {
        "domain": "rill", "region_hash": tale.region.region_hash, "city_id": "ava", "statement_id": f"stm-{at}", "act": act, "by": "chen",
        "received_at": at, "starts_at": at, "about": about, "text": "the gauge was being flushed",
    }  # fmt: skip
    return Statement(**{**fields, **other})


def reported(tale, at, **other):
    return stated(
        tale, at, "report", "", **{"statement_id": "stm-1", "hazard": "flood", "level": "orange", "reach": "r1", "km": 5.0, **other}
    )


def incident(tale):
    return next(iter(tale.state.core.domains["rill"].hazards["flood"].incidents.values()))


def records(tale):
    return [json.loads(one.value) for one in tale.outputs if one.kind is Kind.INCIDENTS]


@pytest.fixture
def risen(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, calm | {"upper": 4.5})
    return tale


def test_a_cancelled_incident_is_withdrawn_everywhere_with_the_reason_somebody_gave(risen, start):
    at = start + HOUR + MINUTE
    risen.give(at, stated(risen, at, "cancel", incident(risen).incident_id))
    for city in CITIES:
        last = risen.messages(city)[-1]
        assert (last["msg_type"], last["reason"], last["reasons"]) == ("cancel", "cancelled", ["cancelled_by_hand"])
        assert "Ava, chen: the gauge was being flushed" in last["text"]["en"]
        assert "the gauge was being flushed" in last["text"]["zh"]
        assert risen.status(city) == "clear"
    assert records(risen)[-1]["state"] == "closed"


def test_a_warning_names_its_incident_and_all_of_it_is_withdrawn(risen, start):
    at = start + HOUR + MINUTE
    risen.give(at, stated(risen, at, "cancel", risen.messages("cam")[-1]["warning_id"]))
    assert [risen.told(city)[-1][0] for city in CITIES] == ["cancel"] * 3


def test_who_was_given_the_all_clear_before_hears_it_too(risen, calm, start):
    at = start + HOUR
    risen.quiet(at + 10 * MINUTE, at + 4 * HOUR, calm)
    assert risen.told("ava")[-1][0] == "all_clear"
    assert risen.told("cam")[-1][0] != "all_clear"
    at += 4 * HOUR
    risen.give(at, stated(risen, at, "cancel", incident(risen).incident_id))
    assert [risen.told(city)[-1][0] for city in CITIES] == ["cancel"] * 3
    for city in CITIES:
        revisions = [body["revision"] for body in risen.messages(city)]
        assert revisions == sorted(set(revisions))


def test_the_same_level_of_the_same_gauge_does_not_bring_it_back_and_a_higher_one_does(risen, calm, start):
    at = start + HOUR + MINUTE
    risen.give(at, stated(risen, at, "cancel", incident(risen).incident_id))
    risen.quiet(at + 9 * MINUTE, at + HOUR, calm | {"upper": 4.6})
    assert risen.told("bor")[-1][0] == "cancel"
    risen.measure(at + HOUR, calm | {"upper": 5.2})
    assert risen.told("bor")[-1] == ("alert", "red", "first")


def test_after_it_was_below_every_limit_it_counts_again(risen, calm, start):
    at = start + HOUR + MINUTE
    risen.give(at, stated(risen, at, "cancel", incident(risen).incident_id))
    risen.quiet(at + 9 * MINUTE, at + HOUR, calm)
    risen.measure(at + HOUR, calm | {"upper": 4.5})
    assert risen.told("bor")[-1] == ("alert", "orange", "first")


def test_a_city_that_is_only_affected_may_not_take_it_back(risen, start):
    at = start + HOUR + MINUTE
    (disputed,) = risen.give(at, stated(risen, at, "cancel", incident(risen).incident_id, city_id="cam"))
    assert json.loads(disputed.value)["kind"] == "disputed"
    assert [risen.told(city)[-1][0] for city in CITIES] == ["alert"] * 3


def test_what_nobody_knows_is_counted(risen, start):
    at = start + HOUR + MINUTE
    assert risen.give(at, stated(risen, at, "cancel", "inc-none")) == []
    assert risen.state.core.counts.unmatched == 1


def test_a_cancelled_report_withdraws_what_rests_on_it_and_leaves_what_is_measured(risen, start):
    at = start + HOUR + MINUTE
    risen.give(at, reported(risen, at, level="red", city_id="bor", place_city="bor", reach="r2"))
    risen.give(at + MINUTE, stated(risen, at + MINUTE, "confirm", "stm-1", by="li"))
    assert risen.told("bor")[-1][1] == "red"
    risen.give(at + 2 * MINUTE, stated(risen, at + 2 * MINUTE, "cancel", "stm-1", city_id="bor"))
    assert risen.told("ava")[-1] == ("alert", "orange", "first")
    assert "cancel" not in [kind for kind, _, _ in risen.told("bor")]
    assert list(risen.state.core.domains["rill"].hazards["flood"].sources) == ["upper/stage"]


def test_bodies_that_were_told_hear_it_too(story, files, calm, start):
    cities = files["cities.geojson"]
    for city, province in zip(CITIES, ("north", "south", "east"), strict=True):
        cities = cities.replace(f'"id": "{city}",', f'"id": "{city}", "parents": ["{province}", "land"],')
    tale = story({"cities.geojson": cities, "agreements.toml": AGREEMENT})
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, calm | {"upper": 4.5})
    assert tale.told("east")[-1][2] == "informed"
    at = start + HOUR + MINUTE
    tale.give(at, stated(tale, at, "cancel", incident(tale).incident_id, city_id="north"))
    assert [tale.told(one)[-1][0] for one in (*CITIES, "north", "south", "east")] == ["cancel"] * 6


@pytest.mark.parametrize(("act", "kind", "reason"), [("cancel", "cancel", "cancelled"), ("correct", "all_clear", "correction")])
def test_of_an_incident_that_is_closed_everybody_who_was_told_hears_it(risen, calm, start, act, kind, reason):
    at, name = start + 96 * HOUR, incident(risen).incident_id
    risen.quiet(start + HOUR + 10 * MINUTE, at, calm)
    assert not risen.state.core.domains["rill"].hazards["flood"].incidents
    (disputed,) = risen.give(at, stated(risen, at, act, name, city_id="cam", statement_id="stm-cam"))
    assert disputed.kind is Kind.DISCREPANCIES
    risen.give(at, stated(risen, at, act, name))
    for city in CITIES:
        last = risen.messages(city)[-1]
        assert (last["msg_type"], last["reason"], last["incident_id"]) == (kind, reason, name)
        assert "the gauge was being flushed" in last["text"]["en"]
        revisions = [body["revision"] for body in risen.messages(city)]
        assert revisions == sorted(set(revisions))
    assert not risen.state.core.domains["rill"].hazards["flood"].incidents
    assert records(risen)[-1]["state"] == "closed"
    again = risen.fold.restore(risen.fold.snapshot(risen.state))
    assert risen.fold.snapshot(again) == risen.fold.snapshot(risen.state)


def test_a_report_of_nothing_can_be_taken_back_too(risen, start):
    at = start + HOUR + MINUTE
    risen.give(at, reported(risen, at, level="none"))
    risen.give(at + MINUTE, stated(risen, at + MINUTE, "cancel", "stm-1"))
    assert not risen.state.core.domains["rill"].by_hand.reports
    assert [risen.told(city)[-1][0] for city in CITIES] == ["alert"] * 3


def test_a_correction_reaches_everybody_and_changes_nothing_of_what_stands(risen, start):
    at = start + HOUR + MINUTE
    before = {city: risen.messages(city)[-1] for city in CITIES}
    risen.give(at, stated(risen, at, "correct", incident(risen).incident_id, text="it is the north bank"))
    for city in CITIES:
        last = risen.messages(city)[-1]
        assert (last["msg_type"], last["reason"], last["revision"], last["supersedes"]) == ("update", "correction", 2, 1)
        assert "it is the north bank" in last["text"]["en"]
        assert [last[name] for name in ("level", "arrives_at_p50", "expires_at", "evidence")] == [
            before[city][name] for name in ("level", "arrives_at_p50", "expires_at", "evidence")
        ]


def test_a_correction_after_the_all_clear_is_no_alert(risen, calm, start):
    at = start + 5 * HOUR
    risen.quiet(start + HOUR + 10 * MINUTE, at, calm)
    risen.give(at, stated(risen, at, "correct", incident(risen).incident_id))
    assert [(body["msg_type"], body["reason"]) for body in risen.messages("ava")][-2:] == [
        ("all_clear", "cleared"),
        ("all_clear", "correction"),
    ]
    risen.quiet(at + 10 * MINUTE, at + HOUR, calm)
    assert risen.told("ava")[-1][2] == "correction"


def test_a_report_corrected_downwards_is_lower_at_once_and_upwards_needs_a_second_person_for_red(story, calm, start):
    tale, at = story(), start + HOUR
    tale.quiet(start, at, calm)
    tale.give(at, reported(tale, at))
    tale.give(at + MINUTE, stated(tale, at + MINUTE, "correct", "stm-1", level="yellow"))
    assert tale.told("bor")[-2:] == [("update", "yellow", "better"), ("update", "yellow", "correction")]
    tale.give(at + 2 * MINUTE, stated(tale, at + 2 * MINUTE, "correct", "stm-1", level="red"))
    assert tale.told("bor")[-1] == ("update", "orange", "correction")


def test_a_report_corrected_to_another_place_withdraws_it_where_it_never_was(story, calm, start):
    tale, at = story(), start + HOUR
    tale.quiet(start, at, calm)
    tale.give(at, reported(tale, at, place_city="ava"))
    assert [tale.told(city)[-1][0] for city in CITIES] == ["alert"] * 3
    tale.give(at + MINUTE, stated(tale, at + MINUTE, "correct", "stm-1", place_city="cam", reach="r3", km=1.0))
    assert [tale.told(city)[-1][::2] for city in CITIES] == [("cancel", "correction"), ("cancel", "correction"), ("update", "correction")]
    assert tale.messages("cam")[-1]["path"] == "same_place"
