"""From the puffs that touch a city to one answer: how likely, since or from when, until when, how strongly.

A source that lasts for days sends puffs all the time. Those that have passed are history; of the present exposure, the beginning is that
of the unbroken row of puffs before it, so that the arrival does not move as time goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from topology.arrival import HOUR_MS, last_left_at
from topology.base import Arrival

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from topology.base import Source
    from topology.cloud import Cloud
    from topology.puffs import Touches

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Exposure:
    """Per city: the share of members that touch it now or later, their mean strength, and quantiles of beginning (10, 50, 90 %) and end (90 %), ms."""

    share: Floats
    strength: Floats
    begins_ms: Floats
    ends_ms: Floats
    floor_ms: float

    def arrivals(self, source: Source) -> list[Arrival | None]:
        """The instants of every city; windows are at least the floor wide to either side, and begin with the source at the earliest."""
        found: list[Arrival | None] = []
        for share, p10, p50, p90, end in zip(self.share.tolist(), *self.begins_ms.tolist(), self.ends_ms.tolist(), strict=True):
            if share <= 0.0:
                found.append(None)
                continue
            p10_at = max(source.onset_at, round(min(p10, p50 - self.floor_ms)))
            p90_at = round(max(p90, p50 + self.floor_ms))
            found.append(Arrival(p10_at, max(p10_at, round(p50)), p90_at, max(p90_at, round(end))))
        return found


def exposure(found: Touches, cloud: Cloud, source: Source, now: int, parameters: Mapping[str, float]) -> Exposure:
    """Put touches [city, member, release] together by city, as of `now`. Members weigh the same; each city is answered on its own."""
    clearing_ms = parameters["clearing_h"] * HOUR_MS
    hit = np.isfinite(found.first_ms)
    alive = hit & (found.last_ms + clearing_ms >= now)
    if source.ended_at is None:
        # A source that lasts has sent more since: what its newest puff touches is not clear before it is known to have ended.
        alive[..., -1] |= hit[..., -1]
    begins = _beginnings(found.first_ms, hit, alive, cloud.started_at - cloud.tracks.at_ms[0])
    # The newest puff stands for all that left until the newest measurement, no more and no less.
    later_ms = np.zeros(alive.shape[2])
    later_ms[-1] = min(last_left_at(source), now) - cloud.lasted_to
    ends = np.where(alive, found.last_ms + later_ms, -np.inf).max(axis=2)
    any_alive = alive.any(axis=2)
    count = any_alive.sum(axis=1)
    strength = np.where(alive, found.strength, 0.0).max(axis=2).sum(axis=1) / np.maximum(count, 1)
    quantiles = np.stack(quantiles_of(begins, count, (0.1, 0.5, 0.9)))
    return Exposure(
        count / any_alive.shape[1],
        strength,
        quantiles,
        quantiles_of(np.where(any_alive, ends, np.inf), count, (0.9,))[0] + clearing_ms,
        parameters["floor_h"] * HOUR_MS,
    )


def _beginnings(first_ms: Floats, hit: NDArray[np.bool_], alive: NDArray[np.bool_], before_ms: float) -> Floats:
    """By city and member, when the unbroken row of touching puffs began to which the first living one belongs; inf if none lives.

    A row that begins with the first puff followed began as much earlier as the source did (`before_ms`, not positive).
    """
    begins = np.full(first_ms.shape[:2], np.inf)
    row = np.full(first_ms.shape[:2], np.inf)
    for release in range(first_ms.shape[2]):
        new = first_ms[..., release] + (before_ms if release == 0 else 0.0)
        row = np.where(hit[..., release], np.where(np.isfinite(row), row, new), np.inf)
        begins = np.where(alive[..., release] & ~np.isfinite(begins), row, begins)
    return begins


def quantiles_of(values: Floats, count: NDArray[np.intp], shares: tuple[float, ...]) -> list[Floats]:
    """Those quantiles of the `count` smallest values of each row (linear between them); inf where there are none.

    >>> [one.tolist() for one in quantiles_of(np.array([[3.0, np.inf, 1.0]]), np.array([2]), (0.5, 1.0))]
    [[2.0], [3.0]]
    """
    ordered = np.sort(values, axis=1)
    rows, last = np.arange(values.shape[0]), np.maximum(count - 1, 0)
    found = []
    for share in shares:
        place = share * last
        low = place.astype(np.intp)
        first, then = ordered[rows, low], ordered[rows, np.minimum(low + 1, last)]
        apart = np.subtract(then, first, out=np.zeros_like(first), where=count > 0)
        found.append(np.asarray(first + (place - low) * apart, dtype=np.float64))
    return found
