"""From a source to the points below it: by differences of sums to the outlet in a tree, by the walk where rivers split.

In a tree the time between two places is the difference of their times to the outlet, and a mark was met on the way when the numbers of
marked reaches below the two differ: a few array operations however far the water goes, no walk. Reaches without a known speed count
as 0 h in the sums and are counted beside them, so that one of them far downstream does not spoil what lies before it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from topology.network import descend
from topology.tree_order import OUTLET, sums_below

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from topology.network import Network, Tree
    from topology.river_points import Points


@dataclass(frozen=True, slots=True, eq=False)
class ToOutlet:
    """Sums over all reaches strictly downstream of each reach: known hours, reaches without a known speed, and reaches with each mark."""

    hours: NDArray[np.float64]
    unknown: NDArray[np.int32]
    marked: tuple[tuple[int, NDArray[np.int32]], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Hours per km of each reach (inf where no speed is known) and the marks (bits) that say where they come from.

    `to_outlet` makes questions on a tree quick; without it (`replace(clock, hours_per_km=..., to_outlet=None)`) the walk answers.
    """

    hours_per_km: NDArray[np.float64]
    marks: NDArray[np.int32]
    to_outlet: ToOutlet | None = None


class Ways(NamedTuple):
    """Ways from a source, one a point (row of `Points`), nearest first; the columns of `river.Reached`."""

    point: NDArray[np.intp]
    distance_km: NDArray[np.float64]
    hours: NDArray[np.float64]
    share: NDArray[np.float64]
    marks: NDArray[np.int64]

    def at(self, rows: NDArray[np.intp]) -> Ways:
        """Some of the ways."""
        return Ways(self.point[rows], self.distance_km[rows], self.hours[rows], self.share[rows], self.marks[rows])


class Start(NamedTuple):
    """Where water starts (reach number, km from its upstream end), how far it is followed, and whether it meets all points of its own reach."""

    reach: int
    km: float
    within_km: float = math.inf
    whole_reach: bool = False


def clock_of(network: Network, hours_per_km: NDArray[np.float64], marks: NDArray[np.int32]) -> Clock:
    """The clock with its sums to the outlet (none where rivers split)."""
    if network.tree is None:
        return Clock(hours_per_km, marks)
    runs = network.length_km > 0.0
    unknown = np.isinf(hours_per_km)
    hours = np.where(unknown, 0.0, hours_per_km) * network.length_km
    bits = [1 << bit for bit in range(int(np.bitwise_or.reduce(marks, initial=0)).bit_length())]
    down = network.below
    return Clock(
        hours_per_km,
        marks,
        ToOutlet(
            sums_below(down, hours),
            sums_below(down, (unknown & runs).astype(np.int32)),
            tuple((bit, sums_below(down, ((marks & bit != 0) & runs).astype(np.int32))) for bit in bits if (marks & bit).any()),
        ),
    )


def ways_below(network: Network, clock: Clock, points: Points, start: Start) -> Ways:
    """The way to every point below the start; to a point on several paths the quickest, as `network.descend` tells."""
    if network.tree is None or clock.to_outlet is None:
        return by_walk(network, clock, points, start)
    return _by_sums(network, (network.tree, clock.to_outlet), clock, points, start)


def _by_sums(network: Network, sums: tuple[Tree, ToOutlet], clock: Clock, points: Points, start: Start) -> Ways:
    (tree, below), at, length = sums, start.reach, network.length_km
    rest_km = length.item(at) - start.km
    point, on_own = _points_below(network, tree, points, start)
    reach, km = points.reach[point], points.km[point]
    distance = np.maximum(tree.below_km.item(at) + rest_km - (tree.below_km[reach] + length[reach] - km), 0.0)
    distance[:on_own] = np.maximum(km[:on_own] - start.km, 0.0)
    if start.within_km < math.inf:
        near = int(np.searchsorted(distance, start.within_km, side="right"))
        point, reach, km, distance, on_own = point[:near], reach[:near], km[:near], distance[:near], min(on_own, near)
    per_km, own = clock.hours_per_km[reach], clock.hours_per_km.item(at)
    unknown, entered, runs = np.isinf(per_km), km > 0.0, rest_km > 0.0
    left_h = below.hours.item(at) + (rest_km * own if runs and own < math.inf else 0.0)
    hours = np.maximum(left_h - (below.hours[reach] + (length[reach] - km) * np.where(unknown, 0.0, per_km)), 0.0)
    # A reach counts for the source when water runs some of it, and not yet for a point at its upper end.
    not_yet = ~entered & (length[reach] > 0.0)
    hours[below.unknown.item(at) + (own == math.inf and runs) - below.unknown[reach] - (unknown & not_yet) > 0] = math.inf
    hours[:on_own] = np.where(distance[:on_own] > 0.0, distance[:on_own] * own if own < math.inf else math.inf, 0.0)
    own_marks, marks_there = clock.marks.item(at), clock.marks[reach]
    marks = np.zeros(len(point), dtype=np.int64)
    for bit, count in below.marked:
        met = count.item(at) + (own_marks & bit != 0 and runs) - count[reach] - ((marks_there & bit != 0) & not_yet)
        marks[met > 0] |= bit
    marks[:on_own] = np.where(distance[:on_own] > 0.0, own_marks, 0)
    return Ways(point, distance, hours, np.ones(len(point)), marks)


def _points_below(network: Network, tree: Tree, points: Points, start: Start) -> tuple[NDArray[np.intp], int]:
    """The points from the start downstream, in the order they are passed, and how many of them lie on the start's own reach."""
    first, last = points.from_.item(start.reach + 1), points.from_.item(start.reach)
    if not start.whole_reach:
        first += int(np.searchsorted(points.km[first:last], start.km))
    spans, on_own, here = [(first, last)], last - first, start.reach
    source_km = tree.below_km.item(here) + network.length_km.item(here) - start.km
    while here != OUTLET:
        low = tree.run.item(here)
        first, last = points.from_.item(here + 1) if here != start.reach else last, points.from_.item(low)
        if last > first:
            spans.append((first, last))
        if source_km - tree.below_km.item(low) > start.within_km:
            break
        here = network.below.item(network.start.item(low))
    return np.concatenate([np.arange(first, last) for first, last in spans]), on_own


def by_walk(network: Network, clock: Clock, points: Points, start: Start) -> Ways:
    """`ways_below` by walking from reach to reach: for networks that split, and the oracle of the sums."""
    found: list[tuple[int, float, float, float, int]] = []
    for passed in descend(network, network.reaches[start.reach], start.km, clock.hours_per_km, clock.marks, start.within_km):
        here = passed.reach
        everywhere = start.whole_reach and here == start.reach
        for point in range(points.from_.item(here + 1), points.from_.item(here)):
            run_km = points.km.item(point) - passed.entry_km
            if run_km < 0.0 and not everywhere:
                continue
            if run_km <= 0.0:
                found.append((point, passed.distance_km, passed.hours, passed.share, passed.marks))
                continue
            hours = passed.hours + run_km * clock.hours_per_km.item(here)
            found.append((point, passed.distance_km + run_km, hours, passed.share, passed.marks | clock.marks.item(here)))
    near = sorted((way for way in found if way[1] <= start.within_km), key=lambda way: (way[2], way[1]))
    return Ways(
        np.array([way[0] for way in near], dtype=np.intp),
        np.array([way[1] for way in near], dtype=np.float64),
        np.array([way[2] for way in near], dtype=np.float64),
        np.array([way[3] for way in near], dtype=np.float64),
        np.array([way[4] for way in near], dtype=np.int64),
    )
