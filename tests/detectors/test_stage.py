from __future__ import annotations

import numpy as np
import pytest
from streams import MINUTE, START, batch, table

from detectors import concentration, stage
from detectors.base import Level

GOOD, SUSPECT = 1, 3
LIMITS = {"blue": 2.0, "yellow": 3.0, "orange": 4.0, "red": 6.0}


class Gauge:
    """One gauge, sampled every 15 minutes unless said otherwise."""

    def __init__(self, **parameters):
        self.p = table(stage, {**LIMITS, **parameters})
        self.state = stage.initial(self.p)
        self.at = START

    def measure(self, value, flag=GOOD, ago=None):
        if ago is None:
            self.at += 15 * MINUTE
        at = self.at - (ago or 0)
        found = stage.step(self.p, self.state, batch([0], [(at, value, flag, ago is None)]))
        return Level(found.level[0]), stage.WHY[found.why[0]], float(found.score[0]), float(found.trend[0])

    def levels(self, *values):
        return [int(self.measure(value)[0]) for value in values]


def test_a_level_is_raised_by_the_first_sample_at_its_limit():
    assert Gauge().levels(1.9, 2.0, 4.1, 7.0) == [0, 1, 3, 4]


def test_a_level_is_cleared_only_after_three_samples_below_the_clear_limit():
    assert Gauge().levels(2.1, 1.8, 1.8, 1.8, 1.8) == [1, 1, 1, 0, 0]


def test_a_value_just_below_the_limit_keeps_the_level():
    gauge = Gauge()
    assert gauge.levels(2.1, *[1.95] * 10) == [1] * 11
    assert gauge.measure(1.95)[1] == "held"


def test_one_value_back_above_the_clear_limit_starts_the_count_again():
    assert Gauge().levels(2.1, 1.8, 1.8, 1.95, 1.8, 1.8, 1.8) == [1, 1, 1, 1, 1, 1, 0]


def test_a_falling_river_goes_down_to_the_level_that_it_still_supports():
    assert Gauge().levels(6.5, 3.5, 3.5, 3.5, 2.5, 1.0, 1.0, 1.0) == [4, 4, 4, 2, 2, 2, 1, 0]


def test_a_late_low_sample_does_not_clear_an_alarm():
    gauge = Gauge(clear_after_n=1.0)
    assert gauge.measure(3.5)[0] is Level.YELLOW
    for ago in (0, MINUTE, 60 * MINUTE):
        assert gauge.measure(0.5, ago=ago)[0] is Level.YELLOW


def test_a_late_high_sample_raises_and_then_needs_the_full_count_to_clear():
    gauge = Gauge()
    assert gauge.levels(1.0, 1.0, 1.0, 1.0) == [0, 0, 0, 0]
    assert gauge.measure(3.5, ago=20 * MINUTE)[:2] == (Level.YELLOW, "reached")
    assert gauge.levels(1.0, 1.0, 1.0) == [2, 2, 0]


def test_a_suspect_sample_raises_only_when_the_next_one_confirms_it():
    gauge = Gauge()
    assert gauge.measure(5.0, SUSPECT)[:2] == (Level.NONE, "unconfirmed")
    assert gauge.measure(5.0)[:2] == (Level.ORANGE, "reached")
    gauge = Gauge()
    gauge.measure(5.0, SUSPECT)
    assert gauge.measure(3.2, SUSPECT)[0] is Level.YELLOW
    gauge = Gauge()
    gauge.measure(5.0, SUSPECT)
    assert gauge.measure(1.0)[0] is Level.NONE


@pytest.mark.parametrize("in_order", [True, False])
def test_a_correction_does_not_confirm_the_sample_it_corrects(in_order):
    gauge = Gauge()
    gauge.measure(5.0, SUSPECT)
    found = stage.step(gauge.p, gauge.state, batch([0], [(gauge.at, 5.1, SUSPECT, in_order)]))
    assert found.level[0] == 0


def test_suspect_low_samples_do_not_clear():
    gauge = Gauge()
    gauge.measure(3.5)
    assert [int(gauge.measure(0.0, SUSPECT)[0]) for _ in range(10)] == [2] * 10


def test_raise_after_n_takes_what_all_of_the_last_n_samples_support():
    assert Gauge(raise_after_n=2.0).levels(2.5, 4.5, 4.5, 7.0) == [0, 1, 3, 3]


def test_score_is_relative_to_the_lowest_limit_and_trend_is_per_hour():
    gauge = Gauge()
    assert gauge.measure(1.0)[2:] == (0.5, pytest.approx(float("nan"), nan_ok=True))
    assert gauge.measure(3.0)[2:] == (1.5, pytest.approx(8.0))


def test_a_limit_at_or_below_the_gauge_zero_still_orders_the_scores():
    gauge = Gauge(blue=-1.0, yellow=0.5)
    assert [gauge.measure(v)[2] for v in (-2.0, -1.0, 0.0)] == [0.0, 1.0, 2.0]


def test_concentration_rises_at_multiples_of_the_limit_and_clears_below_nine_tenths():
    p = table(concentration, {"limit": 0.02})
    state, at = concentration.initial(p), START
    levels = []
    for value in (0.019, 0.02, 0.05, 0.1, 0.3, 0.019, 0.019, 0.019, 0.017, 0.017, 0.017):
        at += MINUTE
        levels.append(int(concentration.step(p, state, batch([0], [(at, value, GOOD, True)])).level[0]))
    assert levels == [0, 1, 2, 3, 4, 4, 4, 1, 1, 1, 0]


def test_ten_thousand_gauges_are_independent_rows():
    n = 10_000
    p = np.repeat(table(stage, LIMITS), n)
    state = stage.initial(p)
    values = np.linspace(0.0, 8.0, n)
    found = stage.step(p, state, batch(range(n), [(START, v, GOOD, True) for v in values]))
    np.testing.assert_array_equal(found.level, np.searchsorted(list(LIMITS.values()), values, side="right"))
