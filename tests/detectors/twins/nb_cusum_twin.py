"""Scalar twin of `detectors.nb_cusum`."""

from __future__ import annotations

import math

from count_baseline_twin import NAN, CountTwin, log_ratio
from hysteresis_twin import SUSPECT, HysteresisTwin


class NbCusumTwin(CountTwin):
    """One series of counts."""

    def __init__(self, parameters):
        super().__init__(parameters)
        limits = [-math.log10(parameters[f"alpha_{level}"]) for level in ("blue", "yellow", "orange", "red")]
        self.highest = 1.1 / 1.24 * max(limits) * math.log(10.0)
        self.rule = HysteresisTwin(limits, limits, parameters["raise_after_n"], parameters["clear_after_n"])
        self.min_cases = parameters["min_cases"]
        self.sum = self.sum_before = 0.0
        self.alarmed = 0
        self.p_value = self.log_lr = NAN

    def log_p(self, total):
        """Of a sum."""
        return math.log(0.31) - 1.24 * total if total > 0 else 0.0

    def beyond(self):
        """Whether the sum alone is at the height of a level."""
        return self.log_p(self.sum) <= -math.log(10.0) * min(self.rule.limits)

    def step(self, observed_at, value, flag, in_order):
        """(level, score, trend, why) after one count; also sets p_value and log_lr."""
        at_s, base = observed_at / 1000, self.baseline
        value = self.cases(at_s, value, flag == SUSPECT, in_order)
        how = self.take(at_s, in_order)
        newest, begun, is_open, known = how
        if begun:
            self.sum_before = self.sum
            self.alarmed = self.alarmed + 1 if self.beyond() else 0
        mean, phi, variance = base.predict(at_s)
        count, told = max(round(value), 0) if value >= 0 else 0, known and value >= 0
        high = mean * math.exp(math.sqrt(variance))
        ratio = min(log_ratio(count, high, phi + high * variance), 3.0)
        total = self.sum
        if told and is_open:
            total = min(max(self.sum_before + ratio, 0.0), self.highest)
        log_p = self.log_p(total)
        score = -log_p / math.log(10.0) if told else 0.0
        self.p_value, self.log_lr = (math.exp(log_p), ratio) if told else (NAN, NAN)
        before = self.rule.level
        compared = NAN if not (told and is_open) else 0.0 if value < self.min_cases else score
        why = self.explain(self.rule.move(compared, flag, newest), self.rule.level > before, how, value)
        if flag != SUSPECT:
            self.sum = total
        self.close(value, mean, flag == SUSPECT, how, 0.0, self.beyond() and self.alarmed < 13)
        return self.rule.level, score, self.trend(at_s, value, newest), why
