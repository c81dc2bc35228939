from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.topology.places import HOUR, NOW, source
from topology.base import CityPlace, Conditions, Path, Places, Winds
from topology.geodesy import destination
from topology.wind import build, footprint


def winds(*rows: tuple[float, float, float], around: tuple[float, float] = (30.0, 110.0)) -> Winds:
    """Rows of (hours before now, speed, from), of one station that stands at the source."""
    age_h, speed, from_deg = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    latitude, longitude = (np.full(len(rows), one) for one in around)
    return Winds((NOW - age_h * HOUR).astype(np.int64), latitude, longitude, speed, from_deg)


def city(name: str, bearing: float, away_km: float, radius_km: float = 0.0, around: tuple[float, float] = (30.0, 110.0)) -> CityPlace:
    lat, lon = destination(*around, bearing, away_km)
    return CityPlace(name, float(lat), float(lon), radius_km)


def ask(cities, wind: Winds | None, parameters=None, **given):
    return footprint(build(Places(tuple(cities)), parameters or {}), source(**given), Conditions(NOW, wind))


WEST = winds((1, 5.0, 270.0))
NEUTRAL = {"stability": 4.0}


def test_a_west_wind_reaches_the_east_and_not_the_west() -> None:
    cities = [city("east", 90, 49), city("west", 270, 49), city("north", 0, 49)]
    (east,) = ask(cities, WEST)
    assert (east.city_id, east.path, east.reasons) == ("east", Path.WIND, ("downwind", "plume"))
    hours = (east.arrival.p50_at - NOW) / HOUR
    assert hours == pytest.approx(49 / 5 / 3.6, rel=0.05)
    assert east.arrival.p10_at < east.arrival.p50_at < east.arrival.p90_at < east.arrival.passed_at


def test_chance_falls_off_the_axis_and_with_distance_and_so_does_strength() -> None:
    cities = [city("axis", 90, 40), city("edge", 115, 40), city("far", 90, 85)]
    found = {i.city_id: i for i in ask(cities, WEST)}
    assert found["edge"].probability < found["axis"].probability
    assert found["far"].probability < found["axis"].probability
    assert found["far"].intensity < found["axis"].intensity < 1.0
    assert found["far"].confidence < found["axis"].confidence
    assert found["far"].reasons == ("downwind", "puffs")


def test_the_chance_is_that_of_a_normal_error_of_direction() -> None:
    """At 20 km a city of 5 km and a plume of two spreads subtend a known angle; half the normal distribution's error is 1 / 128."""
    parameters = {**NEUTRAL, "min_speed_spread": 0.0, "min_strength": 0.0}
    for bearing in (90.0, 100.0, 115.0):
        (found,) = ask([city("a", bearing, 20, 5)], WEST, {**parameters, "protective_km": 0.0})
        x_m = 20_000.0
        # Briggs, neutral, open country, from the virtual source of a place of 1 km.
        sigma = next(
            0.08 * (x_m + v) / math.sqrt(1 + 1e-4 * (x_m + v)) for v in range(0, 20_000, 5) if 0.08 * v / math.sqrt(1 + 1e-4 * v) >= 465.1
        )
        half = math.degrees(math.asin((5.0 + 2 * sigma / 1000.0) / 20.0))
        off, sd = bearing - 90.0, 15.0 * math.sqrt(2)
        assert found.probability == pytest.approx((math.erf((off + half) / sd) - math.erf((off - half) / sd)) / 2, abs=0.02)


def test_a_shifting_wind_opens_the_sector_and_lowers_the_confidence() -> None:
    cities = [city("axis", 90, 40), city("side", 150, 40)]
    steady = {i.city_id: i for i in ask(cities, winds((2, 5, 270), (1, 5, 272), (0, 5, 268)))}
    shifting = {i.city_id: i for i in ask(cities, winds((2, 5, 230), (1, 5, 270), (0, 5, 310)))}
    assert list(steady) == ["axis"]
    assert set(shifting) == {"axis", "side"}
    assert shifting["axis"].confidence < steady["axis"].confidence


def test_a_large_city_is_met_by_its_edge() -> None:
    large, small = (ask([city("beside", 130, 40, radius_km=radius)], WEST) for radius in (15, 1))
    assert large[0].probability > 5 * (small[0].probability if small else 0.0)
    (around,) = ask([city("around", 270, 5, radius_km=10)], WEST)
    assert (around.arrival.p50_at, around.probability) == (NOW, 1.0)


def test_calm_air_gives_a_circle_without_a_time_and_says_so() -> None:
    (near,) = ask([city("near", 270, 10), city("far", 90, 40)], winds((1, 0.3, 270.0), (2, 0.0, float("nan"))))
    assert (near.city_id, near.arrival, near.unknown_because, near.reasons) == ("near", None, "calm wind", ("calm",))
    assert near.probability == pytest.approx(0.5 * math.exp(-10 / 100), rel=1e-6)
    (sure,) = ask([city("near", 270, 10)], winds((1, 0.3, 270.0)), {"calm_probability": 0.8})
    assert sure.probability == pytest.approx(0.8 * math.exp(-10 / 100), rel=1e-6)


def test_winds_that_cancel_are_calm() -> None:
    (near,) = ask([city("near", 90, 10), city("far", 90, 40)], winds((1, 5.0, 90.0), (0, 5.0, 270.0)))
    assert (near.city_id, near.unknown_because) == ("near", "calm wind")


def test_old_future_and_broken_winds_count_for_nothing_and_the_last_good_one_is_named() -> None:
    wind = winds((4.0, 5.0, 270.0), (-1.0, 5.0, 270.0), (1.0, float("nan"), 270.0), (1.0, 5.0, float("nan")))
    wind.speed_m_per_s[3] = float("inf")
    (near,) = ask([city("near", 200, 10), city("far", 90, 40)], wind)
    assert (near.city_id, near.arrival) == ("near", None)
    assert near.unknown_because == "no wind measured since 2023-11-14T18:13:20Z"
    assert near.probability <= 0.2
    (blind,) = ask([city("near", 200, 10)], None)
    assert blind.unknown_because == "no wind measured yet"


def test_the_protective_zone_is_always_warned_and_says_why() -> None:
    cities = [city("upwind", 270, 3, 2.5), city("square", 120, 4), city("beside", 200, 6), city("upwind-2", 270, 8)]
    found = {i.city_id: i for i in ask(cities, winds((1, 5.0, 270.0)), {"source_radius_km": 0.1})}
    assert set(found) == {"upwind", "square"}
    assert found["upwind"].arrival is None
    assert found["upwind"].unknown_because == "inside the protective zone, not on the way of the wind"
    assert "protective_zone" in found["upwind"].reasons
    assert "protective_zone" in found["square"].reasons
    assert min(i.probability for i in found.values()) >= 0.5
    off = {"source_radius_km": 0.1, "protective_km": 0.0, "isolation_km": 0.0}
    assert "upwind" not in {i.city_id for i in ask(cities, winds((1, 5.0, 270.0)), off)}


def test_neither_distance_nor_travel_time_nor_faintness_beyond_the_limits_is_forecast() -> None:
    cities = [city("e100", 90, 100), city("e160", 90, 160)]
    plain = {"min_strength": 0.0}
    assert [i.city_id for i in ask(cities, WEST, {**plain, "max_km": 150.0})] == ["e100"]
    assert [i.city_id for i in ask(cities, WEST, plain)] == ["e100", "e160"]
    assert ask(cities, WEST, {**plain, "max_travel_h": 2.0}) == ()
    assert ask(cities, WEST, {"min_strength": 0.9}) == ()


def test_a_plume_crosses_the_antimeridian() -> None:
    fiji = (-16.8, 179.95)
    cities = [city("taveuni", 90, 30, around=fiji), city("labasa", 270, 30, around=fiji)]
    (reached,) = ask(cities, winds((1, 5.0, 270.0), around=fiji), latitude=fiji[0], longitude=fiji[1])
    assert reached.city_id == "taveuni"
    assert cities[0].longitude < -179


def test_over_the_pole_the_wind_goes_on_straight() -> None:
    """A south wind at 89.8 N, 20 E carries over the pole, to the other side."""
    start = (89.8, 20.0)
    beyond, back = CityPlace("beyond", 89.8, -160.0, 2.0), CityPlace("back", 89.4, 20.0, 2.0)
    (reached,) = ask([beyond, back], winds((1, 5.0, 180.0), around=start), latitude=start[0], longitude=start[1])
    assert reached.city_id == "beyond"
    assert (reached.arrival.p50_at - NOW) / HOUR == pytest.approx((44.7 - 2) / 5 / 3.6, rel=0.05)


def test_gusty_wind_widens_the_arrival_window() -> None:
    there = [city("east", 90, 40)]
    steady, gusty = (ask(there, winds((1, 5.0 - by, 270.0), (0, 5.0 + by, 270.0)))[0].arrival for by in (0.0, 4.0))
    assert gusty.p90_at - gusty.p10_at > 1.3 * (steady.p90_at - steady.p10_at)


def test_the_wind_of_its_time_carried_every_puff() -> None:
    """West wind until two hours ago, then north wind: what left first went east, what leaves now goes south; what has passed is not told."""
    turned = winds(*[(h, 5.0, 270.0 if h > 2.5 else 0.0) for h in range(7)])
    cities = [city("east", 90, 25, 3), city("south", 180, 25, 3), city("south-east", 135, 40, 5)]
    found = {
        i.city_id: i for i in ask(cities, turned, {"window_s": 7200.0, "history_s": 21600.0}, onset_at=NOW - 6 * HOUR, observed_at=NOW)
    }
    assert found["south"].probability > 0.4
    # A row of puffs that began with the turn, not with the source.
    assert found["south"].arrival.p50_at > NOW - 4 * HOUR
    assert found["south-east"].probability > 0.1
    assert found.get("east") is None or found["east"].probability < 0.2


def test_a_lasting_source_in_a_steady_wind_keeps_its_arrival() -> None:
    steady = winds(*[(h, 5.0, 270.0) for h in range(7)])
    there = [city("east", 90, 25, 3)]
    arrivals = [ask(there, steady, onset_at=NOW - age * HOUR, observed_at=NOW)[0].arrival.p50_at - (NOW - age * HOUR) for age in (1, 5, 30)]
    assert max(arrivals) - min(arrivals) < HOUR / 4


def test_what_ended_long_ago_has_passed() -> None:
    steady = winds(*[(h, 5.0, 270.0) for h in range(7)])
    assert ask([city("east", 90, 25, 3)], steady, onset_at=NOW - 60 * HOUR, observed_at=NOW, ended_at=NOW - 50 * HOUR) == ()


def test_confidence_falls_with_the_distance_of_the_wind_station() -> None:
    there = [city("east", 90, 25, 3)]
    near, far = (ask(there, replace(WEST, latitude=np.array([30.0 + north])))[0] for north in (0.0, 1.8))
    assert far.confidence < near.confidence / 3
    assert "far_from_wind_station" in far.reasons
    nowhere = ask(there, replace(WEST, latitude=np.array([np.nan]), longitude=np.array([np.nan])))[0]
    assert "wind_station_without_position" in nowhere.reasons
    assert nowhere.probability == near.probability


def test_sun_and_wind_give_the_stability_when_no_parameter_does() -> None:
    """A plume of a clear night is narrower than that of noon (sun overhead at 30 N, 110 E is at about 04:40 UTC)."""
    there, midnight = [city("east", 90, 30, 3)], NOW - NOW % (24 * HOUR) + round(16.7 * HOUR)
    found = []
    for at in (midnight, midnight + 12 * HOUR):
        wind = Winds(np.array([at]), np.array([30.0]), np.array([110.0]), np.array([2.5]), np.array([270.0]))
        asked_at = source(onset_at=at, observed_at=at)
        found.append(footprint(build(Places(tuple(there)), {}), asked_at, Conditions(at, wind))[0])
    assert found[0].intensity > 2 * found[1].intensity
