"""Scalar twin of `detectors.stage`."""

from __future__ import annotations

import math

from hysteresis_twin import NAN, LimitTwin


class StageTwin(LimitTwin):
    """A gauge with up to four limits."""

    def __init__(self, parameters):
        p = parameters
        limits = [p["blue"], p["yellow"], p["orange"], p["red"]]
        there = [limit for limit in limits if not math.isnan(limit)]
        clear = []
        for limit in limits:
            if math.isnan(limit):
                clear.append(NAN)
                continue
            k = there.index(limit)
            if k + 1 < len(there):
                gap = there[k + 1] - limit
            elif k > 0:
                gap = limit - there[k - 1]
            else:
                gap = abs(limit)
            clear.append(limit - max(p["clear_margin"], p["clear_fraction"] * gap))
        super().__init__(limits, clear, p["raise_after_n"], p["clear_after_n"])
