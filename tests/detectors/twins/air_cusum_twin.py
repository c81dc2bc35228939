"""Scalar twin of `detectors.air_cusum`: the daily course around the scalar CUSUM."""

from __future__ import annotations

import math

from cusum_twin import CusumTwin
from hysteresis_twin import NAN, SUSPECT


class AirCusumTwin:
    """One site: logarithm, minus the course of the day, into the evidence."""

    def __init__(self, parameters):
        self.p = parameters
        self.inner = CusumTwin(parameters)
        self.course = [0.0] * 24
        self.value = NAN

    def step(self, observed_at, value, flag, in_order):
        """(level, score, trend, why) after one sample."""
        inner = self.inner
        hour = observed_at // 3_600_000 % 24
        left = math.log(max(value, self.p["floor_ug_per_m3"])) - self.course[hour]
        count, mean, before_at = inner.count, inner.mean, inner.observed_at
        level, score, _, why = inner.step(observed_at, left, flag, in_order)
        if inner.count == count:
            return level, score, NAN, why
        trend = (value - self.value) / ((observed_at - before_at) / 3_600_000) if count else NAN
        self.value = value
        if flag != SUSPECT and inner.frozen_at is None and count >= 24:
            clip = 2.5 * math.sqrt(inner.variance)
            gain = max(1 - math.exp(-1 / self.p["course_days"]), 1 / (count / 24 + 2))
            self.course[hour] += gain * min(max(left - mean, -clip), clip)
            drift = sum(self.course) / 24
            self.course = [one - drift for one in self.course]
            inner.mean += drift
            inner.last += drift
        return level, score, trend, why
