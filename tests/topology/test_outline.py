from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.topology.places import NOW, source
from tests.topology.test_wind import city, winds
from topology.antimeridian import cut_ring
from topology.base import Conditions, Places
from topology.geodesy import destination
from topology.outline import outline
from topology.wind import PARAMETERS, build, footprint

somewhere = st.tuples(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0))
EVERYWHERE = [(30.0, 110.0), (-16.8, 179.95), (70.0, -179.9), (89.9, 20.0), (-90.0, 0.0), (0.0, 0.0)]


def inside(rings, latitude: float, longitude: float) -> bool:
    return any(shapely.Polygon(ring).covers(shapely.Point(longitude, latitude)) for ring in rings)


@settings(max_examples=100, deadline=None)
@given(somewhere, st.floats(20.0, 1500.0), st.floats(0.0, 359.0), st.sampled_from([0.5, 0.9, 1.1, 1.5]))
def test_a_circle_anywhere_holds_what_is_inside_and_nothing_else(where, radius_km, bearing, part) -> None:
    rings = cut_ring(*destination(*where, np.arange(0.0, 360.0, 1.0), radius_km))
    latitude, longitude = (float(one) for one in destination(*where, bearing, radius_km * part))
    assert all(np.abs(ring[:, 0]).max() <= 180.0 and np.abs(ring[:, 1]).max() <= 90.0 for ring in rings)
    assert all(shapely.Polygon(ring).exterior.is_ccw and np.array_equal(ring[0], ring[-1]) for ring in rings)
    # Straight lines of degrees between vertices cut corners only close to a pole.
    if abs(latitude) < 89.0:
        assert inside(rings, latitude, longitude) == (part < 1.0)


def test_a_ring_of_two_corners_is_none() -> None:
    assert cut_ring(np.array([0.0, 1.0]), np.array([0.0, 1.0])) == ()


@pytest.mark.parametrize("where", EVERYWHERE)
def test_the_outline_holds_the_cities_that_are_likely_reached_and_not_those_that_are_not(where) -> None:
    conditions = Conditions(NOW, winds((1, 5.0, 270.0), (0, 5.0, 280.0), around=where))
    spot = source(latitude=where[0], longitude=where[1])
    rings = outline(spot, conditions, PARAMETERS)
    cities = [city(f"{bearing}-{away}", bearing, away, around=where) for bearing in range(0, 360, 20) for away in (4.0, 12.0, 33.0, 70.0)]
    found = {one.city_id: one.probability for one in footprint(build(Places(tuple(cities)), {}), spot, conditions)}
    counted = 0
    for one in cities:
        chance = found.get(one.city_id, 0.0)
        if abs(one.latitude) < 89.0 and not 0.01 < chance < 0.15:
            assert inside(rings, one.latitude, one.longitude) == (chance >= 0.15), (one.city_id, chance)
            counted += 1
    assert counted > 20 or abs(where[0]) > 89.0
    if where[1] == 179.95:
        assert len(rings) == 2


def test_without_a_direction_it_is_a_circle_and_without_a_position_nothing() -> None:
    (calm,) = outline(source(), Conditions(NOW, winds((0, 0.1, 0.0))), PARAMETERS)
    assert shapely.Polygon(calm).area * (np.pi * 6371 / 180) ** 2 * np.cos(np.radians(30)) == pytest.approx(np.pi * 15**2, rel=0.02)
    assert outline(source(latitude=float("nan")), Conditions(NOW), PARAMETERS) == ()
