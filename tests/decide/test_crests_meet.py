"""Two rivers come together above a city: their crests add up, and the city is told so."""

from __future__ import annotations

import json

import pytest

from stream.records.instants import HOUR

STATIONS = """station,quantity,domain,unit,city,latitude,longitude,reach,reach_km,interval_s,timezone,datum,also_in,blue,yellow,orange,red
left,stage,rill,m,,30.0,110.0,left,0,600,UTC,,,2,3,4,5
right,stage,rill,m,,30.0,110.2,right,0,600,UTC,,,2,3,4,5
below,stage,rill,m,,29.7,110.1,stem,5,600,UTC,,,2,3,4,5
"""
REACHES = """reach,downstream,length_km,celerity_m_per_s,mean_discharge_m3_per_s
left,stem,36,1,60
right,stem,36,1,40
stem,,40,1,100
"""
CALM = {"left": 1.0, "right": 1.0, "below": 1.0}


@pytest.fixture
def tale(story, start):
    point = {"type": "Point", "coordinates": [110.1, 29.6]}
    properties = {
        "id": "cam", "name_zh": "卡姆", "name_en": "Cam", "level": "city", "radius_km": 5, "river": [{"reach": "stem", "km": 20}],
    }  # fmt: skip
    cities = json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": point, "properties": properties}]})
    tale = story({"stations.csv": STATIONS, "reaches.csv": REACHES, "cities.geojson": cities})
    tale.quiet(start, start + HOUR, CALM)
    return tale


def test_the_city_below_is_told_that_two_crests_meet_and_how_strong_they_are_together(tale, start):
    tale.measure(start + HOUR, {"left": 2.5})
    (alone,) = tale.messages("cam")
    tale.measure(start + 2 * HOUR, {"right": 3.5})
    both = tale.messages("cam")[-1]

    assert both["reason"] == "worse"
    assert "crests_meet" in both["reasons"]
    assert "crests_meet" not in alone["reasons"]
    assert alone["intensity"] == pytest.approx(0.6, rel=0.1), "the left river brings 60 of the city's 100 m3/s"
    assert both["intensity"] == pytest.approx(1.0, rel=0.1)
    assert both["probability"] > alone["probability"]
    assert [one["series"] for one in both["evidence"]] == ["right/stage", "left/stage"]


def test_crests_a_day_apart_do_not_meet(tale, start):
    tale.measure(start + HOUR, {"left": 2.5})
    for hour in range(2, 30):
        tale.measure(start + hour * HOUR, {**CALM, "left": 2.5})
    tale.measure(start + 30 * HOUR, {**CALM, "left": 2.5, "right": 3.5})
    assert "crests_meet" not in tale.messages("cam")[-1]["reasons"]


def test_a_gauge_below_both_has_seen_them_together_already(tale, start):
    tale.measure(start + HOUR, {"left": 2.5})
    tale.measure(start + 2 * HOUR, {"right": 3.5})
    tale.measure(start + 3 * HOUR, {"below": 4.5})
    last = tale.messages("cam")[-1]
    assert last["evidence"][0]["series"] == "below/stage"
    assert "crests_meet" not in last["reasons"]
