"""`tocsin footprint` on the shipped regions: by river, wind and travel, as a table, JSON, GeoJSON and a map."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import shapely
from PIL import Image
from typer.testing import CliRunner

from stream.cli.main import app

ROOT = Path(__file__).parents[2]
runner = CliRunner()
SPILL = ("songhua", "--source", "sujiatun", "--at", "2005-11-24T16:00:00Z", "--value", "0.58")
SMOKE = ("beijing", "--source", "dingling/pm25", "--at", "2014-01-15T00:00:00Z", "--wind", "3,340")
OUTBREAK = ("example", "--hazard", "outbreak", "--source", "linhe", "--at", "2024-05-10T00:00:00Z", "--value", "40")
FLOOD = ("danube", "--source", "g20:0", "--at", "1988-03-20T00:00:00Z", "--value", "900")


def asked(*arguments: str) -> list[dict[str, object]]:
    region, *rest = arguments
    done = runner.invoke(app, ["footprint", str(ROOT / "deploy" / "regions" / region), *rest, "--json"])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.parametrize(
    ("question", "path", "some"),
    [(SPILL, "river", "jiamusi"), (SMOKE, "wind", "changping"), (OUTBREAK, "travel", "pingze"), (FLOOD, "river", "g02")],
    ids=["spill", "smoke", "outbreak", "flood"],
)
def test_every_kind_of_footprint_answers_on_a_shipped_region_and_is_drawn(question, path, some, tmp_path) -> None:
    source, *cities = asked(*question, "--out", str(tmp_path))
    assert {city["path"] for city in cities} == {path}
    assert some in [city["city_id"] for city in cities]
    assert all(city["arrives_at_p10"] <= city["arrives_at_p50"] <= city["arrives_at_p90"] for city in cities)
    assert source["roles"]["assist"] == [city["city_id"] for city in cities]
    collection = json.loads((tmp_path / "footprint.geojson").read_text("utf-8"))
    shapes = {(one["properties"]["kind"], one["properties"].get("city_id")): one["geometry"] for one in collection["features"]}
    for city in cities:
        assert shapely.from_geojson(json.dumps(shapes["city", city["city_id"]])).is_valid
    kinds = {kind for kind, _ in shapes}
    assert kinds == {"source", "city"} | ({"river"} if path == "river" else {"wind"} if path == "wind" else set())
    with Image.open(tmp_path / "footprint.png") as image:
        assert image.size == (1600, 1000)
        # Something is drawn on the map and in the list, and the colour of the likeliest city is there.
        assert len(image.crop((30, 30, 1070, 970)).getcolors(1_000_000)) > 20
        assert len(image.crop((1100, 20, 1590, 990)).getcolors(1_000_000)) > 20


def test_the_source_leads_and_what_all_share_is_named() -> None:
    source, *_ = asked(*SPILL)
    assert source["roles"]["lead"] == ["harbin"]
    assert (source["roles"]["joint"], source["roles"]["scope"]) == ("heilongjiang", "province")


def test_the_same_place_named_as_series_station_reach_and_kilometre_has_the_same_answer() -> None:
    series, station, reach = (
        [city["arrives_at_p50"] for city in asked(SPILL[0], "--source", place, *SPILL[3:])[1:] if city["city_id"] != "harbin"]
        for place in ("sujiatun/nitrobenzene", "sujiatun", "songhua:0")
    )
    assert series == station == reach
    assert len(series) == 6


def test_a_point_stands_in_the_city_around_it() -> None:
    source, *cities = asked("example", "--hazard", "outbreak", "--source", "30.05,151.2", "--at", "2024-05-10T00:00:00Z", "--value", "40")
    assert source["city_id"] == "linhe"
    assert cities == asked(*OUTBREAK)[1:]


def test_without_wind_and_without_cases_the_time_is_unknown_and_it_says_why() -> None:
    for question, because in ((SMOKE[:5], "no wind"), (OUTBREAK[:7], "prevalence")):
        cities = asked(*question)[1:]
        assert cities
        assert all(city["arrives_at_p50"] is None and because in city["unknown_because"] for city in cities)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("songhua", "--source", "sujiatum", "--at", "2005-11-24T16:00:00Z"), "nearest known one is"),
        (("songhua", "--source", "songhua:900", "--at", "2005-11-24T16:00:00Z"), "0 (upstream end) to 711.6"),
        (("songhua", "--source", "45.7,126.6", "--at", "2005-11-24T16:00:00Z"), "is on no river"),
        (("songhua", "--source", "95,126.6", "--at", "2005-11-24T16:00:00Z"), "outside the Earth"),
        (("songhua", "--source", "sujiatun", "--at", "yesterday"), "--at"),
        (("example", "--source", "linhe", "--at", "2024-05-10T00:00:00Z"), "which hazard?"),
        (("example", "--source", "linhe", "--at", "2024-05-10T00:00:00Z", "--hazard", "hail"), "no hazard 'hail' has a footprint"),
        (("beijing", "--source", "dongsi", "--at", "2014-01-15T00:00:00Z", "--wind", "west"), "--wind 'west'"),
        (("beijing", "--source", "dongsi", "--at", "2014-01-15T00:00:00Z", "--wind", "-3,90"), "--wind -3,90"),
    ],
)
def test_what_is_not_understood_is_said_with_what_there_is_instead(arguments, said) -> None:
    region, *rest = arguments
    done = runner.invoke(app, ["footprint", str(ROOT / "deploy" / "regions" / region), *rest])
    assert done.exit_code == 1
    assert said in done.output


def test_people_read_a_table_and_nothing_is_written_without_a_folder(tmp_path) -> None:
    command = [sys.executable, "-m", "stream.cli.main", "footprint", str(ROOT / "deploy" / "regions" / "songhua"), *SPILL[1:]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path, env=environment)
    lines = done.stdout.splitlines()
    assert any(line.startswith("Jiamusi 佳木斯") and "Dec" in line for line in lines)
    assert "leads: harbin" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_danger_of_unknown_source_has_suspects_upstream_and_a_clean_place_clears_them() -> None:
    found = {one["reach"]: one for one in asked("danube", "--source", "g07", "--at", "1988-03-20T00:00:00Z", "--upstream")}
    assert {"g20", "g08"} <= set(found)
    assert not {"g06", "g02"} & set(found)
    assert sum(one["probability"] for one in found.values()) <= 1 + 1e-5
    assert all(
        one["left_at_p10"] < one["left_at_p50"] < one["left_at_p90"] < "1988-03-20" for one in found.values() if one["reach"] != "g07"
    )
    seen = found["g20"]["left_at_p50"]
    clean = {
        one["reach"]: one["probability"]
        for one in asked("danube", "--source", "g07", "--at", "1988-03-20T00:00:00Z", "--upstream", "--clean", f"g20@{seen}")
    }
    assert clean["g21"] < found["g21"]["probability"]
    assert clean["g08"] > found["g08"]["probability"]


def test_suspects_are_drawn_and_their_reaches_run_to_the_place_below(tmp_path) -> None:
    asked("danube", "--source", "g07", "--at", "1988-03-20T00:00:00Z", "--upstream", "--out", str(tmp_path))
    collection = json.loads((tmp_path / "footprint.geojson").read_text("utf-8"))
    found, *suspects = collection["features"]
    reaches = {one["properties"]["reach"]: shapely.from_geojson(json.dumps(one["geometry"])) for one in suspects if one["geometry"]}
    place = shapely.from_geojson(json.dumps(found["geometry"]))
    assert reaches["g08"].distance(place) == pytest.approx(0.0, abs=1e-9)
    assert reaches["g20"].distance(place) == pytest.approx(0.0, abs=1e-9)
    with Image.open(tmp_path / "footprint.png") as image:
        assert image.size == (1600, 1000)
        assert len(image.crop((30, 30, 1070, 970)).getcolors(1_000_000)) > 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*SMOKE, "--upstream"), "only a river has an upstream"),
        ((*SPILL, "--upstream", "--clean", "mulan"), "PLACE@TIME"),
        ((*SPILL, "--clean", "mulan@2005-11-24T16:00:00Z"), "goes with --upstream"),
    ],
)
def test_what_upstream_cannot_do_is_said(arguments, said) -> None:
    region, *rest = arguments
    done = runner.invoke(app, ["footprint", str(ROOT / "deploy" / "regions" / region), *rest])
    assert done.exit_code == 1
    assert said in done.output
