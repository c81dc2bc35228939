from __future__ import annotations

import math

import numpy as np
import pytest
from streams import MINUTE, START, batch, table

from detectors import rate_of_rise
from detectors.base import Level

GOOD, SUSPECT = 1, 3
LIMITS = {"rise_blue_per_h": 0.5, "rise_yellow_per_h": 1.0, "rise_orange_per_h": 2.0, "rise_red_per_h": 4.0}


class Gauge:
    def __init__(self, **parameters):
        self.p = table(rate_of_rise, {**LIMITS, **parameters})
        self.state = rate_of_rise.initial(self.p)
        self.at = START

    def measure(self, value, after_min=15.0, flag=GOOD):
        self.at += round(after_min * MINUTE)
        found = rate_of_rise.step(self.p, self.state, batch([0], [(self.at, value, flag, True)]))
        return Level(found.level[0]), rate_of_rise.WHY[found.why[0]], float(found.trend[0])


def test_a_steady_rise_is_measured_exactly_however_it_is_sampled():
    rng = np.random.default_rng(3)
    gauge, hours = Gauge(), 0.0
    for _ in range(200):
        after_min = float(rng.choice([1.0, 5.0, 15.0, 47.0]))
        hours += after_min / 60.0
        trend = gauge.measure(1.0 + 1.5 * hours, after_min)[2]
    assert trend == pytest.approx(1.5, rel=1e-6)


def test_after_one_time_constant_two_thirds_of_a_new_rate_are_seen_by_one_step_or_by_thirty():
    once, often = Gauge(), Gauge()
    once.measure(0.0)
    often.measure(0.0)
    coarse = once.measure(1.0, 30.0)[2]
    for minute in range(1, 31):
        fine = often.measure(minute / 30.0, 1.0)[2]
    assert coarse == pytest.approx(2.0 * (1.0 - math.exp(-1.0)))
    assert fine == pytest.approx(coarse, rel=1e-9)


def test_a_fast_rise_raises_and_a_steady_level_clears():
    gauge = Gauge()
    assert [int(gauge.measure(v)[0]) for v in (1.0, 1.0, 2.0, 3.0, 4.0)] == [0, 0, 2, 3, 3]
    assert [int(gauge.measure(4.0)[0]) for _ in range(12)][-1] == 0


def test_a_reconnecting_burst_trips_nothing():
    gauge = Gauge()
    gauge.measure(1.0)
    assert gauge.measure(5.0, after_min=7 * 60)[:2] == (Level.NONE, "restarted")
    for n in range(30):
        assert gauge.measure(5.0 + 0.01 * (-1) ** n, after_min=1 / 60)[0] is Level.NONE


def test_a_drop_out_and_the_return_from_it_are_no_rise():
    gauge = Gauge()
    gauge.measure(3.0)
    gauge.measure(3.0)
    gauge.measure(0.0, flag=SUSPECT)
    level, _, trend = gauge.measure(3.0)
    assert level is Level.NONE
    assert trend == pytest.approx(0.0)


def test_a_suspect_jump_raises_when_the_next_sample_confirms_it():
    gauge = Gauge()
    gauge.measure(1.0)
    assert gauge.measure(3.0, flag=SUSPECT)[:2] == (Level.NONE, "unconfirmed")
    assert gauge.measure(3.1)[0] >= Level.ORANGE


def test_a_correction_of_a_suspect_jump_does_not_confirm_it():
    gauge = Gauge()
    gauge.measure(1.0)
    gauge.measure(3.0, flag=SUSPECT)
    assert gauge.measure(3.1, after_min=0.0, flag=SUSPECT)[:2] == (Level.NONE, "late")


def test_rises_at_low_water_do_not_count():
    gauge = Gauge(min_value=2.0)
    assert [int(gauge.measure(v)[0]) for v in (0.2, 1.0, 1.9)] == [0, 0, 0]
    assert gauge.measure(2.5)[0] > Level.NONE


def test_a_falling_river_has_a_negative_trend_and_no_level():
    gauge = Gauge()
    gauge.measure(5.0)
    level, why, trend = gauge.measure(4.0)
    assert (level, why) == (Level.NONE, "quiet")
    assert trend < 0
