"""Many cities answered at once are told exactly what each of them is told alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.topology.places import HOUR, NOW, QUIET, river_city, rivers, source
from topology import river_solute, river_wave
from topology.base import Conditions, Places, Reach
from topology.river_prior import MANY

MODULES = [river_wave, river_solute]


def alone(module, places, parameters, asked, conditions) -> dict[str, object]:
    """What every city would be told if it were the only one on the river."""
    found = {}
    for city in places.cities:
        (*impacts,) = module.footprint(module.build(replace(places, cities=(city,)), parameters), asked, conditions)
        found.update({impact.city_id: impact for impact in impacts})
    return found


@pytest.mark.parametrize("module", MODULES)
@settings(max_examples=30)
@given(river=rivers(splits=True), data=st.data())
def test_a_city_is_told_the_same_to_the_last_digit_whoever_else_is_asked_about(module, river, data) -> None:
    places, _, _ = river
    flow = st.sampled_from([float("nan"), 1.0, 4.0, 9.0])
    of = {row.reach: data.draw(flow) for row in places.reaches}
    rows = tuple(replace(row, mean_discharge_m3_per_s=of[row.reach]) for row in places.reaches)
    length = {row.reach: row.length_km for row in rows}
    cities = tuple(river_city(f"{reach}/{part}", (reach, km * part / 4)) for reach, km in length.items() for part in range(5))
    parameters = {
        "log_sd": data.draw(st.sampled_from([0.0, 0.35])),
        "floor_h": data.draw(st.sampled_from([0.0, 1.5])),
        "min_share": data.draw(st.sampled_from([0.0, 0.3])),
    }
    asked = source(reach="r0", reach_km=0.3, city_id="r1/1", ended_at=data.draw(st.sampled_from([None, NOW + 7 * HOUR])))
    conditions = Conditions(NOW, discharge_m3_per_s={"r0": data.draw(st.floats(0.1, 90.0))})
    together = Places(cities, rows)
    whole = module.footprint(module.build(together, parameters), asked, conditions)
    assert {impact.city_id: impact for impact in whole} == alone(module, together, parameters, asked, conditions)
    assert list(whole) == sorted(whole, key=lambda one: (one.arrival is None, one.arrival.p50_at if one.arrival else 0))


@pytest.mark.parametrize("module", MODULES)
def test_many_cities_below_still_water_are_warned_without_a_time(module) -> None:
    rows = (
        Reach("a", "lake", 10.0, velocity_m_per_s=1.0),
        Reach("lake", "b", 20.0, velocity_m_per_s=0.01),
        Reach("b", "", 10.0, velocity_m_per_s=1.0),
    )
    cities = tuple(river_city(f"{reach}{km}", (reach, float(km))) for reach in ("a", "b") for km in range(MANY))
    places = Places(cities, rows)
    found = module.footprint(module.build(places, {}), source(reach="a"), QUIET)
    assert {one.city_id: one for one in found} == alone(module, places, {}, source(reach="a"), QUIET)
    assert [one.city_id for one in found] == [city.city_id for city in cities]
    assert (
        ["still water" in one.unknown_because for one in found] == [one.arrival is None for one in found] == [False] * MANY + [True] * MANY
    )
