from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from topology.geodesy import bearing_deg, destination, distance_km, from_xy, to_xy, wrap_longitude

GEOD = Geod(ellps="WGS84")
latitudes = st.floats(-85.0, 85.0)
longitudes = st.floats(-180.0, 180.0)


def pairs_within(limit_km: float, count: int = 20_000):
    rng = np.random.default_rng(3)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, count))), rng.uniform(-180, 180, count)
    away, course = rng.uniform(0, limit_km, count) * 1000, rng.uniform(0, 360, count)
    to_lon, to_lat, _ = GEOD.fwd(lon, lat, course, away)
    return lat, lon, np.asarray(to_lat), np.asarray(to_lon), away / 1000, course


def test_distance_is_within_20_m_of_the_exact_geodesic_up_to_2000_km_anywhere() -> None:
    lat, lon, to_lat, to_lon, exact_km, _ = pairs_within(2000.0)
    error_m = np.abs(distance_km(lat, lon, to_lat, to_lon) - exact_km) * 1000
    assert error_m.max() < 20.0


def test_distance_keeps_its_accuracy_between_near_points() -> None:
    lat, lon, to_lat, to_lon, exact_km, _ = pairs_within(5.0)
    assert np.abs(distance_km(lat, lon, to_lat, to_lon) - exact_km).max() * 1000 < 0.1


def test_bearing_is_within_a_third_of_a_degree_of_the_ellipsoid() -> None:
    lat, lon, to_lat, to_lon, away_km, course = pairs_within(2000.0)
    plain = (np.abs(lat) < 80) & (np.abs(to_lat) < 80) & (away_km > 1)
    off = np.abs((bearing_deg(lat, lon, to_lat, to_lon) - course + 180) % 360 - 180)[plain]
    assert off.max() < 0.3


def test_two_cities_of_fiji_across_the_antimeridian_are_neighbours() -> None:
    exact_m = GEOD.inv(179.9, -16.8, -179.9, -16.7)[2]
    assert float(distance_km(-16.8, 179.9, -16.7, -179.9)) * 1000 == pytest.approx(exact_m, abs=1.0)
    assert 50 < float(bearing_deg(-16.8, 179.9, -16.7, -179.9)) < 90
    east, north = to_xy(-16.8, 179.9, -16.7, -179.9)
    assert 20 < float(east) < 22
    assert 10 < float(north) < 12


@given(latitudes, longitudes, st.floats(0.001, 2000.0), st.floats(0.0, 359.99))
def test_a_destination_is_as_far_away_and_in_the_direction_it_was_asked_for(lat, lon, away_km, course) -> None:
    to_lat, to_lon = destination(lat, lon, course, away_km)
    assert -180.0 <= float(to_lon) < 180.0
    assert float(distance_km(lat, lon, to_lat, to_lon)) == pytest.approx(away_km, abs=0.001)
    if away_km > 1.0:
        assert abs((float(bearing_deg(lat, lon, to_lat, to_lon)) - course + 180) % 360 - 180) < 0.01


@given(latitudes, longitudes, st.floats(-1000.0, 1000.0), st.floats(-1000.0, 1000.0))
def test_the_local_frame_goes_there_and_back(lat, lon, east, north) -> None:
    back_east, back_north = to_xy(lat, lon, *from_xy(lat, lon, east, north))
    assert np.hypot(back_east - east, back_north - north) < 0.01


@given(latitudes, longitudes, latitudes, longitudes)
def test_distance_is_symmetric_never_negative_and_bounded_by_half_the_earth(lat, lon, to_lat, to_lon) -> None:
    there, back = float(distance_km(lat, lon, to_lat, to_lon)), float(distance_km(to_lat, to_lon, lat, lon))
    assert there == pytest.approx(back, abs=1e-6)
    assert 0.0 <= there < 20_040.0
    assert 0.0 <= float(bearing_deg(lat, lon, to_lat, to_lon)) < 360.0


def test_a_point_to_itself_is_zero_and_an_unknown_point_is_unknown() -> None:
    assert float(distance_km(45.0, 7.0, 45.0, 7.0)) == 0.0
    assert np.isnan(distance_km(45.0, np.nan, 45.0, 7.0))
    assert float(wrap_longitude(180.0)) == -180.0
