"""The last hours of a series as hourly means: where a sample goes, and means over any stretch of them.

State fields (of the detector): `hour` (hours since 1970 of the newest hour), `in_hour` (how many samples it has), `hourly` (the last hours'
means, newest last, NaN = missing). Several samples in an hour are averaged. A late sample fills a missing hour and changes no known one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.base import Quality
from detectors.rows import MS_PER_H

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

    Floats = NDArray[np.float64]


def place(s: NDArray[Any], samples: Samples, newest: NDArray[np.bool_]) -> Floats:
    """Put each sample into its hour (state in place); returns the hours as this sample sees them, kept or not. A suspect one is not kept."""
    hours = s["hourly"].shape[1]
    hour = samples.observed_at // int(MS_PER_H)
    shift = np.where(newest, np.clip(hour - s["hour"], 0, hours), 0)
    source = np.arange(hours) + shift[:, None]
    kept = np.where(source < hours, np.take_along_axis(s["hourly"], np.minimum(source, hours - 1), axis=1), np.nan)
    now = np.where(newest, hour, s["hour"])
    in_hour = np.where(shift > 0, 0.0, s["in_hour"])
    slot = hours - 1 - (now - hour)
    held = (slot >= 0) & (slot < hours)  # a late sample of a series without any hour has no place
    at = np.where(held, slot, 0)[:, None]
    old = np.take_along_axis(kept, at, axis=1)[:, 0]
    fills = np.isnan(old)
    averaged = np.where(fills, samples.value, old + (samples.value - old) / (in_hour + 1.0))
    seen = kept.copy()
    np.put_along_axis(seen, at, np.where(held, np.where(newest, averaged, samples.value), old)[:, None], axis=1)
    stored = (newest | fills) & held & (samples.flag != Quality.SUSPECT)
    s["hourly"] = np.where(stored[:, None], seen, kept)
    s["in_hour"] = in_hour + (stored & (slot == hours - 1))
    s["hour"] = now
    return seen


class Sums:
    """Sums over the last hours, so that the mean of any stretch costs one subtraction. `hourly`: (n, hours), newest last, NaN = missing."""

    def __init__(self, hourly: Floats) -> None:
        back = hourly[:, ::-1]
        there = ~np.isnan(back)
        start = np.zeros((len(hourly), 1))
        self._sum = np.concatenate([start, np.cumsum(np.where(there, back, 0.0), axis=1)], axis=1)
        self._count = np.concatenate([start, np.cumsum(there, axis=1)], axis=1)

    def mean(self, newest: NDArray[np.intp], length: NDArray[np.intp] | int, needed: float = 0.0) -> Floats:
        """Mean of `length` hours, the newest of them `newest` hours ago (0 = the newest hour), (n,); NaN unless a share `needed` is known.

        >>> Sums(np.array([[8.0, 2.0, np.nan, 4.0]])).mean(np.array([0]), 3)
        array([3.])
        """
        first, last = newest[:, None], (newest + length)[:, None]
        count = (np.take_along_axis(self._count, last, axis=1) - np.take_along_axis(self._count, first, axis=1))[:, 0]
        total = (np.take_along_axis(self._sum, last, axis=1) - np.take_along_axis(self._sum, first, axis=1))[:, 0]
        enough = (count > 0) & (count >= needed * length)
        mean: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=enough)
        return mean
