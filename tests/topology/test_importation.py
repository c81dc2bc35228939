from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from topology.importation import burden, chance, doubt, growth_per_day, waiting_days


@given(st.integers(0, 4), st.floats(-0.3, 0.5), st.sampled_from([1.0, 3.0, 1e9]), st.floats(0.5, 200.0))
def test_the_burden_is_its_integral(between, growth, ceiling, days) -> None:
    grows = burden(between, growth, ceiling, days)
    for at in (days, days / 7.0):
        kink = math.log(ceiling) / growth if growth > 0.0 else math.inf

        def rate(u: float) -> float:
            return min(math.exp(growth * u), ceiling) * u**between / math.factorial(between)

        expected = integrate.quad(rate, 0.0, at, points=[kink] if 0.0 < kink < at else None, limit=200)[0]
        assert math.exp(np.interp(math.log(at), grows.days, grows.total)) == pytest.approx(expected, rel=5e-4)


@pytest.mark.parametrize("log_sd", [0.3, 0.7, 1.3, 2.0])
@pytest.mark.parametrize("hazard", [1e-6, 0.02, 0.7, 3.0, 40.0])
def test_the_chance_is_the_mean_over_the_log_normal_factor(log_sd, hazard) -> None:
    grows = burden(0, 0.0, 1.0, 10.0)
    found = chance(np.array([hazard / 10.0]), grows, doubt(log_sd)).item()
    z = np.linspace(-9.0, 9.0, 40_001)
    expected = integrate.trapezoid(-np.expm1(-hazard * np.exp(log_sd * z)) * stats.norm.pdf(z), z)
    assert found == pytest.approx(expected, rel=2e-3)


def test_beyond_the_table_next_to_nothing_stays_proportional_and_next_to_certain_is_certain() -> None:
    grows, sure = burden(0, 0.0, 1.0, 1.0), doubt(0.0)
    assert chance(np.array([1e-15, 1e15, 0.0]), grows, sure) == pytest.approx([1e-15, 1.0, 0.0], rel=1e-6)


@given(st.floats(1e-8, 1e4), st.floats(-0.1, 0.4), st.integers(0, 3), st.floats(0.0, 2.0))
def test_percentiles_of_waiting_are_inside_the_exposure_and_in_order(rate, growth, between, log_sd) -> None:
    grows, unsure = burden(between, growth, 1e6, 21.0), doubt(log_sd)
    rates = np.array([rate])
    probability = chance(rates, grows, unsure)
    days = [waiting_days(rates, probability, q, grows, unsure).item() for q in (0.1, 0.5, 0.9)]
    assert 0.0 < days[0] <= days[1] <= days[2] <= 21.0 * (1 + 1e-9)
    # What has come by the median day is half of what comes at all.
    until = burden(between, growth, 1e6, days[1])
    assert chance(rates, until, unsure).item() == pytest.approx(probability.item() / 2, rel=5e-3) or days[1] < 1e-3


def test_an_outbreak_doubles_in_a_serial_interval_when_each_case_infects_two() -> None:
    assert math.exp(growth_per_day(2.0, 5.0) * 5.0) == pytest.approx(2.0)
    assert growth_per_day(1.0, 5.0) == 0.0
