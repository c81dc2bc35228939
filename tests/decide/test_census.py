"""The census counts what a slow look at the state finds, and what the last messages said."""

from __future__ import annotations

from collections import Counter

import pytest

from stream.decide.census import CensusTaker, City, together
from stream.records.instants import HOUR, MINUTE
from tests.decide.conftest import CALM, START


@pytest.fixture
def flooded(story):
    """A flood at the upper gauge; the lower one has not been heard."""
    tale = story()
    tale.quiet(START, START + 30 * MINUTE, {"upper": 1.0, "middle": 1.0})
    at = START + 40 * MINUTE
    tale.measure(at, {"upper": 4.5, "middle": 1.0})
    tale.measure(at, {"upper": 4.5, "middle": 1.0})
    tale.tick(at + MINUTE)
    return tale


def test_warnings_statuses_and_stations_are_those_that_were_told(flooded):
    found = CensusTaker(per_city=True).take(flooded.state)
    cities = ("ava", "bor", "cam")
    last = {city: flooded.messages(city)[-1] for city in cities if flooded.messages(city)}
    assert last
    told = Counter(("flood", body["level"]) for body in last.values() if body["msg_type"] in ("alert", "update"))
    assert found.warnings == told
    assert found.incidents == {"flood": 1}
    assert found.statuses == Counter(("flood", flooded.status(city)) for city in cities)
    assert (found.stations, found.silent) == ({"stage": 3}, {"stage": 1})
    assert sum(found.postures.values()) == 1
    assert found.repeated == 2
    levels = {"blue": 1, "yellow": 2, "orange": 3, "red": 4}
    assert {city: found.cities[city, "flood"].level for city in last} == {city: levels[body["level"]] for city, body in last.items()}
    assert found.cities["ava", "flood"].observed_at == START + 40 * MINUTE


def test_a_census_changes_nothing_and_says_the_same_twice(flooded):
    before = flooded.fold.snapshot(flooded.state)
    taker = CensusTaker(per_city=True)
    assert taker.take(flooded.state) == taker.take(flooded.state)
    assert flooded.fold.snapshot(flooded.state) == before


def test_what_is_over_is_not_counted_any_more(flooded):
    before = CensusTaker().take(flooded.state)
    flooded.quiet(START + HOUR, START + 4 * HOUR, CALM)
    found = CensusTaker().take(flooded.state)
    warned = [city for city in ("ava", "bor", "cam") if flooded.status(city) == "warned"]
    assert sum(found.warnings.values()) == len(warned) < sum(before.warnings.values())
    assert found.silent == {"stage": 0}
    assert found.cities == {}
    each = CensusTaker(per_city=True).take(flooded.state).cities
    assert {city for (city, _), one in each.items() if one.level} == set(warned)


def test_of_a_city_in_several_partitions_the_higher_level_and_the_newer_observation_count(flooded):
    one, other = (CensusTaker(per_city=True).take(flooded.state) for _ in range(2))
    other.cities["ava", "flood"] = City(4, None)
    both = together([one, other])
    assert both.cities["ava", "flood"] == City(4, START + 40 * MINUTE)
    assert both.stations == {"stage": 6}
    assert both.repeated == 4
