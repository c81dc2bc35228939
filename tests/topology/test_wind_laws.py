"""Laws that hold for any wind, any source and any cities."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.topology.places import HOUR, NOW, source
from tests.topology.test_wind import city, winds
from topology.base import Conditions, Places
from topology.cloud import follow
from topology.plume import Stability, concentration_g_m3, sigma_y_m, sigma_z_m
from topology.puffs import farthest_deviation, spread_m
from topology.wind import PARAMETERS, build, footprint

cities_anywhere = st.lists(st.tuples(st.floats(0.0, 359.0), st.floats(0.1, 400.0), st.floats(0.0, 30.0)), min_size=1, max_size=12)
some_winds = st.lists(st.tuples(st.floats(0.0, 5.9), st.floats(0.0, 12.0), st.floats(0.0, 359.0)), min_size=1, max_size=6)
somewhere = st.tuples(st.floats(-90.0, 90.0), st.sampled_from([0.0, 110.0, 179.9, -179.9]))
while_it_lasts = st.tuples(st.integers(0, 30), st.none() | st.integers(0, 3))
classes = st.sampled_from(list(Stability))


def asked(places, blowing, where, lasts):
    """A question like any: cities (bearing, km, radius), a wind station and a source at the same place."""
    cities = [city(f"c{n}", bearing, away, radius, where) for n, (bearing, away, radius) in enumerate(places)]
    age_h, ended_h = lasts
    onset_at = NOW - age_h * HOUR
    ended_at = None if ended_h is None else max(onset_at, NOW - ended_h * HOUR)
    spot = source(latitude=where[0], longitude=where[1], onset_at=onset_at, observed_at=NOW, ended_at=ended_at, incident_id="inc-1")
    return cities, spot, Conditions(NOW, winds(*blowing, around=where))


def answer(cities, spot, conditions, parameters=None):
    return footprint(build(Places(tuple(cities)), parameters or {}), spot, conditions)


@given(classes, st.booleans(), st.floats(100.0, 50_000.0), st.floats(0.5, 20.0), st.floats(0.0, 50.0))
def test_what_is_released_passes_every_plane_across_the_wind(stability, urban, x_m, wind, height_m) -> None:
    sigma = float(sigma_y_m(x_m, stability, urban=urban)), float(sigma_z_m(x_m, stability, urban=urban))
    y, z = np.linspace(-6 * sigma[0], 6 * sigma[0], 201), np.linspace(0.0, height_m + 6 * sigma[1], 801)
    per_m2 = wind * concentration_g_m3(7.0, wind, y[:, None], z[None, :], sigma, height_m)
    assert np.trapezoid(np.trapezoid(per_m2, z, axis=1), y) == pytest.approx(7.0, rel=1e-3)


@given(classes, st.booleans(), st.floats(1.0, 200_000.0), st.floats(1.0, 200_000.0))
def test_a_plume_widens_and_its_share_of_the_distance_never_grows(stability, urban, one_m, other_m) -> None:
    near, far = sorted((one_m, other_m))
    wide, wider = (float(sigma_y_m(x, stability, urban=urban)) for x in (near, far))
    assert wide <= wider
    assert wider / far <= wide / near * (1 + 1e-12)


@settings(max_examples=60, deadline=None)
@given(somewhere, st.floats(1.0, 12.0), st.floats(0.0, 359.0), classes)
def test_plume_and_puff_meet_without_a_gap_and_the_puff_then_grows_by_half_a_metre_a_second(where, speed, from_deg, stability) -> None:
    _, spot, conditions = asked([], [(0.0, speed, from_deg)], where, (0, None))
    cloud = follow(spot, conditions, {**PARAMETERS, "stability": float(stability)})
    assert cloud is not None
    end, seconds = np.asarray(cloud.growth.near_m), np.linspace(0.0, 86400.0, 50)
    before, after = spread_m(end * (1 - 1e-12), np.zeros(1), cloud.growth), spread_m(end * 2.0, seconds, cloud.growth)
    assert before == pytest.approx(after[0], rel=1e-9)
    assert np.diff(after) / np.diff(seconds) == pytest.approx(0.5)


@settings(max_examples=100, deadline=None)
@given(cities_anywhere, some_winds, somewhere, while_it_lasts, st.floats(-360.0, 360.0))
def test_a_turned_earth_has_the_same_answer(places, blowing, where, lasts, turn) -> None:
    cities, spot, conditions = asked(places, blowing, where, lasts)
    fixed = {"stability": 4.0}

    def there(longitude: float) -> float:
        return (longitude + turn + 180.0) % 360.0 - 180.0

    winds_there = replace(conditions.winds, longitude=np.array([there(one) for one in conditions.winds.longitude.tolist()]))
    cities_there = [replace(one, longitude=there(one.longitude)) for one in cities]
    before = answer(cities, spot, conditions, fixed)
    after = answer(cities_there, replace(spot, longitude=there(spot.longitude)), Conditions(NOW, winds_there), fixed)
    assert [one.city_id for one in before] == [one.city_id for one in after]
    for one, two in zip(before, after, strict=True):
        assert two.probability == pytest.approx(one.probability, abs=1e-9)
        assert two.intensity == pytest.approx(one.intensity, abs=1e-9)
        assert (one.arrival is None) == (two.arrival is None)
        if one.arrival:
            assert abs(two.arrival.p50_at - one.arrival.p50_at) <= 1


@settings(max_examples=100, deadline=None)
@given(cities_anywhere, some_winds, somewhere, while_it_lasts)
def test_the_same_question_has_the_same_answer_and_another_city_never_changes_it(places, blowing, where, lasts) -> None:
    cities, spot, conditions = asked(places, blowing, where, lasts)
    together = {one.city_id: one for one in answer(cities, spot, conditions)}
    assert together == {one.city_id: one for one in answer(cities, spot, conditions)}
    for one in cities:
        alone = answer([one], spot, conditions)
        assert alone == ((together[one.city_id],) if one.city_id in together else ())


def test_incidents_differ_in_their_chance_but_hardly_in_their_answer() -> None:
    cities, spot, conditions = asked([(90.0, 30.0, 3.0)], [(0.0, 5.0, 270.0), (1.0, 5.0, 275.0)], (30.0, 110.0), (2, None))
    found = [answer(cities, replace(spot, incident_id=f"inc-{n}"), conditions)[0] for n in range(20)]
    assert len({one.arrival.p50_at for one in found}) > 1
    assert max(one.probability for one in found) - min(one.probability for one in found) < 0.05


@settings(max_examples=150, deadline=None)
@given(cities_anywhere, some_winds, somewhere, while_it_lasts)
def test_nobody_is_warned_outside_what_the_winds_of_the_time_can_reach(places, blowing, where, lasts) -> None:
    """Bearings of the winds that blew span an arc; a puff goes nowhere outside it, its error of direction and its width apart."""
    cities, spot, conditions = asked(places, blowing, where, lasts)
    found = answer(cities, spot, conditions)
    cloud = follow(spot, conditions, PARAMETERS)
    if cloud is None:
        assert all(one.arrival is None and one.reasons[0] in {"calm", "no_wind_data"} for one in found)
        return
    moving = sorted((degrees + 180.0) % 360.0 for _, speed, degrees in blowing if speed >= 0.5)
    gaps = [(moving[(n + 1) % len(moving)] - one) % 360.0 or 360.0 for n, one in enumerate(moving)]
    widest = max(gaps)
    arc = 360.0 - widest
    middle = moving[(gaps.index(widest) + 1) % len(moving)] + arc / 2.0
    half = arc / 2.0 + farthest_deviation(128) * cloud.drift.direction_sd_deg
    for one in found:
        (bearing, away, radius) = places[int(one.city_id[1:])]
        if "protective_zone" in one.reasons or arc > 180.0:
            continue
        # A puff that has a fiftieth of the concentration left is at most fifty times as wide as the place it came from (1 km), and no flatter.
        size = radius + 2 * 50 * 1.0 / 2.15
        wide = 180.0 if size >= away else math.degrees(math.asin(size / away))
        assert abs((bearing - middle + 180.0) % 360.0 - 180.0) <= half + wide + 0.01
