"""When the water of a gauge that is in alarm reaches its next level, if it goes on rising as it does now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from detectors.rows import matrix
from detectors.time_to_threshold import next_level, time_to_threshold_h

if TYPE_CHECKING:
    from stream.decide.bound import BoundHazard
    from stream.decide.findings import Said

LEVELS, RATE = "stage", "rate_of_rise"
"""The detector whose limits are meant, and the one that knows a smoothed rate."""


def reaches_h(hazard: BoundHazard, said: list[Said], row: int, i: int, value: float) -> float:
    """Hours until sample `i` of the step, rising as it does now, is at the next of the gauge's levels.

    NaN where it does not rise, there is no level above, or that is further off than the hazard's warnings are valid: a straight line says
    nothing of crests.
    """
    rate = math.nan
    limits = None
    for use, answer in zip(hazard.detectors, said, strict=True):
        if answer is None or use.name not in (LEVELS, RATE) or use.compact[row] < 0:
            continue
        chosen, findings = answer
        trend = float(findings.trend[int(np.searchsorted(chosen, i))])
        if use.name == LEVELS:
            limits = matrix(use.parameters)[use.compact[row] : use.compact[row] + 1, :4]
        if use.name == RATE or math.isnan(rate):
            rate = trend
    if limits is None or not rate > 0.0:
        return math.nan
    _, hours = next_level(time_to_threshold_h(np.array([value]), np.array([rate]), limits))
    return float(hours[0]) if hours[0] * 3600.0 <= hazard.hazard.rules.validity_s else math.nan
