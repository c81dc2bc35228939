"""Both clocks were a day ahead together and were set right: what was noted meanwhile does not stand still for a day."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest

from stream.decide.moving import LASTS_MS, Moves, take
from stream.records.handed import Handed
from stream.records.instants import DAY, HOUR, MINUTE, from_text
from stream.records.journal import Columns, Command, measurements
from stream.records.output import Kind
from stream.region.load import load
from tests.decide.conftest import FILES, Story, make_bundle
from tests.decide.wrong_clocks import TICK, World

GOVERNED = FILES | {
    "cities.geojson": FILES["cities.geojson"].replace('"level": "city"', '"level": "city", "parents": ["land"]'),
    "hazards/flood.toml": FILES["hazards/flood.toml"].replace(
        "[texts.zh]", "acknowledge_red_s = 600\nacknowledge_orange_s = 1200\nrevisions_per_hour = 1\n[texts.zh]"
    ),
}
SAID = {"opened_at", "expires_at", "asked_at", "acknowledge_by_at"}
"""What cities were told, and count on."""
ALONE = "alone,stage,brook,m,cam,29.6,110.25,,,600,UTC,,,2,3,4,5\n"


@pytest.fixture
def world(tmp_path):
    return World(Story(FILES, tmp_path)).live(30 * MINUTE)


@pytest.fixture
def brook(world, tmp_path):
    """The region with a second domain, whose only station is never heard."""
    files = FILES | {
        "region.toml": FILES["region.toml"] + '[domains.brook]\nfamilies = ["water"]\n',
        "stations.csv": FILES["stations.csv"] + ALONE,
    }
    region = load(make_bundle(files, tmp_path / "brook"))
    world.story.regions[region.region_hash] = region
    return region


def activate(world, region):
    world.story.append(world.at + world.broker, Command("activate", region.name, region.region_hash))


def test_a_station_that_was_never_heard_is_missed_after_its_own_time(world, brook):
    world.broker = world.wall = DAY
    world.live(MINUTE)
    activate(world, brook)
    world.live(MINUTE)
    world.broker = world.wall = 0
    world.live(HOUR)
    health = [json.loads(one.value) for one in world.story.outputs if one.kind is Kind.STATION_HEALTH]
    assert [one["state"] for one in health if one["series"] == "alone/stage"] == ["silent"]


def test_a_state_that_is_restored_wakes_when_the_one_that_went_on_does(world, brook):
    world.broker = world.wall = DAY
    activate(world, brook)
    world.live(MINUTE)
    world.broker = world.wall = 0
    world.live(MINUTE)
    fold, state = world.story.fold, world.story.state
    assert fold.restore(fold.snapshot(state)).clocks == state.clocks


def test_what_waits_for_its_region_is_not_decided_at_an_instant_that_never_was(world, brook):
    world.broker = world.wall = DAY
    world.live(MINUTE)
    row = brook.series.row_of["upper/stage"]
    raised = Columns(*(np.array([value], kind) for value, kind in ((row, "<i4"), (world.at, "<i8"), (4.5, "<f8"), (0, "u1"))))
    world.story.append(world.at + world.broker, measurements("rill", brook.region_hash, raised))
    assert world.story.fold.awaited(world.story.state) == {brook.region_hash}
    world.broker = world.wall = 0
    world.live(MINUTE)
    activate(world, brook)
    assert [said[:3] for said in world.told("ava")] == [("alert", "orange", "first")]
    assert abs(world.told("ava")[0][3] - (world.at - world.story.entries[0].timestamp)) <= MINUTE + TICK
    assert all(domain.now <= world.at for domain in world.story.state.core.domains.values())


@pytest.fixture
def flooded(tmp_path):
    """A flood that began while both clocks were a day ahead, was answered by one city, and told as often as may be."""
    world = World(Story(GOVERNED, tmp_path)).live(30 * MINUTE)
    world.broker = world.wall = DAY
    world.live(MINUTE)
    world.measure(upper=4.5)
    world.live(10 * MINUTE)
    world.answer("ava")
    return world


def instants(one, name=""):
    """Every whole number in a state, with the name of its field."""
    if isinstance(one, msgspec.Struct):
        for field in one.__struct_fields__:
            yield from instants(getattr(one, field), field)
    elif isinstance(one, dict | list | tuple):
        for each in one.values() if isinstance(one, dict) else one:
            yield from instants(each, name)
    elif isinstance(one, int):
        yield name, one


def ahead(world):
    """The fields in which something of a day ahead stands."""
    return {name for name, at in instants(world.story.state.core) if world.at + DAY - 2 * HOUR < at < world.at + 3 * DAY}


def test_nothing_that_was_noted_lies_in_the_future_but_what_was_said(flooded):
    state, tomorrow = flooded.story.state, flooded.at + DAY
    state.core.moves = Moves({"upper/stage": "1"}, tomorrow + LASTS_MS, {"1": tomorrow + LASTS_MS}, replaced={"before": tomorrow})
    take(state, Handed(1, "", tomorrow), tomorrow)
    moved = {"until", "giving", "handed", "replaced"}
    assert ahead(flooded) > SAID | moved | {"now", "published_at", "sent_at", "received_at", "recent"}
    flooded.broker = flooded.wall = 0
    flooded.live(MINUTE)
    assert ahead(flooded) <= SAID


def test_what_an_officer_says_afterwards_is_his_newest_word(flooded):
    flooded.broker = flooded.wall = 0
    flooded.live(MINUTE)
    flooded.answer("ava", action="seen")
    (incident,) = flooded.story.state.core.domains["rill"].hazards["flood"].incidents.values()
    assert abs(incident.told["ava"].acknowledged["seen"]["li"].received_at - flooded.at) <= TICK


def test_who_does_not_answer_a_raise_afterwards_is_reminded_in_its_own_time(flooded):
    flooded.broker = flooded.wall = 0
    flooded.live(MINUTE)
    flooded.measure(upper=5.5)
    told = flooded.story.messages("bor")[-1]
    assert abs(from_text(told["sent_at"]) - flooded.at) <= TICK
    flooded.live(HOUR)
    assert "bor" in {one.city_id for one in flooded.story.outputs if one.reason == "reminded" and abs(one.sent_at - flooded.at) <= 2 * HOUR}
