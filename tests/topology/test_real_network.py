"""The footprints on 11,248 real reaches (lower Colorado, Texas), against a walk that knows nothing of arrays."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.topology.places import HOUR, NOW, QUIET, river_city, source
from topology import river_solute, river_wave
from topology.base import Places, Reach, TopologyError
from topology.network import build_network, downstream, path_to


@pytest.fixture(scope="module")
def places(texas: tuple[Reach, ...]) -> Places:
    """A city at the lower end of every fifth reach."""
    return Places(tuple(river_city(f"c{row.reach}", (row.reach, row.length_km)) for row in texas[::5]), texas)


def some(rows: tuple[Reach, ...], count: int = 200) -> list[Reach]:
    return random.Random(7).sample(rows, count)


def test_the_real_network_has_one_outlet_and_its_reaches_in_order(texas) -> None:
    network = build_network(texas)
    assert len(network.reaches) == 11_248
    assert network.below.tolist().count(-1) == 1
    assert sum(network.length_km) == pytest.approx(38_896, rel=0.001)


def test_the_walk_downstream_equals_a_plain_walk_for_200_random_reaches(texas) -> None:
    network, row_of = build_network(texas), {row.reach: row for row in texas}
    longest = 0
    for start in some(texas):
        walk = downstream(network, start.reach, 0.0)
        expected, at, gone_km = [], start.reach, 0.0
        while at:
            expected.append((at, gone_km))
            gone_km += row_of[at].length_km
            at = row_of[at].downstream
        assert [network.reaches[b.reach] for b in walk] == [reach for reach, _ in expected]
        assert [b.distance_km for b in walk] == pytest.approx([km for _, km in expected])
        assert {b.share for b in walk} == {1.0}
        assert path_to(network, walk, len(walk) - 1) == tuple(reach for reach, _ in expected)
        longest = max(longest, len(walk))
    assert longest > 300


@pytest.mark.parametrize("module", [river_wave, river_solute])
def test_no_city_off_the_path_is_warned_and_water_behind_a_floor_velocity_has_no_time(texas, places, module) -> None:
    row_of = {row.reach: row for row in texas}
    graph = module.build(places, {"min_share": 0.0})
    timed = untimed = 0
    for start in some(texas):
        impacts = {i.city_id: i for i in module.footprint(graph, source(reach=start.reach), QUIET)}
        at, still = start.reach, False
        on_path = set()
        while at:
            still = still or row_of[at].velocity_m_per_s <= 0.011
            impact = impacts.get(f"c{at}")
            if impact is not None:
                on_path.add(impact.city_id)
                assert (impact.arrival is None) == still
                assert bool(impact.unknown_because) == still
                timed, untimed = timed + (not still), untimed + still
            at = row_of[at].downstream
        assert set(impacts) == on_path
    assert timed > 100
    assert untimed > 100


def test_solute_times_on_real_velocities_equal_a_plain_sum(texas, places) -> None:
    row_of = {row.reach: row for row in texas}
    graph = river_solute.build(places, {})
    compared = 0
    for start in some(texas):
        impacts = {i.city_id: i for i in river_solute.footprint(graph, source(reach=start.reach), QUIET)}
        at, seconds = start.reach, 0.0
        while at and row_of[at].velocity_m_per_s > 0.011:
            seconds += row_of[at].length_km * 1000 / row_of[at].velocity_m_per_s
            if f"c{at}" in impacts:
                assert (impacts[f"c{at}"].arrival.p50_at - NOW) / HOUR == pytest.approx(0.89 * seconds / 3600, abs=1e-5)
                compared += 1
            at = row_of[at].downstream
    assert compared > 100


def test_a_network_turned_upstream_is_refused_because_confluences_become_unshared_splits(texas) -> None:
    lengths = {row.reach: row.length_km for row in texas}
    turned = tuple(Reach(row.downstream, row.reach, lengths[row.downstream], line=row.line) for row in texas if row.downstream)
    with pytest.raises(TopologyError) as refused:
        build_network(turned)
    assert sum("add up to 2" in f.problem for f in refused.value.faults) > 1000


def test_one_edge_that_closes_a_circle_is_refused_with_the_whole_circle(texas) -> None:
    network = build_network(texas)
    head = max(some(texas), key=lambda row: len(downstream(network, row.reach, 0.0)))
    walk = downstream(network, head.reach, 0.0)
    path = path_to(network, walk, len(walk) - 1)
    bent = tuple(replace(row, downstream=row.downstream or head.reach) for row in texas)
    with pytest.raises(TopologyError) as refused:
        build_network(bent)
    (fault,) = refused.value.faults
    circle = fault.problem.removeprefix("water runs in a circle: ").split(" -> ")
    assert circle[0] == circle[-1]
    assert len(circle) == len(path) + 1
    assert set(circle) == set(path)
