from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks import air_ridge as af

HOURS = np.arange(3000)


def site(seed=1):
    """A slowly wandering concentration with a daily course, and its 24-hour mean."""
    rng = np.random.default_rng(seed)
    level = np.zeros(len(HOURS))
    for hour in HOURS[1:]:
        level[hour] = 0.97 * level[hour - 1] + rng.normal() * 12.0
    hourly = np.maximum(120.0 + level + 15.0 * np.cos(2 * np.pi * HOURS / 24), 2.0)
    return hourly, af.day_mean(af.windows(hourly, 24))


def later(mean24, lead):
    return np.concatenate([mean24[lead:], np.full(lead, np.nan)])


def test_the_forecast_is_better_than_persistence_on_hours_it_was_not_learned_on():
    hourly, mean24 = site()
    raw = af.inputs(af.windows(hourly, 24), None, HOURS, None)
    target = later(mean24, 10)
    model = af.learn(raw[:1990], target[:1990], 10, 100.0)
    unseen = slice(2030, 2990)
    error = np.abs(model.forecast(raw[unseen]) - target[unseen]).mean()
    assert error < 0.7 * np.abs(mean24[unseen] - target[unseen]).mean()
    chance = model.exceedance(raw[unseen], 140.0)
    exceeded = target[unseen] > 140.0
    assert abs(chance.mean() - exceeded.mean()) < 0.06
    assert chance[exceeded].mean() > 0.6
    assert chance[~exceeded].mean() < 0.2


def test_sums_of_parts_are_the_sums_of_the_whole_and_can_be_taken_apart():
    hourly, mean24 = site(2)
    raw = af.inputs(af.windows(hourly, 24), af.windows(hourly, 12), HOURS, None)
    design, target = af.scaling(raw).design(raw), later(mean24, 6)
    whole, first, rest = (af.sums(design[part], target[part]) for part in (slice(None), slice(0, 1000), slice(1000, None)))
    np.testing.assert_allclose((first + rest).square, whole.square)
    np.testing.assert_allclose(af.solve(whole - rest, 10.0), af.solve(first, 10.0), rtol=1e-5, atol=1e-6)


def test_ridge_without_penalty_is_least_squares():
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(50), rng.normal(size=(50, 3))])
    y = rng.normal(size=50)
    expected = np.linalg.lstsq(x, y, rcond=None)[0]
    np.testing.assert_allclose(af.solve(af.sums(x, y), 0.0)[:, 0], expected)


def test_missing_hours_and_targets_do_not_spoil_a_forecast():
    hourly, mean24 = site(3)
    gappy = hourly.copy()
    gappy[np.random.default_rng(1).random(len(hourly)) < 0.1] = np.nan
    raw = af.inputs(af.windows(gappy, 24), None, HOURS, np.full((len(HOURS), 1), np.nan))
    model = af.learn(raw[:2000], later(af.day_mean(af.windows(gappy, 24)), 6)[:2000], 6, 100.0)
    said = model.forecast(raw)
    assert np.isfinite(said).all()
    assert np.abs(said[2100:2900] - later(mean24, 6)[2100:2900]).mean() < 12.0


def test_a_forecast_is_never_negative():
    hourly, mean24 = site(4)
    raw = af.inputs(af.windows(hourly, 24), None, HOURS, None)
    model = af.learn(raw, later(mean24, 6), 6, 1.0)
    assert (model.forecast(raw - 1e4) >= 0.0).all()


def test_the_spread_grows_with_the_concentration_where_errors_do():
    rng = np.random.default_rng(6)
    said = rng.uniform(10.0, 400.0, 20_000)
    base, slope = af.spread_of(said, said + rng.normal(size=20_000) * (5.0 + 0.1 * said))
    assert (base, slope) == (pytest.approx(5.0, abs=1.0), pytest.approx(0.1, abs=0.01))
    assert af.spread_of(np.full(3, np.nan), np.full(3, 1.0)) == (1.0, 0.0)


def test_a_day_mean_needs_eighteen_hours():
    day = np.full((1, 24), 10.0)
    day[0, :6] = np.nan
    assert af.day_mean(day).tolist() == [10.0]
    day[0, 6] = np.nan
    assert np.isnan(af.day_mean(day)).all()


@settings(deadline=None)
@given(st.floats(0.0, 900.0), st.floats(0.0, 50.0), st.floats(0.0, 1.0), st.floats(1.0, 500.0), st.floats(0.0, 200.0))
def test_a_higher_limit_is_never_more_likely_exceeded(forecast, base, slope, limit, more):
    chances = [float(af.exceedance(np.array([forecast]), (base, slope), one)[0]) for one in (limit, limit + more)]
    assert 0.0 <= chances[1] <= chances[0] <= 1.0
