"""Crests of a series, and which crest above belongs to which one below: the raw material of learned travel times.

The time of a crest is that of a parabola through the highest value and its two neighbours, so steps of a day do not make lags of a day.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from topology.arrival import HOUR_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

APART_MS = 72 * HOUR_MS
"""A crest is the highest value so long before and after it: shorter swings ride on the same wave."""
GAP_STEPS = 1.5
"""A value whose neighbours are further away than this is no crest whose time is known."""
SLOWEST_M_PER_S, FASTEST_M_PER_S = 0.3, 10.0
"""Between these a wave can run; a crest below outside their window is another one."""


class Crests(NamedTuple):
    """Crests in order of time: instant (ms, interpolated), value, and the step of the series (ms)."""

    at: NDArray[np.float64]
    value: NDArray[np.float64]
    step_ms: float


class Matched(NamedTuple):
    """Crests found at both gauges: instant above (ms), hours to the one below, and both values."""

    at: NDArray[np.float64]
    lag_h: NDArray[np.float64]
    above: NDArray[np.float64]
    below: NDArray[np.float64]


def crests(at: NDArray[np.int64], value: NDArray[np.float64], least: float) -> Crests:
    """The crests of at least `least` in a series in order of time (its step: the median distance of its values).

    >>> hours = np.arange(9) * 3_600_000
    >>> found = crests(hours, np.array([1.0, 1, 2, 4, 4, 2, 1, 1, 1]), 2.0)
    >>> (found.at / 3_600_000).tolist(), found.value.tolist()
    ([3.5], [4.0])
    """
    step_ms = float(np.median(np.diff(at))) if len(at) > 1 else math.nan
    rising, falling = value[1:-1] > value[:-2], value[1:-1] >= value[2:]
    near = (at[2:] - at[1:-1] <= GAP_STEPS * step_ms) & (at[1:-1] - at[:-2] <= GAP_STEPS * step_ms)
    found, times = [], []
    for place in (np.flatnonzero(rising & falling & near & (value[1:-1] >= least)) + 1).tolist():
        start, end = np.searchsorted(at, (at[place] - APART_MS, at[place] + APART_MS))
        if value[place] >= value[start : end + 1].max():
            before, top, after = value[place - 1 : place + 2].tolist()
            found.append(place)
            times.append(at[place] + 0.5 * (before - after) / (before - 2.0 * top + after) * step_ms)
    return Crests(np.array(times, np.float64), value[found], step_ms)


def match(above: Crests, below: Crests, length_km: float) -> Matched:
    """The pairs of crests that are each other's nearest to the middle of the time a wave can take over `length_km` (> 0).

    Times that a half step of the data could have moved into the window count as inside.
    """
    slack_h = max(above.step_ms, below.step_ms) / HOUR_MS / 2.0
    quick_h, slow_h = (length_km / 3.6 / speed for speed in (FASTEST_M_PER_S, SLOWEST_M_PER_S))
    if not len(above.at) or not len(below.at):
        return Matched(*(np.empty(0) for _ in range(4)))
    lag_h = (below.at[None, :] - above.at[:, None]) / HOUR_MS
    away = np.abs(lag_h - math.sqrt(quick_h * slow_h))
    away[(lag_h < quick_h - slack_h) | (lag_h > slow_h + slack_h)] = np.inf
    nearest = away.argmin(axis=1)
    rows = np.arange(len(above.at))
    kept = np.isfinite(away[rows, nearest]) & (away[:, nearest].argmin(axis=0) == rows)
    return Matched(above.at[kept], lag_h[rows, nearest][kept], above.value[kept], below.value[nearest[kept]])
