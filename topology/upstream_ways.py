"""The way up a river: every reach from which water comes to a place, and how long it takes.

One slice and one subtraction of arrays in a tree; where rivers split, one pass over the reaches above in the order of their numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from topology.tree_order import OUTLET

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from topology.network import Network, Tree
    from topology.river import Clock


@dataclass(frozen=True, slots=True, eq=False)
class Upstream:
    """The reaches (numbers, rising) above a place, its own included.

    `length_km`: of the reach, on the place's own reach only down to the place. `lower_h`: median hours from its lower end (or the place) to the
    place by the quickest path, `hours` the same from the middle of `length_km`; inf when a speed on the way is not known.
    """

    reach: NDArray[np.int64]
    length_km: NDArray[np.float64]
    lower_h: NDArray[np.float64]
    hours: NDArray[np.float64]

    def only(self, reaches: NDArray[np.int64]) -> Upstream:
        """Those that are among `reaches`."""
        kept = np.isin(self.reach, reaches)
        return Upstream(self.reach[kept], self.length_km[kept], self.lower_h[kept], self.hours[kept])

    def hours_from(self, row: int, km: float, clock: Clock) -> float:
        """Hours from `km` of the reach in a row to the place."""
        run_km = self.length_km.item(row) - km
        return self.lower_h.item(row) + (run_km * clock.hours_per_km.item(int(self.reach[row])) if run_km > 0.0 else 0.0)


def hours_to(network: Network, clock: Clock, reach: str, km: float) -> Upstream:
    """Everything above a place that is on the network (see `network.position_fault`)."""
    at = network.index[reach]
    if network.tree is None or clock.to_outlet is None:
        above, lower_h = _by_pass(network, clock, at, km)
    else:
        above, lower_h = _by_slice(network, network.tree, clock, (at, km))
    length_km = network.length_km[above]
    length_km[0] = km
    per_km = clock.hours_per_km[above]
    with np.errstate(invalid="ignore"):
        run_h = np.where(length_km > 0.0, length_km / 2.0 * per_km, 0.0)
    return Upstream(above, length_km, lower_h, lower_h + run_h)


def _by_slice(network: Network, tree: Tree, clock: Clock, place: tuple[int, float]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    at, km = place
    end = at + tree.size.item(at)
    below, per_km = clock.to_outlet, clock.hours_per_km.item(at)
    if below is None:
        return _by_pass(network, clock, at, km)
    unsure = per_km == math.inf
    rest_h = below.hours.item(at) + (0.0 if unsure else network.length_km.item(at) * per_km)
    above_place_h = km * per_km if km > 0.0 else 0.0
    # From the lower end of a reach above to the lower end of the place's own, less what lies below the place.
    hours = np.maximum(below.hours[at:end] - rest_h, 0.0) + above_place_h
    between = below.unknown[at:end] - below.unknown.item(at) - (unsure and network.length_km.item(at) > 0.0)
    hours[between > 0] = math.inf
    hours[0] = 0.0
    return np.arange(at, end), hours


def _by_pass(network: Network, clock: Clock, at: int, km: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    per_km, length = clock.hours_per_km, network.length_km
    # From the upper end of each reach found so far to the place.
    upper = {at: km * per_km.item(at) if km > 0.0 else 0.0}
    lower = {at: 0.0}
    for here in range(at + 1, len(network.reaches)):
        to = [upper[b] for b in network.below[network.start[here] : network.start[here + 1]].tolist() if b != OUTLET and b in upper]
        if to:
            lower[here] = min(to)
            run_km = length.item(here)
            upper[here] = lower[here] + (run_km * per_km.item(here) if run_km > 0.0 else 0.0)
    return np.array(list(lower), dtype=np.int64), np.array(list(lower.values()))
