"""Ticks bring the marks of doors and answers: who is told that nobody can say how he stands, when, and until when."""

from __future__ import annotations

import pytest

from stream.decide.ticking import BEHIND_AFTER_MS
from stream.records.instants import DAY, HOUR, MINUTE
from tests.decide.conftest import FILES, Story
from tests.decide.wrong_clocks import TICK, World

HAZARD = FILES["hazards/flood.toml"].replace("[texts.zh]", "acknowledge_red_s = 600\nacknowledge_orange_s = 1200\n[texts.zh]")


@pytest.fixture
def world(tmp_path):
    return World(Story(FILES | {"hazards/flood.toml": HAZARD}, tmp_path)).live(30 * MINUTE)


def lag(world, for_ms):
    """Doors and answers are read no further for so long."""
    world.doors = world.answers = world.at
    world.live(for_ms, measuring=False)


def tick(world, after_ms=TICK, elapsed_s=TICK / 1000):
    world.at += after_ms
    world.tick(elapsed_s)


def test_cities_are_unknown_once_the_doors_were_not_read_for_too_long_and_clear_with_the_tick_that_says_they_are(world):
    lag(world, TICK + BEHIND_AFTER_MS)
    assert set(world.states().values()) == {("clear", "")}
    tick(world)
    assert set(world.states().values()) == {("unknown", "")}
    world.doors = None
    world.measure()
    tick(world)
    assert set(world.states().values()) == {("clear", "")}


def test_time_in_which_nobody_wrote_a_tick_makes_no_city_unknown(world):
    lag(world, MINUTE)
    tick(world, 20 * MINUTE, 0.0)  # of a new owner
    assert set(world.states().values()) == {("clear", "")}
    lag(world, BEHIND_AFTER_MS)
    assert set(world.states().values()) == {("unknown", "")}


def test_time_in_which_nobody_wrote_a_tick_makes_no_answer_unread(world):
    world.measure(upper=5.5)
    lag(world, MINUTE)
    tick(world, 20 * MINUTE, 0.0)  # what was answered meanwhile is still to be read
    assert not world.story.state.core.unread
    world.doors, world.answers = None, None
    for city in ("ava", "bor", "cam"):
        world.answer(city)
    world.live(HOUR)
    assert [one.city_id for one in world.story.outputs if one.reason == "reminded"] == []


def test_clocks_that_agree_again_make_nobody_clear_whose_door_is_not_read(world):
    world.broker = DAY
    world.live(10 * MINUTE)
    assert set(world.states().values()) == {("unknown", "time_suspect")}
    world.broker = 0
    lag(world, MINUTE)
    assert not world.suspect[-1]
    assert {state for state, _ in world.states().values()} == {"unknown"}
    world.doors = world.answers = None
    world.measure()
    tick(world)
    assert set(world.states().values()) == {("clear", "")}
