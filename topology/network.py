"""The river network: rows of `reaches.csv` become immutable flat arrays, and one walk answers "what lies below".

A network is a directed acyclic graph: most rivers are trees, deltas and canals split with a stated share of the flow. Reaches are numbered
so that water always flows to a smaller number, whatever the order of the table. In a tree the numbering is a pre-order walk, so that
"upstream of" is one interval and "downstream of" a few runs (see `tree_order.py`); the walk here is the general answer, and the oracle of
the quick one (`downstream.py`).
"""

from __future__ import annotations

import math
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from topology.base import Fault, TopologyError
from topology.network_arrays import COLUMNS, Network, Tree, bank_arrays, jurisdictions, laid_out
from topology.network_faults import column_faults
from topology.reach_columns import columns_of
from topology.reach_ids import by_name, find
from topology.tree_order import OUTLET, pre_order, ranges, run_ends, sums_below, topological_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from topology.base import Reach
    from topology.reach_columns import ReachColumns

__all__ = ["Below", "Network", "Tree", "build_network", "descend", "downstream", "jurisdictions", "network_of", "path_to", "position_fault"]

# Bits of `Below.marks`; the caller's own bits (per reach) use the lower ones.
SEVERAL_BRANCHES = 1 << 16


class Below(NamedTuple):
    """A reach that water from the source passes, entered at `entry_km` (0, or the source's kilometre on its own reach).

    `distance_km` and `hours` are along the quickest path from the source to that entry (`hours` is inf when a reach on the way has no
    known speed); `share` is the part of the source's water that passes here, over all paths; `marks` are the bits of the reaches
    passed; `previous` is the position in the walk of the reach before, -1 at the source.
    """

    reach: int
    entry_km: float
    distance_km: float
    hours: float
    share: float
    marks: int
    previous: int


def build_network(rows: Sequence[Reach]) -> Network:
    """Validate the rows and lay them out flat. Raises `TopologyError` with every fault of the table (see `network_faults`)."""
    return network_of(columns_of(rows))


def network_of(columns: ReachColumns) -> Network:
    """The network of a table's columns; a million reaches take a few seconds. Raises `TopologyError` with every fault.

    The order of the rows does not matter: the same reaches give the same network.
    """
    faults = column_faults(columns)
    if faults:
        raise TopologyError(faults)
    rows, first = _by_reach(columns)
    names, count = columns.reach[rows[first]], np.diff(np.append(first, len(rows)))
    to = find(names, np.arange(len(names), dtype=np.int32), columns.downstream[rows])
    upstream = pre_order(to) if len(first) == len(rows) else None
    order = topological_order(np.append(first, len(rows)), to) if upstream is None else upstream.order
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    edges = ranges(first[order], count[order])
    # -1, an outlet, finds the last element.
    below = np.append(number, OUTLET)[to[edges]].astype(np.int32)
    fraction, taken = columns.fraction[rows][edges], rows[first][order]
    arrays: dict[str, NDArray[Any]] = {
        "ids": columns.reach[taken],
        "by_name": number.astype(np.int32),
        "start": np.append(0, np.cumsum(count[order])).astype(np.int32),
        "below": below,
        # A single row needs no fraction; the fault check made sure that several rows have one each.
        "fraction": np.where(np.isnan(fraction), 1.0, fraction),
        **{name: getattr(columns, name)[taken] for name in COLUMNS},
        **_banks(columns, taken),
    }
    if upstream is not None:
        arrays.update(size=upstream.size, run=run_ends(below), below_km=sums_below(below, arrays["length_km"]))
    return laid_out(arrays)


def position_fault(network: Network, reach: str, km: float, table: str, line: int = 0) -> Fault | None:
    """What is wrong with a place on the river (a station's or a city's), None if nothing: unknown reach, or km outside 0..length."""
    at = network.index.get(reach)
    if at is None:
        return Fault(table, line, "reach", f"no reach {reach!r} in reaches.csv", "use an id of reaches.csv or leave it empty")
    length_km = network.length_km.item(at)
    if not 0.0 <= km <= length_km:
        return Fault(table, line, "reach_km", f"km {km:g} is outside reach {reach!r}", f"give 0 (upstream end) to {length_km:g}")
    return None


def downstream(network: Network, reach: str, km: float) -> tuple[Below, ...]:
    """Every reach that water at (`reach`, `km` from its upstream end) passes, by shortest way, in topological order, source first.

    `hours` is 0 throughout: no clock is involved. Raises `TopologyError` for an unknown reach or a kilometre outside it.
    """
    count = len(network.reaches)
    return descend(network, reach, km, np.zeros(count), np.zeros(count, dtype=np.int32))


def descend(
    network: Network, reach: str, km: float, hours_per_km: NDArray[np.float64], marks: NDArray[np.int32], within_km: float = math.inf
) -> tuple[Below, ...]:
    """`downstream` by a clock: `hours_per_km` (inf = unknown) and `marks` (bits) of every reach; paths are the quickest ones.

    Where branches meet again, shares add up, the quicker path gives distance and hours, and the marks of all paths are kept together
    with SEVERAL_BRANCHES. Reaches entered more than `within_km` below the source are left out.
    """
    fault = position_fault(network, reach, km, "source")
    if fault is not None:
        raise TopologyError((fault,))
    at = network.index[reach]
    passed: list[Below] = []
    waiting = {at: Below(at, float(km), 0.0, 0.0, 1.0, 0, -1)}
    queue = [-at]
    while queue:
        # Water flows to smaller numbers: the largest number waiting has nothing above it left.
        here = -heappop(queue)
        best = waiting.pop(here)
        position = len(passed)
        passed.append(best)
        run_km = network.length_km.item(here) - best.entry_km
        hours = best.hours + (run_km * hours_per_km.item(here) if run_km > 0.0 else 0.0)
        bits = best.marks | (marks.item(here) if run_km > 0.0 else 0)
        if best.distance_km + run_km > within_km:
            continue
        for edge in range(network.start.item(here), network.start.item(here + 1)):
            to, share = network.below.item(edge), best.share * network.fraction.item(edge)
            if to == OUTLET or share == 0.0:
                continue
            new = Below(to, 0.0, best.distance_km + run_km, hours, share, bits, position)
            known = waiting.get(to)
            if known is None:
                heappush(queue, -to)
                waiting[to] = new
            else:
                waiting[to] = _joined(known, new)
    return tuple(passed)


def path_to(network: Network, walk: Sequence[Below], position: int) -> tuple[str, ...]:
    """The reach ids from the source to `walk[position]`, both included, along the path `descend` chose."""
    path: list[str] = []
    while position >= 0:
        path.append(network.reaches[walk[position].reach])
        position = walk[position].previous
    return tuple(reversed(path))


def _joined(known: Below, new: Below) -> Below:
    quicker = new if (new.hours, new.distance_km) < (known.hours, known.distance_km) else known
    return quicker._replace(share=known.share + new.share, marks=known.marks | new.marks | SEVERAL_BRANCHES)


def _by_reach(columns: ReachColumns) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows by reach id, then by share and by where they lead; and where in that order each reach begins."""
    rows = by_name(columns.reach).astype(np.int64)
    names = columns.reach[rows]
    first = np.flatnonzero(np.append(np.ones(min(1, len(names)), dtype=np.bool_), names[1:] != names[:-1]))
    branches = np.diff(np.append(first, len(rows)))
    if len(first) < len(rows):
        rank = np.repeat(np.arange(len(first)), branches)
        several = np.flatnonzero((branches > 1)[rank])
        some = rows[several]
        rows[several] = some[np.lexsort((columns.downstream[some], -columns.fraction[some], rank[several]))]
    return rows, first


def _banks(columns: ReachColumns, taken: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    left, right = columns.left[taken], columns.right[taken]
    border = np.flatnonzero((left != b"") | (right != b"")).tolist()
    return bank_arrays({at: [side.decode() for side in (left[at], right[at]) if side] for at in border})
