"""Scalar twin of `detectors.ears`."""

from __future__ import annotations

import math
from statistics import fmean, stdev

from hysteresis_twin import NAN, SUSPECT, HysteresisTwin


class EarsTwin:
    """One series of counts; keeps all of them."""

    def __init__(self, parameters):
        p = parameters
        limits = [-math.log10(p[f"alpha_{level}"]) for level in ("blue", "yellow", "orange", "red")]
        self.rule = HysteresisTwin(limits, limits, p["raise_after_n"], p["clear_after_n"])
        self.method, self.period_s, self.min_cases, self.min_sigma = p["method"], p["period_s"], p["min_cases"], p["min_sigma"]
        self.newest_at, self.value, self.learned_at = None, NAN, None
        self.counts, self.over = [], []

    def z(self, past, value):
        return max(min((value - fmean(past)) / max(stdev(past), self.min_sigma), 36.0), -36.0)

    def step(self, observed_at, value, flag, in_order):
        """(level, score, trend, why) after one count."""
        newest = in_order and (self.newest_at is None or observed_at > self.newest_at)
        lag = 0 if self.method == 1 else 2
        told = len(self.counts) >= 7 + lag + (2 if self.method == 3 else 0)
        score = 0.0
        if told:
            past = self.counts[len(self.counts) - 7 - lag : len(self.counts) - lag]
            z = self.z(past, value)
            if self.method == 3:
                z = min(max(z - 1.0, 0.0) + sum(self.over[-2:]), 36.0)
            score = -math.log10(0.5 * math.erfc(z / math.sqrt(2.0)))
        before = self.rule.level
        why = self.rule.move(score if told and value >= self.min_cases else 0.0, flag, newest)
        if not newest and self.rule.level > before:
            why = "late"
        trend = NAN
        if newest and self.newest_at is not None:
            trend = (value - self.value) / ((observed_at - self.newest_at) / 3_600_000)
        if newest:
            begun = self.learned_at is None or (observed_at - self.learned_at) / 1000 > 0.5 * self.period_s
            if begun and flag != SUSPECT:
                over = max(self.z(self.counts[-9:-2], value) - 1.0, 0.0) if len(self.counts) >= 9 and self.method != 1 else 0.0
                self.over.append(over)
                self.counts.append(value)
                self.learned_at = observed_at
            self.newest_at, self.value = observed_at, value
        return self.rule.level, score, trend, why if told else "learning"
