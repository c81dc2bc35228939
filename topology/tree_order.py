"""Orders of a river network computed with numpy alone, from downstream pointers in any order.

Everything rests on pointer doubling: after k rounds each reach knows the sum over its next 2^k reaches downstream, so twenty rounds of
array operations do what a loop over a million reaches would. The numbering is a pre-order walk from the outlets ("modified nested set",
Haag & Shokoufandeh, arXiv 1611.09131) that goes up the largest branch first: what lies upstream of a reach is then one interval of
indices, and what lies downstream falls into at most log2(n) + 1 runs of consecutive ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTLET = -1


class PreOrder(NamedTuple):
    """`order`: the reach (old index) at each new index; `size`: by new index, how many reaches lie upstream, itself included."""

    order: NDArray[np.int64]
    size: NDArray[np.int32]


def sums_below(down: NDArray[np.integer], values: NDArray[Any]) -> NDArray[Any]:
    """For each reach the sum of `values` over all reaches strictly downstream. `down`: index of the next reach, -1 at an outlet; no cycles.

    >>> sums_below(np.array([1, 2, -1, 1]), np.array([1.0, 10.0, 100.0, 1000.0])).tolist()
    [110.0, 100.0, 0.0, 110.0]
    """
    # One more element stands for what lies beyond an outlet: nothing, and itself its own next.
    beyond = len(down)
    jump = np.append(np.where(down == OUTLET, beyond, down), beyond)
    total = np.append(values, np.zeros(1, dtype=values.dtype))[jump]
    while (jump != beyond).any():
        total += total[jump]
        jump = jump[jump]
    return np.asarray(total[:-1])


def stuck(down: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which reaches never come to an outlet: they lie on a cycle or above one. `down` may point anywhere.

    >>> stuck(np.array([1, 2, 1, -1, 3])).tolist()
    [True, True, True, False, False]
    """
    beyond = len(down)
    jump = np.append(np.where(down == OUTLET, beyond, down), beyond)
    for _ in range(beyond.bit_length()):
        jump = jump[jump]
    return np.asarray(jump[:-1] != beyond)


def pre_order(down: NDArray[np.integer]) -> PreOrder:
    """The pre-order of a tree (or several), the largest branch first, ties by old index. No cycles.

    >>> [part.tolist() for part in pre_order(np.array([2, 2, -1, 1]))]
    [[2, 1, 3, 0], [4, 2, 1, 1]]
    """
    count = len(down)
    parent = np.where(down == OUTLET, count, down)
    size = _sizes(parent)
    by_parent = np.argsort(parent.astype(np.int64) * (count + 1) + (count - size), kind="stable")
    first = np.empty(count, dtype=np.bool_)
    first[:1] = True
    first[1:] = parent[by_parent[1:]] != parent[by_parent[:-1]]
    before = np.cumsum(size[by_parent]) - size[by_parent]
    # Sizes of the siblings that come earlier: running total minus that at the first sibling.
    offset = np.empty(count, dtype=np.int64)
    offset[by_parent] = before - np.maximum.accumulate(np.where(first, before, 0))
    step = offset + (parent != count)
    new_index = step + sums_below(down, step.astype(np.float64)).astype(np.int64)
    order = np.empty(count, dtype=np.int64)
    order[new_index] = np.arange(count)
    return PreOrder(order, size[order].astype(np.int32))


def run_ends(down: NDArray[np.integer]) -> NDArray[np.int32]:
    """For reaches in pre-order the lowest reach of each one's run: from i to `run_ends(down)[i]` each flows into the index before it."""
    at = np.arange(len(down))
    return np.asarray(np.maximum.accumulate(np.where((down == OUTLET) | (down != at - 1), at, 0)), dtype=np.int32)


def topological_order(start: NDArray[np.integer], below: NDArray[np.integer]) -> NDArray[np.int64]:
    """Reaches from the outlets up, each after everything it flows into: `below[start[i]:start[i + 1]]`.

    Reaches on a cycle and above one are missing.
    """
    count = len(start) - 1
    owner = np.repeat(np.arange(count), np.diff(start))
    inside = below != OUTLET
    waits = np.bincount(owner[inside], minlength=count)
    by_below = np.argsort(below[inside], kind="stable")
    above, above_count = owner[inside][by_below], np.bincount(below[inside], minlength=count)
    above_start = np.cumsum(above_count) - above_count
    # Level by level: everything whose water has only levels before it to go through.
    levels, ready = [], np.flatnonzero(waits == 0)
    while len(ready):
        levels.append(ready)
        upper = above[ranges(above_start[ready], above_count[ready])]
        np.subtract.at(waits, upper, 1)
        ready = np.unique(upper[waits[upper] == 0])
    return np.concatenate(levels) if levels else np.zeros(0, dtype=np.int64)


def ranges(begin: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """begin[0], begin[0] + 1, ... (count[0] of them), begin[1], ...

    >>> ranges(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist()
    [5, 6, 9, 10, 11]
    """
    shift = begin - (np.cumsum(count) - count)
    return np.asarray(np.repeat(shift, count) + np.arange(count.sum()))


def _sizes(parent: NDArray[np.integer]) -> NDArray[np.int64]:
    """Number of reaches upstream of each, itself included: those within 2^k steps, then within 2^(k + 1) by one jump of 2^k."""
    count = len(parent)
    jump = np.append(parent, count)
    size = np.ones(count + 1)
    size[count] = 0.0
    while (jump != count).any():
        size = size + np.bincount(jump, weights=size, minlength=count + 1)
        size[count] = 0.0
        jump = jump[jump]
    return np.asarray(size[:count], dtype=np.int64)
