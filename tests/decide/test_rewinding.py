"""Both clocks were a day ahead together and were set right: what was noted meanwhile does not stand still for a day."""

from __future__ import annotations

import json

import numpy as np
import pytest

from stream.records.instants import DAY, HOUR, MINUTE
from stream.records.journal import Columns, Command, measurements
from stream.records.output import Kind
from stream.region.load import load
from tests.decide.conftest import FILES, Story, make_bundle
from tests.decide.wrong_clocks import TICK, World

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
