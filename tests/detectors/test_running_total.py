from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import START, batch, table

from detectors import nb_cusum, negative_binomial
from detectors.base import Level, Quality
from tests.region.shared import table as shared_table

WEEK = 604_800_000
USUAL = [4, 6, 3, 5, 4, 2, 7, 4, 5, 3] * 8


def totals(counts):
    return np.cumsum(np.asarray(counts, dtype=float)).tolist()


def played(module, values, first=0, **parameters):
    """(parameters, state, findings) of weekly values from week `first` on."""
    p = table(module, parameters)
    state = module.initial(p)
    weeks = enumerate(values, start=first)
    return p, state, [module.step(p, state, batch([0], [(START + week * WEEK, value, 1, True)])) for week, value in weeks]


def one(p, state, week, value, flag=Quality.GOOD, *, in_order=True):
    found = negative_binomial.step(p, state, batch([0], [(START + week * WEEK, value, flag, in_order)]))
    return Level(int(found.level[0])), negative_binomial.WHY[found.why[0]]


@pytest.mark.parametrize("module", [negative_binomial, nb_cusum])
@settings(max_examples=25, deadline=None)
@given(counts=st.lists(st.integers(0, 30), min_size=15, max_size=60))
def test_running_totals_say_what_the_counts_say(module, counts):
    _, state, of_totals = played(module, totals([50, *counts]), cumulative=1.0)
    _, plain, of_counts = played(module, counts, first=1)
    assert module.WHY[of_totals[0].why[0]] == "learning", "nothing can be said of the first total"
    for left, right in zip(of_totals[1:], of_counts, strict=True):
        for field in ("level", "score", "trend", "why", "p_value", "log_lr"):
            np.testing.assert_array_equal(getattr(left, field), getattr(right, field))
    np.testing.assert_array_equal(state["coefficients"], plain["coefficients"])


def test_a_corrected_total_of_the_newest_week_corrects_its_cases():
    values = totals(USUAL)
    p, state, _ = played(negative_binomial, values, cumulative=1.0)
    assert one(p, state, len(values) - 1, values[-1] + 60.0) == (Level.RED, "corrected")
    assert one(p, state, len(values), values[-1] + 64.0)[0] == Level.NONE, "the next week counts from the corrected total"


def test_a_total_that_went_down_says_nothing_and_the_next_week_counts_from_it():
    values = totals(USUAL)
    p, state, _ = played(negative_binomial, values, cumulative=1.0)
    assert one(p, state, len(values), values[-1] - 40.0) == (Level.NONE, "corrected")
    assert one(p, state, len(values) + 1, values[-1] - 35.0) == (Level.NONE, "quiet"), "five cases, though the total is below an older one"
    assert one(p, state, len(values) + 2, values[-1] + 25.0)[0] == Level.RED


def test_cases_of_weeks_without_a_total_are_shared_out():
    values = totals(USUAL)
    p, state, _ = played(negative_binomial, values, cumulative=1.0)
    assert one(p, state, len(values) + 3, values[-1] + 18.0) == (Level.NONE, "quiet")
    p, state, _ = played(negative_binomial, values, cumulative=1.0)
    assert one(p, state, len(values) + 3, values[-1] + 160.0)[0] == Level.RED


def test_a_total_of_a_closed_week_raises_nothing_and_changes_nothing():
    values = totals(USUAL)
    p, state, _ = played(negative_binomial, values, cumulative=1.0)
    before = state.tobytes()
    assert one(p, state, len(values) - 5, 9_000.0, in_order=False) == (Level.NONE, "corrected")
    assert state.tobytes() == before


def test_a_suspect_total_is_not_what_the_next_week_counts_from():
    values = totals(USUAL)
    p, state, _ = played(negative_binomial, values, cumulative=1.0)
    one(p, state, len(values), values[-1] + 900.0, Quality.SUSPECT)
    assert one(p, state, len(values) + 1, values[-1] + 9.0) == (Level.NONE, "quiet"), "nine cases in two weeks"


def test_in_the_totals_of_italian_provinces_exactly_those_that_went_down_say_nothing():
    rows = shared_table("counts/covid_italy_province_2020H1.csv.gz")
    days, provinces = sorted({row["date"] for row in rows}), sorted({row["province"] for row in rows})
    total = np.full((len(days), len(provinces)), np.nan)
    for row in rows:
        total[days.index(row["date"]), provinces.index(row["province"])] = float(row["total_cases"])
    p = np.repeat(table(negative_binomial, {"period_s": 86_400.0, "cumulative": 1.0}), len(provinces))
    state, before, downs = negative_binomial.initial(p), np.zeros(len(provinces), dtype=np.uint8), 0
    for day, values in enumerate(total):
        at = START + day * WEEK // 7
        found = negative_binomial.step(p, state, batch(range(len(provinces)), [(at, value, 1, True) for value in values]))
        if day > 20:  # nine periods are learned everywhere
            down = values < total[day - 1]
            downs += int(down.sum())
            np.testing.assert_array_equal(found.why == negative_binomial.WHY.index("corrected"), down)
            np.testing.assert_array_equal(found.level[down], before[down])
        before = found.level
    assert downs > 100
    assert np.isfinite(state["coefficients"]).all()
