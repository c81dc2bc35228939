from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from topology.geodesy import bearing_deg, destination, distance_km, from_xy, to_xy, wrap_longitude

GEOD = Geod(ellps="WGS84")
latitudes = st.floats(-90.0, 90.0)
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


def test_bearing_is_within_a_hundredth_of_a_degree_of_the_ellipsoid_up_to_10000_km() -> None:
    lat, lon, to_lat, to_lon, away_km, course = pairs_within(10_000.0)
    off = np.abs((bearing_deg(lat, lon, to_lat, to_lon) - course + 180) % 360 - 180)[away_km > 1]
    assert off.max() < 0.01


def test_distance_between_any_two_places_is_within_100_m_also_across_the_world_and_nearly_antipodal() -> None:
    rng = np.random.default_rng(4)
    lat, to_lat = np.degrees(np.arcsin(rng.uniform(-1, 1, (2, 20_000))))
    lon, to_lon = rng.uniform(-180, 180, (2, 20_000))
    # Every tenth pair within half a degree of the antipode, where the plain formula is up to 18 km off.
    to_lat[::10], to_lon[::10] = -lat[::10] + rng.uniform(-0.5, 0.5, 2000), lon[::10] + 180 + rng.uniform(-0.5, 0.5, 2000)
    to_lat = np.clip(to_lat, -90, 90)
    exact_m = GEOD.inv(lon, lat, to_lon, to_lat)[2]
    assert (exact_m > 19_900_000).sum() > 1000
    error_m = np.abs(distance_km(lat, lon, to_lat, to_lon) * 1000 - exact_m)
    assert error_m.max() < 130.0
    assert error_m[exact_m < 10_000_000].max() < 20.0


@pytest.mark.parametrize("lat", [90.0, -90.0, 89.9999, -89.9999])
def test_a_pole_is_a_place_like_any_other(lat: float) -> None:
    to_lat = lat - np.copysign(1.0, lat)
    around = np.arange(-180.0, 180.0, 15.0)
    exact_m = GEOD.inv(np.full_like(around, 20.0), np.full_like(around, lat), around, np.full_like(around, to_lat))[2]
    assert np.abs(distance_km(lat, 20.0, to_lat, around) * 1000 - exact_m).max() < 1.0
    east, north = to_xy(lat, 20.0, to_lat, around)
    assert np.hypot(east, north) == pytest.approx(exact_m / 1000, abs=0.001)
    back_lat, back_lon = from_xy(lat, 20.0, east, north)
    assert distance_km(back_lat, back_lon, to_lat, around).max() < 0.001


def test_two_cities_of_fiji_across_the_antimeridian_are_neighbours() -> None:
    exact_m = GEOD.inv(179.9, -16.8, -179.9, -16.7)[2]
    assert float(distance_km(-16.8, 179.9, -16.7, -179.9)) * 1000 == pytest.approx(exact_m, abs=1.0)
    assert 50 < float(bearing_deg(-16.8, 179.9, -16.7, -179.9)) < 90
    east, north = to_xy(-16.8, 179.9, -16.7, -179.9)
    assert 20 < float(east) < 22
    assert 10 < float(north) < 12


@given(latitudes, longitudes, st.floats(0.001, 10_000.0), st.floats(0.0, 359.99))
def test_a_destination_is_as_far_away_and_in_the_direction_it_was_asked_for(lat, lon, away_km, course) -> None:
    to_lat, to_lon = destination(lat, lon, course, away_km)
    assert -180.0 <= float(to_lon) < 180.0
    assert float(distance_km(lat, lon, to_lat, to_lon)) == pytest.approx(away_km, abs=0.001)
    if away_km > 1.0 and abs(lat) < 89.9:
        assert abs((float(bearing_deg(lat, lon, to_lat, to_lon)) - course + 180) % 360 - 180) < 0.01


@given(latitudes, longitudes, st.floats(-1000.0, 1000.0), st.floats(-1000.0, 1000.0))
def test_the_local_frame_goes_there_and_back(lat, lon, east, north) -> None:
    back_east, back_north = to_xy(lat, lon, *from_xy(lat, lon, east, north))
    assert np.hypot(back_east - east, back_north - north) < 0.01


@given(latitudes, longitudes, latitudes, longitudes)
def test_distance_is_symmetric_never_negative_and_bounded_by_half_the_earth(lat, lon, to_lat, to_lon) -> None:
    there, back = float(distance_km(lat, lon, to_lat, to_lon)), float(distance_km(to_lat, to_lon, lat, lon))
    # Beyond 150 degrees of arc the way is found by search from the first place.
    assert there == pytest.approx(back, abs=1e-6 if there < 16_000 else 0.02)
    assert 0.0 <= there < 20_040.0
    assert 0.0 <= float(bearing_deg(lat, lon, to_lat, to_lon)) < 360.0


def test_a_point_to_itself_is_zero_and_an_unknown_point_is_unknown() -> None:
    assert float(distance_km(45.0, 7.0, 45.0, 7.0)) == 0.0
    assert np.isnan(distance_km(45.0, np.nan, 45.0, 7.0))
    assert float(wrap_longitude(180.0)) == -180.0
