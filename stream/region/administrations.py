"""The administrations of a region as `topology/hierarchy.py` takes them: who leads, who assists, which body they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topology.adcode import level
from topology.hierarchy import Hierarchy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.region.model import Administration, City, Region


def above(cities: Sequence[City], administrations: Mapping[str, Administration]) -> dict[str, tuple[str, ...]]:
    """Everybody above each city, and above each of those; also the ones that only stand in a list of `parents`."""
    found: dict[str, tuple[str, ...]] = {}
    for chain in [*((city.city_id, *city.parents) for city in cities), *((one, *it.parents) for one, it in administrations.items())]:
        for at, one in enumerate(chain):
            found.setdefault(one, chain[at + 1 :])
    return found


def hierarchy(region: Region) -> Hierarchy:
    """The region's cities and administrations with everybody above each."""
    return Hierarchy(above(region.cities, region.administrations))


def recipients(region: Region) -> tuple[str, ...]:
    """Everybody who has topics of his own: the cities, and the administrations that may have to take over."""
    return tuple(sorted(region.above))


def levels(region: Region) -> dict[str, str]:
    """The level of each city and administration, as the region's file names it, or as its adcode says."""
    by_code = {one: level(one) for chain in hierarchy(region).above.values() for one in chain if level(one)}
    return by_code | {city.city_id: city.level for city in region.cities} | {one: it.level for one, it in region.administrations.items()}


def name_of(region: Region, administration_id: str, language: str = "en") -> str:
    """The name of a city or an administration; its id where the region does not name it."""
    at = region.city_index.get(administration_id)
    known = region.cities[at].names if at is not None else {}
    if administration_id in region.administrations:
        known = region.administrations[administration_id].names
    return known.get(language, administration_id)
