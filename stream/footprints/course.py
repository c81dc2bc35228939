"""Where a river runs on a map, as far as the region knows: straight lines between the places on it whose coordinates are known.

Reaches have kilometres, not coordinates, so this is a scheme to look at. No time and no distance is ever computed from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from topology.network import downstream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.region.model import Region
    from topology.base import Source
    from topology.network import Network

Point = tuple[float, float]
"""Latitude, longitude (degrees)."""
_SAME_KM = 0.05


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch of river as points; `below`: the source's water passes it."""

    points: tuple[Point, ...]
    below: bool


@dataclass(frozen=True, slots=True)
class Course:
    """The network, and by reach its places with coordinates: (km from the upstream end, latitude, longitude), rising."""

    network: Network
    known: Mapping[str, tuple[tuple[float, float, float], ...]]

    def position(self, reach: str, km: float) -> Point:
        """Coordinates of a kilometre: between the known places on either side, else at the nearest of the reach; NaN if it has none."""
        known = self.known.get(reach, ())
        if not known:
            return math.nan, math.nan
        for (before, *here), (after, *there) in pairwise(known):
            if before <= km <= after:
                part = (km - before) / (after - before)
                return here[0] + part * (there[0] - here[0]), here[1] + part * (there[1] - here[1])
        nearest = min(known, key=lambda one: abs(one[0] - km))
        return nearest[1], nearest[2]

    def lines(self, source: Source) -> tuple[Line, ...]:
        """All stretches between known places; those below the source begin at it."""
        passed = (
            {self.network.reaches[one.reach] for one in downstream(self.network, source.reach, source.reach_km)} if source.reach else set()
        )
        found: list[Line] = []
        for reach, known in self.known.items():
            onward = self._onward(reach)
            if reach == source.reach:
                here = self.position(reach, source.reach_km)
                above = [one[1:] for one in known if one[0] < source.reach_km]
                found.append(Line((*above, here), below=False))
                found.append(Line((here, *(one[1:] for one in known if one[0] > source.reach_km), *onward), below=True))
            else:
                found.append(Line((*(one[1:] for one in known), *onward), below=reach in passed))
        return tuple(line for line in found if len(set(line.points)) > 1)

    def reaches(self) -> dict[str, Line]:
        """By reach: its known places and the next one below; what has fewer than two is left out."""
        lines = {reach: Line((*(one[1:] for one in known), *self._onward(reach)), below=False) for reach, known in self.known.items()}
        return {reach: line for reach, line in lines.items() if len(set(line.points)) > 1}

    def _onward(self, reach: str) -> tuple[Point, ...]:
        """The first known place below the reach's lower end, along the first branch where it splits."""
        at = self.network.index[reach]
        while True:
            first, end = int(self.network.start[at]), int(self.network.start[at + 1])
            if first == end or int(self.network.below[first]) < 0:
                return ()
            at = int(self.network.below[first])
            if known := self.known.get(self.network.reaches[at]):
                return (known[0][1:],)


def course_of(region: Region, network: Network) -> Course:
    """The course from the region's cities and stations that have both a kilometre and coordinates."""
    series = region.series
    found: dict[str, dict[float, Point]] = {}
    for row, reach in enumerate(series.reach):
        if reach and not math.isnan(series.latitude[row] + series.longitude[row]):
            _note(found.setdefault(reach, {}), float(series.reach_km[row]), (float(series.latitude[row]), float(series.longitude[row])))
    for city in region.cities:
        for reach, km in city.place.river:
            _note(found.setdefault(reach, {}), km, (city.place.latitude, city.place.longitude))
    return Course(
        network, {reach: tuple((km, *places[km]) for km in sorted(places)) for reach, places in found.items() if reach in network.index}
    )


def _note(places: dict[float, Point], km: float, point: Point) -> None:
    """One place a kilometre, the first one told (a station stands nearer to the water than the centre of its city)."""
    if all(abs(km - other) > _SAME_KM for other in places):
        places[km] = point
