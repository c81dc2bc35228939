"""A jump that a neighbour shows too is water, not a broken sensor: the question asked at grid instants of a domain.

The stream's own spike test waits for the next sample of the same station. With a neighbour on the same river the answer may come sooner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def corroborated(change: Floats, neighbour_changes: Floats, *, share: float = 0.3, least: float | Floats = 0.0) -> NDArray[np.bool_]:
    """Which changes (n,) at least one neighbour (n, m; NaN where there is none or its sample is not good) confirms.

    Changes are over the same time, in the unit of the series or as logarithms (gauges of different size). A neighbour confirms a change that
    goes the same way by at least `share` of it (0 to 1) and by at least `least` (so that noise confirms nothing).

    >>> jumps = np.array([2.0, 2.0, -2.0])
    >>> corroborated(jumps, np.array([[0.1, 0.9], [np.nan, -1.0], [np.nan, np.nan]]))
    array([ True, False, False])
    """
    same_way = neighbour_changes * np.sign(change)[:, None]
    enough = np.maximum(share * np.abs(change), least)[:, None]
    return np.asarray(((same_way >= enough) & (same_way > 0.0)).any(axis=1))
