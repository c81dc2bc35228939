"""The threshold vectors are those of the R package surveillance, tests/testthat/test-farringtonFlexible.R."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import nbinom, poisson

from detectors import farrington
from detectors.farrington import Fitted, Method
from tests.region.shared import table as shared_table


def values(threshold):
    return [threshold.lower, threshold.upper, threshold.p_value, threshold.score]


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        (1.0, (1.3073128, 8.6926872, 0.0907246, 0.8124165)),
        (1 / 2, (1.9891097, 9.3744842, 0.1189986, 0.6857951)),
        (2 / 3, (1.8084477, 9.1154825, 0.1094727, 0.7289546)),
    ],
)
def test_farrington_thresholds_are_the_published_ones(power, expected):
    np.testing.assert_allclose(values(farrington.farrington_threshold(Fitted(5.0, 0.2, 1.0), 8.0, 0.05, power)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("muan", "phi", "expected"),
    [
        (True, 1.5, (8, 24, 0.8597797, 0.4193982)),
        (True, 1.0, (9, 22, 0.9093099, 0.4605347)),
        (False, 1.5, (1, 10, 0.03763657, 1.11918153)),
        (False, 1.0, (2, 9, 0.01369527, 1.27061541)),
    ],
)
def test_noufaily_thresholds_are_the_published_ones(muan, phi, expected):
    found = farrington.noufaily_threshold(Fitted(math.log(5.0), math.log(2.0), phi), 11, 0.05, muan=muan)
    np.testing.assert_allclose(values(found), expected, atol=1e-6)


def test_weights_of_past_outbreaks_are_the_published_ones():
    np.testing.assert_allclose(farrington.outbreak_weights(np.array([0.0] * 5 + [2.0] * 5), 0.0), [1.6] * 5 + [0.4] * 5)
    np.testing.assert_array_equal(farrington.outbreak_weights(np.zeros(10), 0.0), np.ones(10))


@pytest.mark.parametrize("phi", [1.0, 1.3, 4.0])
@pytest.mark.parametrize("mean", [0.2, 3.0, 70.0])
def test_quantiles_and_tails_are_scipys(mean, phi):
    law = poisson(mean) if phi == 1.0 else nbinom(mean / (phi - 1.0), 1.0 / phi)
    for level in (0.01, 0.05, 0.5, 0.95, 0.995):
        assert farrington.quantile(level, mean, phi) == law.ppf(level)
    for count in (0, 1, 5, 90):
        assert farrington.tail(count, mean, phi) == pytest.approx(law.sf(count - 1), abs=1e-12)


def test_the_regression_is_the_maximum_of_the_poisson_likelihood():
    rng = np.random.default_rng(4)
    design = np.column_stack([np.ones(80), rng.normal(size=80), rng.normal(size=80)])
    counts, weights = rng.poisson(np.exp(design @ [1.0, 0.5, -0.3])).astype(float), rng.uniform(0.5, 2.0, 80)
    found = farrington.quasi_poisson(design, counts, weights)
    best = minimize(lambda b: (weights * (np.exp(design @ b) - counts * (design @ b))).sum(), np.zeros(3), tol=1e-12)
    np.testing.assert_allclose(found.coefficients, best.x, atol=1e-5)
    assert found.leverage.sum() == pytest.approx(3.0)


@pytest.mark.parametrize(("parts", "left_out"), [(1, 3), (10, 26)])
def test_the_reference_weeks_are_the_windows_of_past_years_and_what_lies_between(parts, left_out):
    weeks, part = farrington.reference_weeks(300, [52 * year for year in range(1, 6)], half_window=3, parts=parts, left_out=left_out)
    assert weeks.max() < 300 - left_out
    windows = sorted(w for year in range(1, 6) for w in range(300 - 52 * year - 3, 300 - 52 * year + 4))
    assert [w for w, p in zip(weeks, part, strict=True) if p == 0 and w < 290] == windows
    if parts > 1:
        sizes = np.bincount(part)[1:]
        assert len(sizes) == parts - 1
        assert sizes.max() - sizes.min() <= 5
    with pytest.raises(ValueError, match="use fewer years"):
        farrington.reference_weeks(200, [52 * year for year in range(1, 6)], half_window=3, parts=1, left_out=3)


@pytest.mark.parametrize("method", [farrington.flexible, farrington.farrington])
def test_an_outbreak_is_above_the_threshold_and_ordinary_weeks_are_not(method):
    rng = np.random.default_rng(6)
    t = np.arange(330)
    alarms = []
    for _ in range(20):
        counts = rng.poisson(np.exp(1.5 + 0.6 * np.cos(2 * np.pi * t / 52))).astype(float)
        counts[200:203] += 15
        alarms += [method(counts, now, 0.005).score > 1 for now in range(280, 330, 10)]
        counts[329] += 30
        found = method(counts, 329, 0.005)
        assert found.score > 1
        assert found.p_value < 1e-3
    assert np.mean(alarms) < 0.1


def test_a_series_without_any_case_has_a_threshold():
    assert farrington.flexible(np.zeros(330), 329, 0.005).upper == 0


# Table 2 of the vignette monitoringCounts of the R package surveillance 1.26.0 (Salmon, Schumacher and Hoehle 2016, Journal of
# Statistical Software 70(10)): counts and thresholds of S. Newport in two German states, 2013-W48 to 2013-W52;
# four years, ten parts of the year, nbPlugin, alpha .05, trend always kept.
VIGNETTE = {
    "Baden.Wuerttemberg": ([0, 1, 1, 2, 3], [4, 3, 3, 3, 2]),
    "North.Rhine.Westphalia": ([0, 0, 0, 0, 1], [3, 3, 3, 2, 2]),
}


@pytest.mark.parametrize("state", sorted(VIGNETTE))
def test_the_thresholds_of_the_surveillance_vignette_are_reproduced_from_its_data(state):
    weeks = shared_table("counts/salmNewport.csv")
    days = [date.fromisoformat(week["epoch"]) for week in weeks]
    counts = np.array([float(week[state]) for week in weeks])
    last = days.index(date(2013, 12, 23))
    expected_counts, expected = VIGNETTE[state]
    shown = range(last - 4, last + 1)
    assert counts[last - 4 : last + 1].tolist() == expected_counts, "the vignette's own counts"
    kept = Method(10, 26, 2.58, trend_alpha=1.0)
    found = [farrington.flexible(counts, week, 0.05, back=farrington.same_weeks(days[week], 4), method=kept) for week in shown]
    assert [threshold.upper for threshold in found] == expected
    alarms = [threshold.score > 1 and counts[week] > 0 for threshold, week in zip(found, shown, strict=True)]
    assert alarms == [False] * 4 + [state == "Baden.Wuerttemberg"]
