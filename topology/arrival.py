"""From travel hours to instants: the part of every footprint that turns a duration and its spread into an `Arrival`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topology.base import Impact, Source

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# The 90th percentile of the standard normal distribution; the 10th is its negative.
Z90 = 1.2815515655446004


def log_normal_hours(median_h: float, log_sd: float, floor_h: float = 0.0) -> tuple[float, float, float]:
    """10th, 50th and 90th percentile of a log-normal duration (h), at least `floor_h` from the median, never below 0.

    The floor keeps the window of a near city honest: clocks of gauges and a step of the data are not better than that.

    >>> [round(h, 2) for h in log_normal_hours(10.0, 0.35)]
    [6.39, 10.0, 15.66]
    >>> log_normal_hours(0.0, 0.35, 0.5)
    (0.0, 0.0, 0.5)
    """
    factor = math.exp(Z90 * log_sd)
    return max(0.0, min(median_h / factor, median_h - floor_h)), median_h, max(median_h * factor, median_h + floor_h)


def instant(start_at: int, hours: float) -> int:
    """The instant `hours` after `start_at` (int ms UTC, rounded to the millisecond)."""
    return start_at + round(hours * HOUR_MS)


def last_left_at(source: Source) -> int:
    """When the last of the danger known so far left the source: its end, or the newest measurement that still supports it."""
    left_at = source.observed_at if source.ended_at is None else source.ended_at
    return max(left_at, source.onset_at)


def nearest_first(found: Iterable[tuple[float, Impact]]) -> tuple[Impact, ...]:
    """Impacts in their defined order: known arrivals by median, then those that cannot be timed by distance (km); ties by city id."""

    def key(item: tuple[float, Impact]) -> tuple[bool, float, float, str]:
        distance_km, impact = item
        at = 0 if impact.arrival is None else impact.arrival.p50_at
        return impact.arrival is None, at, distance_km, impact.city_id

    return tuple(impact for _, impact in sorted(found, key=key))
