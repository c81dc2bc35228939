from __future__ import annotations

import numpy as np
import pytest
from air_cusum_twin import AirCusumTwin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streams import MINUTE, as_dict, batch, play, streams, table

from detectors import air_cusum

HOUR_MS = 3_600_000
SMALL = {"h_blue": 1.5, "h_yellow": 3.0, "h_orange": 6.0, "k": 0.25, "warmup_n": 10.0}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(data=st.data())
def test_the_array_detector_and_its_scalar_twin_agree(data):
    rows = data.draw(
        st.lists(st.sampled_from([SMALL, {**SMALL, "course_days": 3.0, "freeze_s": 7200.0}, {"warmup_n": 5.0}]), min_size=1, max_size=3)
    )
    gaps = (20 * MINUTE, 60 * MINUTE, 60 * MINUTE, 60 * MINUTE, 900 * MINUTE)
    series = [data.draw(streams(st.integers(1, 400).map(float), gaps, sizes=(20, 60))) for _ in rows]
    parameters = table(air_cusum, *rows)
    found = play(air_cusum, parameters, air_cusum.initial(parameters), series)
    for row, stream in enumerate(series):
        twin = AirCusumTwin(as_dict(parameters, row))
        for item, (level, score, trend, why) in zip(stream, found[row], strict=True):
            expected = twin.step(*item)
            assert (level, why) == (expected[0], expected[3])
            assert (score, trend) == pytest.approx((expected[1], expected[2]), rel=1e-7, abs=1e-9, nan_ok=True)


def site(hours, rise_from=None, seed=1, course=0.6):
    """Hourly concentrations: log-normal, autocorrelated, high at night; tripled from an hour on."""
    rng = np.random.default_rng(seed)
    left = np.zeros(hours)
    for hour in range(1, hours):
        left[hour] = 0.9 * left[hour - 1] + rng.normal() * 0.15
    values = np.exp(3.7 + left + course * np.cos(2 * np.pi * np.arange(hours) / 24))
    if rise_from is not None:
        values[rise_from:] *= 3.0
    return values


def run(values, **parameters):
    p = table(air_cusum, parameters)
    state = air_cusum.initial(p)
    found = [air_cusum.step(p, state, batch([0], [(hour * HOUR_MS, float(value), 1, True)])) for hour, value in enumerate(values)]
    return found, state


def test_the_course_of_the_day_is_learned_and_adds_no_evidence():
    found, state = run(site(3000))
    expected = 0.6 * np.cos(2 * np.pi * np.arange(24) / 24)
    assert np.abs(state["course"][0] - expected).max() < 0.25
    assert float(state["course"][0].mean()) == pytest.approx(0.0, abs=1e-9)
    p_values = np.array([float(one.p_value[0]) for one in found[1000:]])
    assert (p_values <= 0.01).mean() < 0.015
    assert sum(int(one.level[0]) > 0 for one in found[1000:]) < 40


def test_three_times_the_usual_is_noticed_within_a_day_and_not_learned():
    found, state = run(site(2100, rise_from=2000))
    hours = [hour for hour, one in enumerate(found) if one.level[0] > 0 and hour >= 2000]
    assert hours
    assert hours[0] <= 2024
    at = hours[0]
    assert found[at].p_value[0] < 1e-3
    assert found[at].log_lr[0] > 7.0
    assert abs(float(state["mean"][0]) - 3.7) < 0.45, "log of three would be 1.1 more"


def test_before_it_is_warm_it_says_so_and_gives_no_p_value():
    found, _ = run(site(48))
    assert {air_cusum.WHY[one.why[0]] for one in found} == {"learning"}
    assert all(np.isnan(one.p_value[0]) for one in found)


def test_the_trend_is_in_the_unit_of_the_concentration():
    p = table(air_cusum, {})
    state = air_cusum.initial(p)
    air_cusum.step(p, state, batch([0], [(0, 40.0, 1, True)]))
    assert float(air_cusum.step(p, state, batch([0], [(2 * HOUR_MS, 100.0, 1, True)])).trend[0]) == pytest.approx(30.0)
