"""What was measured long ago and is handed in now: it is learned, it ends no blindness, it raises nothing live; and what comes in a burst is no rise."""

from __future__ import annotations

import json

import numpy as np
import pytest

from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Columns, Flag, measurements
from stream.records.output import Kind
from tests.decide.conftest import FILES
from tests.decide.test_clusters import FEW_MORE, NAMES, USUAL, WEEK, land  # noqa: F401  (a fixture)

RISES = {
    "stations.csv": FILES["stations.csv"]
    .replace("blue,yellow,orange,red\n", "blue,yellow,orange,red,rise_blue_per_h,rise_yellow_per_h\n")
    .replace(",2,3,4,5\n", ",20,30,40,50,0.5,1\n"),
    "hazards/flood.toml": FILES["hazards/flood.toml"].replace('name = "stage"\n', 'name = "stage"\n[[detectors]]\nname = "rate_of_rise"\n'),
}
DAY = 24 * HOUR


@pytest.fixture
def tale(story, start):
    """Two hours of a calm river whose upper gauge was never heard."""
    one = story()
    one.quiet(start, start + 2 * HOUR, {"middle": 1.0, "lower": 1.0})
    return one


def hand_in(tale, now, hours, value_of):
    """The upper gauge's values of so many hours ago, one an hour, all handed in at `now`."""
    for ago in hours:
        tale.measure(now, {"upper": value_of(ago)}, observed_at=now - ago * HOUR, flags=Flag.LATE)


def states(tale, city, since):
    return [body["state"] for body in tale.messages(city, "status", since)]


def test_history_of_a_gauge_that_nobody_hears_is_learned_and_its_city_stays_unknown(tale, start):
    now, since = start + 2 * HOUR, len(tale.outputs)
    hand_in(tale, now, range(14 * 24, 20, -1), lambda ago: 1.0 + ago % 5 / 10)
    assert tale.outputs[since:] == []
    tale.tick(now + SECOND)
    assert tale.status("ava") == "unknown"
    row = tale.region.series.row_of["upper/stage"]
    bound = tale.state.bound("rill")
    assert bound.history["observed_at"][bound.local[row], -1] == now - 21 * HOUR
    assert tale.state.core.counts.late == 14 * 24 - 20
    tale.measure(now + 10 * MINUTE, {"upper": 1.0})
    assert states(tale, "ava", since)[-1] == "clear"


def test_the_station_is_missed_from_the_beginning_on_whatever_is_known_of_its_past(story, start):
    one = story()
    one.measure(start, {"middle": 1.0, "lower": 1.0})
    hand_in(one, start + SECOND, range(300, 20, -1), lambda _: 1.0)
    one.quiet(start + 10 * MINUTE, start + 2 * HOUR, {"middle": 1.0, "lower": 1.0})
    missed = [json.loads(output.value) for output in one.outputs if output.kind is Kind.STATION_HEALTH]
    assert [body["station"] for body in missed if body["state"] == "silent"] == ["upper"]
    assert "clear" not in states(one, "ava", 0)


def test_a_flood_of_last_week_is_not_told_by_the_first_calm_measurement_of_today(tale, start):
    now = start + 2 * HOUR
    hand_in(tale, now, range(200, 100, -1), lambda _: 5.5)
    for turn in range(4):
        tale.measure(now + turn * 10 * MINUTE, {"upper": 1.0, "middle": 1.0, "lower": 1.0})
        tale.tick(now + turn * 10 * MINUTE + SECOND)
    assert [tale.told(city) for city in ("ava", "bor", "cam")] == [[], [], []]
    tale.measure(now + HOUR, {"upper": 3.5})
    assert tale.told("ava") == [("alert", "yellow", "first")]


def test_a_flood_that_goes_on_is_told_by_the_first_measurement_of_today(tale, start):
    now = start + 2 * HOUR
    hand_in(tale, now, range(200, 100, -1), lambda _: 5.5)
    assert tale.told("ava") == []
    tale.measure(now, {"upper": 4.8})
    assert tale.told("ava") == [("alert", "red", "first")], "red is not over yet, and the water stands above the lowest limit"


def test_what_counts_of_last_year_show_together_is_no_cluster_of_today(land, start):  # noqa: F811
    tale, chance = land(clock="broker"), np.random.default_rng(2)
    weeks = [dict(zip(NAMES, chance.poisson(USUAL, len(NAMES)).astype(float), strict=True)) for _ in range(40)]
    now = start + 100 * WEEK
    for number, counts in enumerate([*weeks, FEW_MORE]):
        rows = [tale.region.series.row_of[f"s{name}/cases"] for name in counts]
        n = len(rows)
        arrays = Columns(
            np.array(rows, "<i4"), np.full(n, start + number * WEEK, "<i8"), np.array(list(counts.values())), np.full(n, Flag.LATE, "u1")
        )
        tale.give(now + number, measurements("land", tale.region.region_hash, arrays))
    for turn in range(3):
        tale.tick(now + HOUR + turn * WEEK)
    assert {name: tale.told(name) for name in NAMES if tale.told(name)} == {}


@pytest.mark.parametrize(("rise_m_per_h", "told"), [(0.2, set()), (2.0, {"blue", "yellow"})])
def test_hours_of_stored_readings_that_come_at_once_are_as_steep_as_the_water_was(story, start, rise_m_per_h, told):
    one = story(RISES)
    one.quiet(start, start + HOUR, {"upper": 1.0, "middle": 1.0, "lower": 1.0})
    now = start + 7 * HOUR
    one.measure(now, {"middle": 1.0, "lower": 1.0})
    for minute in range(60, 7 * 60, 10):
        one.measure(now, {"upper": 1.0 + rise_m_per_h * (minute / 60 - 1)}, observed_at=start + minute * MINUTE)
    assert {level for _, level, _ in one.told("ava")} == told
