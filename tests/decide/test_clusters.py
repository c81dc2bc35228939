"""The scan in the fold: neighbours with a few more cases each are one cluster; it ends when they are as usual, and not because they are silent."""

from __future__ import annotations

import json

import numpy as np
import pytest

from stream.decide.clusters import PREFIX
from stream.records.instants import HOUR, SECOND
from stream.records.journal import Columns, measurements

WEEK = 7 * 24 * HOUR
NAMES = ("a", "b", "c", "d", "far", "off")
USUAL = 6.0

FILES = {
    "region.toml": '[domains.land]\nfamilies = ["health"]\n',
    "stations.csv": "station,quantity,domain,unit,city,latitude,longitude,reach,reach_km,interval_s,timezone,datum,also_in\n"
    + "".join(
        f"s{name},cases,land,cases,{name},{30 + i % 2 * 0.2 + (i > 3) * (i - 2)},{110 + i // 2 * 0.2},,,604800,UTC,,\n"
        for i, name in enumerate(NAMES)
    ),
    "reaches.csv": "",
    "cities.geojson": json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "geometry": {"type": "Point", "coordinates": [110 + i // 2 * 0.2, 30 + i % 2 * 0.2 + (i > 3) * (i - 2)]},
                    "properties": {"id": name, "name_zh": name, "name_en": name, "level": "city", "radius_km": 5},
                }
                for i, name in enumerate(NAMES)
            ],
        }
    ),
    "hazards/flood.toml": "",
    "hazards/outbreak.toml": """
family = "health"
category = "health"
quantities = ["cases"]
[[detectors]]
name = "negative_binomial"
[detectors.parameters]
period_s = 604800
[rules]
validity_s = 2419200
hold_s = 604800
status_valid_s = 2419200
blind_limit_s = 6048000
grid_step_s = 604800
max_late_s = 2419200
[fusion]
prior = 0.1
[texts.zh]
name = "聚集性疫情"
[texts.en]
name = "outbreak"
""",
}
SCAN = "[scan]\nzone_most = 4\n"


@pytest.fixture
def land(story):
    def tell(scan=SCAN, more="", **options):
        hazard = FILES["hazards/outbreak.toml"].replace("[texts.zh]", scan + "[texts.zh]").replace("prior = 0.1\n", "prior = 0.1\n" + more)
        head = 'name = "land"\n[title]\nzh = "地"\nen = "Land"\n' + FILES["region.toml"]
        return story({**FILES, "region.toml": head, "hazards/outbreak.toml": hazard}, **{"clock": "observed", **options})

    return tell


def week(tale, start, number, counts):
    at = start + number * WEEK
    rows = [tale.region.series.row_of[f"s{name}/cases"] for name in counts]
    arrays = Columns(
        np.array(rows, "<i4"), np.full(len(rows), at, "<i8"), np.array(list(counts.values()), "<f8"), np.zeros(len(rows), "u1")
    )
    tale.give(at, measurements("land", tale.region.region_hash, arrays))
    if tale.clock == "broker":
        tale.tick(at + SECOND)


def learned(tale, start, weeks=40):
    chance = np.random.default_rng(2)
    for number in range(weeks):
        week(tale, start, number, dict(zip(NAMES, chance.poisson(USUAL, len(NAMES)).astype(float), strict=True)))
    return weeks


FEW_MORE = dict.fromkeys(NAMES, USUAL) | dict.fromkeys("abcd", 13.0)


def told(tale):
    return {name: tale.told(name) for name in NAMES if tale.told(name)}


@pytest.mark.parametrize("clock", ["observed", "broker"])
def test_a_few_more_cases_in_four_neighbours_are_a_cluster_that_none_of_them_shows_alone(land, start, clock):
    alone, together = land(scan="", clock=clock), land(clock=clock)
    for tale in (alone, together):
        number = learned(tale, start)
        assert told(tale) == {}
        week(tale, start, number, FEW_MORE)
        week(tale, start, number + 1, dict.fromkeys(NAMES, USUAL))
    assert told(alone) == {}
    assert set(told(together)) == set("abcd")
    first = together.messages("a")[0]
    assert (first["msg_type"], first["reason"], first["path"]) == ("alert", "first", "same_place")
    assert first["evidence"][0]["series"] == PREFIX + "land"
    assert (first["evidence"][0]["value"], first["evidence"][0]["value_to"]) == (0.0, 1e8), "with its own count a city could subtract"
    assert first["evidence"][0]["p_value"] == {"blue": 1e-3, "yellow": 1e-4, "orange": 1e-6, "red": 1e-9}[first["evidence"][0]["level"]]
    assert "The city and its neighbours together report" in first["text"]["en"]
    assert len({one["incident_id"] for name in "abcd" for one in together.messages(name)}) == 1


def test_a_cluster_ends_when_counts_are_as_usual_again(land, start):
    tale = land()
    number = learned(tale, start)
    week(tale, start, number, FEW_MORE)
    for later in range(1, 6):
        week(tale, start, number + later, dict.fromkeys(NAMES, USUAL))
    assert [reason for _, _, reason in tale.told("a")][-1] == "cleared"
    assert not tale.state.core.domains["land"].hazards["outbreak"].incidents


def test_silence_ends_no_cluster(land, start):
    tale = land()
    number = learned(tale, start)
    week(tale, start, number, FEW_MORE)
    for later in range(1, 9):
        week(tale, start, number + later, {"far": USUAL, "off": USUAL})
    assert "cleared" not in {reason for name in "abcd" for _, _, reason in tale.told(name)}
    source = tale.state.core.domains["land"].hazards["outbreak"].sources[PREFIX + "land"]
    assert source.ended_at is None


def test_a_cluster_of_several_places_is_confirmed_by_itself(land, start):
    tale = land(more="k = 3\n")
    number = learned(tale, start)
    week(tale, start, number, FEW_MORE)
    week(tale, start, number + 1, FEW_MORE)
    assert {one["certainty"] for one in tale.messages("a")} == {"Observed"}


def test_one_place_alone_that_others_do_not_share_is_not_confirmed_by_a_scan(land, start):
    tale = land(more="k = 3\n")
    number = learned(tale, start)
    week(tale, start, number, dict.fromkeys(NAMES, USUAL) | {"far": 60.0})
    week(tale, start, number + 1, dict.fromkeys(NAMES, USUAL))
    assert {(one["level"], one["certainty"]) for one in tale.messages("far")} == {("yellow", "Possible")}


def test_restored_states_go_on_as_if_nothing_had_happened(land, start):
    tale = land()
    number = learned(tale, start, 20)
    chance = np.random.default_rng(9)
    for later in range(30):
        extra = 8.0 * (later % 10 < 2)
        counts = {name: float(chance.poisson(USUAL + extra * (name in "abcd"))) for name in NAMES if chance.random() < 0.9}
        week(tale, start, number + later, counts)
    assert told(tale)
    state, outputs = tale.fold.initial(0), []
    for entry in tale.entries:
        outputs += tale.fold.apply(state, [entry])
        data = tale.fold.snapshot(state)
        state = tale.fold.restore(data)
        assert tale.fold.snapshot(state) == data
    assert outputs == tale.outputs
    assert [*tale.fold.apply(tale.fold.initial(0), tale.entries)] == tale.outputs


def test_what_a_scan_adds_is_no_more_than_it_says_alone(land, start):
    tale = land()
    number = learned(tale, start)
    week(tale, start, number, FEW_MORE | {"a": 30.0})
    week(tale, start, number + 1, dict.fromkeys(NAMES, USUAL))
    [record] = [json.loads(one.value) for one in tale.outputs if one.kind.value == "incidents"][:1]
    adds = {one["series"]: one["log_odds"] for one in record["evidence"]}
    assert set(adds) == {"sa/cases", PREFIX + "land"}
    assert adds["sa/cases"] > 0.0
    total = -np.log(record["probability"] ** -1 - 1)
    assert total == pytest.approx(np.log(0.1 / 0.9) + sum(adds.values()), abs=1e-4)
