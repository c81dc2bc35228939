"""The scan over zones and newest periods: a published table, how often it errs by chance, and what it sees that no single city does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from stream.decide.space_time import scan, score, zones_of

# The example of tests/testthat/test_scan_pb_poisson.R of the R package scanstatistics (formulas of Neill et al. 2005).
COUNTS = np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 20.0]])
BASELINES = np.array([[2.0, 1.0], [4.0, 5.0], [6.0, 6.0]])


def test_the_scores_are_those_of_neill() -> None:
    cases, baseline = np.array([20.0, 21.0, 21.0, 20.0, 3.0]), np.array([6.0, 11.0, 12.0, 12.0, 4.0])
    expected = [20 * np.log(20 / 6) + 6 - 20, 21 * np.log(21 / 11) + 11 - 21, 21 * np.log(21 / 12) - 9, 20 * np.log(20 / 12) - 8, 0.0]
    assert score(cases, baseline) == pytest.approx(expected)


def test_the_window_with_the_cases_is_found() -> None:
    found = scan(COUNTS, BASELINES, np.ones(2), [(0,), (1,), (0, 1)])
    assert found is not None
    assert (found.zone, found.periods, found.cases, found.baseline) == (1, 1, 20.0, 6.0)
    assert found.chance == pytest.approx(stats.poisson.sf(19, 6.0), rel=1e-5)
    assert found.chance < found.p_value <= 9 * found.chance


def test_it_errs_as_often_as_it_says_or_less() -> None:
    chance = np.random.default_rng(3)
    places, periods = 8, 3
    where = chance.random((places, 2))
    distance = np.hypot(*(where[:, None, :] - where[None, :, :]).transpose(2, 0, 1))
    zones = zones_of(distance, 4)
    mean, dispersion = np.full((periods, places), 6.0), np.full(places, 1.5)
    p_values = []
    for _ in range(2_000):
        counts = chance.negative_binomial(6.0 / 0.5, 1 / 1.5, (periods, places)).astype(float)
        found = scan(counts, mean, dispersion, zones)
        assert found is not None
        p_values.append(found.p_value)
    for level in (0.05, 0.01):
        rate = np.mean(np.array(p_values) <= level)
        assert 0.2 * level <= rate <= level + 4 * np.sqrt(level / 2_000)


def test_four_neighbours_a_little_above_are_found_where_no_single_one_is() -> None:
    mean = np.full((2, 4), 5.0)
    counts = np.array([[5.0, 5, 5, 5], [10.0, 10, 10, 10]])
    together = scan(counts, mean, np.ones(4), [(0,), (1,), (2,), (3,), (0, 1, 2, 3)])
    alone = scan(counts, mean, np.ones(4), [(0,), (1,), (2,), (3,)])
    assert together is not None
    assert alone is not None
    assert (together.zone, together.periods) == (4, 1)
    assert together.p_value < 0.002
    assert alone.p_value > 0.02


def test_what_was_not_reported_counts_on_neither_side() -> None:
    counts = COUNTS.copy()
    counts[2, 1] = np.nan
    found = scan(counts, BASELINES, np.ones(2), [(0,), (1,), (0, 1)])
    assert found is not None
    assert found.p_value > 0.5
    assert scan(np.full((1, 2), np.nan), BASELINES[:1], np.ones(2), [(0,), (1,)]) is None


def test_a_zone_is_a_city_and_its_nearest_and_reaches_nobody_it_has_nothing_to_do_with() -> None:
    distance = np.array([[0, 1, np.inf], [1, 0, np.inf], [np.inf, np.inf, 0]])
    assert zones_of(distance, 3) == ((0,), (0, 1), (1,), (2,))
