from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.topology.places import HOUR, NOW, source
from tests.topology.test_wind import city, winds
from topology.base import Conditions, Places, WindGrid, Winds
from topology.cloud import follow
from topology.geodesy import destination, from_xy
from topology.puffs import Growth, Members, advect
from topology.wind import PARAMETERS, build, footprint
from topology.wind_field import Field, Span, Spot, field

HERE = Spot(30.0, 110.0)


def span(hours: float = 3.0, half_km: float = 300.0) -> Span:
    return Span(NOW - round(hours * HOUR), NOW, NOW + 24 * HOUR, half_km, HOUR, 3 * HOUR, 0.5)


def stations(*rows: tuple[float, float, float, float, float]) -> Winds:
    """Rows of (hours before now, latitude, longitude, speed, from)."""
    age_h, latitude, longitude, speed, from_deg = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    return Winds((NOW - age_h * HOUR).astype(np.int64), latitude, longitude, speed, from_deg)


def grid(east, north, hours=(0, 24), step_deg: float = 1.0, around: Spot = HERE, half_deg: float = 6.0) -> WindGrid:
    """A forecast of components given as functions of (hour, latitude, longitude)."""
    latitude = np.arange(max(-90.0, around.latitude - half_deg), min(90.0, around.latitude + half_deg) + 1e-9, step_deg)
    longitude = np.arange(around.longitude - half_deg, around.longitude + half_deg + 1e-9, step_deg)
    hour, lat, lon = np.meshgrid(np.array(hours, dtype=float), latitude, longitude, indexing="ij")
    at = NOW + np.array(hours, dtype=np.int64) * HOUR
    return WindGrid(at, latitude, longitude, np.asarray(east(hour, lat, lon) + 0 * hour), np.asarray(north(hour, lat, lon) + 0 * hour))


def wind_at(found: Field, at: int, east_km: float = 0.0, north_km: float = 0.0) -> tuple[float, float]:
    """The wind at the last instant of the field not after `at`."""
    k = int(np.flatnonzero(found.at <= at)[-1])
    return tuple(float(np.ravel(one)[0]) for one in found.wind(k, np.array([east_km]), np.array([north_km])))


def test_one_station_is_the_wind_everywhere_measured_at_its_time_then_the_mean_of_the_window() -> None:
    found = field(winds(*[(h, 2.0 + h, 270.0) for h in range(6)]), None, HERE, span())
    assert [round(float(one), 6) for one in found.east[:, 0, 0]] == [5.0, 4.0, 3.0, 2.0, 3.0, 3.0]
    assert found.at.tolist() == [NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - HOUR, NOW, NOW, NOW + 24 * HOUR]
    assert found.station_km < 1e-6


def test_a_gap_is_bridged_and_a_calm_stands_still() -> None:
    found = field(winds((3, 4.0, 270.0), (1, 8.0, 270.0), (0, 0.2, float("nan"))), None, HERE, span())
    assert [round(float(one), 6) for one in found.east[:4, 0, 0]] == [4.0, 6.0, 8.0, 0.0]


def test_between_stations_the_nearer_counts_more_and_each_is_right_at_its_own_place() -> None:
    east_lat, east_lon = (float(one) for one in destination(*HERE, 90.0, 200.0))
    found = field(stations((0, *HERE, 4.0, 270.0), (0, east_lat, east_lon, 4.0, 180.0)), None, HERE, span(0.0, 200.0))
    at_home, near, far = (wind_at(found, NOW, x) for x in (0.0, 75.0, 200.0))
    assert at_home == pytest.approx((4.0, 0.0), abs=0.01)
    assert near[0] > near[1] > 0.0
    # 200 km to the east the direction of a station differs by the half degree or so that meridians turn.
    assert far == pytest.approx((0.0, 4.0), abs=0.1)
    assert found.station_km < 1e-6


def test_a_station_that_fell_silent_speaks_for_its_time_only() -> None:
    other = tuple(float(one) for one in destination(*HERE, 0.0, 10.0))
    found = field(stations((8, *other, 9.0, 180.0), (3, *HERE, 4.0, 270.0), (0, *HERE, 4.0, 270.0)), None, HERE, span(8.0))
    assert wind_at(found, NOW - 8 * HOUR, 0.0, 10.0)[1] == pytest.approx(9.0, abs=0.2)
    assert wind_at(found, NOW, 0.0, 10.0) == pytest.approx((4.0, 0.0), abs=1e-6)


def test_a_wind_without_a_place_counts_where_no_placed_one_is() -> None:
    lost = (float("nan"), float("nan"))
    alone = field(stations((0, *lost, 4.0, 270.0)), None, HERE, span(0.0))
    assert wind_at(alone, NOW) == pytest.approx((4.0, 0.0))
    assert math.isnan(alone.station_km)
    both = field(stations((0, *lost, 4.0, 270.0), (0, *HERE, 4.0, 180.0)), None, HERE, span(0.0))
    assert wind_at(both, NOW) == pytest.approx((0.0, 4.0))


def test_nothing_measured_and_nothing_forecast_is_nothing_known() -> None:
    assert field(None, None, HERE, span()) is None
    assert field(winds((4, 5.0, 270.0)), None, HERE, span()) is None
    assert field(None, grid(lambda *_: 1.0, lambda *_: 0.0, around=Spot(50.0, 10.0)), HERE, span()) is None


@settings(max_examples=60, deadline=None)
@given(st.floats(-89.0, 89.0), st.sampled_from([0.0, 110.0, 179.5, -179.5]), st.floats(-250.0, 250.0), st.floats(-250.0, 250.0))
def test_a_forecast_linear_in_time_is_read_back_anywhere_on_earth(latitude, longitude, east_km, north_km) -> None:
    """Solid-body rotation about the Earth's axis (every wind due east, with the cosine of the latitude) is smooth everywhere."""
    here = Spot(latitude, longitude)
    lats, lons, hours = np.arange(-90.0, 90.1, 1.0), np.arange(0.0, 360.0, 2.0), np.array([0, 12, 24])
    strength = 10.0 * (1.0 + hours / 24.0)
    east = strength[:, None, None] * np.cos(np.radians(lats))[None, :, None] * np.ones((1, 1, lons.size))
    found = field(None, WindGrid(NOW + hours * HOUR, lats, lons, east, np.zeros_like(east)), here, span(0.0))
    k = int(np.flatnonzero(found.at == NOW + 6 * HOUR)[0])
    u, v = (float(np.ravel(one)[0]) for one in found.wind(k, np.array([east_km]), np.array([north_km])))
    there = float(from_xy(*here, east_km, north_km)[0])
    assert math.hypot(u, v) == pytest.approx(12.5 * math.cos(math.radians(there)), abs=0.15)
    if abs(east_km) + abs(north_km) < 1.0:
        assert u == pytest.approx(12.5 * math.cos(math.radians(latitude)), abs=0.1)


def test_a_forecast_takes_over_from_what_was_measured_and_turns_the_smoke() -> None:
    """West wind measured, south wind forecast from three hours on: who lies to the north-east is reached, the far east is not."""
    turning = grid(lambda h, *_: np.where(h < 3, 5.0, 0.0), lambda h, *_: np.where(h < 3, 0.0, 5.0), hours=(0, 2, 3, 24))
    conditions = Conditions(NOW, winds((0, 5.0, 270.0), (1, 5.0, 270.0)), wind_grid=turning)
    cities = Places((city("east", 90, 90, 5), city("north-east", 45, 65, 5)))
    wide = {"min_strength": 0.0}
    told = {one.city_id: one.probability for one in footprint(build(cities, wide), source(), conditions)}
    still = {one.city_id: one.probability for one in footprint(build(cities, wide), source(), Conditions(NOW, conditions.winds))}
    assert told["north-east"] > 3 * still.get("north-east", 0.0)
    assert told.get("east", 0.0) < still["east"] / 2


def test_only_a_forecast_is_enough() -> None:
    steady = grid(lambda *_: 5.0, lambda *_: 0.0)
    (east,) = footprint(build(Places((city("east", 90, 30, 3), city("west", 270, 30, 3))), {}), source(), Conditions(NOW, wind_grid=steady))
    assert east.city_id == "east"
    assert (east.arrival.p50_at - NOW) / HOUR == pytest.approx(27 / 18, rel=0.1)


def test_near_the_pole_a_stations_east_is_not_the_sources_east() -> None:
    """A station on the other side of the pole, 120 km away, blown at from its own north: the wind comes from the pole, towards it and away from us."""
    here = Spot(89.5, 0.0)
    found = field(stations((0, 89.5, 180.0, 5.0, 0.0)), None, here, span(0.0))
    # There it blows towards the south along 180 E; seen from here that is onward over the pole: north.
    assert wind_at(found, NOW) == pytest.approx((0.0, 5.0), abs=1e-6)


def turning_error_km(step_h: float) -> float:
    """How far a puff is from where it should be after half a turn of a wind that turns with time."""
    hours = np.arange(0.0, 12.0 + step_h / 2, step_h)
    angle = hours * (math.pi / 12.0)
    u, v = (one[:, None, None] for one in (5.0 * np.cos(angle), 5.0 * np.sin(angle)))
    blowing = Field(NOW + np.round(hours * HOUR).astype(np.int64), u, v, 300.0, 0.0)
    growth = follow(source(), Conditions(NOW, winds((0, 5.0, 270.0))), PARAMETERS).growth
    ways = advect(blowing, Members(np.zeros(1), np.ones(1)), 1, Growth(growth.air, 5e4, 2.0, 0.0, 1e6, 1e12))
    radius_km = 18.0 * 12.0 / math.pi
    return math.hypot(float(ways.east_km[0, 0, -1]), float(ways.north_km[0, 0, -1]) - 2 * radius_km)


def test_puffs_follow_a_turning_wind_with_an_error_of_second_order() -> None:
    coarse, fine = turning_error_km(1.0), turning_error_km(0.5)
    assert coarse < 1.0
    assert coarse / fine == pytest.approx(4.0, rel=0.05)


def test_puffs_go_round_a_vortex_and_come_back() -> None:
    """A wind that turns as a disc, 2 pi in 20 hours, sampled on the nodes: the way is a circle around its middle, 60 km north."""
    line = np.linspace(-300.0, 300.0, 17)
    north, east = np.meshgrid(line, line, indexing="ij")
    turn = 2 * math.pi / 20.0 / 3.6
    hours = np.arange(0.0, 20.01, 0.5)
    shape = (hours.size, 17, 17)
    blowing = Field(
        NOW + np.round(hours * HOUR).astype(np.int64),
        np.broadcast_to(-(north - 60.0) * turn, shape),
        np.broadcast_to(east * turn, shape),
        300.0,
        0.0,
    )
    growth = follow(source(), Conditions(NOW, winds((0, 5.0, 270.0))), PARAMETERS).growth
    ways = advect(blowing, Members(np.zeros(1), np.ones(1)), 1, Growth(growth.air, 5e4, 2.0, 0.0, 1e6, 1e12))
    x, y = ways.east_km[0, 0], ways.north_km[0, 0]
    assert np.hypot(x, y - 60.0) == pytest.approx(np.full(hours.size, 60.0), abs=1.0)
    assert math.hypot(float(x[-1]), float(y[-1])) < 5.0
