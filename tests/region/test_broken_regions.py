"""Every rule a region folder can break, one at a time: the problem names file, line and field, and nothing else is said."""

from __future__ import annotations

import pytest

from stream.region.bundle import unpack
from stream.region.load import load
from stream.region.model import Fusion
from stream.region.problems import RegionError
from tests.region.sound import CITIES, FILES, STATIONS, broken, bundled, examined

R, S, C, T = "region.toml", "stations.csv", "cities.geojson", "reaches.csv"
FLOOD, POLLUTANT, AIR = "hazards/flood.toml", "hazards/pollutant.toml", "hazards/air.toml"
ROW_A = "a,stage,rill,m,upton,1,2,r1,0,600,UTC,local,haze,2,4,"

# rule broken: file, what is replaced, by what, and the expected line, field and words.
BROKEN: dict[str, tuple[str, str, str, int, str, str]] = {
    "region_toml_is_no_toml": (R, 'zh = "小"', 'zh = "小', 3, "", "no TOML"),
    "name_is_missing": (R, 'name = "small"\n', "", 0, "name", "is missing"),
    "name_has_capitals": (R, '"small"', '"Small"', 1, "name", "no region name"),
    "title_lacks_a_language": (R, 'en = "Small"\n', "", 2, "title.en", "is missing"),
    "unknown_key_in_region": (R, "[defaults]", "[default]", 10, "default", 'nearest known one is "defaults"'),
    "unknown_default": (R, "interval_s = 600", "intervall_s = 600", 12, "defaults.intervall_s", "interval_s"),
    "domain_id_with_blank": (R, "[domains.haze]", '[domains."ha ze"]', 7, "domains.ha ze", "no domain id"),
    "domain_id_is_the_canarys": (R, "[domains.haze]", "[domains.canary-1]", 7, "domains.canary-1", "reserved"),
    "unknown_family": (R, '["air"]', '["aire"]', 8, "domains.haze.families", 'nearest known one is "air"'),
    "pin_is_no_whole_number": (R, "pin = 3", "pin = 3.5", 9, "domains.haze.pin", "whole number"),
    "column_is_missing": (S, "station,quantity", "station,quality", 1, "quantity", "column is missing"),
    "column_stands_twice": (S, "blue,red,limit", "blue,blue,limit", 1, "blue", "stands twice"),
    "unknown_column": (S, "blue,red,limit", "bleu,red,limit", 1, "bleu", "unknown column"),
    "row_has_too_few_cells": (S, ROW_A, "a,stage", 2, "", "has 2 cells"),
    "cell_is_no_number": (S, "upton,1,2,r1", "upton,one,2,r1", 2, "latitude", "no finite number"),
    "number_is_not_finite": (S, "upton,1,2,r1", "upton,nan,2,r1", 2, "latitude", "no finite number"),
    "latitude_out_of_range": (S, "upton,1,2,r1", "upton,91,2,r1", 2, "latitude", "out of range"),
    "longitude_out_of_range": (S, "upton,1,2,r1", "upton,1,181,r1", 2, "longitude", "out of range"),
    "interval_not_positive": (S, "600,UTC", "0,UTC", 2, "interval_s", "out of range"),
    "unknown_time_zone": (S, "600,UTC", "600,Asia/Shanghia", 2, "timezone", "Asia/Shanghai"),
    "unknown_domain": (S, "a,stage,rill", "a,stage,ril", 2, "domain", 'nearest known one is "rill"'),
    "unknown_city": (S, "m,upton", "m,uptown", 2, "city", 'nearest known one is "upton"'),
    "unknown_reach": (S, "2,r1,0", "2,r9,0", 2, "reach", "no reach 'r9'"),
    "reach_without_km": (S, "2,r1,0", "2,r1,", 2, "reach_km", "is empty"),
    "km_without_reach": (S, "2,r1,0", "2,,0", 2, "reach", "is empty"),
    "km_beyond_the_reach": (S, "2,r2,3,,,,,2.5", "2,r2,11,,,,,2.5", 3, "reach_km", "outside reach"),
    "unknown_also_in": (S, "local,haze", "local,hazy", 2, "also_in", 'nearest known one is "haze"'),
    "also_in_its_home": (S, "local,haze", "local,rill", 2, "also_in", "home domain"),
    "series_stands_twice": (S, "b,stage", "a,stage", 3, "station", "stands twice, first in line 2"),
    "station_with_slash": (S, "a,stage", "a/1,stage", 2, "station", "no station id"),
    "unit_of_another_quantity": (S, "a,stage,rill,m,", "a,stage,rill,kg,", 2, "unit", "does not measure stage"),
    "unit_is_unknown": (S, "a,stage,rill,m,", "a,stage,rill,metrez,", 2, "unit", "does not measure stage"),
    "unit_must_be_the_kept_one": (S, "ug/m3", "mg/m3", 5, "unit", "kept in ug/m3"),
    "levels_do_not_rise": (S, "haze,2,4,", "haze,4,2,", 2, "red", "is not above blue"),
    "series_without_limit": (S, "haze,2,4,", "haze,,,", 2, "", "never finds anything"),
    "limit_is_no_number": (S, ",1000", ",1O00", 4, "limit", "no finite number"),
    "cities_are_no_json": (C, '"id": "upton",', '"id": "upton"', 4, "", "no JSON"),
    "json_with_nan": (C, '"population": 1000', '"population": NaN', 0, "", "NaN is no number"),
    "no_feature_collection": (C, '"FeatureCollection"', '"Features"', 1, "", "no FeatureCollection"),
    "unknown_property": (C, '"radius_km"', '"radius"', 6, "radius", 'nearest known one is "radius_km"'),
    "city_id_with_capitals": (C, '"id": "land"', '"id": "Land"', 16, "id", "no city id"),
    "city_id_is_reserved": (C, '"id": "land"', '"id": "late"', 16, "id", "reserved"),
    "city_id_is_the_canarys": (C, '"id": "land"', '"id": "canary"', 16, "id", "reserved"),
    "city_stands_twice": (C, '"id": "land"', '"id": "upton"', 16, "id", "stands twice, first in line 3"),
    "city_without_name": (C, '"name_zh": "下", "name_en": "Downton",', "", 10, "name_en", "no name"),
    "unknown_parent": (C, '"parent": "land"', '"parent": "lan"', 5, "parent", 'nearest known one is "land"'),
    "point_without_radius": (C, '   "radius_km": 5,\n', "", 2, "radius_km", "no size"),
    "population_is_negative": (C, '"population": 1000', '"population": -1', 7, "population", "no number from 0"),
    "latitude_and_longitude_swapped": (C, "[2, 1]", "[2, 139]", 9, "geometry", "outside the Earth"),
    "polygon_crosses_itself": (C, "[2.05, 1.45], [2.05, 1.55]", "[2.05, 1.55], [2.05, 1.45]", 15, "geometry", "Self-intersection"),
    "geometry_is_a_line": (C, '"Point"', '"LineString"', 9, "geometry", "LineString"),
    "city_on_unknown_reach": (C, '"reach": "r1"', '"reach": "r7"', 8, "river", "no reach 'r7'"),
    "city_beyond_its_reach": (C, '"km": 4', '"km": 40', 14, "river", "outside reach"),
    "river_runs_in_a_circle": (T, "r2,,10", "r2,r1,10", 3, "downstream", "r1 -> r2 -> r1"),
    "unknown_downstream": (T, "r1,r2", "r1,r3", 2, "downstream", "'r3' is not a reach"),
    "length_is_negative": (T, "r1,r2,10", "r1,r2,-10", 2, "length_km", "out of range"),
    "length_is_empty": (T, "r1,r2,10", "r1,r2,", 2, "length_km", "is empty"),
    "unknown_reach_column": (T, "celerity_m_per_s", "celerety_m_per_s", 1, "celerety_m_per_s", "celerity_m_per_s"),
    "unknown_detector": (FLOOD, 'name = "stage"', 'name = "stages"', 8, "detectors.name", 'nearest known one is "stage"'),
    "detector_that_asks_the_network_beside_one_that_does_not": (FLOOD, 'name = "stage"', 'name = "air_forecast"\n[detectors.parameters]\nblue_mean = 1\n[[detectors]]\nname = "stage"', 12, "detectors.name", "a hazard file of its own"),
    "unknown_parameter": (FLOOD, "clear_after_n", "clear_afer_n", 10, "detectors.parameters.clear_afer_n", "clear_after_n"),
    "parameter_out_of_range": (FLOOD, "clear_after_n = 2", "clear_after_n = -2", 10, "detectors.parameters.clear_after_n", "range"),
    "detector_on_foreign_quantity": (FLOOD, 'name = "stage"', 'name = "stage"\nquantities = ["discharge", "stage"]', 9, "detectors.quantities", "not among"),
    "unknown_footprint": (FLOOD, "river_wave", "river_wafe", 4, "footprint", 'nearest known one is "river_wave"'),
    "unknown_footprint_parameter": (FLOOD, "log_sd", "log_ds", 6, "footprint_parameters.log_ds", "no such parameter"),
    "footprint_parameter_out_of_range": (FLOOD, "log_sd = 0.3", "log_sd = -0.3", 6, "footprint_parameters.log_sd", "out of range"),
    "unknown_quality_test": (FLOOD, "fail_max", "fail_mx", 14, "quality.stage.fail_mx", "fail_max"),
    "unknown_rule": (FLOOD, "hold_s", "hold", 16, "rules.hold", 'nearest known one is "hold_s"'),
    "rule_out_of_range": (FLOOD, "hold_s = 7200", "hold_s = -1", 16, "rules.hold_s", "out of range"),
    "status_lapses_before_the_next": (FLOOD, "hold_s = 7200", "grid_step_s = 900", 15, "rules.status_valid_s", "lapse"),
    "watch_above_warning": (FLOOD, "hold_s = 7200", "watch = 0.5", 16, "rules.watch", "above"),
    "unknown_fusion": (FLOOD, "[rules]", "[fusion]\nprio = 0.1\n[rules]", 16, "fusion.prio", 'nearest known one is "prior"'),
    "certain_prior": (FLOOD, "[rules]", "[fusion]\nprior = 1\n[rules]", 16, "fusion.prior", "out of range"),
    "nobody_needs_to_agree": (FLOOD, "[rules]", "[fusion]\nk = 0\n[rules]", 16, "fusion.k", "out of range"),
    "more_than_all_must_agree": (FLOOD, "[rules]", "[fusion]\nk = 3\nn = 2\n[rules]", 16, "fusion.k", "can never agree"),
    "unconfirmed_red": (FLOOD, "[rules]", '[fusion]\nunconfirmed_cap = "red"\n[rules]', 16, "fusion.unconfirmed_cap", "known are: blue, orange, yellow"),
    "weight_of_a_foreign_quantity": (FLOOD, "[rules]", "[fusion.weights]\nammonia = 1\n[rules]", 16, "fusion.weights.ammonia", "no such key"),
    "quantity_nobody_measures": (FLOOD, '["stage"]', '["stage", "discharge"]', 3, "quantities", "no series measures 'discharge'"),
    "hazard_of_another_family": (AIR, 'family = "air"', 'family = "health"', 1, "family", "no series of these quantities"),
    "unknown_category": (FLOOD, '"met"', '"weather"', 2, "category", "no such category"),
    "unknown_condition": (AIR, '["wind_speed"]', '["wind_sped"]', 4, "conditions", 'nearest known one is "wind_speed"'),
    "unknown_choice": (AIR, "hj_633_2012", "hj_633_2011", 8, "detectors.parameters.table", "hj_633_2012"),
    "unknown_response": (FLOOD, "[rules]", '[cap]\nresponse_red = "Flee"\n[rules]', 16, "cap.response_red", "no response type 'Flee'"),
    "event_code_of_no_list": (FLOOD, "[rules]", '[cap]\nevent_code = "flood"\n[rules]', 16, "cap.event_code", "no code of the OASIS"),
    "unknown_key_in_cap": (FLOOD, "[rules]", '[cap]\ncode = "OET-081"\n[rules]', 16, "cap.code", "event_code"),
    "hazard_without_name": (FLOOD, 'name = "flood"\n', "", 19, "texts.en.name", "is missing"),
    "unknown_text": (FLOOD, "alert =", "alrt =", 21, "texts.en.alrt", 'nearest known one is "alert"'),
    "template_reaches_into_objects": (FLOOD, "{city}", "{city.__class__}", 21, "texts.en.alert", "holds the field"),
    "template_with_open_brace": (FLOOD, "{city}", "{city", 21, "texts.en.alert", "no template"),
}  # fmt: skip


def test_the_small_region_is_sound():
    region, findings = examined(FILES)
    assert findings.sorted_problems() == ()
    assert region is not None


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_reported_with_file_line_and_field(rule):
    file, old, new, line, field, words = BROKEN[rule]
    region, findings = examined(broken(file, old, new))
    assert region is None
    found = [(one.file, one.line, one.field) for one in findings.sorted_problems()]
    assert (file, line, field) in found, "\n".join(map(str, findings.sorted_problems()))
    [one] = [one for one in findings.sorted_problems() if (one.file, one.line, one.field) == (file, line, field)]
    assert words in f"{one.problem}; {one.fix}"
    assert one.fix


FOLLOWS = {
    # A rule whose breaking makes something else wrong too: what is said beside it is about the same mistake.
    "unknown_key_in_region", "unknown_property", "unknown_default", "domain_id_with_blank", "unknown_family", "column_stands_twice", "unknown_column", "unknown_domain", "km_beyond_the_reach",
    "city_id_with_capitals", "city_id_is_reserved", "city_id_is_the_canarys", "domain_id_is_the_canarys", "city_stands_twice", "unknown_detector", "series_stands_twice", "column_is_missing", "row_has_too_few_cells",
"detector_on_foreign_quantity", "hazard_of_another_family", "limit_is_no_number", "unknown_condition",
}  # fmt: skip


@pytest.mark.parametrize("rule", sorted(set(BROKEN) - FOLLOWS))
def test_one_mistake_is_one_problem(rule):
    file, old, new, *_ = BROKEN[rule]
    problems = examined(broken(file, old, new))[1].sorted_problems()
    assert len(problems) == 1, "\n".join(map(str, problems))


def test_a_hazard_may_ask_for_confirmation_and_keeps_what_it_does_not_say():
    given = '[fusion]\nprior = 0.2\nk = 2\nunconfirmed_cap = "blue"\n[fusion.weights]\nstage = 0.5\n[rules]'
    region, findings = examined(broken(FLOOD, "[rules]", given))
    assert findings.sorted_problems() == ()
    flood = next(one for one in region.hazards if one.hazard == "flood")
    assert flood.fusion == Fusion(prior=0.2, k=2, unconfirmed_cap=1, weights={"stage": 0.5})
    assert all(one.fusion == Fusion() for one in region.hazards if one.hazard != "flood")


def test_all_mistakes_are_reported_at_once():
    rules = [
        "name_has_capitals", "latitude_out_of_range", "population_is_negative", "length_is_negative", "unknown_rule", "unknown_category",
        "unknown_choice", "unknown_time_zone", "city_beyond_its_reach",
    ]  # fmt: skip
    files = dict(FILES)
    for rule in rules:
        file, old, new, *_ = BROKEN[rule]
        assert old in files[file], rule
        files[file] = files[file].replace(old, new, 1)
    found = {(one.file, one.line, one.field) for one in examined(files)[1].sorted_problems()}
    assert found == {(BROKEN[rule][0], BROKEN[rule][3], BROKEN[rule][4]) for rule in rules}


@pytest.mark.parametrize("file", ["region.toml", "stations.csv", "cities.geojson"])
def test_a_missing_file_is_one_problem(file):
    problems = examined({name: text for name, text in FILES.items() if name != file})[1].sorted_problems()
    assert [(one.file, one.problem) for one in problems if one.file == file] == [(file, "the file is missing")]


def test_a_river_hazard_without_reaches_says_what_it_needs():
    files = {name: text for name, text in FILES.items() if name != T}
    files[S] = STATIONS.replace("r1,0", ",").replace("r2,3", ",")
    files[C] = (
        CITIES.replace('"river"', '"note": "", "river"')
        .replace('[{"reach": "r1", "km": 1}]', "[]")
        .replace('[{"reach": "r2", "km": 4}]', "[]")
    )
    problems = examined(files)[1].sorted_problems()
    assert [(one.file, one.line, one.field) for one in problems] == [(FLOOD, 4, "footprint"), (POLLUTANT, 4, "footprint")]


def test_a_region_without_hazards_is_refused():
    problems = examined({name: text for name, text in FILES.items() if not name.startswith("hazards/")})[1].sorted_problems()
    assert ("hazards/", 0) in [(one.file, one.line) for one in problems]


def test_a_misnamed_file_is_told_the_nearest_name():
    [one] = examined({**FILES, "travels.csv": "origin,destination,travellers_per_day\n"})[1].sorted_problems()
    assert (one.file, "travel.csv" in one.fix) == ("travels.csv", True)


def test_unknown_and_self_travel_is_reported_by_line():
    travel = "origin,destination,travellers_per_day\nupton,upton,3\nupton,nowhere,4\nupton,downton,-4\n"
    outbreak = AIR_OUTBREAK.replace("AIR", "air")
    files = {**FILES, "travel.csv": travel, "hazards/outbreak.toml": outbreak}
    found = {(one.file, one.line, one.field) for one in examined(files)[1].sorted_problems()}
    assert {("travel.csv", 2, "destination"), ("travel.csv", 3, "destination"), ("travel.csv", 4, "travellers_per_day")} == found


AIR_OUTBREAK = """\
family = "AIR"
category = "health"
quantities = ["pm25"]
footprint = "travel"
[[detectors]]
name = "negative_binomial"
[texts.zh]
name = "疫"
[texts.en]
name = "outbreak"
"""


def test_parents_in_a_circle_are_listed():
    cities = CITIES.replace('"level": "country"', '"level": "country", "parent": "upton"')
    [one] = examined({**FILES, C: cities})[1].sorted_problems()
    assert one.field == "parent"
    assert "upton -> land -> upton" in one.problem or "land -> upton -> land" in one.problem


@pytest.mark.parametrize("file", [R, S, C, T, FLOOD])
def test_bytes_that_are_not_utf8_are_refused_with_their_line(file):
    data = FILES[file].encode()
    cut = data.index(b"\n") + 1
    problems = examined({**FILES, file: data[:cut] + b"\xff" + data[cut:]})[1].sorted_problems()
    assert (file, 2) in [(one.file, one.line) for one in problems]


def test_a_byte_order_mark_is_no_mistake():
    files = {name: b"\xef\xbb\xbf" + text.encode() for name, text in FILES.items()}
    assert examined(files)[1].sorted_problems() == ()


def test_windows_line_ends_are_read_and_have_their_own_hash():
    files = {name: text.replace("\n", "\r\n") for name, text in FILES.items()}
    region, findings = examined(files)
    assert findings.sorted_problems() == ()
    assert region is not None
    assert region.region_hash != bundled(FILES).region_hash


def test_load_raises_with_the_list_and_its_text_names_every_place():
    with pytest.raises(RegionError) as caught:
        load(bundled(broken(FLOOD, "hold_s", "hold")))
    assert [one.field for one in caught.value.problems] == ["rules.hold"]
    assert "hazards/flood.toml:16: rules.hold: no such key" in str(caught.value)


def test_a_damaged_bundle_is_refused():
    from stream.errors import TocsinError

    with pytest.raises(TocsinError, match="cannot be unpacked"):
        unpack(b"\x1f\x8bnonsense")


def test_a_quantity_with_capitals_and_one_of_unknown_unit_are_refused():
    stations = STATIONS + "x,Stage,rill,m,-,,,,,,,,,,,\ny,happiness,rill,,-,,,,,,,,,,,\nz,happiness,rill,smiles,-,,,,,,,,,,,\n"
    found = {(one.line, one.field) for one in examined({**FILES, S: stations})[1].sorted_problems()}
    assert found == {(7, "quantity"), (8, "unit"), (9, "unit")}
