"""Points of a city on a river, border reaches and lengths of drawn lines, as a region folder says them."""

from __future__ import annotations

import math

import pytest

from tests.region.sound import CITIES, FILES, REACHES, examined
from topology.base import Conditions, Reach, Source
from topology.network import build_network, jurisdictions
from topology.network_file import save_network
from topology.river_wave import footprint

COLUMNS = "reach,downstream,length_km,celerity_m_per_s,line_km,sinuosity,drainage_area_km2,left,right\n"


def region_with(reaches: str = REACHES, cities: str = CITIES):
    region, findings = examined({**FILES, "reaches.csv": reaches, "cities.geojson": cities})
    assert findings.sorted_problems() == ()
    return region


def said(reaches: str = REACHES, cities: str = CITIES) -> list[tuple[str, int, str, str]]:
    _, findings = examined({**FILES, "reaches.csv": reaches, "cities.geojson": cities})
    return [(one.file, one.line, one.field, one.problem) for one in findings.sorted_problems()]


def flood_from(region, reach: str, km: float):
    (flood,) = (hazard for hazard in region.hazards if hazard.hazard == "flood")
    return footprint(flood.graph, Source("a/stage", "", 1.0, 2.0, reach, km, 0, 0, None, 5.0, 1.0), Conditions(now=0))


def test_a_water_intake_above_the_city_counts_before_its_centre_and_is_named():
    cities = CITIES.replace('[{"reach": "r2", "km": 4}]', '[{"reach": "r2", "km": 4}, {"reach": "r1", "km": 9, "asset": "intake"}]')
    region = region_with(cities=cities)
    (downton,) = (city for city in region.cities if city.city_id == "downton")
    assert downton.place.assets == ("", "intake")
    assert {(impact.city_id, impact.asset) for impact in flood_from(region, "r1", 0.0)} == {("upton", ""), ("downton", "intake")}
    assert [impact.asset for impact in flood_from(region, "r1", 9.5)] == [""]


@pytest.mark.parametrize("wrong", ['"asset": 3', '"assets": "intake"', '"asset": null'])
def test_an_asset_without_a_name_is_refused(wrong):
    cities = CITIES.replace('"km": 4}', f'"km": 4, {wrong}}}')
    assert [problem[:3] for problem in said(cities=cities)] == [("cities.geojson", 14, "river")]


def test_both_sides_of_a_border_reach_are_told_even_if_they_lie_on_no_river():
    cities = CITIES.replace('"river": [{"reach": "r1", "km": 1}]', '"note": ""')
    region = region_with(COLUMNS + "r1,r2,10,1.2,,,,upton,land\nr2,,10,,,,,,\n", cities)
    (flood,) = (hazard for hazard in region.hazards if hazard.hazard == "flood")
    assert jurisdictions(flood.graph.cities.network, "r1") == ("upton", "land")
    impacts = {impact.city_id: impact for impact in flood_from(region, "r1", 5.0)}
    assert set(impacts) == {"upton", "downton"}
    assert "border_reach" in impacts["upton"].reasons
    assert "border_reach" not in impacts["downton"].reasons
    assert impacts["upton"].arrival.p50_at == 0


def test_a_bank_that_nobody_knows_and_one_that_is_on_both_sides_are_reported_by_line():
    assert said(COLUMNS + "r1,r2,10,1.2,,,,uptown,\nr2,,10,,,,,land,land\n") == [
        ("reaches.csv", 2, "left", "no feature 'uptown' in cities.geojson"),
        ("reaches.csv", 3, "right", "'land' is on both banks"),
    ]


def test_an_official_length_goes_before_a_drawn_line_and_the_line_is_stretched_by_its_sinuosity():
    region = region_with(COLUMNS + "r1,r2,10,1.2,8,1.1,,,\nr2,,,,8,1.25,,,\n")
    (flood,) = (hazard for hazard in region.hazards if hazard.hazard == "flood")
    network = flood.graph.cities.network
    assert {reach: network.length_km[network.index[reach]] for reach in ("r1", "r2")} == {"r1": 10.0, "r2": 10.0}
    told = {impact.city_id: impact.reasons for impact in flood_from(region, "r1", 0.0)}
    assert "drawn_length" not in told["upton"]
    assert "drawn_length" in told["downton"]
    assert math.isnan(network.mean_discharge_m3_per_s[0])


def test_a_reach_without_any_length_and_a_sinuosity_below_one_are_refused():
    assert [problem[:3] for problem in said(COLUMNS + "r1,r2,10,1.2,,,,,\nr2,,,,,1.2,,,\n")] == [("reaches.csv", 3, "length_km")]
    assert [problem[:3] for problem in said(COLUMNS + "r1,r2,,1.2,8,0.9,,,\nr2,,10,,,,,,\n")] == [("reaches.csv", 2, "sinuosity")]


def test_a_reversed_reach_is_refused_by_its_drainage_area():
    [problem] = said(COLUMNS + "r1,r2,10,1.2,,,500,,\nr2,,10,,,,400,,\n")
    assert problem[:3] == ("reaches.csv", 2, "drainage_area_km2")
    assert "from 'r1' with 500 km2 to 'r2' with 400 km2" in problem[3]


def with_network(data: bytes, **more: str):
    return examined({**{name: text for name, text in FILES.items() if name != "reaches.csv"}, "reaches.npz": data, **more})


def as_npz(tmp_path, *rows: Reach) -> bytes:
    save_network(build_network(rows), tmp_path / "reaches.npz")
    return (tmp_path / "reaches.npz").read_bytes()


ROWS = (Reach("r1", "r2", 10.0, celerity_m_per_s=1.2), Reach("r2", "", 10.0))


def test_a_network_file_stands_in_for_the_table_of_reaches(tmp_path):
    region, findings = with_network(as_npz(tmp_path, *ROWS))
    assert findings.sorted_problems() == ()
    assert flood_from(region, "r1", 0.5) == flood_from(region_with(), "r1", 0.5) != ()
    assert [rows.tolist() for rows in region.hazards[0].observers] == [rows.tolist() for rows in region_with().hazards[0].observers]


def test_a_network_file_is_checked_against_stations_cities_and_itself(tmp_path):
    data = as_npz(tmp_path, ROWS[0], Reach("r2", "", 3.5, left="uptown"))
    problems = [(one.file, one.line, one.field) for one in with_network(data)[1].sorted_problems()]
    assert problems == [("cities.geojson", 14, "river"), ("reaches.npz", 0, "left")]
    damaged = bytearray(data)
    damaged[data.index(build_network(ROWS).length_km[:1].tobytes())] ^= 1
    [problem] = with_network(bytes(damaged))[1].sorted_problems()
    assert (problem.file, "hash" in problem.problem) == ("reaches.npz", True)


def test_a_table_and_a_network_file_together_are_one_too_many(tmp_path):
    problems = with_network(as_npz(tmp_path, *ROWS), **{"reaches.csv": REACHES})[1].sorted_problems()
    assert [(one.file, one.problem) for one in problems] == [("reaches.npz", "stands beside reaches.csv")]
