"""How sure a limit detector is: the probability that the true value is at or above the lowest limit, given the measurement's error.

A level alone hides whether a gauge stands a hand above its limit or a hair; fusion needs the difference. Errors are taken as normal with
no bias: P(true >= limit | measured) = P(Z >= (limit - measured) / error_sd).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detectors.normal import upper_tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def exceedance(value: Floats, lowest: Floats, error_sd: Floats) -> Floats | None:
    """Probability of each value (n,) to be truly at or above the lowest of its limits (n,); error_sd (n,) in the value's unit.

    None if no series states its error; NaN where it is not stated or not positive, or no limit is set.

    >>> lowest = np.array([2.0, 2.0, 2.0])
    >>> [round(float(one), 4) for one in exceedance(np.array([2.0, 1.9, 2.3]), lowest, np.array([0.1, 0.1, np.nan]))]
    [0.5, 0.1587, nan]
    """
    known = error_sd > 0.0
    if not known.any():
        return None
    return upper_tail(np.divide(lowest - value, error_sd, out=np.full(len(value), np.nan), where=known))
