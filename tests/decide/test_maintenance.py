"""Planned maintenance: shown, not silent, raises nothing, lowers coverage, and is over by itself."""

from __future__ import annotations

import json

import pytest

from stream.records.instants import HOUR, MINUTE
from stream.records.journal import Statement
from stream.records.output import Kind


def stated(tale, at, act="maintain", about="upper", **other):
    fields = {
        "domain": "rill", "region_hash": tale.region.region_hash, "city_id": "ava", "statement_id": f"stm-{at}", "act": act, "by": "chen",
        "received_at": at, "starts_at": at, "about": about,
    }  # fmt: skip
    return Statement(**{**fields, **other})


def health(tale):
    return [
        (body["state"], body["previous_state"])
        for one in tale.outputs
        if one.kind is Kind.STATION_HEALTH
        for body in (json.loads(one.value),)
    ]


@pytest.fixture
def calm_tale(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    return tale


def test_a_station_in_maintenance_raises_nothing_and_is_not_called_silent(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.give(at, stated(calm_tale, at, ends_at=at + 3 * HOUR))
    calm_tale.measure(at + MINUTE, {"upper": 9.0})
    calm_tale.quiet(at + 2 * MINUTE, at + 2 * HOUR, {"middle": 1.0, "lower": 1.0})
    assert all(calm_tale.told(city) == [] for city in ("ava", "bor", "cam"))
    assert health(calm_tale) == [("maintenance", "sound")]
    refused = [json.loads(one.value) for one in calm_tale.outputs if one.kind is Kind.EVIDENCE]
    assert [(one["why"], one["weight"]) for one in refused] == [("maintenance", 0.0)]


def test_its_cities_see_less_meanwhile_and_are_told_why(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.give(at, stated(calm_tale, at, ends_at=at + 3 * HOUR))
    said = calm_tale.messages("ava", "status")[-1]
    assert (said["state"], said["coverage"]["fresh"], said["coverage"]["silent"]) == ("unknown", 0, [])
    assert said["coverage"]["maintenance"] == ["upper/stage"]
    assert "upper/stage" in said["text"]["en"]


def test_it_is_over_by_itself_and_the_next_measurement_counts(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.give(at, stated(calm_tale, at, ends_at=at + 3 * HOUR))
    calm_tale.quiet(at, at + 4 * HOUR, calm)
    assert health(calm_tale) == [("maintenance", "sound"), ("silent", "maintenance"), ("sound", "silent")]
    assert calm_tale.status("ava") == "clear"
    calm_tale.measure(at + 4 * HOUR, {"upper": 3.5})
    assert calm_tale.told("ava")[-1][0] == "alert"


def test_it_may_be_planned_for_later_and_ended_sooner(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.give(at, stated(calm_tale, at, starts_at=at + HOUR, ends_at=at + 5 * HOUR))
    calm_tale.quiet(at, at + 50 * MINUTE, calm)
    assert health(calm_tale) == []
    calm_tale.quiet(at + 50 * MINUTE, at + 2 * HOUR, calm)
    assert health(calm_tale) == [("maintenance", "sound")]
    calm_tale.give(at + 2 * HOUR, stated(calm_tale, at + 2 * HOUR, "end_maintain"))
    assert health(calm_tale)[-1] == ("silent", "maintenance")
    calm_tale.measure(at + 2 * HOUR + MINUTE, calm)
    assert health(calm_tale)[-1] == ("sound", "silent")


def test_a_station_that_was_never_heard_is_in_maintenance_and_not_silent(story, start):
    tale = story()
    tale.give(start + 1, stated(tale, start + 1, ends_at=start + 6 * HOUR))
    tale.quiet(start + MINUTE, start + 2 * HOUR, {"middle": 1.0, "lower": 1.0})
    assert health(tale)[0] == ("maintenance", "sound")
    assert ("silent", "maintenance") not in health(tale)


def test_a_warning_that_stood_is_neither_lowered_nor_ended_by_maintenance(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.measure(at, {"upper": 4.5})
    calm_tale.give(at + MINUTE, stated(calm_tale, at + MINUTE, ends_at=at + 5 * HOUR))
    calm_tale.quiet(at + 2 * MINUTE, at + 5 * HOUR, {"middle": 1.0, "lower": 1.0})
    assert {level for _, level, _ in calm_tale.told("ava")} == {"orange"}
    assert {reason for _, _, reason in calm_tale.told("ava")} <= {"first", "blind"}


def test_of_a_station_nobody_knows_or_without_an_end_it_is_counted_and_changes_nothing(calm_tale, start):
    at = start + HOUR
    assert calm_tale.give(at, stated(calm_tale, at, about="nowhere", ends_at=at + HOUR)) == []
    assert calm_tale.give(at, stated(calm_tale, at, statement_id="stm-2")) == []
    assert calm_tale.state.core.counts.unmatched == 2


def test_maintenance_survives_a_snapshot(calm_tale, start):
    at = start + HOUR
    calm_tale.give(at, stated(calm_tale, at, about="upper/stage", ends_at=at + 3 * HOUR))
    again = calm_tale.fold.restore(calm_tale.fold.snapshot(calm_tale.state))
    assert calm_tale.fold.snapshot(again) == calm_tale.fold.snapshot(calm_tale.state)
    assert again.bounds["rill"].maintained.tolist() == calm_tale.state.bounds["rill"].maintained.tolist()
    assert again.bounds["rill"].maintains
