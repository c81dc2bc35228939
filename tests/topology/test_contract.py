"""Every footprint module of the folder keeps the contract of topology/base.py."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest

import topology
from tests.topology.places import HOUR, NOW, source
from topology.base import CityPlace, Conditions, Footprint, Path, Places, Reach, TopologyError, Winds, footprint

MODULES = sorted(m.name for m in iter_modules(topology.__path__) if hasattr(import_module(f"topology.{m.name}"), "PARAMETERS"))
PLACES = Places(
    cities=(
        CityPlace("up", 30.0, 110.0, 5.0, 500_000, (("a", 5.0),)),
        CityPlace("mid", 30.0, 110.15, 5.0, 300_000, (("a", 35.0), ("b", 1.0))),
        CityPlace("lake", 30.1, 110.8, 8.0, 200_000, (("b", 40.0),)),
        CityPlace("dry", 31.0, 110.0, 5.0, 900_000),
        CityPlace("down", 30.2, 111.2, 5.0, 400_000, (("c", 10.0),)),
    ),
    reaches=(
        Reach("a", "b", 40.0, celerity_m_per_s=1.2, velocity_m_per_s=0.7, mean_discharge_m3_per_s=100.0, line=2),
        Reach("b", "c", 50.0, velocity_m_per_s=0.01, mean_discharge_m3_per_s=150.0, line=3),
        Reach("c", "", 20.0, line=4),
    ),
)
WEST_WIND = Winds(
    observed_at=np.array([NOW - 2 * HOUR, NOW - HOUR]),
    latitude=np.array([30.0, 30.0]),
    longitude=np.array([110.0, 110.0]),
    speed_m_per_s=np.array([4.0, 5.0]),
    from_deg=np.array([265.0, 275.0]),
)
CALM = Winds(np.array([NOW]), np.array([30.0]), np.array([110.0]), np.array([0.2]), np.array([np.nan]))
CONDITIONS = {
    "wind": Conditions(NOW, WEST_WIND, {"a": 200.0}),
    "calm": Conditions(NOW, CALM),
    "nothing known": Conditions(NOW),
}
SOURCE = source(city_id="up", reach="a", reach_km=5.0, onset_at=NOW - 3 * HOUR, observed_at=NOW)


def test_the_folder_offers_the_footprints_hazards_name() -> None:
    assert MODULES == ["river_solute", "river_wave", "travel", "wind"]


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("known", CONDITIONS)
def test_every_impact_is_well_formed(name: str, known: str) -> None:
    module = footprint(name)
    for ended_at in (None, NOW - HOUR):
        asked = source(city_id="up", reach="a", reach_km=5.0, onset_at=NOW - 3 * HOUR, ended_at=ended_at)
        impacts = module.footprint(module.build(PLACES, {}), asked, CONDITIONS[known])
        assert impacts, "a footprint that finds nobody here proves nothing"
        assert len({i.city_id for i in impacts}) == len(impacts)
        for impact in impacts:
            assert impact.city_id != "up"
            assert impact.path in (Path.RIVER, Path.WIND, Path.TRAVEL)
            assert 0.0 <= impact.probability <= 1.0
            assert 0.0 <= impact.intensity <= 1.0
            assert 0.0 <= impact.confidence <= 1.0
            assert bool(impact.unknown_because) == (impact.arrival is None)
            if impact.arrival:
                times = impact.arrival
                assert all(type(t) is int for t in (times.p10_at, times.p50_at, times.p90_at, times.passed_at))
                assert asked.onset_at <= times.p10_at <= times.p50_at <= times.p90_at <= times.passed_at


@pytest.mark.parametrize("name", MODULES)
def test_impacts_come_nearest_in_time_first_and_untimed_last(name: str) -> None:
    module = footprint(name)
    impacts = module.footprint(module.build(PLACES, {"min_probability": 0.0} if name == "travel" else {}), SOURCE, CONDITIONS["wind"])
    keys = [(i.arrival is None, i.arrival.p50_at if i.arrival else 0) for i in impacts]
    assert keys == sorted(keys)
    assert len(keys) > 1


@pytest.mark.parametrize("name", MODULES)
def test_the_answer_depends_neither_on_the_order_of_cities_nor_on_being_asked_before(name: str) -> None:
    module = footprint(name)
    graph = module.build(PLACES, {})
    first = module.footprint(graph, SOURCE, CONDITIONS["wind"])
    assert module.footprint(graph, SOURCE, CONDITIONS["wind"]) == first
    turned = Places(PLACES.cities[::-1], PLACES.reaches[::-1], PLACES.travel)
    again = module.footprint(module.build(turned, {}), SOURCE, CONDITIONS["wind"])
    assert [i.city_id for i in again] == [i.city_id for i in first]
    assert [i.probability for i in again] == pytest.approx([i.probability for i in first])


@pytest.mark.parametrize("name", MODULES)
def test_the_end_of_a_source_brings_its_passing_forward_and_moves_no_arrival(name: str) -> None:
    module: Footprint = footprint(name)
    graph = module.build(PLACES, {"min_probability": 0.0} if name == "travel" else {})
    lasting = {i.city_id: i for i in module.footprint(graph, SOURCE, CONDITIONS["wind"])}
    over = source(city_id="up", reach="a", reach_km=5.0, onset_at=NOW - 3 * HOUR, observed_at=NOW, ended_at=NOW - HOUR)
    for impact in module.footprint(graph, over, CONDITIONS["wind"]):
        before = lasting[impact.city_id]
        if impact.arrival and before.arrival:
            assert impact.arrival.passed_at < before.arrival.passed_at
            if name != "travel":
                # With the wind, a few members are only met by puffs that left in the last hour.
                assert abs(impact.arrival.p50_at - before.arrival.p50_at) <= (HOUR // 12 if name == "wind" else 0)


@pytest.mark.parametrize("name", MODULES)
def test_defaults_are_inside_their_own_limits_and_each_is_described(name: str) -> None:
    module = import_module(f"topology.{name}")
    assert set(module.PARAMETERS) == set(module.LIMITS)
    for key, value in module.PARAMETERS.items():
        low, high = module.LIMITS[key]
        assert low <= value <= high
        described = module.build.__doc__ + (module.footprint.__doc__ or "")
        assert f"`{key}`" in described, f"{key} is not explained"


@pytest.mark.parametrize("name", MODULES)
def test_wrong_parameters_are_refused_all_at_once(name: str) -> None:
    module = import_module(f"topology.{name}")
    some = min(module.PARAMETERS)
    with pytest.raises(TopologyError) as refused:
        module.build(PLACES, {"no_such_thing": 1.0, some: float("nan")})
    assert {f.field for f in refused.value.faults} == {"no_such_thing", some}


@pytest.mark.parametrize("name", MODULES)
def test_a_source_that_is_nowhere_reaches_nobody(name: str) -> None:
    module = footprint(name)
    nowhere = source(latitude=float("nan"), longitude=float("nan"))
    assert module.footprint(module.build(PLACES, {}), nowhere, CONDITIONS["wind"]) == ()


def test_a_river_graph_of_the_other_clock_is_refused() -> None:
    wave, solute = footprint("river_wave"), footprint("river_solute")
    with pytest.raises(TypeError, match=r"river_wave\.build"):
        wave.footprint(solute.build(PLACES, {}), SOURCE, Conditions(NOW))
    with pytest.raises(TypeError, match=r"river_solute\.build"):
        solute.footprint(wave.build(PLACES, {}), SOURCE, Conditions(NOW))
