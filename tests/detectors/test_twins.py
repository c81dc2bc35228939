"""Every fast path says what its slow, obvious twin says, sample by sample, for any stream."""

from __future__ import annotations

import pytest
from air_forecast_twin import AirForecastTwin
from aqi_twin import AqiTwin
from concentration_twin import ConcentrationTwin
from cusum_twin import CusumTwin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from negative_binomial_twin import NegativeBinomialTwin
from rate_of_rise_twin import RateOfRiseTwin
from stage_twin import StageTwin
from streams import MINUTE, as_dict, play, streams, table

from detectors import air_forecast, aqi, concentration, cusum, negative_binomial, rate_of_rise, stage

NAN = float("nan")
WEEK = 7 * 24 * 60 * MINUTE
LEVELS = {"blue": 2.0, "yellow": 3.0, "orange": 4.0, "red": 6.0}
RISES = {"rise_blue_per_h": 0.53, "rise_yellow_per_h": 1.07, "rise_orange_per_h": 2.11, "rise_red_per_h": 4.3}
CASES = {
    "stage": (
        stage,
        StageTwin,
        [LEVELS, {"blue": -1.0, "red": 5.0, "clear_after_n": 1.0}, {**LEVELS, "yellow": NAN, "raise_after_n": 2.0}, {}, {"orange": 3.0}],
        st.sampled_from([-2.0, 0.0, 1.0, 1.85, 1.95, 2.0, 2.5, 2.95, 3.0, 3.5, 4.0, 5.0, 6.0, 9.0]),
        {},
    ),
    "concentration": (
        concentration,
        ConcentrationTwin,
        [{"limit": 0.02}, {"limit": 0.02, "raise_after_n": 3.0, "clear_after_n": 2.0}, {}, {"limit": 0.05, "orange_factor": NAN}],
        st.sampled_from([0.0, 0.017, 0.019, 0.02, 0.03, 0.04, 0.06, 0.1, 0.19, 0.25, 0.5, 1.0]),
        {},
    ),
    "rate_of_rise": (
        rate_of_rise,
        RateOfRiseTwin,
        [RISES, {**RISES, "min_value": 1.5, "gap_s": NAN}, {"rise_orange_per_h": 0.9, "tau_s": 600.0, "raise_after_n": 2.0}, {}],
        st.integers(0, 400).map(lambda v: v / 97.0),
        {},
    ),
    "cusum": (
        cusum,
        CusumTwin,
        [
            {"h_blue": 4.0, "h_yellow": 8.0, "warmup_n": 6.0},
            {"h_blue": 3.0, "h_red": 30.0, "warmup_n": 3.0, "freeze_s": 7200.0, "log_floor": 0.5, "tau_s": 86_400.0},
            {"h_orange": 2.0, "warmup_n": 10.0, "gap_s": 20_000.0, "k": 0.25, "decay": 0.4, "clear_after_n": 1.0},
        ],
        st.sampled_from([1.0, 1.0, 1.25, 1.5, 1.125, 1.0, 0.5, 3.0, 3.25, 9.0]),
        {"sizes": (15, 60)},
    ),
    "aqi": (
        aqi,
        AqiTwin,
        [
            {"pollutant": float(p), "table": float(t), "nowcast": float(n)}
            for p in (1, 1, 1, 1, 2, 3, 4, 5, 6)
            for t in (1, 2, 3, 4, 101, 102)
            for n in (0, 1, 1)
        ],
        st.integers(0, 900).map(lambda v: v * 0.7131 + 0.0137),
        {"gaps_ms": (20 * MINUTE, 60 * MINUTE, 60 * MINUTE, 180 * MINUTE, 900 * MINUTE), "sizes": (8, 40)},
    ),
    "air_forecast": (
        air_forecast,
        AirForecastTwin,
        [
            {"blue_mean": 40.0, "yellow_mean": 60.0, "red_mean": 90.0, "lead_h": 6.0},
            {"yellow_mean": 50.0, "lead_h": 24.0, "clear_fraction": 0.1, "clear_after_n": 2.0},
            {"blue_mean": 30.0, "orange_mean": 80.0, "chance_fraction": 0.6, "raise_after_n": 2.0},
            {},
        ],
        st.integers(0, 900).map(lambda v: v * 0.1131 + 0.0137),
        {"gaps_ms": (20 * MINUTE, 60 * MINUTE, 60 * MINUTE, 60 * MINUTE, 180 * MINUTE, 900 * MINUTE), "sizes": (20, 70)},
    ),
    "negative_binomial": (
        negative_binomial,
        NegativeBinomialTwin,
        [{"warmup_periods": 14.0}, {"clear_after_n": 2.0, "alpha_blue": 0.02}, {"period_s": 86_400.0, "min_cases": 0.0}],
        st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 15.0, 40.0, 500.0]),
        {"gaps_ms": (WEEK, WEEK, WEEK, 3 * WEEK, WEEK // 5), "sizes": (25, 60)},
    ),
}


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(data=st.data())
def test_the_array_detector_and_its_scalar_twin_agree(name, data):
    module, twin_class, choices, values, how = CASES[name]
    rows = data.draw(st.lists(st.sampled_from(choices), min_size=1, max_size=4))
    series = [data.draw(streams(values, **how)) for _ in rows]
    parameters = table(module, *rows)
    found = play(module, parameters, module.initial(parameters), series)
    for row, stream in enumerate(series):
        twin = twin_class(as_dict(parameters, row))
        for item, (level, score, trend, why) in zip(stream, found[row], strict=True):
            expected = twin.step(*item)
            assert (level, why) == (expected[0], expected[3])
            assert (score, trend) == pytest.approx(expected[1:3], rel=1e-8, abs=1e-10, nan_ok=True)
