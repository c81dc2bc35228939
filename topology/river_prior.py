"""Arrivals at many cities at once, as long as nothing but the source is known: what `river_forecast.py` tells city by city, as columns.

On a continental river hundreds of cities lie below a source, and before the first passage or report all of them have the same kind of
answer. Every number is the very one that the way city by city gives: sums, products and roots are rounded alike in arrays; exponentials and
powers are left to the same functions, because those of arrays differ in the last digit, and from one processor to the next.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from topology import river_pace
from topology.arrival import HOUR_MS, Z90, nearest_first
from topology.base import Arrival, Impact, Path
from topology.river import way_confidence, way_reasons
from topology.river_forecast import UNTIMED
from topology.river_learning import prior_spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from topology.base import Source
    from topology.river import Reached
    from topology.river_forecast import Pace

MANY = 8
"""Cities; with fewer, one after the other is quicker than arrays."""


class Prior(NamedTuple):
    """Columns, a row for each of `reached`: whether a time is known, and the window where it is (int64 ms UTC)."""

    reached: Sequence[Reached]
    timed: NDArray[np.bool_]
    p10_at: NDArray[np.int64]
    p50_at: NDArray[np.int64]
    p90_at: NDArray[np.int64]


class Strength(NamedTuple):
    """Columns of the same rows: when the danger has passed (int64 ms UTC, where a time is known), probability and intensity (0..1)."""

    passed_at: NDArray[np.int64]
    probability: Sequence[float]
    intensity: Sequence[float]


def prior(pace: Pace, source: Source, reached: Sequence[Reached]) -> Prior:
    """The windows of all cities, counted from the onset."""
    hours = np.array([one.hours for one in reached], dtype=np.float64)
    timed = hours < math.inf
    median_h = np.where(timed, hours, 0.0) * pace.factor
    log_sd, clock_sd_h = prior_spread(pace.spread, np.array([one.distance_km for one in reached], dtype=np.float64))
    at_10, at_90 = (median_h + math.copysign(1.0, z) * _half_window(median_h, z * log_sd, z * clock_sd_h) for z in (-Z90, Z90))
    window = (np.maximum(source.onset_at, instants(source.onset_at, hours)) for hours in (at_10, median_h, at_90))
    return Prior(reached, timed, *window)


def _half_window(median_h: NDArray[np.float64], log_way: NDArray[np.float64], clock_h: float) -> NDArray[np.float64]:
    """From the median to a quantile (h), as `Forecast.hours_at`."""
    way = median_h * each(math.expm1, log_way)
    return np.asarray(np.sqrt(way * way + clock_h**2))


def impacts(found: Prior, strength: Strength) -> tuple[Impact, ...]:
    """Whole impacts in their defined order."""
    instants = (found.p10_at, found.p50_at, found.p90_at, np.maximum(strength.passed_at, found.p90_at))
    windows = zip(*(column.tolist() for column in instants), strict=True)
    rows = zip(found.reached, found.timed.tolist(), windows, strength.probability, strength.intensity, strict=True)
    whole = []
    for reached, timed, window, probability, intensity in rows:
        trust, reasons = _known(reached.marks, timed=timed)
        arrival, because = (Arrival(*window), "") if timed else (None, UNTIMED)
        impact = Impact(reached.city_id, Path.RIVER, probability, arrival, intensity, trust, because, reasons, reached.asset)
        whole.append((reached.distance_km, impact))
    return nearest_first(whole)


@cache
def _known(marks: int, *, timed: bool) -> tuple[float, tuple[str, ...]]:
    """Confidence and reasons, which only a handful of kinds of ways differ in."""
    return river_pace.confidence(way_confidence(marks, 0.0), 0, timed=timed), way_reasons(marks)


def each(function: Callable[[float], float], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The function of every value."""
    return np.array([function(value) for value in values.tolist()], dtype=np.float64)


def instants(start_at: int, hours: NDArray[np.float64]) -> NDArray[np.int64]:
    """`arrival.instant` of every row."""
    return start_at + np.rint(hours * HOUR_MS).astype(np.int64)
