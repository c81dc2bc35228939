"""Which series are one witness: what stands at one place sees the same, so it counts once, however many instruments there are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stream.decide.placing import station_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.decide.state import SourceState
    from stream.region.model import Region

Place = tuple[str, float, float]
_RIVER_KM, _DEGREES = 1, 3
"""Places are told apart to 0.1 km along a river and to 0.001 degree (about 0.1 km) on land."""


def place_of(region: Region, row: int) -> Place:
    """Where a series is measured, for comparison only; a station whose place is not known is a place of its own."""
    table = region.series
    if table.reach[row] and math.isfinite(table.reach_km[row]):
        return table.reach[row], round(float(table.reach_km[row]), _RIVER_KM), 0.0
    latitude, longitude = float(table.latitude[row]), float(table.longitude[row])
    if math.isfinite(latitude) and math.isfinite(longitude):
        return "", round(latitude, _DEGREES), round(longitude, _DEGREES)
    return "station " + table.station[row], 0.0, 0.0


def stands_at(region: Region, source: SourceState) -> Place:
    """Where a source is a witness; what a person reported is nobody's measurement, so it stands beside what is measured there."""
    row = region.series.row_of.get(source.series)
    return ("station " + station_of(region, source), 0.0, 0.0) if row is None else place_of(region, row)


def witnesses(region: Region, sources: Iterable[SourceState]) -> dict[str, str]:
    """For each series the witness it belongs to: the first station (by name) of those given that stand at its place."""
    places: dict[Place, list[SourceState]] = {}
    for one in sources:
        places.setdefault(stands_at(region, one), []).append(one)
    found: dict[str, str] = {}
    for together in places.values():
        name = min(station_of(region, one) for one in together)
        found |= dict.fromkeys((one.series for one in together), name)
    return found
