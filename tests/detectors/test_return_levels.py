from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import genextreme

from detectors import return_levels

DAY = 86_400_000


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.15])
def test_a_long_record_gives_back_the_distribution_it_came_from(shape):
    maxima = genextreme.rvs(shape, loc=100.0, scale=20.0, size=20_000, random_state=1)
    fit = return_levels.fit(maxima)
    assert fit.shape == pytest.approx(shape, abs=0.02)
    years = np.array([2.0, 5.0, 20.0, 50.0])
    np.testing.assert_allclose(return_levels.level(fit, years), genextreme.isf(1 / years, shape, loc=100.0, scale=20.0), rtol=0.02)
    np.testing.assert_allclose(return_levels.empirical(maxima, years), genextreme.isf(1 / years, shape, loc=100.0, scale=20.0), rtol=0.03)


def test_the_level_of_given_parameters_is_scipys_quantile():
    years = np.array([1.5, 2.0, 100.0])
    for shape in (-0.3, 0.0, 0.2):
        found = return_levels.level(return_levels.Gev(10.0, 3.0, shape), years)
        np.testing.assert_allclose(found, genextreme.isf(1 / years, shape, loc=10.0, scale=3.0), rtol=1e-12)
    assert np.isnan(return_levels.level(return_levels.Gev(10.0, 3.0, 0.1), np.array([1.0]))).all()


def test_twenty_years_say_nothing_of_the_fifty_year_flood_without_a_distribution():
    maxima = np.arange(20.0)
    levels = return_levels.empirical(maxima, np.array([2.0, 20.0, 21.0, 50.0]))
    assert levels[0] == 9.5
    assert not np.isnan(levels[1:3]).any()
    assert np.isnan(levels[3])


def test_a_year_with_many_missing_days_is_no_year():
    days = np.arange(3 * 365) * DAY
    values = np.arange(3.0 * 365)
    values[400:600] = np.nan
    assert return_levels.annual_maxima(days, values).tolist() == [364.0, 1094.0]


def test_a_hydrological_year_keeps_a_winter_flood_in_one_year():
    days = np.arange(365 * 4) * DAY
    values = np.zeros(len(days))
    values[[360, 368]] = 9.0  # 27 December and 4 January
    assert (return_levels.annual_maxima(days, values) == 9.0).sum() == 2
    assert (return_levels.annual_maxima(days, values, first_month=11) == 9.0).sum() == 1


@pytest.mark.parametrize("maxima", [[1.0, 2.0, 3.0], [5.0] * 10])
def test_too_little_to_fit_is_said(maxima):
    with pytest.raises(ValueError, match="at least 5 years"):
        return_levels.fit(np.array(maxima))
