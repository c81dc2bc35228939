from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.direction import angle_between_deg, compass_deg, vector_mean, yamartino_deg

degrees = st.floats(0.0, 359.0)


def test_winds_around_north_average_to_north_and_not_to_south() -> None:
    mean = vector_mean([3.0, 3.0], [350.0, 10.0])
    assert mean.downwind_deg == pytest.approx(180.0)
    assert mean.speed_m_per_s == pytest.approx(3.0 * math.cos(math.radians(10)))


@given(st.lists(degrees, min_size=1, max_size=20), st.floats(0.0, 360.0))
def test_the_spread_does_not_depend_on_where_north_is(directions, turn) -> None:
    turned = [(d + turn) % 360 for d in directions]
    assert yamartino_deg(turned) == pytest.approx(yamartino_deg(directions), abs=1e-4)


def test_yamartino_is_close_to_the_standard_deviation_of_directions_that_do_not_wrap() -> None:
    rng = np.random.default_rng(1)
    for sd in (5.0, 15.0, 30.0):
        directions = rng.normal(180.0, sd, 20_000)
        assert yamartino_deg(directions) == pytest.approx(directions.std(), rel=0.03)
    assert yamartino_deg(rng.uniform(0, 360, 20_000)) == pytest.approx(103.9, abs=1.0)


@given(degrees, degrees)
def test_the_angle_between_two_directions_is_symmetric_and_at_most_180(a, b) -> None:
    between = float(angle_between_deg(a, b))
    assert 0.0 <= between <= 180.0
    assert between == pytest.approx(float(angle_between_deg(b, a)))
    assert math.cos(math.radians(between)) == pytest.approx(math.cos(math.radians(a - b)), abs=1e-9)


@given(st.floats(-100.0, 100.0))
def test_a_compass_direction_is_below_360(angle) -> None:
    assert 0.0 <= float(compass_deg(angle)) < 360.0


def test_a_calm_without_direction_slows_the_mean_down_and_does_not_turn_it() -> None:
    mean = vector_mean([4.0, 0.0], [270.0, float("nan")])
    assert (mean.speed_m_per_s, mean.downwind_deg) == pytest.approx((2.0, 90.0))
