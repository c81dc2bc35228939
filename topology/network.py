"""The river network: rows of `reaches.csv` become immutable flat arrays, and one walk answers "what lies below".

A network is a directed acyclic graph: most rivers are trees, deltas and canals split with a stated share of the flow. The arrays are
tuples where the walk reads single items (twice as fast as numpy there) and numpy where whole columns are computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from topology.base import Fault, TopologyError
from topology.network_faults import network_faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from topology.base import Reach

OUTLET = -1
# Bits of `Below.marks`; the caller's own bits (per reach) use the lower ones.
SEVERAL_BRANCHES = 1 << 16


@dataclass(frozen=True, slots=True)
class Network:
    """A validated river network of n reaches; a reach is its index in `reaches`.

    The branches below reach i are `below[start[i]:start[i + 1]]` (index, or OUTLET) with their shares of the flow in `fraction`.
    `rank` is the position in a topological order (upstream before downstream). Columns are NaN where nothing was given.
    """

    reaches: tuple[str, ...]
    index: Mapping[str, int]
    length_km: tuple[float, ...]
    start: tuple[int, ...]
    below: tuple[int, ...]
    fraction: tuple[float, ...]
    rank: tuple[int, ...]
    celerity_m_per_s: NDArray[np.float64]
    velocity_m_per_s: NDArray[np.float64]
    residence_h: NDArray[np.float64]
    mean_discharge_m3_per_s: NDArray[np.float64]


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
    faults = network_faults(rows)
    if faults:
        raise TopologyError(faults)
    first = {row.reach: row for row in reversed(rows)}
    reaches = tuple(dict.fromkeys(row.reach for row in rows))
    index = {reach: i for i, reach in enumerate(reaches)}
    branches: list[list[tuple[int, float]]] = [[] for _ in reaches]
    for row in rows:
        # A single row needs no fraction; the fault check made sure that several rows have one each.
        fraction = 1.0 if np.isnan(row.fraction) else row.fraction
        branches[index[row.reach]].append((index[row.downstream] if row.downstream else OUTLET, fraction))
    start = tuple(np.concatenate(([0], np.cumsum([len(b) for b in branches], dtype=np.int64))).tolist())
    below = tuple(to for b in branches for to, _ in b)
    return Network(
        reaches=reaches,
        index=MappingProxyType(index),
        length_km=tuple(float(first[r].length_km) for r in reaches),
        start=start,
        below=below,
        fraction=tuple(f for b in branches for _, f in b),
        rank=_topological_rank(start, below),
        celerity_m_per_s=_column([first[r].celerity_m_per_s for r in reaches]),
        velocity_m_per_s=_column([first[r].velocity_m_per_s for r in reaches]),
        residence_h=_column([first[r].residence_h for r in reaches]),
        mean_discharge_m3_per_s=_column([first[r].mean_discharge_m3_per_s for r in reaches]),
    )


def position_fault(network: Network, reach: str, km: float, table: str, line: int = 0) -> Fault | None:
    """What is wrong with a place on the river (a station's or a city's), None if nothing: unknown reach, or km outside 0..length."""
    at = network.index.get(reach)
    if at is None:
        return Fault(table, line, "reach", f"no reach {reach!r} in reaches.csv", "use an id of reaches.csv or leave it empty")
    length_km = network.length_km[at]
    if not 0.0 <= km <= length_km:
        return Fault(table, line, "reach_km", f"km {km:g} is outside reach {reach!r}", f"give 0 (upstream end) to {length_km:g}")
    return None


def downstream(network: Network, reach: str, km: float) -> tuple[Below, ...]:
    """Every reach that water at (`reach`, `km` from its upstream end) passes, by shortest way, in topological order, source first.

    `hours` is 0 throughout: no clock is involved. Raises `TopologyError` for an unknown reach or a kilometre outside it.
    """
    still = (0.0,) * len(network.reaches)
    return descend(network, reach, km, still, (0,) * len(network.reaches))


def descend(network: Network, reach: str, km: float, hours_per_km: Sequence[float], marks: Sequence[int]) -> tuple[Below, ...]:
    """`downstream` by a clock: `hours_per_km` (inf = unknown) and `marks` (bits) of every reach; paths are the quickest ones.

    Where branches meet again, shares add up, the quicker path gives distance and hours, and the marks of all paths are kept together
    with SEVERAL_BRANCHES.
    """
    fault = position_fault(network, reach, km, "source")
    if fault is not None:
        raise TopologyError((fault,))
    at = network.index[reach]
    passed: list[Below] = []
    waiting = {at: Below(at, float(km), 0.0, 0.0, 1.0, 0, -1)}
    queue = [(network.rank[at], at)]
    while queue:
        _, here = heappop(queue)
        best = waiting.pop(here)
        position = len(passed)
        passed.append(best)
        run_km = network.length_km[here] - best.entry_km
        hours = best.hours + (run_km * hours_per_km[here] if run_km > 0.0 else 0.0)
        bits = best.marks | (marks[here] if run_km > 0.0 else 0)
        for edge in range(network.start[here], network.start[here + 1]):
            to, share = network.below[edge], best.share * network.fraction[edge]
            if to == OUTLET or share == 0.0:
                continue
            new = Below(to, 0.0, best.distance_km + run_km, hours, share, bits, position)
            known = waiting.get(to)
            if known is None:
                heappush(queue, (network.rank[to], to))
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


def _topological_rank(start: Sequence[int], below: Sequence[int]) -> tuple[int, ...]:
    """Kahn's algorithm, smallest index first among the free ones, so the order depends on the table only."""
    count = len(start) - 1
    above = [0] * count
    for to in below:
        if to != OUTLET:
            above[to] += 1
    free = [i for i in range(count) if above[i] == 0]
    heapify(free)
    rank = [0] * count
    for position in range(count):
        here = heappop(free)
        rank[here] = position
        for to in below[start[here] : start[here + 1]]:
            if to == OUTLET:
                continue
            above[to] -= 1
            if above[to] == 0:
                heappush(free, to)
    return tuple(rank)


def _column(values: Sequence[float]) -> NDArray[np.float64]:
    column = np.asarray(values, dtype=np.float64)
    column.flags.writeable = False
    return column
