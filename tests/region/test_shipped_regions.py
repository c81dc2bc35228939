"""The regions that come with the source: sound, what they claim to be, and made as they say."""

from __future__ import annotations

import csv

import pytest

from stream.records.instants import from_text
from stream.region.bundle import bundle, pack, unpack
from stream.region.load import load, load_folder
from stream.region.report import report
from stream.review.inputs import read_files
from tests.region import danube_levels, example_history
from tests.region.same import same
from tests.region.shared import REGIONS, beijing_rows, danube_rows, table, write_feed

NAMES = sorted(path.parent.name for path in REGIONS.glob("*/region.toml"))


def rows(region: str, file: str) -> list[dict[str, str]]:
    with (REGIONS / region / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def observers(region, hazard: str) -> dict[str, set[str]]:
    [one] = [one for one in region.hazards if one.hazard == hazard]
    return {city.city_id: {region.series.station[row] for row in seen} for city, seen in zip(region.cities, one.observers, strict=True)}


def test_the_regions_are_there():
    assert NAMES == ["beijing", "cascades", "danube", "example", "songhua"]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_region_is_sound(name):
    region, problems, _ = report(REGIONS / name)
    assert problems == ()
    assert region is not None
    assert region.name == name


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_region_survives_packing(name):
    one = bundle(REGIONS / name)
    assert same(load(unpack(pack(one))), load(one))


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_region_says_where_its_facts_come_from(name):
    head = (REGIONS / name / "region.toml").read_text(encoding="utf-8").split("name =")[0]
    assert "SYNTHETIC" in head or "ource" in head or "Facts" in head or "UCI 501" in head


def test_the_synthetic_region_is_called_so():
    region = load_folder(REGIONS / "example")
    assert "synthetic" in region.title["en"]
    assert "虚构" in region.title["zh"]


@pytest.mark.parametrize("name", ["example", "songhua"])
def test_the_history_can_be_fed(name):
    messages = read_files(load_folder(REGIONS / name), [REGIONS / name / "history.csv"])
    assert len(messages) == len(rows(name, "history.csv")) < 15_000
    assert (REGIONS / name / "history.csv").stat().st_size < 300_000


def test_the_example_story_is_the_one_the_function_tells():
    assert (REGIONS / "example" / "history.csv").read_bytes() == example_history.history_csv().encode()


@pytest.mark.parametrize("file", danube_levels.FILES)
def test_the_tables_of_the_danube_are_those_learned_before_1980(file):
    assert (REGIONS / "danube" / file).read_bytes() == danube_levels.FILES[file]().encode()


def test_levels_of_the_danube_do_not_know_what_came_after(monkeypatch):
    """Whatever stands in the data from 1980 on, the levels stay the same."""
    honest = danube_levels.levels()
    past = [row if row["date"] < "1980" else dict.fromkeys(row, "1e9") | {"date": row["date"]} for row in table(danube_levels.DISCHARGE)]
    monkeypatch.setattr(danube_levels, "table", lambda _name: past)
    assert danube_levels.levels() == honest


def test_the_danube_has_its_sinuosity_from_published_kilometres():
    lengths = {reach: length for reach, _, length, _ in danube_levels.reaches()}
    along = sum(lengths[f"g{number:02d}"] for number in range(2, 11))
    assert along == pytest.approx(2586.7 - 2223.1, rel=0.01)


def test_gauges_downstream_are_observed_from_upstream_and_never_the_other_way():
    region = load_folder(REGIONS / "danube")
    below = {row["upstream"]: row["downstream"] for row in table("rivers/danube_edges.csv")}
    for city, stations in observers(region, "flood").items():
        for station in stations - {city}:
            at = station
            while at in below and at != city:
                at = below[at]
            assert at == city
    assert "g08" in observers(region, "flood")["g01"]
    assert observers(region, "flood")["g12"] == {"g12"}


def test_the_songhua_history_holds_the_published_values():
    published = {
        (row["local_time_cst"] + ":00+08:00", float(row["nitrobenzene_mg_l"]))
        for row in table("events/songhua_2005_observations.csv")
        if row["nitrobenzene_mg_l"]
    }
    typed = {(row["observed_at"], float(row["value"])) for row in rows("songhua", "history.csv")}
    assert published <= typed
    assert all(row["source"] for row in rows("songhua", "history.csv"))


def test_the_songhua_fronts_are_the_published_ones():
    published = {
        row["local_time_cst"] + ":00+08:00" for row in table("events/songhua_2005_observations.csv") if row["event"].startswith("front")
    }
    assert {row["arrived_at"] for row in rows("songhua", "observed.csv")} <= published


def test_songhua_kilometres_are_those_above_tongjiang():
    region = load_folder(REGIONS / "songhua")
    km = {
        row["section"].split(" ")[0].lower(): float(row["km_above_tongjiang"])
        for row in table("events/songhua_2005_observations.csv")
        if row["km_above_tongjiang"]
    }
    found = {
        station: 711.6 - at
        for station, reach, at in zip(region.series.station, region.series.reach, region.series.reach_km, strict=True)
        if reach
    }
    assert found == pytest.approx({station: km[station] for station in found})


def test_cities_without_a_sourced_kilometre_get_no_river_forecast_and_say_so():
    region, _, notes = report(REGIONS / "songhua")
    off = {city.city_id: city.note for city in region.cities if not city.place.river}
    assert set(off) == {"songyuan", "fujin", "khabarovsk"}
    assert all("no kilometre with a source" in note for note in off.values())
    assert len(notes) == 3
    seen = observers(region, "pollutant")
    assert {city: seen[city] for city in off} == {"songyuan": set(), "fujin": {"fujin"}, "khabarovsk": set()}
    assert seen["mulan"] == {"sujiatun", "harbin", "bayangang", "mulan"}


def test_all_beijing_sites_observe_each_other():
    region = load_folder(REGIONS / "beijing")
    sites = {city.city_id for city in region.cities}
    assert len(sites) == 12
    assert observers(region, "air") == dict.fromkeys(sites, sites)


def test_the_wide_tables_become_rows_that_can_be_fed(tmp_path):
    danube = write_feed(tmp_path / "danube.csv", danube_rows("1980-01-01", "1980-01-11"))
    found = read_files(load_folder(REGIONS / "danube"), [danube])
    assert len(found) == 310
    beijing = write_feed(tmp_path / "beijing.csv", beijing_rows("2014-01-01", "2014-01-02"))
    messages = read_files(load_folder(REGIONS / "beijing"), [beijing])
    assert {message.series for message in messages} >= {"dongsi/pm25", "beijing-weather/wind_speed", "beijing-weather/wind_direction"}
    assert min(message.observed_at for message in messages) == from_text("2014-01-01T00:00:00+08:00")
