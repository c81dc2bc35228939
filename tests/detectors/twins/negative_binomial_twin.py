"""Scalar twin of `detectors.negative_binomial`."""

from __future__ import annotations

import math

from count_baseline_twin import NAN, CountTwin, log_ratio, tail_twin
from hysteresis_twin import SUSPECT, HysteresisTwin


class NegativeBinomialTwin(CountTwin):
    """One series of counts."""

    def __init__(self, parameters):
        super().__init__(parameters)
        limits = [-math.log10(parameters[f"alpha_{level}"]) for level in ("blue", "yellow", "orange", "red")]
        self.rule = HysteresisTwin(limits, limits, parameters["raise_after_n"], parameters["clear_after_n"])
        self.min_cases = parameters["min_cases"]
        self.p_value = self.log_lr = NAN

    def step(self, observed_at, value, flag, in_order):
        """(level, score, trend, why) after one count; also sets p_value and log_lr."""
        at_s, base = observed_at / 1000, self.baseline
        value = self.cases(at_s, value, flag == SUSPECT, in_order)
        how = self.take(at_s, in_order)
        newest, _, is_open, known = how
        mean, phi, variance = base.predict(at_s)
        count = max(round(value), 0) if value >= 0 else 0
        log_p = alone = tail_twin(count, mean, phi + mean * variance)
        if is_open and not math.isnan(base.count_before) and alone <= math.log(0.2):
            both = mean + base.expected_before
            log_p = tail_twin(count + base.count_before, both, phi + both * variance)
        told = known and value >= 0
        score = -log_p / math.log(10.0) if told else 0.0
        self.p_value = math.exp(log_p) if told else NAN
        self.log_lr = log_ratio(count, mean, phi + mean * variance) if told else NAN
        before = self.rule.level
        why = self.rule.move(NAN if not value >= 0 else (0.0 if value < self.min_cases else score), flag, newest)
        why = self.explain(why, self.rule.level > before, how, value)
        self.close(value, mean, flag == SUSPECT, how, alone, self.rule.level > 0)
        return self.rule.level, score, self.trend(at_s, value, newest), why
