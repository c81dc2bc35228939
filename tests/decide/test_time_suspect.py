"""Clocks that are wrong: a broker's a day ahead or behind, an owner's; nothing ends, falls silent or goes up for it, and what is to be raised is."""

from __future__ import annotations

import json

import pytest

from stream.decide.escalation import UNREAD
from stream.decide.timekeeping import UNSURE_AFTER_MS
from stream.records.instants import DAY, HOUR, MINUTE, SECOND, from_text, to_text
from stream.records.journal import Statement
from stream.records.output import Kind
from stream.records.warning import Lane
from tests.decide.conftest import FILES, START, Story
from tests.decide.wrong_clocks import QUIET, TICK, World

GOVERNED = FILES | {
    "cities.geojson": FILES["cities.geojson"].replace('"level": "city"', '"level": "city", "parents": ["land"]'),
    "hazards/flood.toml": FILES["hazards/flood.toml"].replace(
        "[texts.zh]", "acknowledge_red_s = 600\nacknowledge_orange_s = 1200\n[texts.zh]"
    ),
}


@pytest.fixture
def world(tmp_path):
    return World(Story(GOVERNED, tmp_path)).live(30 * MINUTE)


WRONG = [
    pytest.param({"broker": DAY}, id="the broker a day ahead"),
    pytest.param({"broker": -DAY}, id="the broker a day behind"),
    pytest.param({"wall": DAY}, id="the worker a day ahead"),
    pytest.param({"wall": -DAY}, id="the worker a day behind"),
    pytest.param({"broker": DAY, "wall": -DAY}, id="both, by different days"),
]


def step(world, clocks):
    world.broker, world.wall = clocks.get("broker", 0), clocks.get("wall", 0)


def back(world):
    world.broker = world.wall = 0


@pytest.mark.parametrize("clocks", WRONG)
def test_a_quiet_river_stays_quiet_while_a_clock_is_wrong_and_after(world, clocks):
    before = world.states()
    assert set(before.values()) == {("clear", "")}
    step(world, clocks)
    world.live(UNSURE_AFTER_MS - MINUTE)
    assert all(world.suspect[-3:])
    assert world.states() == before
    world.live(2 * HOUR)
    assert set(world.states().values()) == {("unknown", "time_suspect")}
    back(world)
    world.live(MINUTE)
    assert not world.suspect[-1]
    assert set(world.states().values()) == {("clear", "")}
    world.live(3 * HOUR)
    assert [world.told(city) for city in ("ava", "bor", "cam")] == [[], [], []]
    assert [one for one in world.story.outputs if one.kind is Kind.STATION_HEALTH] == []


@pytest.mark.parametrize("clocks", WRONG)
def test_what_rises_while_a_clock_is_wrong_is_warned_at_its_own_time_and_lives_on_as_if_nothing_had_been(world, clocks):
    step(world, clocks)
    world.live(MINUTE)
    world.measure(upper=4.5)
    assert [one[:3] for one in world.told("ava")] == [("alert", "orange", "first")]
    assert abs(world.told("ava")[0][3] - (world.at - START)) <= TICK
    first = world.story.messages("ava")[0]
    world.answer("ava")
    world.answer("bor")
    world.answer("cam")
    world.live(8 * HOUR)
    back(world)
    world.live(MINUTE)
    world.measure(upper=5.5)
    assert world.told("ava")[-1][:3] == ("update", "red", "worse")
    assert abs(world.told("ava")[-1][3] - (world.at - START)) <= TICK
    assert world.reasons() & {"expired", "cleared", "reminded", "coordinator"} == set(), world.reasons()
    assert from_text(first["expires_at"]) - from_text(first["sent_at"]) >= 6 * HOUR
    assert ("update", "orange", "blind") in [one[:3] for one in world.told("ava")], (
        "it is kept in force, and says that nobody can say how fresh"
    )


@pytest.mark.parametrize("clocks", WRONG)
def test_it_is_over_only_once_the_clocks_agree(world, clocks):
    world.measure(upper=4.5)
    world.live(10 * MINUTE)
    for city in ("ava", "bor", "cam"):
        world.answer(city)
    step(world, clocks)
    world.live(10 * MINUTE)
    world.measure(upper=1.0)
    world.live(14 * HOUR)
    assert world.reasons() & {"expired", "cleared", "left", "better"} == set()
    back(world)
    world.live(4 * HOUR)
    assert world.told("ava")[-1][0] == "all_clear", world.told("ava")


@pytest.mark.parametrize("clocks", WRONG)
def test_stations_that_fall_silent_meanwhile_are_silent_once_the_clocks_agree(world, clocks):
    step(world, clocks)
    world.live(3 * HOUR, measuring=False)
    assert [one for one in world.story.outputs if one.kind is Kind.STATION_HEALTH] == []
    cleared = len([one for one in world.story.outputs if one.kind is Kind.CITY_STATUS])
    back(world)
    world.live(2 * MINUTE, measuring=False)
    health = [json.loads(one.value)["state"] for one in world.story.outputs if one.kind is Kind.STATION_HEALTH]
    assert health == ["silent"] * 3
    later = [json.loads(one.value)["state"] for one in world.story.outputs if one.kind is Kind.CITY_STATUS][cleared:]
    assert "clear" not in later, "nobody is clear between the return of time and the silence it shows"


@pytest.mark.parametrize("clocks", WRONG)
def test_nobody_is_escalated_against_while_a_clock_is_wrong_and_who_answered_is_not_afterwards(world, clocks):
    step(world, clocks)
    world.live(MINUTE)
    world.measure(upper=5.5)
    world.live(2 * HOUR)
    assert world.reasons() & {"reminded", "deputies"} == set()
    world.answer("ava")
    back(world)
    world.live(MINUTE)
    up = {one.city_id for one in world.story.outputs if one.reason == "reminded"}
    assert "ava" not in up
    assert up >= {"bor"}, "who has not answered is, once time goes on"


def test_what_one_officer_said_last_counts_though_the_broker_was_a_day_ahead_before(world):
    world.broker = DAY
    world.live(MINUTE)
    world.measure(upper=5.5)
    world.answer("ava", by="li", action="seen")
    back(world)
    world.live(10 * MINUTE)
    world.answer("ava", by="li", action="rejected")
    world.live(MINUTE)
    incident = json.loads([one for one in world.story.outputs if one.kind is Kind.INCIDENTS][-1].value)
    assert "rejected" in json.dumps(incident)


def test_a_report_by_hand_is_of_the_time_it_was_made_whatever_the_broker_says(world):
    world.broker = DAY
    world.live(MINUTE)
    stamp = world.at + world.broker
    said = Statement(
        "rill", world.story.region.region_hash, "ava", "stm-1", "report", "chen", stamp, stamp, hazard="flood", level="orange",
        place_city="ava", reach="r1", km=0.0,
    )  # fmt: skip
    world.story.append(stamp, said)
    one = world.story.state.core.domains["rill"].by_hand.reports["stm-1"]
    assert abs(one.starts_at - world.at) <= TICK
    assert abs(one.received_at - world.at) <= TICK


def test_a_raise_at_the_very_step_waits_for_the_next_tick_and_not_longer(world):
    world.broker = DAY
    world.measure(upper=4.5)
    assert world.told("ava") == []
    assert world.story.fold.awaits_tick(world.story.state)
    world.at += SECOND
    world.tick(1.0)
    world.at += SECOND
    world.tick(0.5)
    assert [one[:3] for one in world.told("ava")] == [("alert", "orange", "first")]
    assert abs(world.told("ava")[0][3] - (world.at - START)) <= TICK


def test_after_hours_without_any_worker_a_raise_is_of_the_time_it_came(world):
    world.at += 5 * HOUR
    world.measure(upper=4.5)
    assert world.told("ava") == [], "it waits for the tick that says whether five hours have gone by"
    world.at += 100
    world.tick(0.0)
    assert [one[3] for one in world.told("ava")] == [world.at - 100 - START]
    assert not any(world.suspect)


def test_a_single_tick_that_was_long_on_its_way_does_not_make_what_waits_be_dated_wrongly(world):
    old = world.at + TICK
    world.at += 10 * MINUTE
    world.wall = old - world.at  # written before the broker went away, appended when it was back
    world.tick()
    world.measure(upper=4.5)
    world.wall = 0
    world.at += SECOND
    world.tick(601.0)
    assert [one[3] for one in world.told("ava")] == [world.at - SECOND - START]


def test_both_clocks_set_back_together_do_not_hold_the_time_up_for_a_day(world):
    world.measure(upper=4.5)
    for city in ("ava", "bor", "cam"):
        world.answer(city)
    world.broker = world.wall = DAY
    world.live(10 * MINUTE)
    assert not any(world.suspect), "nobody can see that"
    back(world)
    world.live(30 * SECOND)
    world.measure(upper=1.0, middle=4.5)
    assert world.told("cam")[-1][:2] == ("alert", "orange") or world.told("cam")[-1][2] in ("surer", "extended", "sighted"), world.told(
        "cam"
    )
    world.measure(middle=1.0)
    world.live(6 * HOUR)
    assert world.told("ava")[-1][0] == "all_clear", world.told("ava")
    assert world.story.state.core.domains["rill"].now <= world.at
    assert world.states()["ava"] == ("clear", "")


def test_what_was_decided_while_clocks_were_wrong_is_decided_again_from_any_checkpoint(world):
    for clocks in ({"broker": DAY}, {}, {"wall": -DAY}, {"broker": -DAY}, {}):
        step(world, clocks)
        world.measure(upper=world.values["upper"] + 1.0)
        world.live(7 * MINUTE)
    fold, entries = world.story.fold, world.story.entries
    whole = fold.initial(0)
    outputs = fold.apply(whole, entries)
    assert outputs == world.story.outputs, "however the journal is cut"
    state, again = fold.initial(0), []
    for start in range(0, len(entries), 37):
        again += fold.apply(state, entries[start : start + 37])
        state = fold.restore(fold.snapshot(state))
    assert again == outputs
    assert fold.snapshot(state) == fold.snapshot(whole) == fold.snapshot(world.story.state)


def test_the_time_of_a_new_owner_goes_on_by_the_clock_that_did_not_jump(world):
    world.broker = DAY
    world.live(MINUTE)
    world.at += 40 * MINUTE  # nobody there
    world.tick(0.0)
    world.live(10 * SECOND)
    assert abs(world.story.state.core.time.reached_at - world.at) <= TICK
    assert world.suspect[-1]


def test_a_mark_of_the_future_is_of_a_clock_that_was_wrong_and_hides_neither_doors_nor_answers_that_are_not_read(world):
    world.measure(upper=5.5)
    world.live(MINUTE)
    read_to = world.at
    world.doors = world.answers = read_to + DAY
    world.live(MINUTE, measuring=False)
    world.doors = world.answers = read_to
    world.live(3 * HOUR, measuring=False)
    assert [one for one in world.story.outputs if one.kind is Kind.STATION_HEALTH] == [], "nobody is silent whose door is not read"
    (incident,) = world.story.state.core.domains["rill"].hazards["flood"].incidents.values()
    assert {told.escalated_because for told in incident.told.values()} == {UNREAD}


def test_every_lane_that_replays_history_knows_no_clock(tmp_path):
    story = Story(FILES, tmp_path, clock="observed")
    story.measure(START, QUIET)
    story.tick(START + DAY, closing=True)
    assert not story.state.core.time_suspect
    assert story.state.lane is Lane.TEST


def test_what_operators_read_says_why_in_both_languages(world):
    world.broker = DAY
    world.live(10 * MINUTE)
    said = [json.loads(one.value) for one in world.story.outputs if one.kind is Kind.CITY_STATUS][-1]
    assert (said["state"], said["because"]) == ("unknown", "time_suspect")
    assert "clocks contradict each other" in said["text"]["en"]
    assert "时钟" in said["text"]["zh"]
    assert said["as_of_at"] <= to_text(world.at)
