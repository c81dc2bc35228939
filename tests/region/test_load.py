"""What a sound folder becomes: parameters by precedence, cities, observers, and a large region in reasonable time."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.region.load import load
from tests.region.same import same
from tests.region.sound import CITIES, FILES, FLOOD, REGION, STATIONS, broken, bundled, examined


@pytest.fixture(scope="module")
def small():
    return load(bundled(FILES))


def hazard(region, name):
    return next(one for one in region.hazards if one.hazard == name)


def test_series_are_sorted_by_id_and_rows_lead_back(small):
    ids = small.series.ids
    assert ids == ("a/stage", "b/ammonia", "b/stage", "s/pm25", "w/wind_speed")
    assert [small.series.row_of[one] for one in ids] == list(range(5))


def test_empty_cells_take_the_defaults_of_the_region(small):
    assert small.series.timezone == ("UTC", "Asia/Shanghai", "Asia/Shanghai", "Asia/Shanghai", "Asia/Shanghai")
    assert small.series.interval_s.tolist() == [600, 600, 600, 3600, 3600]


def test_a_unit_of_the_same_dimension_is_kept_where_no_fixed_one_is_needed(small):
    assert small.series.unit == ("m", "ug/l", "m", "ug/m3", "m/s")


def test_a_cell_wins_over_the_hazard_file_and_that_over_the_detector():
    stations = STATIONS.replace("blue,red,limit", "blue,red,clear_after_n").replace(",1000", ",").replace("2,4,\nb", "2,4,7\nb")
    files = {**FILES, "stations.csv": stations}
    del files["hazards/pollutant.toml"]
    [use] = hazard(load(bundled(files)), "flood").detectors
    assert use.parameters["clear_after_n"].tolist() == [7.0, 2.0]
    assert use.parameters["raise_after_n"].tolist() == [1.0, 1.0]
    assert use.parameters["blue"].tolist() == [2.0, 2.5]


def test_a_column_with_the_detectors_name_means_only_that_detector():
    stations = STATIONS.replace("blue,red,limit", "stage.blue,red,limit")
    assert hazard(load(bundled({**FILES, "stations.csv": stations})), "flood").detectors[0].parameters["blue"].tolist() == [2.0, 2.5]


def test_quality_is_set_for_all_and_by_quantity(small):
    quality = hazard(small, "flood").quality
    assert (quality["fail_min"].tolist(), quality["fail_max"].tolist()) == ([-5, -5], [30, 30])
    assert np.isnan(quality["spike_suspect"]).all()


def test_the_pollutant_of_the_air_index_follows_from_the_quantity(small):
    from detectors.aqi_tables import Pollutant, Table

    [use] = hazard(small, "air").detectors
    assert use.parameters["pollutant"].tolist() == [Pollutant.PM25]
    assert use.parameters["table"].tolist() == [Table.HJ_633_2012]


def test_a_detector_leaves_out_series_without_its_limits():
    stations = STATIONS.replace("blue,red,limit", "blue,red,rise_blue_per_h").replace("2,4,\nb", "2,4,0.3\nb").replace(",1000", ",")
    flood = FLOOD.replace("[quality]", '[[detectors]]\nname = "rate_of_rise"\n[quality]')
    files = {**FILES, "stations.csv": stations, "hazards/flood.toml": flood}
    del files["hazards/pollutant.toml"]
    uses = hazard(load(bundled(files)), "flood").detectors
    assert [(use.name, use.rows.tolist()) for use in uses] == [("stage", [0, 2]), ("rate_of_rise", [0])]


def test_everything_is_read_only(small):
    arrays = [
        value for value in (getattr(small.series, name) for name in small.series.__dataclass_fields__) if isinstance(value, np.ndarray)
    ]
    for one in small.hazards:
        arrays += [
            one.rows,
            one.condition_rows,
            one.quality,
            *one.observers,
            *(a for use in one.detectors for a in (use.rows, use.parameters)),
        ]
    assert [array.flags.writeable for array in arrays] == [False] * len(arrays)


def test_cities_have_their_parents_from_the_nearest_upwards(small):
    assert {city.city_id: city.parents for city in small.cities} == {"downton": ("land", "world"), "upton": ("land",)}


def test_a_polygon_is_a_point_with_a_radius_of_equal_area_for_footprints(small):
    place = small.cities[small.city_index["downton"]].place
    assert (place.latitude, place.longitude) == pytest.approx((1.5, 2.0))
    side_km = 0.1 * 111.2
    assert np.pi * place.radius_km**2 == pytest.approx(side_km**2, rel=0.001)
    assert small.cities[small.city_index["downton"]].polygon_wkt.startswith("POLYGON")


def test_a_station_with_an_empty_city_stands_where_its_coordinates_are():
    stations = STATIONS.replace("m,downton", "m,").replace("m,upton", "m,-")
    region = load(bundled({**FILES, "stations.csv": stations}))
    row = region.series.row_of
    assert region.series.city[row["b/stage"]] == region.city_index["downton"]
    assert region.series.city[row["a/stage"]] == -1


def test_a_city_is_observed_by_its_own_series_and_by_those_upstream(small):
    flood = hazard(small, "flood")
    seen = {city.city_id: [small.series.ids[row] for row in rows] for city, rows in zip(small.cities, flood.observers, strict=True)}
    assert seen == {"upton": ["a/stage"], "downton": ["a/stage", "b/stage"]}


def test_all_of_an_airshed_observe_its_cities_and_none_of_another():
    region = REGION + '[domains.far]\nfamilies = ["air"]\n'
    region = region.replace("[defaults]", '[domains.far]\nfamilies = ["air"]\n[defaults]').removesuffix(
        '[domains.far]\nfamilies = ["air"]\n'
    )
    stations = STATIONS + "t,pm25,far,ug/m3,downton,1.5,2,,,,,,,,,\n"
    loaded = load(bundled({**FILES, "region.toml": region, "stations.csv": stations}))
    seen = [[loaded.series.ids[row] for row in rows] for rows in hazard(loaded, "air").observers]
    assert dict(zip((city.city_id for city in loaded.cities), seen, strict=True)) == {"downton": ["t/pm25"], "upton": ["s/pm25"]}


@given(kms=st.lists(st.floats(0, 10), min_size=2, max_size=6))
def test_observers_agree_with_the_footprint_of_every_single_station(kms):
    from topology.base import Conditions, Source, footprint

    rows = "".join(f"s{n},stage,rill,m,-,,,{'r1' if n % 2 else 'r2'},{km!r},,,,,2,4,\n" for n, km in enumerate(kms))
    region = load(bundled({**FILES, "stations.csv": STATIONS + rows}))
    flood = hazard(region, "flood")
    for row in flood.rows.tolist():
        if region.series.city[row] < 0:
            source = Source("", "", 0, 0, region.series.reach[row], float(region.series.reach_km[row]), 0, 0, None, 1.0, 1.0)
            reached = {impact.city_id for impact in footprint("river_wave").footprint(flood.graph, source, Conditions(0))}
            assert {city.city_id for city, rows_ in zip(region.cities, flood.observers, strict=True) if row in rows_} == reached


def test_a_city_off_the_river_is_a_note_and_no_problem():
    cities = CITIES.replace(',\n   "river": [{"reach": "r2", "km": 4}]', ',\n   "note": "no km known"')
    region, findings = examined({**FILES, "cities.geojson": cities})
    assert region is not None
    assert [one.line for one in findings.sorted_notes()] == [11, 11]
    assert all("downton" in one.problem and "no km known" in one.problem for one in findings.sorted_notes())


def test_loading_twice_gives_equal_regions():
    assert same(load(bundled(FILES)), load(bundled(FILES)))
    assert not same(load(bundled(FILES)), load(bundled(broken("stations.csv", "2,4", "2,5"))))


def test_thirty_thousand_stations_load_in_seconds():
    count, reaches, towns = 30_000, 1_000, 500
    lines = [STATIONS.split("\n")[0].removesuffix(",limit")]
    lines += [f"s{n},stage,rill,m,c{n % towns},{n % 60},{n % 90},r{n % reaches},{n % 10},600,,,,2,4" for n in range(count)]
    network = ["reach,downstream,length_km"]
    network += [f"r{n},{f'r{n - 10}' if n >= 10 else ''},10" for n in range(reaches)]
    features = [
        {"type": "Feature", "properties": {"id": f"c{n}", "name_zh": f"{n}", "name_en": f"{n}", "radius_km": 1, "river": [{"reach": f"r{2 * n}", "km": 5}]},
         "geometry": {"type": "Point", "coordinates": [n % 90, n % 60]}}
        for n in range(towns)
    ]  # fmt: skip
    cities = json.dumps({"type": "FeatureCollection", "features": features})
    files = {
        "region.toml": REGION,
        "stations.csv": "\n".join(lines),
        "reaches.csv": "\n".join(network),
        "cities.geojson": cities,
        "hazards/flood.toml": FLOOD,
    }
    began = time.process_time()
    region = load(bundled(files))
    spent_s = time.process_time() - began
    print(f"{count} stations: {spent_s:.1f} s")
    assert len(region.series.ids) == count
    assert spent_s < 20  # generous: shared machines are slow
