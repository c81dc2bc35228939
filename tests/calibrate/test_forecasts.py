"""Forecasts learned from rivers whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stream.calibrate.forecasts import Gauges, Plan, highest, learn, logistic, stated, yearly

DAY_MS = 86_400_000
DAYS, SPLIT = 365 * 14, 365 * 10
PLAN = Plan(windows=(1, 2))


def river(seed=3, rain=0.25):
    """Two gauges: what the upper one shows, the lower one shows a day later; rain falls on the upper one."""
    chance = np.random.default_rng(seed)
    storms = (chance.random(DAYS) < 0.05) * chance.gamma(2.0, 0.6, DAYS)
    upper = np.zeros(DAYS)
    for day in range(1, DAYS):
        upper[day] = 0.8 * upper[day - 1] + storms[day]
    lower = np.roll(upper, 1) + rain * 0.1 * chance.standard_normal(DAYS)
    return Gauges(("upper", "lower"), np.arange(DAYS) * DAY_MS, np.stack([upper, lower], axis=1), {"lower": (0, 1)}, 86_400.0)


@pytest.fixture(scope="module")
def gauges():
    return river()


@pytest.fixture(scope="module")
def learned(gauges):
    return learn(gauges, SPLIT, PLAN)


def test_what_the_upper_gauge_shows_is_forecast_for_the_lower_one(gauges, learned):
    ahead = highest(gauges.log_value[:, 1], [1])[:, 0]
    error = (learned.unseen["lower"][:, 0] - ahead)[SPLIT:-1]
    persisting = (gauges.log_value[:, 1] - ahead)[SPLIT:-1]
    assert np.std(error) < 0.35 * np.std(persisting)


def test_nothing_after_the_split_is_learned_from(gauges, learned):
    later = gauges.log_value.copy()
    later[SPLIT:] = 9.0
    other = learn(replace(gauges, log_value=later), SPLIT, PLAN)
    assert other.model == learned.model


def test_forecasts_of_learning_years_come_from_the_other_years(gauges, learned):
    changed = gauges.log_value.copy()
    changed[400:600, 1] += 5.0  # inside the first block: its own forecasts there must not learn it
    other = learn(replace(gauges, log_value=changed), SPLIT, PLAN)
    quiet = slice(100, 300)
    assert other.unseen["lower"][quiet] == pytest.approx(learned.unseen["lower"][quiet], abs=0.15)
    assert other.model != learned.model


def test_stated_probabilities_come_true_on_later_years(gauges, learned):
    level = np.exp(np.quantile(gauges.log_value[:SPLIT, 1], [0.97]))
    chance = stated(learned, "lower", level)[SPLIT:-2, 0, 0]
    own = gauges.log_value[:, 1]
    asked = own[SPLIT:-2] < np.log(level[0])
    came = (own[SPLIT + 1 : -1] >= np.log(level[0]))[asked]
    sure = chance[asked] > 0.5
    assert sure.sum() > 20
    assert came[sure].mean() > 0.6
    assert came[chance[asked] < 0.05].mean() < 0.05


def test_days_without_a_value_are_not_learned_from(gauges, learned):
    gaps = gauges.log_value.copy()
    gaps[500:520, 0] = np.nan
    other = learn(replace(gauges, log_value=gaps), SPLIT, PLAN)
    missing = np.isnan(other.unseen["lower"]).any(axis=1)
    assert np.flatnonzero(missing).tolist() == list(range(500, 522))
    assert np.array(other.model.targets[0].weights) == pytest.approx(np.array(learned.model.targets[0].weights), abs=0.2)


def test_too_few_years_are_refused(gauges):
    with pytest.raises(ValueError, match="more than 3 calendar years"):
        learn(gauges, 700, PLAN)


def test_the_highest_of_a_year_ignores_gaps():
    at = np.array([0, 1, 366]) * DAY_MS
    assert yearly(at, np.array([[1.0], [np.nan], [3.0]])).tolist() == [[1.0], [3.0]]


def test_log_odds_are_those_the_data_were_drawn_with():
    chance = np.random.default_rng(1)
    margin = chance.normal(size=40_000)
    reached = chance.random(40_000) < 1.0 / (1.0 + np.exp(1.0 - 2.0 * margin))
    assert logistic(margin, reached) == pytest.approx((-1.0, 2.0), abs=0.06)
