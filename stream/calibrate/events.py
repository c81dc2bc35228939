"""Which alarms were right: those of a series that reached its own lowest level within a week, before or after.

A budget is one of *false* alarms. Wet decades have more floods, so thresholds that kept within a budget of all alarms in dry years break it
in wet ones; what is left without the floods hardly changes from decade to decade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from detectors.base import Samples

    Instants = NDArray[np.int64]

WITHIN_MS = 7 * 86_400_000


def reached(given: Sequence[Samples], lowest: NDArray[np.float64]) -> tuple[Instants, ...]:
    """The instants (ms, ascending) at which each series stood at or above its lowest level; `lowest` by row of the samples, NaN = none."""
    rows, instants = [np.empty(0, dtype=np.intp)], [np.empty(0, dtype=np.int64)]
    for one in given:
        above = one.value >= lowest[one.rows]
        rows.append(one.rows[above])
        instants.append(one.observed_at[above])
    row, at = np.concatenate(rows), np.concatenate(instants)
    return tuple(at[row == series] for series in range(len(lowest)))


def right(events: Instants, alarmed_at: int, known_before: float) -> bool:
    """Whether an alarm at this instant (ms) stands beside an event that happened before `known_before`.

    >>> day = 86_400_000
    >>> events = np.array([10 * day, 50 * day])
    >>> [right(events, at * day, 45 * day) for at in (2, 3, 17, 18, 49)]
    [False, True, True, False, False]
    """
    first = int(np.searchsorted(events, alarmed_at - WITHIN_MS))
    return first < len(events) and int(events[first]) <= alarmed_at + WITHIN_MS and int(events[first]) < known_before
