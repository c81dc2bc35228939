"""When a rising river reaches its next levels if it goes on as it does now: the simplest forecast, and often the first lead time there is.

Straight-line extrapolation of the smoothed rate. It says nothing of crests: a caller limits how far ahead it is believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def time_to_threshold_h(value: Floats, rate_per_h: Floats, limits: Floats) -> Floats:
    """Hours (n, k) until each value (n,), rising by `rate_per_h` (n,), reaches each of its limits (n, k).

    0 where it stands at or above the limit already, infinite where it does not rise, NaN where the limit is not set, or the value or the
    rate below a limit is unknown.

    >>> limits = np.array([[2.0, 3.0, np.nan]] * 3)
    >>> time_to_threshold_h(np.array([1.0, 2.5, 1.0]), np.array([0.5, 0.5, -0.1]), limits)
    array([[ 2.,  4., nan],
           [ 0.,  1., nan],
           [inf, inf, nan]])
    """
    gap = limits - value[:, None]
    rate = np.broadcast_to(rate_per_h[:, None], gap.shape)
    hours = np.divide(gap, rate, out=np.where(np.isnan(gap) | np.isnan(rate), np.nan, np.inf), where=rate > 0.0)
    return np.where(gap <= 0.0, 0.0, hours)


def next_level(hours: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """The level above the highest one reached (1 to k, 0 if there is none) and the hours to it (NaN if none), from (n, k) hours.

    >>> next_level(np.array([[0.0, 1.5, np.nan, 9.0], [0.0, 0.0, 0.0, 0.0]]))
    (array([2, 0], dtype=uint8), array([1.5, nan]))
    """
    columns = np.arange(1, hours.shape[1] + 1, dtype=np.uint8)
    reached = np.where(hours == 0.0, columns, 0).max(axis=1)
    ahead = (columns > reached[:, None]) & ~np.isnan(hours)
    first = ahead.argmax(axis=1)
    some = ahead.any(axis=1)
    return np.where(some, first + 1, 0).astype(np.uint8), np.where(some, hours[np.arange(len(hours)), first], np.nan)
