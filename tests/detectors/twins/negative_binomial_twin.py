"""Scalar twin of `detectors.negative_binomial`."""

from __future__ import annotations

import math
from statistics import fmean, variance

from hysteresis_twin import NAN, SUSPECT, HysteresisTwin

YEAR_MS = 365.2425 * 86_400_000.0


def tail_twin(count, mean, phi):
    """-log10 P(Y >= count), by adding up the probabilities from `count` on."""
    if count <= 0:
        return 0.0
    size, q = mean / (phi - 1.0), 1.0 - 1.0 / phi
    first = math.lgamma(count + size) - math.lgamma(count + 1) - math.lgamma(size) - size * math.log(phi) + count * math.log(q)
    ratio, total, k = 1.0, 1.0, count
    while ratio > 1e-17 * total or k < mean:
        ratio *= (k + size) / (k + 1.0) * q
        total += ratio
        k += 1
    return -(first + math.log(total)) / math.log(10.0)


class NegativeBinomialTwin:
    """One series of counts."""

    def __init__(self, parameters):
        p = parameters
        limits = [-math.log10(p[f"alpha_{level}"]) for level in ("blue", "yellow", "orange", "red")]
        self.rule = HysteresisTwin(limits, limits, p["raise_after_n"], p["clear_after_n"])
        self.period_s, self.min_cases, self.warmup = p["period_s"], p["min_cases"], p["warmup_periods"]
        self.observed_at, self.value = None, NAN
        self.periods, self.mean, self.phi = 0, 0.0, 1.5
        self.season = [1.0] * 52
        self.recent = []

    def step(self, observed_at, value, flag, in_order):
        """(level, score, trend, why) after one count."""
        newest = in_order and (self.observed_at is None or observed_at > self.observed_at)
        this = int(observed_at % YEAR_MS / YEAR_MS * 52) % 52
        season = fmean(self.season[(this + k) % 52] for k in (-1, 0, 1))
        mean, phi = max(self.mean * season, 0.05), self.phi
        if 9 <= self.periods < self.warmup:
            past = self.recent[:7]
            mean = max(fmean(past), 0.05)
            phi = max(max(variance(past), 1.0) * (1.0 + 1.0 / 7.0) / mean, 1.05)
        learning = self.periods < 9
        score = 0.0 if learning else tail_twin(max(round(value), 0), mean, phi)
        why = self.rule.move(0.0 if value < self.min_cases else score, flag, newest)
        trend, elapsed_s = NAN, math.inf
        if newest and self.observed_at is not None:
            elapsed_s = (observed_at - self.observed_at) / 1000
            trend = (value - self.value) / (elapsed_s / 3600)
        if newest and elapsed_s > 0.5 * self.period_s and flag != SUSPECT:
            self._learn(this, season, value)
        if newest:
            self.observed_at, self.value = observed_at, value
        return self.rule.level, score, trend, "learning" if learning else why

    def _learn(self, this, season, value):
        weeks, damping = self.period_s / 604_800.0, 0.1 if self.rule.level else 1.0
        level = self.mean if self.periods else value
        mean = max(level * season, 0.05)
        z = 1.959964
        kept = min(value, mean + z * math.sqrt(self.phi * mean) + (2.0 * self.phi - 1.0) * (z * z - 1.0) / 6.0)
        residual = kept - mean
        gain = max(0.01 * weeks, 1.0 / (self.periods + 10.0)) * damping
        self.phi = max(self.phi + gain * (1.08 * residual**2 / mean - self.phi), 1.05)
        gain = max(0.03 * weeks, 1.0 / (self.periods + 1.0)) * damping
        level = max(level + gain * residual / season, 0.05)
        gain = min(0.12 * min(1.0, level / 3.0) * damping, 1.0)
        self.season[this] = min(max(self.season[this] + gain * (kept / level - self.season[this]), 0.2), 5.0)
        balance = fmean(self.season)
        self.season = [s / balance for s in self.season]
        self.mean = level * balance
        self.recent = [*self.recent[-8:], value]
        self.periods += 1
