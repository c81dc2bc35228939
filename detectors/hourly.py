"""The last hours of a series as hourly means: where a sample goes, and means over any stretch of them.

State fields (of the detector): `hour` (hours since 1970 of the newest hour), `in_hour` (how many samples it has), `hourly` (the last hours'
means, newest last, NaN = missing). Several samples in an hour are averaged. A late sample fills a missing hour and changes no known one. A second
figure known with each sample can be kept hour by hour beside them.
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
    kept, at, held = _moved_on(s["hourly"], s, samples, newest)
    hour = samples.observed_at // int(MS_PER_H)
    in_hour = np.where(newest & (hour > s["hour"]), 0.0, s["in_hour"])
    old = np.take_along_axis(kept, at, axis=1)[:, 0]
    fills = np.isnan(old)
    averaged = np.where(fills, samples.value, old + (samples.value - old) / (in_hour + 1.0))
    seen = kept.copy()
    np.put_along_axis(seen, at, np.where(held, np.where(newest, averaged, samples.value), old)[:, None], axis=1)
    stored = (newest | fills) & held & (samples.flag != Quality.SUSPECT)
    s["hourly"] = np.where(stored[:, None], seen, kept)
    s["in_hour"] = in_hour + (stored & (at[:, 0] == kept.shape[1] - 1))
    s["hour"] = np.where(newest, hour, s["hour"])
    return seen


def place_beside(s: NDArray[Any], samples: Samples, newest: NDArray[np.bool_], name: str, figure: Floats) -> Floats:
    """The same for a second figure of each sample (n,), NaN = not known, in the field `name`; the newest of an hour stays. Call it before `place`."""
    kept, at, held = _moved_on(s[name], s, samples, newest)
    old = np.take_along_axis(kept, at, axis=1)[:, 0]
    told = held & ~np.isnan(figure)
    seen = kept.copy()
    np.put_along_axis(seen, at, np.where(told, figure, old)[:, None], axis=1)
    stored = told & (newest | np.isnan(old)) & (samples.flag != Quality.SUSPECT)
    s[name] = np.where(stored[:, None], seen, kept)
    return seen


def _moved_on(
    hours: Floats, s: NDArray[Any], samples: Samples, newest: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_]]:
    """The hours with the sample's among them, where it stands (n, 1), and whether it has a place."""
    length = hours.shape[1]
    back = np.where(newest, 0, s["hour"] - samples.observed_at // int(MS_PER_H))
    shift = np.where(newest, np.clip(samples.observed_at // int(MS_PER_H) - s["hour"], 0, length), 0)
    source = np.arange(length) + shift[:, None]
    kept = np.where(source < length, np.take_along_axis(hours, np.minimum(source, length - 1), axis=1), np.nan)
    held = (back >= 0) & (back < length)  # a late sample of a series without any hour has no place
    return kept, np.where(held, length - 1 - back, 0)[:, None], held


class Sums:
    """Sums over the last hours, so that the mean of any stretch costs one subtraction. `hourly`: (n, hours), newest last, NaN = missing."""

    def __init__(self, hourly: Floats) -> None:
        back = hourly[:, ::-1]
        there = ~np.isnan(back)
        start = np.zeros((len(hourly), 1))
        self._rows = np.arange(len(hourly))
        self._sum = np.concatenate([start, np.cumsum(np.where(there, back, 0.0), axis=1)], axis=1)
        self._count = np.concatenate([start, np.cumsum(there, axis=1)], axis=1)

    def mean(self, newest: NDArray[np.intp], length: NDArray[np.intp] | int, needed: float = 0.0) -> Floats:
        """Mean of `length` hours, the newest of them `newest` hours ago (0 = the newest hour), (n,); NaN unless a share `needed` is known.

        >>> Sums(np.array([[8.0, 2.0, np.nan, 4.0]])).mean(np.array([0]), 3)
        array([3.])
        """
        last = newest + length
        count = self._count[self._rows, last] - self._count[self._rows, newest]
        total = self._sum[self._rows, last] - self._sum[self._rows, newest]
        enough = (count > 0) & (count >= needed * length)
        mean: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=enough)
        return mean
