from __future__ import annotations

import math

import numpy as np
import pytest
from streams import MINUTE, START, batch, table

from detectors import cusum
from detectors.base import Samples

STEP = 15 * MINUTE
GOOD, SUSPECT = 1, 3


def quiet(n, steps, rho, seed=0):
    """Normal AR(1) series of variance 1, (steps, n)."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    for _ in range(steps):
        x = rho * x + math.sqrt(1 - rho * rho) * rng.standard_normal(n)
        yield x


def play(parameters, columns, state=None, first=0):
    """Every step's findings of even samples of all series."""
    state = cusum.initial(parameters) if state is None else state
    n = len(parameters)
    for number, value in enumerate(columns, first):
        at = np.full(n, START + number * STEP)
        yield cusum.step(parameters, state, Samples(np.arange(n), at, value, np.ones(n, np.uint8), np.ones(n, np.bool_)))


def learned(**parameters):
    """A series that was quiet for 600 steps, and its state."""
    p = table(cusum, {"h_blue": 8.0, "h_yellow": 16.0, **parameters})
    state = cusum.initial(p)
    list(play(p, (3.0 + 0.1 * x for x in quiet(1, 600, 0.9)), state))
    return p, state


@pytest.mark.parametrize("rho", [0.0, 0.9])
def test_p_values_of_quiet_autocorrelated_series_are_what_they_say(rho):
    p = np.repeat(table(cusum, {"h_blue": 7.0}), 60)
    found = list(play(p, quiet(60, 3000, rho)))[1000:]
    p_values = np.concatenate([one.p_value for one in found])
    for wanted in (0.1, 0.01):
        assert wanted / 1.5 <= (p_values <= wanted).mean() <= wanted * 1.5


def test_while_it_learns_a_series_says_so_and_gives_nothing_to_fuse():
    p = table(cusum, {"h_blue": 1.0, "warmup_n": 50.0})
    found = list(play(p, quiet(1, 51, 0.0)))
    assert {cusum.WHY[one.why[0]] for one in found[:50]} == {"learning"}
    assert all(np.isnan(one.p_value[0]) and np.isnan(one.log_lr[0]) for one in found[:50])
    assert not np.isnan(found[50].p_value[0])


def test_a_small_lasting_rise_is_found_and_its_evidence_grows():
    p, state = learned()
    found = list(play(p, (3.0 + 0.1 * x + 0.02 * min(k, 20) for k, x in enumerate(quiet(1, 60, 0.9, seed=4))), state, 600))
    assert found[0].level[0] == 0
    assert max(one.level[0] for one in found) >= 1
    best = max(found, key=lambda one: one.log_lr[0])
    assert best.p_value[0] < 1e-3
    assert best.score[0] == pytest.approx(-math.log10(best.p_value[0]))
    assert best.log_lr[0] == pytest.approx(-math.log(best.p_value[0]) - 0.583)  # k = 0.5, decay = 1


def test_the_baseline_does_not_learn_the_flood():
    p, state = learned()
    before = state.copy()
    list(play(p, (np.array([3.0 + min(k, 40) * 0.1]) for k in range(400)), state, 600))
    assert state["level"][0] == 2
    assert state["mean"][0] == pytest.approx(before["mean"][0], abs=0.02)
    assert state["scale"][0] == pytest.approx(before["scale"][0], rel=0.2)


def test_after_freeze_s_a_new_level_that_stays_is_learned():
    p, state = learned(freeze_s=86_400.0, tau_s=86_400.0)
    list(play(p, (np.array([5.0 + 0.1 * x[0]]) for x in quiet(1, 3000, 0.9, seed=2)), state, 600))
    assert state["mean"][0] == pytest.approx(5.0, abs=0.2)
    assert state["level"][0] == 0


def test_a_suspect_sample_is_neither_added_nor_learned_and_a_late_one_changes_nothing():
    p, state = learned()
    before = state.tobytes()
    for item in ((START + 600 * STEP, 9.0, SUSPECT, True), (START + 3 * STEP, 9.0, GOOD, False)):
        found = cusum.step(p, state, batch([0], [item]))
        assert cusum.WHY[found.why[0]] == ("suspect" if item[2] == SUSPECT else "late")
        assert state.tobytes() == before


def test_irregular_sampling_keeps_the_false_alarms_down():
    # Every second sample missing at random: phi must follow the gaps, else the residuals are correlated.
    rng, p = np.random.default_rng(1), np.repeat(table(cusum, {"h_blue": 7.0}), 60)
    state, small, seen = cusum.initial(p), 0, 0
    for number, x in enumerate(quiet(60, 4000, 0.95, seed=3)):
        rows = np.flatnonzero(rng.random(60) < 0.5)
        at, ones = np.full(len(rows), START + number * STEP), np.ones(len(rows), np.uint8)
        found = cusum.step(p, state, Samples(rows, at, x[rows], ones, ones.astype(np.bool_)))
        if number > 2000:
            small, seen = small + int((found.p_value <= 0.01).sum()), seen + len(rows)
    assert 0.01 / 1.6 <= small / seen <= 0.01 * 1.6


def test_a_factor_does_not_matter_when_the_logarithm_is_taken():
    flows = [np.exp(0.3 * x) for x in quiet(1, 400, 0.9)]
    one, ten = (
        [f.score[0] for f in play(table(cusum, {"h_blue": 7.0, "log_floor": floor}), (flow * factor for flow in flows))]
        for factor, floor in ((1.0, 1e-6), (10.0, 1e-5))
    )
    assert one == pytest.approx(ten, rel=1e-6, abs=1e-9)
    assert max(one) > 0


def test_the_formula_for_the_time_to_a_false_alarm_agrees_with_simulation():
    rng, h, k = np.random.default_rng(6), 4.0, 0.5
    evidence, alarms, steps, n = np.zeros(4000), 0, 1500, 4000
    for _ in range(steps):
        evidence = np.maximum(0.0, evidence + rng.standard_normal(n) - k)
        over = evidence >= h
        alarms += int(over.sum())
        evidence[over] = 0.0
    assert steps * n / alarms == pytest.approx(cusum.arl0(h, k), rel=0.05)
    assert cusum.arl0(cusum.threshold_for(5000.0, k), k) == pytest.approx(5000.0)
