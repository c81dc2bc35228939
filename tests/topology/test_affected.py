"""Who is affected, asked without times, is who the whole footprint names; and an answer ends where the danger has faded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.topology.places import NOW, QUIET, river_city, rivers, source
from topology import river_solute, river_wave
from topology.base import Conditions, Passage, Places, Reach
from topology.river import FADED

MODULES = [river_wave, river_solute]


@pytest.mark.parametrize("module", MODULES)
@given(river=rivers(splits=True), data=st.data())
def test_the_quick_answer_names_the_cities_of_the_whole_one(module, river, data) -> None:
    places, reach, km = river
    flow = st.sampled_from([float("nan"), 0.0, 1.0, 4.0, 9.0])
    of = {row.reach: data.draw(flow) for row in places.reaches}
    graph = module.build(
        replace(places, reaches=tuple(replace(row, mean_discharge_m3_per_s=of[row.reach]) for row in places.reaches)),
        {"min_share": data.draw(st.sampled_from([0.0, 0.3, 0.6])), "attenuation_per_km": data.draw(st.sampled_from([0.0, 0.05, 0.5]))},
    )
    asked = source(reach=reach, reach_km=km, city_id="c0")
    known = Conditions(NOW, passages=(Passage(reach, km, NOW),))
    for conditions in (QUIET, known):
        whole = module.footprint(graph, asked, conditions)
        assert sorted(module.affected(graph, asked, conditions)) == sorted(impact.city_id for impact in whole)


@pytest.mark.parametrize("module", MODULES)
def test_an_endless_river_is_followed_until_a_thousandth_is_left(module) -> None:
    rows = tuple(Reach(f"r{i}", f"r{i + 1}" if i < 199 else "", 10.0) for i in range(200))
    places = Places(tuple(river_city(f"c{i}", (f"r{i}", 0.0)) for i in range(200)), rows)
    found = module.footprint(module.build(places, {"attenuation_per_km": 0.01, "min_share": 0.0}), source(reach="r0"), QUIET)
    assert len(found) == 70
    assert min(impact.probability for impact in found) >= FADED
    lossless = module.footprint(module.build(places, {"attenuation_per_km": 0.0, "min_share": 0.0}), source(reach="r0"), QUIET)
    assert len(lossless) == 200
