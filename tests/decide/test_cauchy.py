"""Dependent p-values combined: against the Cauchy distribution itself, and against chance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stream.decide.cauchy import P_MOST, combine

P_VALUES = st.lists(st.floats(1e-12, P_MOST), min_size=1, max_size=8)


@given(P_VALUES)
def test_it_is_the_tail_of_a_cauchy_variable(p_values: list[float]) -> None:
    expected = stats.cauchy.sf(np.mean(stats.cauchy.isf(p_values)))
    assert combine(p_values) == pytest.approx(expected, rel=1e-6)


@given(P_VALUES, st.randoms())
def test_the_order_does_not_matter_and_the_smallest_is_never_beaten(p_values: list[float], chance: object) -> None:
    shuffled = list(p_values)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    combined = combine(p_values)
    assert combine(shuffled) == combined
    assert min(p_values) * (1 - 1e-9) <= combined <= 1.0


@given(st.floats(1e-300, 1.0), st.integers(1, 6))
def test_what_says_the_same_comes_to_what_one_says(p_value: float, count: int) -> None:
    assert combine([p_value] * count) == p_value


def test_a_p_value_of_one_does_not_outvote_a_small_one() -> None:
    assert combine([1e-8, 1.0]) == pytest.approx(2e-8, rel=1e-3)
    assert math.isfinite(combine([1.0, 0.999]))


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_small_p_values_are_right_however_the_stations_depend_on_each_other(correlation: float) -> None:
    chance = np.random.default_rng(20)
    stations, times, level = 5, 40_000, 0.01
    shared = chance.standard_normal((times, 1))
    z = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * chance.standard_normal((times, stations))
    rate = np.mean([combine(row.tolist()) <= level for row in stats.norm.sf(z)])
    # Liu & Xie 2020: sizes close to nominal, slightly conservative in between; 0.002 is four standard errors.
    assert 0.5 * level <= rate <= level + 0.002
