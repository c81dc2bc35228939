from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given

from tests.topology.places import rivers
from topology.base import Reach, TopologyError
from topology.network import build_network, downstream, network_of, path_to
from topology.reach_columns import reach_columns


def refused(*rows: Reach) -> list[tuple[int, str, str]]:
    with pytest.raises(TopologyError) as error:
        build_network(rows)
    assert all(f.table == "reaches.csv" and f.fix for f in error.value.faults)
    return [(f.line, f.field, f.problem) for f in error.value.faults]


def test_all_faults_of_a_table_are_told_at_once_with_their_lines() -> None:
    faults = refused(
        Reach("a", "b", 10.0, line=2),
        Reach("a", "b", 10.0, line=3),
        Reach("b", "nowhere", -1.0, line=4),
        Reach("c", "d", 5.0, 0.5, line=5),
        Reach("d", "c", 0.0, velocity_m_per_s=-0.1, line=6),
        Reach("", "", 1.0, line=7),
    )
    assert [(line, field) for line, field, _ in faults] == [
        (2, "fraction"),
        (3, "downstream"),
        (4, "downstream"),
        (4, "length_km"),
        (5, "fraction"),
        (6, "downstream"),
        (6, "length_km"),
        (6, "velocity_m_per_s"),
        (7, "reach"),
    ]
    assert "repeats line 2" in faults[1][2]
    assert "c -> d -> c" in faults[5][2]


def test_a_cycle_is_listed_without_the_reaches_that_only_lead_into_it() -> None:
    faults = refused(*(Reach(a, b, 1.0, line=n) for n, (a, b) in enumerate(["hx", "xy", "yz", "zx"], start=2)))
    assert faults == [(5, "downstream", "water runs in a circle: x -> y -> z -> x")]


def test_two_separate_cycles_are_two_faults_and_a_reach_into_itself_is_one() -> None:
    faults = refused(*(Reach(a, b, 1.0, line=n) for n, (a, b) in enumerate(["ab", "ba", "cc"], start=2)))
    assert [problem.split(": ")[1] for _, _, problem in faults] == ["a -> b -> a", "c -> c"]


def test_shares_of_a_split_must_be_given_and_add_up() -> None:
    end = Reach("x", "", 1.0, line=9)
    assert [f[1] for f in refused(Reach("a", "x", 1.0, 0.5, line=2), Reach("a", "", 1.0, 0.5001, line=3), end)] == ["fraction"]
    nan = float("nan")
    assert [f[0] for f in refused(Reach("a", "x", 1.0, nan, line=2), Reach("a", "", 1.0, 1.0, line=3), end)] == [2]
    split = build_network((Reach("a", "x", 1.0, 1.0 / 3.0), Reach("a", "", 1.0, 0.6666666), end))
    assert sorted(split.fraction.tolist()) == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert build_network((Reach("a", "x", 1.0, nan), end)).fraction.tolist() == [1.0, 1.0]


def test_branches_of_one_reach_must_agree_on_the_reach() -> None:
    faults = refused(Reach("a", "x", 1.0, 0.5, line=2), Reach("a", "", 2.0, 0.5, line=3), Reach("x", "", 1.0, line=4))
    assert [(line, field) for line, field, _ in faults] == [(3, "length_km")]


def test_a_reach_against_the_others_is_told_to_be_reversed() -> None:
    with pytest.raises(TopologyError) as error:
        build_network((Reach("a", "b", 1.0, line=2), Reach("b", "a", 1.0, line=3), Reach("c", "", 1.0, line=4)))
    [fault] = error.value.faults
    assert (fault.line, fault.problem, fault.fix) == (3, "water runs in a circle: a -> b -> a", "one of the two is reversed: turn it")


def test_water_that_would_run_from_more_to_less_of_it_is_refused_with_every_such_reach() -> None:
    rows = (
        Reach("a", "b", 1.0, drainage_area_km2=100.0, line=2),
        Reach("b", "c", 1.0, drainage_area_km2=90.0, line=3),
        Reach("c", "", 1.0, drainage_area_km2=200.0, mean_discharge_m3_per_s=1.0, line=4),
        Reach("d", "c", 1.0, mean_discharge_m3_per_s=50.0, line=5),
    )
    assert [(line, field) for line, field, _ in refused(*rows)] == [(2, "drainage_area_km2"), (5, "mean_discharge_m3_per_s")]


def test_a_river_that_loses_its_water_is_no_mistake_where_its_drainage_area_grows_or_a_number_is_missing() -> None:
    build_network((
        Reach("a", "b", 1.0, drainage_area_km2=100.0, mean_discharge_m3_per_s=50.0),
        Reach("b", "c", 1.0, drainage_area_km2=100.0, mean_discharge_m3_per_s=1.0),
        Reach("c", "d", 1.0, drainage_area_km2=99.95, mean_discharge_m3_per_s=0.0),
        Reach("d", "e", 1.0, mean_discharge_m3_per_s=30.0),
        Reach("e", "", 1.0, mean_discharge_m3_per_s=3.1),
    ))  # fmt: skip


def test_a_branch_may_carry_less_than_the_river_it_leaves() -> None:
    build_network((
        Reach("a", "b", 1.0, 0.01, mean_discharge_m3_per_s=100.0, drainage_area_km2=900.0),
        Reach("a", "c", 1.0, 0.99, mean_discharge_m3_per_s=100.0, drainage_area_km2=900.0),
        Reach("b", "", 1.0, mean_discharge_m3_per_s=1.0, drainage_area_km2=5.0),
        Reach("c", "", 1.0, mean_discharge_m3_per_s=99.0, drainage_area_km2=905.0),
    ))  # fmt: skip


def test_a_hundred_thousand_rows_with_faults_are_told_completely() -> None:
    count = 100_000
    down = np.arange(1, count + 1)
    down[-1] = 0
    wrong = {"length_km": np.ones(count), "velocity_m_per_s": np.full(count, np.nan)}
    wrong["length_km"][[10, 20_000]] = -1.0
    wrong["velocity_m_per_s"][99_998] = np.inf
    down[50_000] = 777_777
    down[70_000] = 70_000
    columns = reach_columns(
        {"reach": np.arange(1, count + 1), "downstream": down + 1 * (down > 0), "line": np.arange(2, count + 2), **wrong}
    )
    with pytest.raises(TopologyError) as error:
        network_of(columns)
    assert [(fault.line, fault.field) for fault in error.value.faults] == [
        (12, "length_km"),
        (20_002, "length_km"),
        (50_002, "downstream"),
        (70_002, "downstream"),
        (100_000, "velocity_m_per_s"),
    ]


def test_columns_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(TopologyError, match="different lengths"):
        reach_columns({"reach": ["a"], "downstream": ["", ""], "length_km": [1.0]})
    with pytest.raises(TopologyError) as error:
        reach_columns({"reach": ["a"], "lenght_km": [1.0]})
    assert [fault.field for fault in error.value.faults] == ["lenght_km", "downstream", "length_km"]


def test_only_an_outlet_may_have_no_length() -> None:
    network = build_network((Reach("a", "sea", 1.0), Reach("sea", "", 0.0)))
    assert network.length_km[network.index["a"]] == 1.0
    assert network.length_km[network.index["sea"]] == 0.0
    assert refused(Reach("a", "sea", 0.0, line=2), Reach("sea", "", 0.0, line=3))[0][:2] == (2, "length_km")
    assert refused(Reach("a", "", float("nan"), line=2))[0][:2] == (2, "length_km")


def test_a_network_cannot_be_changed() -> None:
    network = build_network((Reach("a", "", 1.0),))
    with pytest.raises(ValueError, match="read-only"):
        network.velocity_m_per_s[0] = 1.0
    with pytest.raises(TypeError):
        network.index["b"] = 1


@given(rivers(splits=True))
def test_upstream_comes_before_downstream(river) -> None:
    places, _, _ = river
    network = build_network(places.reaches)
    assert sorted(network.index[reach] for reach in network.reaches) == list(range(len(network.reaches)))
    for row in places.reaches:
        if row.downstream:
            assert network.index[row.reach] > network.index[row.downstream]


@given(rivers(splits=True))
def test_all_water_that_starts_leaves_through_outlets(river) -> None:
    places, reach, km = river
    network = build_network(places.reaches)
    leaving = 0.0
    for passed in downstream(network, reach, km):
        for edge in range(network.start[passed.reach], network.start[passed.reach + 1]):
            if network.below[edge] == -1:
                leaving += passed.share * network.fraction[edge]
    assert leaving == pytest.approx(1.0)


@given(rivers(splits=True))
def test_each_reach_below_is_met_once_and_its_path_has_its_length(river) -> None:
    places, reach, km = river
    network = build_network(places.reaches)
    walk = downstream(network, reach, km)
    assert len({b.reach for b in walk}) == len(walk)
    edges = {(row.reach, row.downstream) for row in places.reaches}
    for position, below in enumerate(walk):
        path = path_to(network, walk, position)
        assert path[0] == reach
        assert set(itertools.pairwise(path)) <= edges
        length_km = math.fsum(network.length_km[network.index[r]] for r in path[:-1]) - (km if len(path) > 1 else 0.0)
        assert below.distance_km == pytest.approx(length_km)


def test_a_place_off_the_network_is_refused_in_words() -> None:
    network = build_network((Reach("a", "", 10.0),))
    with pytest.raises(TopologyError, match="no reach 'b'"):
        downstream(network, "b", 0.0)
    for km in (-0.1, 10.1, float("nan")):
        with pytest.raises(TopologyError, match="outside reach 'a'"):
            downstream(network, "a", km)


def test_columns_keep_what_was_not_given_as_unknown() -> None:
    network = build_network((Reach("a", "", 10.0, residence_h=3.0),))
    assert network.residence_h[0] == 3.0
    assert np.isnan(network.celerity_m_per_s[0])
