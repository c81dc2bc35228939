from __future__ import annotations

from stream.region.administrations import hierarchy, levels, name_of
from tests.region.sound import FILES, examined
from topology.hierarchy import Scope, joint


def with_codes(upton: str, downton: str) -> dict[str, str | bytes]:
    cities = FILES["cities.geojson"]
    cities = cities.replace('"id": "upton",', f'"id": "upton", "adcode": "{upton}",')
    return {**FILES, "cities.geojson": cities.replace('"id": "downton",', f'"id": "downton", "adcode": "{downton}",')}


def test_a_city_and_its_pseudo_city_are_refused_so_that_nobody_is_warned_twice() -> None:
    region, findings = examined(with_codes("110000", "110100"))
    assert region is None
    (problem,) = findings.problems
    assert (problem.file, problem.line, problem.field) == ("cities.geojson", 3, "adcode")
    assert "same administration, 110000" in problem.problem
    region, _ = examined(with_codes("110105", "110106"))
    assert region is not None


def test_a_region_knows_who_stands_above_its_cities_also_those_that_only_a_list_names() -> None:
    region, _ = examined(dict(FILES))
    assert region is not None
    tree = hierarchy(region)
    assert tree.above["downton"] == ("land", "world")
    assert tree.above["upton"] == ("land",)
    assert "world" in tree.above
    assert joint(tree, levels(region), ["upton", "downton"]).scope is Scope.NATION
    assert region.administrations["land"].level == "country"
    assert [name_of(region, one) for one in ("land", "upton", "world")] == ["Land", "Upton", "world"]
    assert name_of(region, "land", "zh") == "国"


def test_who_stands_above_is_known_by_the_code_where_the_file_does_not_say() -> None:
    files = with_codes("230102", "230103")
    cities = str(files["cities.geojson"]).replace('"parent": "land",', "").replace('"parents": ["land", "world"],', "")
    region, findings = examined({**files, "cities.geojson": cities})
    assert region is not None, findings.problems
    tree = hierarchy(region)
    assert tree.above["upton"] == tree.above["downton"] == ("230100", "230000", "cn")
    assert joint(tree, levels(region), ["upton", "downton"]).scope is Scope.CITY
    elsewhere, _ = examined({**files, "cities.geojson": cities.replace("230103", "429004")})
    assert elsewhere is not None
    assert hierarchy(elsewhere).above["downton"] == ("420000", "cn")
    assert joint(hierarchy(elsewhere), levels(elsewhere), ["upton", "downton"]).scope is Scope.NATION
    same_province, _ = examined({**files, "cities.geojson": cities.replace("230103", "231002")})
    assert same_province is not None
    assert joint(hierarchy(same_province), levels(same_province), ["upton", "downton"]).scope is Scope.PROVINCE


def test_an_administration_of_the_file_takes_the_place_of_its_code() -> None:
    files = with_codes("230102", "230103")
    cities = str(files["cities.geojson"]).replace('"parent": "land",', "").replace('"parents": ["land", "world"],', "")
    cities = cities.replace('"id": "land",', '"id": "land", "adcode": "230100",')
    region, _ = examined({**files, "cities.geojson": cities})
    assert region is not None
    assert hierarchy(region).above["upton"] == ("land", "230000", "cn")
