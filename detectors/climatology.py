"""The climatology test of IOOS QARTOD, as a stream: a value that this sensor does not show in this season.

One span for each quarter of the calendar year (UTC), from history. A value outside is SUSPECT, never FAIL: a flood of a century lies
outside every climatology.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.base import Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

_LOW = tuple(f"climatology_min_q{quarter}" for quarter in range(1, 5))
_HIGH = tuple(f"climatology_max_q{quarter}" for quarter in range(1, 5))
FIELDS = " ".join((*_LOW, *_HIGH))
"""Inclusive spans in the unit of the series; NaN: no such bound."""


def quarter_of(observed_at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Quarter of the year, 0 to 3, of instants in milliseconds since 1970-01-01 UTC.

    >>> quarter_of(np.array([0, 86_400_000 * 90, 86_400_000 * 364]))
    array([0, 1, 3])
    """
    months = observed_at.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    quarters: NDArray[np.int64] = months % 12 // 3
    return quarters


def flag(parameters: NDArray[Any], samples: Samples) -> NDArray[np.uint8]:
    """GOOD, SUSPECT, or UNKNOWN where this quarter has no span; both inputs row by row."""
    quarter = quarter_of(samples.observed_at)
    low, high = np.choose(quarter, [parameters[name] for name in _LOW]), np.choose(quarter, [parameters[name] for name in _HIGH])
    outside = (samples.value < low) | (samples.value > high)
    unset = np.isnan(low) & np.isnan(high)
    return np.where(unset, Quality.UNKNOWN, np.where(outside, Quality.SUSPECT, Quality.GOOD)).astype(np.uint8)
