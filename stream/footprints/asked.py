"""What a person asks a footprint, in that person's words."""

from __future__ import annotations

import math
from typing import NamedTuple


class Asked(NamedTuple):
    """`at`: int ms. `value` NaN = not said; `wind`: (m/s, degrees it blows from); `discharge` (m3/s) at the source."""

    source: str
    hazard: str
    at: int
    value: float = math.nan
    wind: tuple[float, float] | None = None
    discharge: float = math.nan


def numbers(text: str) -> tuple[float, float] | None:
    """Two finite numbers with a comma between, None if it is not that.

    >>> numbers("45.7, 126.6"), numbers("harbin")
    ((45.7, 126.6), None)
    """
    first, comma, second = text.partition(",")
    try:
        found = float(first), float(second)
    except ValueError:
        return None
    return found if comma and all(map(math.isfinite, found)) else None
