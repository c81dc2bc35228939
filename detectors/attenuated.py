"""The attenuated signal test of IOOS QARTOD, as a stream: a signal that moves less than a healthy one does (a clogged stilling well).

Unlike a flat line the values still move, only too little: standard deviation (of the whole window, not of a sample) or range over the
window below a threshold. The window ends at the newest sample, is open at its start, and holds at most the newest eight samples.
Never FAIL: a river may really be quiet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.base import Quality
from detectors.history import LENGTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

FIELDS = "attenuated_std attenuated_range attenuated_window_s attenuated_min_count"
"""Thresholds in the unit of the series (either or both); window in seconds; fewer samples than the count in it (default 2): UNKNOWN."""


def flag(parameters: NDArray[Any], history: NDArray[Any], samples: Samples) -> NDArray[np.uint8]:
    """GOOD, SUSPECT, or UNKNOWN where the test is off or the window holds too few samples; all three inputs row by row."""
    p, out = parameters, np.full(len(samples), Quality.UNKNOWN, dtype=np.uint8)
    asked = np.flatnonzero(~(np.isnan(p["attenuated_window_s"]) | np.isnan(np.fmin(p["attenuated_std"], p["attenuated_range"]))))
    if not len(asked):
        return out
    p, h, value = p[asked], history[asked], samples.value[asked]
    since = samples.observed_at[asked] - p["attenuated_window_s"] * 1000.0
    values = np.column_stack([h["value"][:, 1:], value])
    inside = np.column_stack([h["observed_at"][:, 1:] > since[:, None], np.ones(len(asked), dtype=np.bool_)]) & ~np.isnan(values)
    count = inside.sum(axis=1)
    kept = np.where(inside, values, value[:, None])  # repeating the newest value changes no range
    span = kept.max(axis=1) - kept.min(axis=1)
    mean = np.where(inside, values, 0.0).sum(axis=1) / count
    std = np.sqrt(np.where(inside, (values - mean[:, None]) ** 2, 0.0).sum(axis=1) / count)
    weak = (std < p["attenuated_std"]) | (span < p["attenuated_range"])
    wanted = np.minimum(np.fmax(p["attenuated_min_count"], 2.0), LENGTH)
    out[asked] = np.where(count < wanted, Quality.UNKNOWN, np.where(weak, Quality.SUSPECT, Quality.GOOD))
    return out
