"""Which limits the detectors of a hazard compare a series with: read from the region, never from the warning."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from detectors.base import Level

if TYPE_CHECKING:
    from stream.records.warning import EvidenceSummary
    from stream.region.model import DetectorUse
    from stream.review.explain_facts import Facts

_COLOURS = tuple(level.label for level in Level if level is not Level.NONE)
_FACTORS = {"yellow": "yellow_factor", "orange": "orange_factor", "red": "red_factor"}


class Limits(NamedTuple):
    """The limits a detector has for a series, by level, and in what they are: a unit, or "" for an index."""

    by_level: dict[str, float]
    unit: str
    is_index: bool = False


def limits_of(use: DetectorUse, row: int, unit: str) -> Limits | None:
    """The limits that a detector compares a series with; None for detectors that judge by chance, or not this series."""
    at = next((place for place, one in enumerate(use.rows.tolist()) if one == row), None)
    names = use.parameters.dtype.names or ()
    if at is None:
        return None
    record = use.parameters[at]
    if "limit" in names:
        lowest = float(record["limit"])
        known = {"blue": lowest} | {level: lowest * float(record[name]) for level, name in _FACTORS.items() if name in names}
        return _known(known, unit)
    for pattern, told, is_index in (
        ("{}", unit, False),
        ("{}_aqi", "", True),
        ("rise_{}_per_h", f"{unit}/h", False),
        ("{}_mean", unit, False),
    ):
        if pattern.format("blue") in names:
            return _known(
                {level: float(record[pattern.format(level)]) for level in _COLOURS if pattern.format(level) in names}, told, is_index
            )
    return None


def _known(by_level: dict[str, float], unit: str, is_index: bool = False) -> Limits | None:
    found = {level: limit for level, limit in by_level.items() if not math.isnan(limit)}
    return Limits(found, unit, is_index) if found else None


def times_limit(facts: Facts, one: EvidenceSummary) -> float | None:
    """How many times the lowest limit a value is, where its unit is that of the limits; None where it is below, or has none."""
    for known in limits(facts, one.series):
        lowest = min(known.by_level.values())
        if known.unit == one.unit and one.value >= lowest > 0:
            return one.value / lowest
    return None


def limits(facts: Facts, series: str, detector: str = "") -> list[Limits]:
    """The limits of a series in the hazard's detectors (all, or the one named), as the region that the warning was made with has them."""
    region, hazard = facts.region, facts.hazard
    row = None if region is None else region.series.row_of.get(series)
    if region is None or hazard is None or row is None:
        return []
    uses = [use for use in hazard.detectors if not detector or use.name == detector]
    return [known for use in uses if (known := limits_of(use, row, region.series.unit[row])) is not None]
