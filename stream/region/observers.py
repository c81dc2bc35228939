"""Which series can see a danger coming for a city: its own, and all those whose footprint includes it.

The footprint module itself is asked, with a probe source at every station, so coverage can never disagree with whom it warns. Where the
danger goes with the wind any station of the airshed may be upwind: all of them count, for the cities of that airshed.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import numpy as np

from stream.region.places import RIVER
from topology.base import Conditions, Source, TopologyError
from topology.base import footprint as footprint_module
from topology.geodesy import distance_km

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stream.region.model import City
    from stream.region.stations import Series
    from topology.base import Footprint

WIND = "wind"
# A footprint may leave out what is too faint to matter; the probe asks about a danger large enough to matter wherever it can go.
_PROBE_VALUE = 1_000.0


def observers(
    footprint: str, graph: Any, rows: NDArray[np.int32], series: Sequence[Series], cities: Sequence[City]
) -> tuple[NDArray[np.int32], ...]:
    """For each city the rows (sorted) of the hazard's series that can see its danger coming. `graph`: built for `footprint`."""
    seen: list[set[int]] = [set() for _ in cities]
    for row in rows.tolist():
        if series[row].city >= 0:
            seen[series[row].city].add(row)
    if footprint == WIND:
        _whole_airshed(rows, series, cities, seen)
    elif footprint:
        _by_probe(footprint, graph, rows, series, cities, seen)
    found = tuple(np.array(sorted(row_numbers), dtype=np.int32) for row_numbers in seen)
    for array in found:
        array.flags.writeable = False
    return found


def _by_probe(
    footprint: str, graph: Any, rows: NDArray[np.int32], series: Sequence[Series], cities: Sequence[City], seen: list[set[int]]
) -> None:
    module, index, conditions = footprint_module(footprint), {city.city_id: at for at, city in enumerate(cities)}, Conditions(now=0)
    points = _points_on_reaches(cities)
    reached: dict[tuple[str, int, int], tuple[int, ...]] = {}
    for row in rows.tolist():
        one = series[row]
        # Stations on one reach between the same cities see the same cities downstream, those in one city travel the same ways:
        # one question answers for all of them.
        on_river = footprint.startswith(RIVER) and bool(one.reach)
        asked = (one.reach, bisect_left(points.get(one.reach, ()), one.reach_km), -1) if on_river else ("", 0, one.city)
        if asked not in reached:
            try:
                found = _affected(module, graph, _probe(one, cities, on_river), conditions)
            except TopologyError:  # a place that is not on the network: already a problem of its line
                found = ()
            reached[asked] = tuple(index[city_id] for city_id in found)
        for city in reached[asked]:
            seen[city].add(row)


def _affected(module: Footprint, graph: Any, source: Source, conditions: Conditions) -> tuple[str, ...]:
    """The ids of the cities in a footprint, by the module's own quicker answer if it has one."""
    own = getattr(module, "affected", None)
    return own(graph, source, conditions) if own else tuple(impact.city_id for impact in module.footprint(graph, source, conditions))


def _points_on_reaches(cities: Sequence[City]) -> dict[str, list[float]]:
    """The kilometres at which cities lie on each reach, in order."""
    points: dict[str, list[float]] = {}
    for city in cities:
        for reach, km in city.place.river:
            points.setdefault(reach, []).append(km)
    return {reach: sorted(kms) for reach, kms in points.items()}


def _probe(one: Series, cities: Sequence[City], on_river: bool) -> Source:
    """A danger at the series' place. On a river it belongs to no city, so that what lies downstream is the whole answer."""
    city_id = cities[one.city].city_id if one.city >= 0 and not on_river else ""
    return Source(one.series, city_id, one.latitude, one.longitude, one.reach, one.reach_km, 0, 0, None, _PROBE_VALUE, 1.0)


def _whole_airshed(rows: NDArray[np.int32], series: Sequence[Series], cities: Sequence[City], seen: list[set[int]]) -> None:
    """Every series of an airshed observes each of its cities: those where one of its stations stands, and those nearest to it."""
    by_domain: dict[int, list[int]] = {}
    for row in rows.tolist():
        by_domain.setdefault(series[row].domain, []).append(row)
    members: list[set[int]] = [set() for _ in cities]
    for domain, its_rows in by_domain.items():
        for row in its_rows:
            if series[row].city >= 0:
                members[series[row].city].add(domain)
    located = [row for row in rows.tolist() if not math.isnan(series[row].latitude + series[row].longitude)]
    latitude, longitude = (np.array([getattr(series[row], name) for row in located]) for name in ("latitude", "longitude"))
    for at, city in enumerate(cities):
        if not members[at] and located:
            away = distance_km(city.place.latitude, city.place.longitude, latitude, longitude)
            members[at].add(series[located[int(away.argmin())]].domain)
        elif not members[at] and len(by_domain) == 1:
            members[at].update(by_domain)
        for domain in members[at]:
            seen[at].update(by_domain[domain])
