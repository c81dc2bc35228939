"""A changed region takes over: what is known of series that stay is kept, cities that are gone are told, nothing is dropped."""

from __future__ import annotations

import json

import numpy as np

from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Columns, Command, measurements


def without(city: str):
    def edit(text: str) -> str:
        collection = json.loads(text)
        collection["features"] = [one for one in collection["features"] if one["properties"]["id"] != city]
        return json.dumps(collection)

    return edit


def test_levels_and_history_are_carried_over(story, change, start, calm):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {**calm, "lower": 4.5})
    second = change(tale, stations=lambda text: text + "extra,stage,rill,m,ava,30.1,110.0,r1,1,600,UTC,,,2,3,4,5\n")
    tale.region = second
    tale.activate(start + HOUR + MINUTE)
    repeated = tale.measure(start + HOUR + 2 * MINUTE, {"lower": 4.5}, observed_at=start + HOUR)
    tale.quiet(start + HOUR + 10 * MINUTE, start + 2 * HOUR, {**calm, "lower": 4.5, "extra": 1.0})

    assert tale.told("cam") == [("alert", "orange", "first")]
    assert not [output for output in repeated if output.kind == "evidence"]
    assert tale.state.core.counts.duplicate == 1
    assert tale.messages("cam", "status")[-1]["region_hash"] == second.region_hash
    assert tale.messages("ava", "status")[-1]["coverage"]["total"] == 2


def test_a_city_that_is_gone_is_told_that_its_warning_is_withdrawn(story, change, start, calm):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {**calm, "middle": 4.5})
    tale.region = change(tale, cities=without("cam"), stations=lambda text: text.replace(",cam,", ",,"))
    tale.activate(start + HOUR + MINUTE)

    assert tale.told("cam") == [("alert", "orange", "first"), ("cancel", "orange", "cancelled")]
    assert tale.told("bor") == [("alert", "orange", "first")]


def test_measurements_that_still_name_the_old_region_are_taken(story, change, start, calm):
    tale = story()
    old = tale.region
    tale.quiet(start, start + HOUR, calm)
    tale.region = change(
        tale, stations=lambda text: text.replace("lower,", "aaa,stage,rill,m,ava,30.1,110.0,r1,1,600,UTC,,,2,3,4,5\nlower,")
    )
    tale.activate(start + HOUR)
    tale.region = old
    tale.measure(start + HOUR + MINUTE, {"lower": 4.5})

    assert tale.told("cam") == [("alert", "orange", "first")]


def test_measurements_of_a_newer_region_wait_for_its_activation(story, change, start, calm):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.region = change(tale, stations=lambda text: text + "extra,stage,rill,m,ava,30.1,110.0,r1,1,600,UTC,,,2,3,4,5\n")
    assert tale.measure(start + HOUR, {"extra": 4.5}) == []
    tale.activate(start + HOUR + 5 * SECOND)

    assert tale.told("ava") == [("alert", "orange", "first")]


def test_a_retired_station_is_neither_silent_nor_does_it_end_a_warning_at_once(story, change, start, calm):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {**calm, "middle": 4.5})
    tale.region = change(tale, stations=lambda text: "\n".join(line for line in text.splitlines() if not line.startswith("middle")) + "\n")
    tale.activate(start + HOUR + MINUTE)

    assert tale.told("cam") == [("alert", "orange", "first")]
    assert "middle/stage" not in tale.messages("cam", "status")[-1]["coverage"]["silent"]


def test_activating_the_active_region_again_says_nothing(story, start, calm):
    tale = story()
    tale.measure(start, calm)
    assert tale.activate(start + MINUTE) == []


def test_a_link_test_reaches_every_city_once(story, start):
    tale = story()
    made = tale.give(start + MINUTE, Command("link_test", at=start + MINUTE))
    assert sorted(output.city_id for output in made) == ["ava", "bor", "cam"]
    body = tale.messages("ava", "link_test")[-1]
    assert (body["lane"], "not a warning" in body["text"]["en"]) == ("test", True)


def test_a_measurement_of_a_station_that_is_no_more_is_counted_not_scored(story, change, start, calm):
    tale = story()
    old, row = tale.region, tale.region.series.row_of["lower/stage"]
    tale.region = change(tale, stations=lambda text: "\n".join(line for line in text.splitlines() if not line.startswith("lower")) + "\n")
    tale.activate(start + SECOND)
    arrays = Columns(np.array([row], "<i4"), np.array([start], "<i8"), np.array([1.0]), np.zeros(1, "u1"))
    tale.give(start + 2 * SECOND, measurements("rill", old.region_hash, arrays))

    assert (tale.state.core.counts.retired, tale.state.core.counts.scored) == (1, 0)
