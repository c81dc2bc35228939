"""Crests that meet: the waters of several branches of a river that pass a place at about the same time add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from topology.network import downstream, position_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from topology.base import Arrival
    from topology.network import Network


def passes(network: Network, places: Sequence[tuple[str, float]]) -> NDArray[np.bool_]:
    """For n places (reach, km from its upstream end) whether water from place i passes place j, (n, n); a place passes itself.

    A place that is not on the network passes none but itself.

    >>> from topology.base import Reach
    >>> from topology.network import build_network
    >>> network = build_network([Reach("left", "stem", 10.0), Reach("right", "stem", 10.0), Reach("stem", "", 10.0)])
    >>> passes(network, [("left", 5.0), ("right", 9.0), ("stem", 0.0)]).astype(int).tolist()
    [[1, 0, 1], [0, 1, 1], [0, 0, 1]]
    """
    found = np.eye(len(places), dtype=np.bool_)
    known = [at for at, place in enumerate(places) if position_fault(network, *place, "") is None]
    reach = [network.index[places[at][0]] for at in known]
    for i, upper in zip(known, reach, strict=True):
        if network.tree is None:
            below = {passed.reach for passed in downstream(network, *places[i])}
        for j, lower in zip(known, reach, strict=True):
            if upper == lower:
                found[i, j] = places[j][1] >= places[i][1]
            elif network.tree is not None:
                found[i, j] = lower < upper < lower + int(network.tree.size[lower])
            else:
                found[i, j] = lower in below
    return found


def overlap(one: Arrival, other: Arrival) -> bool:
    """Whether the windows (P10 to P90) of two arrivals have an instant in common."""
    return one.p10_at <= other.p90_at and other.p10_at <= one.p90_at
