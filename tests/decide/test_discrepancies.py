"""Reports that do not agree with what is measured: visible, settled when they agree again, and without any consequence."""

from __future__ import annotations

import json

import pytest

from stream.records.instants import HOUR, MINUTE
from stream.records.journal import Statement
from stream.records.output import Kind


def stated(tale, at, act="report", **other):
    fields = {
        "domain": "rill", "region_hash": tale.region.region_hash, "city_id": "ava", "statement_id": f"stm-{act}-{at}", "act": act, "by": "chen",
        "received_at": at, "starts_at": at, "hazard": "flood", "place_city": "ava" if act == "report" else "",
    }  # fmt: skip
    return Statement(**{**fields, **other})


def seen(tale):
    return [json.loads(one.value) for one in tale.outputs if one.kind is Kind.DISCREPANCIES]


def kinds(tale):
    return [(one["kind"], one["state"], one["stated_level"], one["found_level"]) for one in seen(tale)]


def noted(tale):
    return [one for one in kinds(tale) if one[1] == "noted"]


@pytest.fixture
def calm_tale(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    return tale


def test_a_city_that_reports_nothing_while_its_own_gauge_is_at_orange_is_seen_and_still_warned(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.measure(at, calm | {"upper": 4.5})
    calm_tale.give(at + MINUTE, stated(calm_tale, at + MINUTE, level="none"))
    assert kinds(calm_tale) == [("contradicts_sensors", "open", "none", "orange")]
    assert seen(calm_tale)[0]["series"] == ["upper/stage"]
    assert "Ava (chen) reports flood: none" in seen(calm_tale)[0]["text"]["en"]
    assert calm_tale.told("ava") == [("alert", "orange", "first")]
    calm_tale.quiet(at + 10 * MINUTE, at + 3 * HOUR, calm)
    assert kinds(calm_tale)[1:] == [("contradicts_sensors", "settled", "none", "")]
    assert seen(calm_tale)[0]["discrepancy_id"] == seen(calm_tale)[1]["discrepancy_id"]


def test_a_gauge_that_rises_after_the_city_reported_nothing_is_seen_at_the_next_grid_instant(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.give(at, stated(calm_tale, at, level="none"))
    assert seen(calm_tale) == []
    calm_tale.measure(at + MINUTE, calm | {"upper": 4.5})
    calm_tale.tick(at + 11 * MINUTE)
    assert kinds(calm_tale) == [("contradicts_sensors", "open", "none", "orange")]


def test_a_city_that_reports_orange_while_its_gauge_shows_nothing_is_seen_once_the_gauge_had_time(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.give(at, stated(calm_tale, at, level="orange"))
    calm_tale.quiet(at + MINUTE, at + 20 * MINUTE, calm)
    assert seen(calm_tale) == []
    calm_tale.quiet(at + 21 * MINUTE, at + 45 * MINUTE, calm)
    assert kinds(calm_tale) == [("contradicts_sensors", "open", "orange", "none")]
    assert calm_tale.told("bor")[-1][1] == "orange", "nobody is punished for it"


def test_a_city_that_sees_nothing_of_the_wave_that_should_be_there_is_seen_and_before_it_is_due_it_is_not(story, calm, start):
    tale, at = story(), start + HOUR
    tale.quiet(start, at, calm)
    tale.measure(at, calm | {"upper": 4.5})
    tale.give(at + HOUR, stated(tale, at + HOUR, level="none", city_id="bor", place_city="bor"))
    assert seen(tale) == []
    tale.quiet(at + HOUR + MINUTE, at + 11 * HOUR, {"upper": 4.5, "lower": 1.0})
    tale.give(at + 11 * HOUR, stated(tale, at + 11 * HOUR, level="none", city_id="bor", place_city="bor"))
    assert ("contradicts_neighbours", "open", "none", "orange") in kinds(tale)


def test_what_agrees_is_no_discrepancy(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.measure(at, calm | {"upper": 4.5})
    calm_tale.give(at + MINUTE, stated(calm_tale, at + MINUTE, level="orange"))
    calm_tale.quiet(at + 10 * MINUTE, at + HOUR, calm | {"upper": 4.5})
    assert seen(calm_tale) == []


def test_late_withdrawn_and_disputed_are_noted(calm_tale, calm, start):
    at = start + 12 * HOUR
    calm_tale.give(at, stated(calm_tale, at, level="orange", starts_at=at - 7 * HOUR, statement_id="stm-1"))
    assert noted(calm_tale) == [("late", "noted", "orange", "")]
    calm_tale.give(at + MINUTE, stated(calm_tale, at + MINUTE, "cancel", about="stm-1", city_id="cam", text="no oil here"))
    assert noted(calm_tale)[-1] == ("disputed", "noted", "orange", "")
    assert seen(calm_tale)[-1]["city_id"] == "cam"
    assert "no oil here" in seen(calm_tale)[-1]["text"]["en"]
    calm_tale.give(at + 2 * MINUTE, stated(calm_tale, at + 2 * MINUTE, "withdraw", about="stm-1", text="mistyped"))
    assert noted(calm_tale)[-1] == ("withdrawn", "noted", "orange", "")
    assert calm_tale.told("cam")[-1][0] == "cancel"


def test_a_statement_that_comes_twice_counts_once(calm_tale, start):
    at = start + HOUR
    calm_tale.give(at, stated(calm_tale, at, level="orange", statement_id="stm-1"))
    said = stated(calm_tale, at + MINUTE, "correct", about="stm-1", text="it is oil")
    calm_tale.give(at + MINUTE, said)
    assert calm_tale.told("bor")[-1][2] == "correction"
    assert calm_tale.give(at + 2 * MINUTE, said) == []


def test_discrepancies_survive_a_snapshot(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.measure(at, calm | {"upper": 4.5})
    calm_tale.give(at + MINUTE, stated(calm_tale, at + MINUTE, level="none"))
    again = calm_tale.fold.restore(calm_tale.fold.snapshot(calm_tale.state))
    assert again.core.domains["rill"].by_hand == calm_tale.state.core.domains["rill"].by_hand
    assert calm_tale.fold.snapshot(again) == calm_tale.fold.snapshot(calm_tale.state)
