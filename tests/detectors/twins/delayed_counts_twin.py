"""Scalar twin of `detectors.delayed_counts`: one series; every period a dictionary entry, delays counted one instalment at a time."""

from __future__ import annotations

import math

from count_baseline_twin import NAN, BaselineTwin, log_ratio, tail_twin
from hysteresis_twin import SUSPECT, HysteresisTwin

LONGEST = 7
PRIOR = 20.0


class DelayedCountsTwin:
    """One series of counts that come in instalments."""

    def __init__(self, parameters):
        self.period_s = parameters["period_s"]
        self.baseline = BaselineTwin(self.period_s, parameters["warmup_periods"])
        limits = [-math.log10(parameters[f"alpha_{level}"]) for level in ("blue", "yellow", "orange", "red")]
        self.rule = HysteresisTwin(limits, limits, parameters["raise_after_n"], parameters["clear_after_n"])
        self.min_cases, self.kept = parameters["min_cases"], math.exp(-1.0 / parameters["memory_periods"])
        self.newest_s = self.seen_s = None
        self.value = NAN
        self.now = [NAN] * (LONGEST + 1)
        self.known = [0.0] * (LONGEST + 1)
        self.exactly = [PRIOR] + [0.0] * LONGEST
        self.at_most = [PRIOR] * (LONGEST + 1)

    def share(self, delay):
        left = 1.0
        for d in range(delay + 1, LONGEST + 1):
            left *= 1.0 - min(max(self.exactly[d] / self.at_most[d], 0.0), 1.0) if self.at_most[d] > 0 else 1.0
        return left

    def pass_one(self):
        so_far = [0.0, *self.known[:-1]]
        for d in range(LONGEST + 1):
            new = 0.0 if math.isnan(self.now[d]) else self.now[d] - so_far[d]
            self.known[d] = max(so_far[d] + new, 0.0)
            self.exactly[d] = self.kept * self.exactly[d] + max(new, 0.0)
            self.at_most[d] = self.kept * self.at_most[d] + self.known[d]
        final = self.now[-1]
        if not math.isnan(final):
            base, final_s = self.baseline, self.newest_s - LONGEST * self.period_s
            base.open(final_s)
            mean, phi, variance = base.predict(final_s)
            base.expected, base.count = mean, final
            base.weight = min(max(math.exp(tail_twin(final, mean, phi + mean * variance)) / 0.002, 0.1), 1.0)
        self.newest_s += self.period_s
        self.now = [NAN, *self.now[:-1]]

    def step(self, observed_at, value, flag, in_order):
        """(level, score, trend, why) after one count; also sets p_value and log_lr."""
        at_s = observed_at / 1000
        newest = in_order and (self.seen_s is None or at_s > self.seen_s)
        since = 1.0 if self.newest_s is None else (at_s - self.newest_s) / self.period_s
        begun = newest and since > 0.5
        if begun:
            for _ in range(min(round(since), LONGEST + 1) if self.newest_s is not None else 0):
                self.pass_one()
            self.newest_s = at_s
        delay = min(max(round((self.newest_s - at_s) / self.period_s), 0), LONGEST + 1) if self.newest_s is not None else 0
        counted, known = value >= 0 and delay <= LONGEST, self.baseline.periods >= 9
        if counted and flag != SUSPECT:
            self.now[delay] = value
        share = self.share(min(delay, LONGEST))
        mean, phi, variance = self.baseline.predict(at_s)
        mean, phi = mean * share, 1.0 + share * (phi - 1.0)
        count, spread = max(round(value), 0), phi + mean * variance
        log_p = tail_twin(count, mean, spread)
        told = known and counted
        score = -log_p / math.log(10.0) if told else 0.0
        self.p_value, self.log_lr = (math.exp(log_p), log_ratio(count, mean, spread)) if told else (NAN, NAN)
        before = self.rule.level
        why = self.rule.move(NAN if not counted else (0.0 if value < self.min_cases else score), flag, newest)
        if self.rule.level > before and not begun:
            why = "late" if delay > 0 else "corrected"
        why = "learning" if not known else why if counted else "corrected"
        trend = (value - self.value) / ((at_s - self.seen_s) / 3600) if newest and self.seen_s is not None else NAN
        if newest:
            self.seen_s, self.value = at_s, value
        return self.rule.level, score, trend, why
