"""What can be wrong with `travel.csv`, all of it at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from topology.base import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topology.base import Places

TABLE = "travel.csv"
# A gravity model needs an origin and a destination.
_FEWEST_POPULATIONS = 2


def travel_faults(places: Places) -> tuple[Fault, ...]:
    """Every fault of travel by line: unknown cities, a city to itself, repeated pairs, numbers; or nothing to model travel from."""
    known = [city.city_id for city in places.cities if city.population > 0]
    if not places.travel and len(places.cities) >= _FEWEST_POPULATIONS > len(known):
        fix = "give travel.csv, or the population of at least two cities"
        return (Fault("cities.geojson", 0, "population", "neither travel nor populations are known", fix),)
    return tuple(_row_faults(places))


def _row_faults(places: Places) -> Iterator[Fault]:
    cities = {city.city_id for city in places.cities}
    seen: dict[tuple[str, str], int] = {}
    for row in places.travel:
        for field, city_id in (("origin", row.origin), ("destination", row.destination)):
            if city_id not in cities:
                yield Fault(TABLE, row.line, field, f"{city_id!r} is not a city of the region", "use an id of cities.geojson")
        if row.origin == row.destination:
            yield Fault(TABLE, row.line, "destination", f"{row.origin!r} travels to itself", "remove the row")
        pair = (row.origin, row.destination)
        if pair in seen:
            yield Fault(TABLE, row.line, "destination", f"{row.origin!r} -> {row.destination!r} repeats line {seen[pair]}", "remove one")
        seen.setdefault(pair, row.line)
        if not (row.travellers_per_day >= 0.0 and math.isfinite(row.travellers_per_day)):
            yield Fault(TABLE, row.line, "travellers_per_day", f"{row.travellers_per_day:g} is out of range", "give a number >= 0")
