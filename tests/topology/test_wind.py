from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.topology.places import HOUR, NOW, source
from topology.base import CityPlace, Conditions, Path, Places, Winds
from topology.geodesy import destination
from topology.wind import build, declared_sector, footprint


def winds(*rows: tuple[float, float, float]) -> Winds:
    """Rows of (hours before now, speed, from)."""
    age_h, speed, from_deg = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    return Winds((NOW - age_h * HOUR).astype(np.int64), np.full(len(rows), 30.0), np.full(len(rows), 110.0), speed, from_deg)


def city(name: str, bearing: float, away_km: float, radius_km: float = 0.0, around: tuple[float, float] = (30.0, 110.0)) -> CityPlace:
    lat, lon = destination(*around, bearing, away_km)
    return CityPlace(name, float(lat), float(lon), radius_km)


def ask(cities, wind: Winds | None, parameters=None, **given):
    return footprint(build(Places(tuple(cities)), parameters or {}), source(**given), Conditions(NOW, wind))


def plain_bearing(lat: float, lon: float, to_lat: float, to_lon: float) -> float:
    """Great-circle bearing, scalar, in the words of a textbook."""
    a, b, turn = math.radians(lat), math.radians(to_lat), math.radians(to_lon - lon)
    return math.degrees(math.atan2(math.sin(turn) * math.cos(b), math.cos(a) * math.sin(b) - math.sin(a) * math.cos(b) * math.cos(turn)))


def plain_km(lat: float, lon: float, to_lat: float, to_lon: float) -> float:
    """Haversine on a sphere; within 0.6 % of the ellipsoid."""
    a, b, turn = math.radians(lat), math.radians(to_lat), math.radians(to_lon - lon)
    return 2 * 6371.0 * math.asin(math.sqrt(math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(turn / 2) ** 2))


cities_anywhere = st.lists(st.tuples(st.floats(0.0, 359.0), st.floats(0.1, 400.0), st.floats(0.0, 30.0)), min_size=1, max_size=30)
some_winds = st.lists(st.tuples(st.floats(0.0, 2.9), st.floats(0.0, 12.0), st.floats(0.0, 359.0)), min_size=1, max_size=6)
somewhere = st.tuples(st.floats(-75.0, 75.0), st.sampled_from([0.0, 110.0, 179.9, -179.9]))


@settings(max_examples=300)
@given(cities_anywhere, some_winds, somewhere)
def test_no_city_outside_the_declared_sector_is_ever_warned(places, blowing, where) -> None:
    cities = [city(f"c{n}", bearing, away, radius, where) for n, (bearing, away, radius) in enumerate(places)]
    wind = winds(*blowing)
    impacts = {i.city_id for i in ask(cities, wind, latitude=where[0], longitude=where[1])}
    sector = declared_sector(Conditions(NOW, wind), {})
    east = sum(-s * math.sin(math.radians(d)) for _, s, d in blowing if s >= 0.5)
    north = sum(-s * math.cos(math.radians(d)) for _, s, d in blowing if s >= 0.5)
    if sector is None:
        assert math.hypot(east, north) / len(blowing) < 0.5 + 1e-9
        return
    downwind, half_width = sector
    assert abs((downwind - math.degrees(math.atan2(east, north)) + 180) % 360 - 180) < 1e-6
    assert half_width >= 30.0
    for one in cities:
        away = plain_km(*where, one.latitude, one.longitude)
        size = 180.0 if away <= one.radius_km * 1.01 else math.degrees(math.asin(one.radius_km / away))
        off = abs((plain_bearing(*where, one.latitude, one.longitude) - downwind + 180) % 360 - 180)
        if off > half_width + size * 1.02 + 1e-6:
            assert one.city_id not in impacts
        elif off < half_width and away - one.radius_km < 149.0 and away < 0.5 * 3.6 * 24:
            assert one.city_id in impacts, "a city well inside is not forgotten"


def test_a_west_wind_reaches_the_east_and_not_the_west() -> None:
    cities = [city("east", 90, 50), city("west", 270, 50), city("north", 0, 50)]
    (east,) = ask(cities, winds((1, 5.0, 270.0)))
    assert (east.city_id, east.path, east.reasons) == ("east", Path.WIND, ("downwind",))
    hours = (east.arrival.p50_at - NOW) / HOUR
    assert hours == pytest.approx(50 / 5 / 3.6, abs=1e-4)
    assert east.arrival.p10_at < east.arrival.p50_at < east.arrival.p90_at


def test_chance_falls_off_the_axis_and_with_distance() -> None:
    cities = [city("axis", 90, 50), city("edge", 115, 50), city("far", 90, 100)]
    chance = {i.city_id: i.probability for i in ask(cities, winds((1, 5.0, 270.0)))}
    assert chance["edge"] < chance["axis"]
    assert chance["far"] < chance["axis"]
    assert chance["edge"] / chance["axis"] == pytest.approx(math.exp(-0.5 * (25 / 15) ** 2), rel=0.01)


def test_a_shifting_wind_opens_the_sector() -> None:
    steady = declared_sector(Conditions(NOW, winds((2, 5, 270), (1, 5, 272), (0, 5, 268))), {})
    shifting = declared_sector(Conditions(NOW, winds((2, 5, 230), (1, 5, 270), (0, 5, 310))), {})
    assert steady == pytest.approx((90.0, 30.0))
    assert shifting[0] == pytest.approx(90.0)
    assert 60.0 < shifting[1] < 70.0


def test_a_large_city_is_met_by_its_edge() -> None:
    beside = city("beside", 125, 40, radius_km=10)
    assert ask([beside], winds((1, 5.0, 270.0)))
    assert not ask([city("beside", 125, 40, radius_km=1)], winds((1, 5.0, 270.0)))
    (around,) = ask([city("around", 270, 5, radius_km=10)], winds((1, 5.0, 270.0)))
    assert around.arrival.p50_at == NOW


def test_calm_air_gives_a_circle_without_a_time_and_says_so() -> None:
    (near,) = ask([city("near", 270, 10), city("far", 90, 40)], winds((1, 0.3, 270.0), (2, 0.0, float("nan"))))
    assert (near.city_id, near.arrival, near.unknown_because, near.reasons) == ("near", None, "calm wind", ("calm",))


def test_winds_that_cancel_are_calm() -> None:
    assert declared_sector(Conditions(NOW, winds((1, 5.0, 90.0), (0, 5.0, 270.0))), {}) is None


def test_old_future_and_broken_winds_count_for_nothing_and_the_last_good_one_is_named() -> None:
    wind = winds((4.0, 5.0, 270.0), (-1.0, 5.0, 270.0), (1.0, float("nan"), 270.0), (1.0, 5.0, float("nan")))
    wind.speed_m_per_s[3] = float("inf")
    (near,) = ask([city("near", 200, 10), city("far", 90, 40)], wind)
    assert (near.city_id, near.arrival) == ("near", None)
    assert near.unknown_because == "no wind measured since 2023-11-14T18:13:20Z"
    assert near.probability <= 0.2
    (blind,) = ask([city("near", 200, 10)], None)
    assert blind.unknown_because == "no wind measured yet"


def test_neither_distance_nor_travel_time_beyond_the_limits_is_forecast() -> None:
    cities = [city("e100", 90, 100), city("e160", 90, 160)]
    assert [i.city_id for i in ask(cities, winds((1, 5.0, 270.0)))] == ["e100"]
    assert [i.city_id for i in ask(cities, winds((1, 1.0, 270.0)))] == []
    assert len(ask(cities, winds((1, 5.0, 270.0)), {"max_km": 200.0})) == 2


def test_a_plume_crosses_the_antimeridian() -> None:
    fiji = (-16.8, 179.95)
    cities = [city("taveuni", 90, 30, around=fiji), city("labasa", 270, 30, around=fiji)]
    (reached,) = ask(cities, winds((1, 5.0, 270.0)), latitude=fiji[0], longitude=fiji[1])
    assert reached.city_id == "taveuni"
    assert cities[0].longitude < -179


def test_gusty_wind_widens_the_arrival_window_by_its_own_spread() -> None:
    there = [city("east", 90, 100)]
    (steady,), (gusty,) = ask(there, winds((1, 5.0, 270.0), (0, 5.0, 270.0))), ask(there, winds((1, 1.0, 270.0), (0, 9.0, 270.0)))
    assert steady.arrival.p50_at == gusty.arrival.p50_at
    for impact, spread in ((steady, 0.3), (gusty, 4.0 / 5.0)):
        ratio = (impact.arrival.p90_at - NOW) / (impact.arrival.p50_at - NOW)
        assert ratio == pytest.approx(math.exp(1.2815515655 * math.sqrt(math.log(1 + spread**2))), rel=1e-5)


def test_how_sure_a_calm_circle_is_can_be_set_by_the_hazard() -> None:
    (near,) = ask([city("near", 270, 10)], winds((1, 0.3, 270.0)), {"calm_probability": 0.8})
    assert near.probability == pytest.approx(0.8 * math.exp(-10 / 100))
