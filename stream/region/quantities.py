"""What can be measured, in which unit the service keeps it, and the factor from any other unit.

Detectors and footprints read some quantities in a fixed unit (the air index knows micrograms, the wind footprint metres per second):
these are kept in exactly that unit (`fixed`). Of the others a series may choose any unit of the same dimension.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Quantity:
    """A known quantity: the unit it is kept in, and whether a series may choose another one of the same dimension."""

    unit: str
    fixed: bool = False


_AIR = ("pm25", "pm10", "so2", "no2", "o3")
_IN_WATER = ("ammonia", "arsenic", "benzene", "cadmium", "chromium", "cod", "concentration", "cyanide", "lead", "mercury", "nitrate")
_IN_WATER_TOO = ("nitrobenzene", "oil", "phenol", "phosphorus", "zinc")

QUANTITIES: Mapping[str, Quantity] = {
    "stage": Quantity("m"),
    "discharge": Quantity("m3/s", fixed=True),
    "rainfall": Quantity("mm"),
    "wind_speed": Quantity("m/s", fixed=True),
    "wind_direction": Quantity("deg", fixed=True),
    "cases": Quantity("count", fixed=True),
    "co": Quantity("mg/m3", fixed=True),
    **{name: Quantity("ug/m3", fixed=True) for name in _AIR},
    **{name: Quantity("mg/l") for name in _IN_WATER + _IN_WATER_TOO},
}

# Spellings that instruments use and pint does not know.
_SPELLINGS = {
    "count": "dimensionless",
    "counts": "dimensionless",
    "cases": "dimensionless",
    "case": "dimensionless",
    "1": "dimensionless",
    "deg": "degree",
    "°": "degree",
    "cumec": "m**3/s",
    "cumecs": "m**3/s",
    "cfs": "ft**3/s",
    "kt": "knot",
}
# Units come from gateways too: what is handed to pint's expression parser has no parentheses and no towers of powers (10**10**10 never ends).
_READABLE = re.compile(r"[A-Za-zµμ°%][A-Za-zµμ°_]{0,31}[23²³]?([/*·][A-Za-zµμ°][A-Za-zµμ°_]{0,31}[23²³]?){0,3}|1")
_POWER = re.compile(r"(?<=[a-zA-Z])([23])(?![0-9])")


def unit_of(quantity: str) -> str:
    """The unit a quantity is kept in, "" if the quantity is not a known one.

    >>> unit_of("discharge"), unit_of("nitrobenzene"), unit_of("happiness")
    ('m3/s', 'mg/l', '')
    """
    known = QUANTITIES.get(quantity)
    return known.unit if known else ""


def factor(unit_from: str, unit_to: str) -> float:
    """What a value in `unit_from` is multiplied by to be in `unit_to`; ValueError if a unit is unknown or the dimensions differ.

    Scales with an offset (degrees Celsius to Fahrenheit) are refused: no factor converts them. Answers are remembered, refusals too.

    >>> factor("m", "m"), factor("cm", "m"), factor("mg/m3", "ug/m3"), factor("ug/l", "mg/l")
    (1.0, 0.01, 1000.0, 0.001)
    """
    if unit_from == unit_to and unit_from:
        return 1.0
    found = _factor(unit_from, unit_to)
    if isinstance(found, str):
        raise ValueError(found)  # noqa: TRY004  the text is the reason, not a wrong type
    return found


@lru_cache(maxsize=4096)
def _factor(unit_from: str, unit_to: str) -> float | str:
    """The factor, or why there is none (a text, so that a gateway's wrong unit costs its parsing once and not per measurement)."""
    for unit in (unit_from, unit_to):
        if not _READABLE.fullmatch(unit.strip()):
            return f"{unit!r} is not written like a unit (for example m3/s, ug/m3, mg/l)"
    # pint takes half a second to import and a millisecond to convert: only for units that differ, and once each.
    import pint

    try:
        one, to = (_registry().Quantity(1.0, _registry().parse_units(_spelling(unit))) for unit in (unit_from, unit_to))
        if unit_from.strip() != unit_to.strip() and not (one._is_multiplicative and to._is_multiplicative):  # noqa: SLF001
            return f"{unit_from} to {unit_to} has an offset, no factor converts it"
        # Round-off of the conversion (1000.0000000000001) would show in every value.
        return float(f"{one.to(to.units).magnitude:.13g}")
    except (pint.errors.PintError, ArithmeticError, AttributeError, TypeError, AssertionError, ValueError) as error:
        return f"there is no factor from {unit_from!r} to {unit_to!r} ({error})"


def unit_is_known(unit: str) -> bool:
    """Whether the unit can be read at all.

    >>> unit_is_known("ug/m3"), unit_is_known("furlongz")
    (True, False)
    """
    return isinstance(_factor(unit, unit), float)


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(cache_folder=None)


def _spelling(unit: str) -> str:
    known = _SPELLINGS.get(unit.strip().lower())
    if known:
        return known
    text = unit.strip().replace("µ", "u").replace("μ", "u").replace("³", "3").replace("²", "2").replace("·", "*")
    return _POWER.sub(r"**\1", text)
