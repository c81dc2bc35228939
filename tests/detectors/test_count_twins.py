"""The count detectors and their scalar twins agree, what can be fused included, on weekly and daily streams with negative counts."""

from __future__ import annotations

import pytest
from ears_twin import EarsTwin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nb_cusum_twin import NbCusumTwin
from negative_binomial_twin import NegativeBinomialTwin
from streams import as_dict, rounds, streams, table

from detectors import ears, nb_cusum, negative_binomial

DAY = 86_400_000
WEEK = 7 * DAY
COUNTS = st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 15.0, 40.0, 500.0, -2.0, 2.5])
DAILY = {"period_s": 86_400.0, "min_cases": 0.0, "warmup_periods": 20.0}
CHOICES = [{"warmup_periods": 14.0}, {"clear_after_n": 2.0, "alpha_blue": 0.1}, DAILY, {**DAILY, "raise_after_n": 2.0, "alpha_blue": 0.3}]
CHOICES += [{**DAILY, "cumulative": 1.0}, {"warmup_periods": 14.0, "cumulative": 1.0, "alpha_blue": 0.1}]
EARS = [{"method": m, "alpha_blue": 0.05, "min_cases": c} for m, c in ((1.0, 0.0), (2.0, 3.0), (3.0, 0.0))]
CASES = {
    "negative_binomial": (negative_binomial, NegativeBinomialTwin, CHOICES),
    "nb_cusum": (nb_cusum, NbCusumTwin, CHOICES),
    "ears": (ears, EarsTwin, EARS),
}


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(data=st.data())
def test_the_array_detector_and_its_scalar_twin_agree(name, data):
    module, twin_class, choices = CASES[name]
    rows = data.draw(st.lists(st.sampled_from(choices), min_size=1, max_size=3))
    values = COUNTS if name != "ears" else COUNTS.filter(lambda count: count >= 0)
    series = [data.draw(streams(values, gaps_ms=(WEEK, WEEK, DAY, DAY, 3 * WEEK, DAY // 3), sizes=(25, 60))) for _ in rows]
    parameters = table(module, *rows)
    state, twins = module.initial(parameters), [twin_class(as_dict(parameters, row)) for row in range(len(rows))]
    place = [0] * len(rows)
    for at, samples in rounds(series):
        found = module.step(parameters, state, samples)
        for i, row in enumerate(at):
            item = series[row][place[row]]
            place[row] += 1
            level, score, trend, why = twins[row].step(*item)
            assert (int(found.level[i]), module.WHY[found.why[i]]) == (level, why)
            assert (found.score[i], found.trend[i]) == pytest.approx((score, trend), rel=1e-7, abs=1e-9, nan_ok=True)
            if name != "ears":
                said = (found.p_value[i], found.log_lr[i])
                assert said == pytest.approx((twins[row].p_value, twins[row].log_lr), rel=1e-6, abs=1e-12, nan_ok=True)
