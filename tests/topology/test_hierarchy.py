from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.adcode import above, canonical, same_place
from topology.base import Arrival, Impact, Path, TopologyError
from topology.hierarchy import Joint, Roles, Scope, build_hierarchy, joint, lowest_common_ancestor, roles

AMUR = build_hierarchy(
    {
        "harbin": "heilongjiang",
        "mulan": "harbin",
        "tonghe": "harbin",
        "jiamusi": "heilongjiang",
        "songyuan": "jilin",
        "heilongjiang": "china",
        "jilin": "china",
        "china": "",
        "khabarovsk": "krai",
        "krai": "russia",
        "russia": "",
    }
)
LEVELS = {
    "heilongjiang": "province",
    "jilin": "province",
    "china": "country",
    "krai": "province",
    "russia": "country",
    "harbin": "prefecture",
}


@given(st.lists(st.integers(0, 100), min_size=1, max_size=12), st.data())
def test_the_lowest_common_ancestor_contains_all_and_nothing_lower_does(picks, data) -> None:
    parents = {f"n{i}": "" if i == 0 or pick % 7 == 0 else f"n{pick % i}" for i, pick in enumerate(picks)}
    tree = build_hierarchy(parents)
    chosen = data.draw(st.lists(st.sampled_from(sorted(parents)), min_size=1, max_size=4))

    def line(one: str) -> list[str]:
        up = [one]
        while parents[up[-1]]:
            up.append(parents[up[-1]])
        return up

    lines = [line(one) for one in chosen]
    common = [one for one in lines[0] if all(one in other for other in lines)]
    assert lowest_common_ancestor(tree, chosen) == (common[0] if common else None)
    assert all(tree.above[one] == tuple(line(one)[1:]) for one in parents)


def test_circles_and_unknown_parents_are_all_refused() -> None:
    with pytest.raises(TopologyError) as refused:
        build_hierarchy({"leaf": "x", "x": "y", "y": "x", "self": "self", "lost": "nowhere"})
    problems = [f.problem for f in refused.value.faults]
    assert len(problems) == 3
    assert any("x -> y -> x" in p for p in problems)
    assert any("self -> self" in p for p in problems)
    assert any("'nowhere'" in p for p in problems)


def test_nobody_has_no_common_ancestor_and_an_unknown_id_is_an_error() -> None:
    tree = build_hierarchy({"a": ""})
    assert lowest_common_ancestor(tree, []) is None
    with pytest.raises(KeyError):
        lowest_common_ancestor(tree, ["b"])


@pytest.mark.parametrize("levels", [LEVELS, {}], ids=["levels named", "levels unknown"])
@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["mulan"], Joint("mulan", Scope.CITY)),
        (["mulan", "mulan"], Joint("mulan", Scope.CITY)),
        (["mulan", "harbin"], Joint("harbin", Scope.CITY)),
        (["harbin", "jiamusi"], Joint("heilongjiang", Scope.PROVINCE)),
        (["songyuan", "mulan"], Joint("china", Scope.NATION)),
        (["mulan", "khabarovsk"], Joint("", Scope.TRANSBOUNDARY)),
    ],
)
def test_what_cities_share_is_a_city_a_province_a_nation_or_a_channel_across_the_border(levels, ids, expected) -> None:
    assert joint(AMUR, levels, ids) == expected


def test_two_districts_of_one_city_meet_in_the_city_when_the_file_says_that_it_is_one() -> None:
    assert joint(AMUR, LEVELS, ["mulan", "tonghe"]) == Joint("harbin", Scope.CITY)


def test_nations_that_meet_in_a_river_commission_are_transboundary_and_it_is_named() -> None:
    danube = build_hierarchy({"passau": "germany", "linz": "austria", "germany": "icpdr", "austria": "icpdr", "icpdr": ""})
    levels = {"germany": "country", "austria": "country", "icpdr": "commission"}
    assert joint(danube, levels, ["passau", "linz"]) == Joint("icpdr", Scope.TRANSBOUNDARY)


def test_cities_of_whom_nothing_is_known_above_share_nothing_known() -> None:
    assert joint(build_hierarchy({"g20": "", "g07": ""}), {"g20": "gauge"}, ["g20", "g07"]) == Joint("", Scope.UNKNOWN)


def impact(city_id: str, p50_at: int | None) -> Impact:
    arrival = None if p50_at is None else Arrival(p50_at, p50_at, p50_at)
    return Impact(city_id, Path.RIVER, 0.5, arrival, 0.5, 0.5, "" if arrival else "a reservoir")


def test_the_place_of_occurrence_leads_and_the_reached_assist_soonest_first_unknown_times_last() -> None:
    reached = [impact("khabarovsk", None), impact("jiamusi", 300), impact("mulan", 100), impact("harbin", 1), impact("jiamusi", 200)]
    assert roles(AMUR, LEVELS, ["harbin"], reached) == Roles(
        ("harbin",), ("mulan", "jiamusi", "khabarovsk"), Joint("", Scope.TRANSBOUNDARY)
    )
    assert roles(AMUR, LEVELS, [], reached[1:3]) == Roles((), ("mulan", "jiamusi"), Joint("heilongjiang", Scope.PROVINCE))


def test_an_incident_that_concerns_nobody_or_an_unknown_city_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one city"):
        roles(AMUR, LEVELS, [], [])
    with pytest.raises(KeyError):
        roles(AMUR, LEVELS, ["atlantis"], [])


@given(st.integers(110000, 659999).map(str))
def test_codes_above_are_real_administrations_and_lead_to_the_province(adcode) -> None:
    chain = above(adcode)
    assert all(canonical(one) == one for one in chain)
    assert canonical(canonical(adcode)) == canonical(adcode)
    assert not chain or chain[-1] == f"{adcode[:2]}0000"
    for one in chain[:-1]:
        assert above(one) == chain[chain.index(one) + 1 :]


def test_the_traps_of_the_code_table() -> None:
    # A municipality and its pseudo-city, in both directions.
    assert above("310101") == above("310151") == ("310000",)
    assert canonical("310100") == "310000"
    # Directly administered counties: no prefecture above them.
    assert [above(code) for code in ("429004", "469001", "659001")] == [("420000",), ("460000",), ("650000",)]
    # Prefectures without counties.
    assert above("441900") == above("442000") == ("440000",)
    assert same_place({"a": "429004", "b": "429005", "c": "429000", "d": "420000"}) == (("c", "d"),)
    assert same_place({"a": "", "b": "", "c": "DE", "d": "DE"}) == ()
