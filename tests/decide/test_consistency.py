"""Cities that are told different colours at one time: what is flagged, since when, and what explains a difference."""

from __future__ import annotations

import dataclasses
import json

import pytest

from stream.decide.consistency import look
from stream.decide.state import IncidentState, Told
from stream.decide.wanted import CRESTS_MEET, Wanted
from stream.records.instants import HOUR, MINUTE, SECOND, to_text
from stream.records.output import Kind
from stream.records.warning import MsgType, Reason
from topology.base import Arrival

SPILL = """
family = "water"
category = "env"
quantities = ["ammonia"]
footprint = "river_solute"
[[detectors]]
name = "concentration"
[rules]
hold_s = 1800
grid_step_s = 600
[texts.zh]
name = "氨氮"
[texts.en]
name = "ammonia"
"""


@pytest.fixture
def banks(story, files):
    """Ava and Una face each other across the first reach, each with a probe of its own; Bor lies a day below them."""
    cities = json.loads(files["cities.geojson"])
    across = json.loads(json.dumps(cities["features"][0]))
    across["properties"] |= {"id": "una", "name_en": "Una", "river": [{"reach": "r1", "km": 1}]}
    cities["features"].append(across)
    stations = "station,quantity,domain,unit,city,latitude,longitude,reach,reach_km,interval_s,timezone,datum,also_in,limit\n"
    for name, city, km in (("left", "ava", 0), ("right", "una", 1)):
        stations += f"{name},ammonia,rill,mg/l,{city},30.0,110.0,r1,{km},600,UTC,,,1.0\n"
    return story(
        {
            "cities.geojson": json.dumps(cities),
            "stations.csv": stations,
            "reaches.csv": files["reaches.csv"].replace(",1,,,\n", ",1,0.5,,\n"),
            "hazards/flood.toml": "",
            "hazards/spill.toml": SPILL,
        }
    )


def records(tale):
    return [json.loads(one.value) for one in tale.outputs if one.kind is Kind.INCIDENTS]


def until(tale, begins, ends, left, right):
    for at in range(begins, ends, 10 * MINUTE):
        tale.measure(at, {"left/ammonia": left, "right/ammonia": right})
        tale.tick(at + SECOND)


def test_two_banks_of_one_water_at_different_levels_are_flagged_since_they_differ_and_as_long_as_they_do(banks, start):
    until(banks, start, start + HOUR, 1.3, 1.3)
    assert records(banks)[-1]["inconsistent"] == []
    until(banks, start + HOUR, start + 2 * HOUR, 1.3, 50.0)
    levels = {one["city_id"]: one["level"] for one in records(banks)[-1]["cities"]}
    assert levels["ava"] != levels["una"] == "red"
    (odd,) = records(banks)[-1]["inconsistent"]
    assert (odd["city_id"], odd["level"], odd["other_city_id"], odd["other_level"]) == ("ava", levels["ava"], "una", "red")
    assert (odd["why"], odd["since_at"]) == ("same_water", to_text(start + HOUR))
    until(banks, start + 2 * HOUR, start + 3 * HOUR, 50.0, 50.0)
    assert records(banks)[-1]["inconsistent"] == []


def told(city_id, level, **fields):
    return Told(city_id, f"wrn-{city_id}", 1, level, MsgType.ALERT, Reason.FIRST, "river", ("river",), 0.9, None, 0, HOUR, **fields)


def wanted(city_id, level, begins, path="river", series=("up/stage",), **fields):
    arrival = Arrival(begins, begins + HOUR, begins + 2 * HOUR)
    return Wanted(city_id, level, path, (path,), 0.9, arrival, "", 1.0, 1.0, fields.pop("reasons", ()), series, **fields)


@pytest.fixture
def scene(story):
    """The small river, looked at from inside; its cities have no limits of their own."""
    tale = story()
    seen = tale.state.scene("rill", 0)
    free = dataclasses.replace(seen.bound.hazard, limits={})
    return dataclasses.replace(seen, bound=dataclasses.replace(seen.bound, hazard=free))


def flagged(scene, *cities, at=0):
    """The pairs flagged among cities given as (told, wanted)."""
    incident = IncidentState("inc", 0, told={one.city_id: one for one, _ in cities})
    look(scene, incident, {one.city_id: one for _, one in cities}, at)
    return [(one.city_id, one.other_city_id, one.why) for one in incident.odds]


def test_an_upper_city_told_less_than_a_lower_one_under_the_same_source_is_flagged(scene):
    upper = (told("bor", 2), wanted("bor", 2, HOUR))
    lower = (told("cam", 3), wanted("cam", 3, 5 * HOUR))
    assert flagged(scene, upper, lower) == [("bor", "cam", "upper_is_lower")]
    assert flagged(scene, (told("bor", 3), wanted("bor", 3, HOUR)), (told("cam", 2), wanted("cam", 2, 5 * HOUR))) == []


@pytest.mark.parametrize(
    "lower",
    [
        (told("cam", 3, below_since=5), wanted("cam", 2, 5 * HOUR)),
        (told("cam", 3, blind_since=5), wanted("cam", 3, 5 * HOUR)),
        (told("cam", 3, ended=True), wanted("cam", 3, 5 * HOUR)),
        (told("cam", 3), wanted("cam", 3, 5 * HOUR, reasons=(CRESTS_MEET,))),
        (told("cam", 3), wanted("cam", 3, 5 * HOUR, series=("other/stage",))),
        (told("cam", 3), wanted("cam", 3, 5 * HOUR, path="same_place")),
    ],
    ids=["held", "blind", "over", "crests_meet", "another_source", "measured_there"],
)
def test_what_explains_a_difference_is_not_flagged(scene, lower):
    assert flagged(scene, (told("bor", 2), wanted("bor", 2, HOUR)), lower) == []


def test_a_citys_own_limits_explain_its_colour(story):
    seen = story().state.scene("rill", 0)
    assert "bor" in seen.hazard.limits
    assert flagged(seen, (told("bor", 2), wanted("bor", 2, HOUR)), (told("cam", 3), wanted("cam", 3, 5 * HOUR))) == []


def windy(scene, km):
    """The same scene with smoke instead of water, and Bor `km` beside Ava."""
    cities = tuple(
        dataclasses.replace(
            one, place=dataclasses.replace(one.place, latitude=30.0 + (km / 111.0 if one.city_id == "bor" else 0.0), longitude=110.0)
        )
        if one.city_id != "cam"
        else one
        for one in scene.region.cities
    )
    hazard = dataclasses.replace(scene.bound.hazard, footprint="wind")
    return dataclasses.replace(
        scene, region=dataclasses.replace(scene.region, cities=cities), bound=dataclasses.replace(scene.bound, hazard=hazard)
    )


@pytest.mark.parametrize(("km", "level", "begins", "odd"), [(8, 4, 0, True), (15, 4, 0, False), (8, 3, 0, False), (8, 4, 5 * HOUR, False)])
def test_neighbours_in_one_wind_are_flagged_two_levels_apart_within_ten_kilometres_at_one_time(scene, km, level, begins, odd):
    pair = (told("ava", 2), wanted("ava", 2, 0, "wind")), (told("bor", level), wanted("bor", level, begins, "wind"))
    assert flagged(windy(scene, km), *pair) == ([("ava", "bor", "neighbours")] if odd else [])


def test_neighbours_who_measure_it_since_different_hours_have_it_at_one_time(scene):
    pair = (told("ava", 2), wanted("ava", 2, 0, "same_place")), (told("bor", 4), wanted("bor", 4, 5 * HOUR, "same_place"))
    assert flagged(windy(scene, 5), *pair, at=3 * HOUR) == []
    assert flagged(windy(scene, 5), *pair, at=6 * HOUR) == [("ava", "bor", "neighbours")]


def test_a_pair_keeps_the_instant_since_when_it_is_odd(scene):
    pair = (told("bor", 2), wanted("bor", 2, HOUR)), (told("cam", 3), wanted("cam", 3, 5 * HOUR))
    incident = IncidentState("inc", 0, told={one.city_id: one for one, _ in pair})
    for at in (7, 8, 9):
        look(scene, incident, {one.city_id: one for _, one in pair}, at)
    assert [one.since_at for one in incident.odds] == [7]
    look(scene, incident, {}, 10)
    assert incident.odds == ()
