from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.decide.forecast import arrives_h, exceedance, expected, outlooks, predictors, ready
from stream.region.forecasts import PER_SERIES, SEASON, Forecaster, Target

HIGH = (math.log(10.0), math.log(20.0))
STEP_H = 24.0
# Of the lower gauge: tomorrow it rises by half of the upper one's last rise; within two days by all of it.
RISE_ABOVE = 2
WEIGHTS = tuple(tuple(share if column == RISE_ABOVE else 0.0 for column in range(2 * PER_SERIES + SEASON + 1)) for share in (0.5, 1.0))
MODEL = Forecaster(("upper", "lower"), STEP_H * 3600.0, (1, 2), HIGH, ((0.0, 4.0), (0.0, 3.0)), (Target("lower", 0.25, WEIGHTS),))
VALUE = np.array([[8.0, 10.0], [4.0, 10.0], [4.0, 10.0]])


def ahead(value=VALUE, levels=(10.0, 15.0, 30.0)):
    return outlooks(ready(MODEL, {"lower": levels}), value, 0)[0]


def test_the_forecast_is_the_sum_a_hydrologist_would_write_down():
    height = expected(MODEL, MODEL.targets[0], np.log(VALUE)[None], np.array([0]))
    assert height.tolist() == [[pytest.approx(math.log(10.0 * math.sqrt(2.0))), pytest.approx(math.log(20.0))]]


def test_the_chance_of_a_level_falls_with_its_height_and_grows_with_the_window():
    chances = np.array(ahead().chances)
    assert (np.diff(chances, axis=0) < 0.0).all()
    assert (np.diff(chances, axis=1) >= 0.0).all()
    # ln(14.14 / 15) / sqrt(0.25) * 4 = -0.4713
    assert chances[1, 0] == pytest.approx(1.0 / (1.0 + math.exp(0.4713)), abs=1e-4)


def test_a_level_that_is_expected_tomorrow_is_reached_earlier_than_one_of_the_day_after():
    low, _, high = ahead().arrives_h
    assert low == tuple(sorted(low))
    assert low[1] < high[1]
    assert high[2] <= 2 * STEP_H


@pytest.mark.parametrize("bad", [math.nan, 0.0, -1.0])
def test_a_gauge_without_a_value_is_named_and_nothing_is_forecast(bad):
    value = VALUE.copy()
    value[1, 0] = bad
    found = ahead(value)
    assert (found.chances, found.missing) == ((), ("upper",))


def test_a_gauge_without_levels_is_not_forecast():
    assert outlooks(ready(MODEL, {"upper": (10.0,)}), VALUE, 0) == ()


def test_a_level_that_is_not_given_has_no_chance_and_takes_nothing_from_the_others():
    found, whole = ahead(levels=(10.0, math.nan, 30.0)), ahead(levels=(10.0, 20.0, 30.0))
    assert [found.chances[place] for place in (0, 2)] == [whole.chances[place] for place in (0, 2)]
    assert all(math.isnan(one) for one in (*found.chances[1], *found.arrives_h[1]))


def test_too_few_steps_are_refused():
    with pytest.raises(ValueError, match="give 3 steps of 2 series"):
        outlooks(ready(MODEL, {"lower": (10.0,)}), VALUE[:2], 0)


def test_a_level_that_cannot_be_reached_has_no_arrival():
    assert all(math.isnan(one) for one in arrives_h([0.0, 0.0], [1, 2], STEP_H))


@given(
    st.lists(st.floats(0.01, 1e4), min_size=6, max_size=6),
    st.lists(st.floats(0.01, 1e4), min_size=1, max_size=4, unique=True),
    st.integers(0, 4 * 10**12),
)
def test_chances_are_ordered_by_level_and_window_and_arrivals_lie_within_the_window(values, levels, at):
    found = outlooks(ready(MODEL, {"lower": sorted(levels)}), np.array(values).reshape(3, 2), at)[0]
    chances = np.array(found.chances)
    assert ((chances > 0.0) & (chances <= 1.0)).all()
    assert (np.diff(chances, axis=0) <= 0.0).all()
    assert (np.diff(chances, axis=1) >= 0.0).all()
    for low, middle, high in found.arrives_h:
        assert 0.0 <= low <= middle <= high <= 2 * STEP_H


def test_the_season_has_one_wave_a_year():
    half_a_year = int(365.2425 * 43_200_000)
    now, later = (
        predictors(np.zeros((1, 3, 1)), np.zeros(1), np.array([at]))[0] for at in (half_a_year // 2, half_a_year // 2 + half_a_year)
    )
    assert now[PER_SERIES : PER_SERIES + 2] == pytest.approx(-later[PER_SERIES : PER_SERIES + 2], abs=1e-6)


def test_many_instants_at_once_are_the_same_as_one_by_one():
    chance = np.random.default_rng(0)
    log_value, at = chance.normal(size=(5, 3, 2)), np.arange(5) * 86_400_000
    together = exceedance(MODEL, MODEL.targets[0], expected(MODEL, MODEL.targets[0], log_value, at), np.array([1.0, 2.0]))
    for place in range(5):
        one = slice(place, place + 1)
        alone = exceedance(MODEL, MODEL.targets[0], expected(MODEL, MODEL.targets[0], log_value[one], at[one]), np.array([1.0, 2.0]))
        assert together[place] == pytest.approx(alone[0])
