"""Effective distance of Brockmann and Helbing (Science 342:1337, 2013): how near two cities are for a disease.

A link from n to m that carries the share P of the travellers leaving n has length 1 - ln P; the effective distance is the shortest way
(the most probable one, each further link costing a factor e).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Origins whose ways a matrix keeps: 3,000 cities take 72 kB each.
KEPT_ORIGINS = 256


@dataclass(frozen=True, slots=True)
class Ways:
    """The nearest way from one origin to every city: effective `distance` (inf = not connected), number of `links`, city `previous` to it.

    `previous` is -1 at the origin and where there is no way. Read-only arrays.
    """

    distance: NDArray[np.float64]
    links: NDArray[np.int64]
    previous: NDArray[np.int64]


def link_lengths(travellers_per_day: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length 1 - ln P of every link [origin, destination]; inf where nobody travels. Every length is at least 1."""
    leaving = travellers_per_day.sum(axis=1, keepdims=True)
    share = np.divide(travellers_per_day, leaving, out=np.zeros_like(travellers_per_day), where=leaving > 0.0)
    lengths = np.full(share.shape, np.inf)
    np.log(share, out=lengths, where=share > 0.0)
    return np.where(share > 0.0, 1.0 - lengths, np.inf)


def shortest_from(lengths: NDArray[np.float64], origin: int) -> Ways:
    """The nearest ways from `origin`. Dijkstra on a dense matrix, one vector step a city: O(n^2). Ties go to the lower index."""
    count = lengths.shape[0]
    distance = np.full(count, np.inf)
    links = np.zeros(count, dtype=np.int64)
    previous = np.full(count, -1, dtype=np.int64)
    distance[origin] = 0.0
    open_distance = distance.copy()
    for _ in range(count):
        here = int(open_distance.argmin())
        if open_distance[here] == np.inf:
            break
        by_here = lengths[here] + distance[here]
        nearer = np.flatnonzero(by_here < distance)
        if len(nearer):
            found = by_here[nearer]
            distance[nearer] = found
            open_distance[nearer] = found
            links[nearer] = links[here] + 1
            previous[nearer] = here
        open_distance[here] = np.inf
    for array in (distance, links, previous):
        array.flags.writeable = False
    return Ways(distance, links, previous)


class NearestWays:
    """`shortest_from` for one matrix, which answers a repeated question from memory (the newest `KEPT_ORIGINS` origins).

    The matrix must not change any more. What is remembered decides when something is computed, never what comes out: to its callers this is
    a pure function of the origin, and two of them over equal matrices are equal.
    """

    def __init__(self, lengths: NDArray[np.float64]) -> None:
        self._lengths = lengths
        self.from_origin = lru_cache(maxsize=KEPT_ORIGINS)(partial(shortest_from, lengths))

    def __call__(self, origin: int) -> Ways:
        """The nearest ways from `origin`."""
        return self.from_origin(origin)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NearestWays) and np.array_equal(self._lengths, other._lengths)

    __hash__ = None  # type: ignore[assignment]  # equal by content, which is an array
