"""Reports of people about the river: remembered, given to footprints, judged at once, forgotten in the end."""

from __future__ import annotations

import msgspec
import pytest

from stream.decide.conditions import conditions
from stream.decide.reports import KEEP_MS, interventions, remember
from stream.records.instants import DAY, HOUR, MINUTE, SECOND, from_text
from stream.records.journal import Command, Entry, Report, encode
from stream.records.report import InterventionReport
from topology.base import Act, Intervention


def report(tale, **other):
    fields = {
        "domain": "rill", "region_hash": tale.region.region_hash, "kind": "intervention", "act": "delay", "reach": "r1", "km": 30.0,
        "starts_at": 0, "ends_at": None, "hours": 12.0, "factor": 0.5, "by": "gate", "note": "", "reported_at": 0,
    }  # fmt: skip
    return Report(**{**fields, **other})


def known(tale):
    return tale.state.core.domains["rill"].reports


def arrival(tale, city):
    return from_text(tale.messages(city)[-1]["arrives_at_p50"])


@pytest.fixture
def risen(story, calm, start):
    """A river that rose at its upper gauge an hour after the start."""
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"upper": 3.5})
    return tale


def test_water_held_back_comes_later_and_the_cities_below_are_told_at_the_next_grid_instant(risen, start):
    before, count = arrival(risen, "bor"), len(risen.messages("bor"))
    risen.give(start + HOUR + MINUTE, report(risen, starts_at=start + HOUR))
    assert risen.messages("bor")[count:] == []
    risen.tick(start + HOUR + 10 * MINUTE + SECOND)

    (said,) = risen.messages("bor")[count:]
    assert (said["reason"], said["msg_type"], said["supersedes"]) == ("later", "update", count)
    assert arrival(risen, "bor") == pytest.approx(before + 12 * HOUR, abs=5 * MINUTE)
    assert len(risen.messages("ava")) == 1, "above the gate nothing has changed"


def test_a_corrected_report_replaces_the_first_one(risen, start):
    before = arrival(risen, "bor")
    risen.give(start + HOUR + MINUTE, report(risen, starts_at=start + HOUR, reported_at=1))
    risen.tick(start + HOUR + 10 * MINUTE + SECOND)
    risen.give(start + HOUR + 12 * MINUTE, report(risen, starts_at=start + HOUR, hours=0.0, reported_at=2))

    assert [(one.hours, one.reported_at) for one in known(risen)] == [(0.0, 2)]
    risen.tick(start + HOUR + 20 * MINUTE + SECOND)
    assert risen.messages("bor")[-1]["reason"] == "earlier"
    assert arrival(risen, "bor") == pytest.approx(before, abs=5 * MINUTE)


def test_a_report_made_earlier_does_not_replace_one_made_later(risen, start):
    for reported_at in (2, 1):
        risen.give(start + HOUR + MINUTE, report(risen, starts_at=start + HOUR, hours=float(reported_at), reported_at=reported_at))
    assert [one.reported_at for one in known(risen)] == [2]


def test_a_report_on_a_calm_river_tells_nobody_but_counts_when_the_water_comes(story, calm, start):
    tale, other = story(), story()
    for one in (tale, other):
        one.quiet(start, start + HOUR, calm)
    assert tale.give(start + HOUR, report(tale, starts_at=start)) == []
    for one in (tale, other):
        one.measure(start + HOUR + MINUTE, {"upper": 3.5})
    assert arrival(tale, "bor") == pytest.approx(arrival(other, "bor") + 12 * HOUR, abs=5 * MINUTE)


def test_a_report_survives_a_snapshot(risen, start):
    risen.give(start + HOUR + MINUTE, report(risen, starts_at=start + HOUR))
    again = risen.fold.restore(risen.fold.snapshot(risen.state))
    assert again.core.domains["rill"].reports == known(risen)
    assert risen.fold.snapshot(again) == risen.fold.snapshot(risen.state)


def test_a_report_before_its_region_is_active_waits_for_it(story):
    tale = story()
    state = tale.fold.initial(0)
    entries = [report(tale), Command("activate", tale.region.name, tale.region.region_hash)]
    tale.fold.apply(state, [Entry(at, at, encode(one)) for at, one in enumerate(entries)])
    assert [one.reach for one in state.core.domains["rill"].reports] == ["r1"]


def test_a_report_about_a_domain_that_is_gone_is_counted(story):
    tale = story()
    assert tale.give(5, report(tale, domain="brook")) == []
    assert tale.state.core.counts.retired == 1


def test_on_a_replay_the_next_measurements_bring_the_judgement(story, calm, start):
    def play(report_first):
        tale = story(clock="observed")
        tale.measure(start, {**calm, "upper": 3.5})
        said = report(tale, starts_at=start + HOUR)
        if report_first:
            tale.give(start + HOUR, said)
        tale.measure(start + HOUR, {**calm, "upper": 3.5})
        if not report_first:
            tale.give(start + HOUR, said)
        tale.tick(start + 2 * HOUR, closing=True)
        return tale

    one, other = play(report_first=True), play(report_first=False)
    assert [body["reason"] for body in one.messages("bor")] == ["first", "later"]
    assert from_text(one.messages("bor")[-1]["sent_at"]) == start + HOUR
    assert one.outputs == other.outputs, "the order of the records of one instant does not matter"


def test_what_ended_long_ago_is_forgotten_and_what_has_no_end_is_not(story):
    tale, found = story(), []
    for act, ends_at in (("delay", DAY), ("ice", None)):
        remember(found, report(tale, act=act, ends_at=ends_at), 0)
    assert len(found) == 2
    remember(found, report(tale, act="breach"), KEEP_MS + DAY)
    assert [one.act for one in found] == ["breach", "ice"]


def test_a_report_on_a_reach_that_the_region_lost_is_not_given_to_footprints(story):
    tale, found = story(), []
    for reach, km in (("r1", 30.0), ("r9", 0.0), ("r3", 11.0)):
        remember(found, report(tale, reach=reach, km=km), 0)
    assert interventions(tale.region, found) == (Intervention(Act.DELAY, "r1", 30.0, 0, None, 12.0, 0.5),)


def test_every_act_of_a_report_is_one_that_footprints_know(story):
    tale, found = story(), []
    for act in Act:
        remember(found, report(tale, act=act.value), 0)
    assert {one.act for one in interventions(tale.region, found)} == set(Act)

    assert set(msgspec.json.schema(InterventionReport)["$defs"]["InterventionReport"]["properties"]["act"]["enum"]) == {
        act.value for act in Act
    }


def test_footprints_are_told_where_and_when_the_event_was_found(risen, start):
    risen.measure(start + 9 * HOUR, {"middle": 2.5})
    told = conditions(start + 9 * HOUR, risen.region, risen.region.hazards[0], risen.state.core.domains["rill"])
    assert [(one.reach, one.reach_km, one.front_at) for one in told.passages] == [("r1", 0.0, start + HOUR), ("r2", 0.0, start + 9 * HOUR)]


def test_a_gauge_below_that_finds_the_wave_early_corrects_what_lies_below_it(risen, start):
    before = arrival(risen, "cam")
    risen.measure(start + 6 * HOUR, {"middle": 3.5})
    assert risen.messages("cam")[-1]["reason"] == "earlier"
    assert arrival(risen, "cam") < before - 2 * HOUR
