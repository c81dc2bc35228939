"""Scalar twin of `detectors.quality`."""

from __future__ import annotations

import math

from history_twin import HistoryTwin

GOOD, UNKNOWN, SUSPECT, FAIL, MISSING = 1, 2, 3, 4, 9
RANK = {MISSING: 0, UNKNOWN: 1, GOOD: 2, SUSPECT: 3, FAIL: 4}


class QualityTwin:
    """The tests of one sensor, with its own history."""

    def __init__(self, parameters):
        self.p = parameters
        self.history = HistoryTwin()

    def flag(self, observed_at, value, flag, in_order):
        """The rolled-up flag; the history is not touched."""
        results = [flag, UNKNOWN, *self._range(value)]
        past = self.history.newest_first()
        if past and in_order and observed_at > past[0][0]:
            results += self._spike(value, past) + self._rate(observed_at, value, past) + self._flat(value, past)
        return max(results, key=RANK.__getitem__)

    def _range(self, value):
        p, results = self.p, []
        for span, bad in (("fail", FAIL), ("suspect", SUSPECT)):
            low, high = p[f"{span}_min"], p[f"{span}_max"]
            if not (math.isnan(low) and math.isnan(high)):
                results.append(bad if value < low or value > high else GOOD)
        return results

    def _spike(self, value, past):
        limit = self.p["spike_suspect"]
        if math.isnan(limit):
            return []
        change = value - past[0][1]
        if abs(change) <= limit:
            return [GOOD]
        if len(past) > 1:
            before = past[1]
            earlier = past[0][1] - before[1]
            back = abs(value - before[1])
            if back <= limit and back < abs(earlier) and before[2] != SUSPECT:
                return [GOOD]
            if abs(earlier) > limit and change * earlier > 0:
                return [GOOD]
        return [SUSPECT]

    def _rate(self, observed_at, value, past):
        limit = self.p["rate_suspect_per_h"] / 3_600_000
        if math.isnan(limit):
            return []
        at, last, last_flag = past[0]
        if abs(value - last) <= limit * (observed_at - at):
            return [GOOD]
        if last_flag == SUSPECT and len(past) > 1:
            at, before, before_flag = past[1]
            if before_flag != SUSPECT and abs(value - before) <= limit * (observed_at - at):
                return [GOOD]
        return [SUSPECT]

    def _flat(self, value, past):
        tolerance, count = self.p["flat_line_tolerance"], self.p["flat_line_count"]
        if math.isnan(tolerance) or math.isnan(count) or len(past) < count - 1:
            return []
        window = [value, *(v for _, v, _ in past[: int(count) - 1])]
        return [SUSPECT if max(window) - min(window) < tolerance else GOOD]
