from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from streams import MINUTE, START, batch, table

from detectors import concentration, rate_of_rise, stage
from detectors.normal import upper_tail


def test_the_normal_tail_agrees_with_scipy_to_the_last_digits():
    z = np.concatenate([np.linspace(-37, 37, 4001), [np.inf, -np.inf]])
    expected = norm.sf(z)
    np.testing.assert_allclose(upper_tail(z), expected, rtol=5e-15)
    assert np.isnan(upper_tail(np.array([np.nan]))[0])


@pytest.mark.parametrize(("module", "limit"), [(stage, {"blue": 2.0, "red": 6.0}), (concentration, {"limit": 2.0})])
def test_exceedance_is_the_share_of_true_values_above_the_lowest_limit(module, limit):
    truth = np.random.default_rng(0).normal(2.1, 0.2, 400_000)  # measured 2.1 with error 0.2, nothing else known
    p = table(module, {**limit, "error_sd": 0.2}, limit, {"error_sd": 0.2})
    found = module.step(p, module.initial(p), batch([0, 1, 2], [(START, 2.1, 1, True)] * 3))
    assert found.exceedance[0] == pytest.approx((truth >= 2.0).mean(), abs=0.003)
    assert np.isnan(found.exceedance[1:]).all()


@pytest.mark.parametrize("module", [stage, concentration, rate_of_rise])
def test_without_a_stated_error_nothing_is_said_and_nothing_computed(module):
    p = table(module, {})
    assert module.step(p, module.initial(p), batch([0], [(START, 2.1, 1, True)])).exceedance is None


def test_the_error_of_the_smoothed_rate_is_as_wide_as_simulated():
    rng, n, limit = np.random.default_rng(1), 4000, 0.3
    p = np.repeat(table(rate_of_rise, {"rise_blue_per_h": limit, "error_sd": 0.05, "tau_s": 1800.0}), n)
    state = rate_of_rise.initial(p)
    for step in range(40):  # truly still water: the measured rates scatter by the error alone
        at = np.full(n, START + step * 10 * MINUTE)
        samples = batch(range(n), [(int(at[0]), float(v), 1, True) for v in rng.normal(1.0, 0.05, n)])
        found = rate_of_rise.step(p, state, samples)
    spread = found.trend.std()
    np.testing.assert_allclose(found.exceedance, norm.sf((limit - found.trend) / spread), atol=0.02)


def test_a_failed_sample_has_no_exceedance_beside_one_that_has():
    p = table(stage, {"blue": 2.0, "error_sd": 0.1}, {"blue": 2.0, "error_sd": 0.1})
    found = stage.step(p, stage.initial(p), batch([0, 1], [(START, 2.0, 1, True), (START, 9.0, 4, True)]))
    assert found.exceedance[0] == 0.5
    assert np.isnan(found.exceedance[1])
