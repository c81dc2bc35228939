"""The factor from the unit a sender wrote to the unit a series is kept in, remembered with its answer so that junk costs little."""

from __future__ import annotations

import re
from functools import lru_cache

from stream.accept.refusal import Fault, Refused, quoted
from stream.region.quantities import factor, unit_is_known

# What a unit may look like at all: an expression parser must never see a tower of powers or a page of text.
_UNIT = re.compile(r"[A-Za-zµμΩ°%³²·/*^()0-9. _-]{1,32}")
_TOWER = re.compile(r"\d{3}|(\*\*|\^).*(\*\*|\^)|(\*\*|\^)\s*\(?-?\d\d")


@lru_cache(maxsize=4096)
def conversion(unit_from: str, unit_to: str) -> float | Fault:
    """The factor, or why there is none.

    >>> conversion("cm", "m"), conversion("kg", "m").reason.value, conversion("furlongz", "m").reason.value, conversion("9**9**9", "m").reason.value
    (0.01, 'unit_incompatible', 'unit_unknown', 'unit_unknown')
    """
    if not _UNIT.fullmatch(unit_from) or _TOWER.search(unit_from):
        return Fault(Refused.UNIT_UNKNOWN, quoted(unit_from))
    try:
        return factor(unit_from, unit_to)
    except ValueError:
        if unit_is_known(unit_from):
            return Fault(Refused.UNIT_INCOMPATIBLE, f"{quoted(unit_from)} cannot become {quoted(unit_to)}")
        return Fault(Refused.UNIT_UNKNOWN, quoted(unit_from))


def warm() -> None:
    """Load the unit registry now (half a second), so that the first odd unit in the traffic delays nothing behind it."""
    conversion("cm", "m")
