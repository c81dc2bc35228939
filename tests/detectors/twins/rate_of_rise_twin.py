"""Scalar twin of `detectors.rate_of_rise`."""

from __future__ import annotations

import math

from hysteresis_twin import NAN, SUSPECT, HysteresisTwin, score_of


class RateOfRiseTwin:
    """A gauge's smoothed rate of change."""

    def __init__(self, parameters):
        p = parameters
        limits = [p[f"rise_{level}_per_h"] for level in ("blue", "yellow", "orange", "red")]
        clear = [limit * (1.0 - p["clear_fraction"]) for limit in limits]
        self.rule = HysteresisTwin(limits, clear, p["raise_after_n"], p["clear_after_n"])
        self.lowest = min((limit for limit in limits if not math.isnan(limit)), default=NAN)
        self.tau_s, self.min_value, self.gap_s = p["tau_s"], p["min_value"], p["gap_s"]
        self.observed_at = None
        self.learned_at = None
        self.value = NAN
        self.rate = 0.0

    def step(self, observed_at, value, flag, in_order):
        """(level, score, trend, why) after one sample."""
        if not in_order or (self.observed_at is not None and observed_at <= self.observed_at):
            return self.rule.level, score_of(0.0, self.lowest), NAN, "late"
        self.observed_at = observed_at
        elapsed_s = math.inf if self.learned_at is None else (observed_at - self.learned_at) / 1000
        restarts = self.learned_at is None or elapsed_s > self.gap_s
        rate = 0.0
        if not restarts:
            slope = (value - self.value) / (elapsed_s / 3600)
            rate = self.rate - math.expm1(-elapsed_s / self.tau_s) * (slope - self.rate)
        counted = 0.0 if value < self.min_value else rate
        why = self.rule.move(counted, flag, newest=True)
        if restarts and why == "quiet":
            why = "restarted"
        if restarts or flag != SUSPECT:
            self.rate, self.value, self.learned_at = rate, value, observed_at
        return self.rule.level, score_of(counted, self.lowest), NAN if restarts else rate, why
