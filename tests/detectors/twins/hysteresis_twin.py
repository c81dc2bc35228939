"""Scalar twin of `detectors.hysteresis`: one series, plain Python, obviously right."""

from __future__ import annotations

import math

GOOD, UNKNOWN, SUSPECT = 1, 2, 3
NAN = math.nan


class HysteresisTwin:
    """Counts, per level, how long the series stood above its limit and below its clear limit."""

    def __init__(self, limits, clear_limits, raise_after_n, clear_after_n):
        self.limits = limits
        self.clear_limits = clear_limits
        self.raise_after_n = raise_after_n
        self.clear_after_n = clear_after_n
        self.level = 0
        self.above = [0, 0, 0, 0]
        self.below = [0, 0, 0, 0]

    def move(self, value, flag, newest):
        """The reason of the level after one sample."""
        suspect = flag == SUSPECT
        needed = max(self.raise_after_n, 2 if suspect else 1)
        before, raised, supported = self.level, 0, 0
        for k in range(4):
            reached = value >= self.limits[k]
            run = 0
            if reached:
                supported = k + 1
                run = min(self.above[k], 254) + 1 if newest else 1
                if run >= needed:
                    raised = k + 1
            if newest:
                self.above[k] = run
        resting = before
        if newest:
            for k in range(before):
                unset = math.isnan(self.limits[k])
                if value < self.clear_limits[k] or (unset and not math.isnan(value)):
                    self.below[k] = min(self.below[k], 254) + (0 if suspect else 1)
                else:
                    self.below[k] = 0
            resting = max((k + 1 for k in range(before) if self.below[k] < self.clear_after_n), default=0)
        self.level = max(raised, resting)
        for k in range(4):
            if k >= self.level:
                self.below[k] = 0
        return self._why(before, supported)

    def _why(self, before, supported):
        if self.level > before:
            return "reached"
        if self.level < before:
            return "lowered"
        if supported > self.level:
            return "unconfirmed"
        if self.level == 0:
            return "quiet"
        return "sustained" if supported == self.level else "held"


class LimitTwin:
    """What stage and concentration share: a value against limits, its score and its trend per hour."""

    def __init__(self, limits, clear_limits, raise_after_n, clear_after_n):
        self.rule = HysteresisTwin(limits, clear_limits, raise_after_n, clear_after_n)
        self.lowest = min((limit for limit in limits if not math.isnan(limit)), default=NAN)
        self.observed_at = None
        self.value = NAN

    def step(self, observed_at, value, flag, in_order):
        """(level, score, trend, why) after one sample."""
        newest = in_order and (self.observed_at is None or observed_at > self.observed_at)
        trend = NAN
        if newest:
            if self.observed_at is not None:
                trend = (value - self.value) / ((observed_at - self.observed_at) / 3_600_000)
            self.observed_at, self.value = observed_at, value
        why = self.rule.move(value, flag, newest)
        return self.rule.level, score_of(value, self.lowest), trend, why


def score_of(value, lowest):
    """Value relative to the lowest limit; 0 without one."""
    if math.isnan(lowest):
        return 0.0
    return value / lowest if lowest > 0 else 1.0 + value - lowest
