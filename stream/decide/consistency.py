"""Two cities that are told different colours of one danger, at one time, where nothing explains the difference: people of both will ask.

A difference is explained by distance, by time (windows that do not overlap), by what the water loses on its way down, by a city's own limits, by
crests that meet, and while a level is only held or kept blind. What is left is flagged in the incident's record and changes nothing else:

- `same_water`: two cities on one reach, at most `SAME_WATER_KM` apart along it (on opposite banks, say), at different levels;
- `upper_is_lower`: two cities under the same source on one line of water, of which the upper one is told less;
- `neighbours`: two cities at most `NEIGHBOURS_KM` apart whom the wind brings the same, or who measure it themselves, two or more levels apart.
"""

from __future__ import annotations

import math
from itertools import pairwise, product
from typing import TYPE_CHECKING, NamedTuple

from stream.decide.odds import Odd
from stream.decide.telling import level_label
from stream.decide.wanted import CRESTS_MEET
from stream.records.incident import Inconsistent
from stream.records.instants import to_text
from stream.region.river_network import network_of
from topology.base import Path
from topology.confluence import passes
from topology.geodesy import distance_km

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState
    from stream.decide.wanted import Wanted
    from topology.base import CityPlace

SAME_WATER, UPPER_IS_LOWER, NEIGHBOURS = "same_water", "upper_is_lower", "neighbours"
SAME_WATER_KM = 2.0
NEIGHBOURS_KM = 10.0
NEIGHBOURS_LEVELS = 2
"""A gradient puts two neighbours on either side of one limit, hardly of two."""
NAMED_MOST = 50
EARTH_KM = 6_371.0


class Coloured(NamedTuple):
    """A city whose level rests on what the evidence wants now, neither held nor blind, and by no limits of its own.

    `time`: from when to when the danger is, or may be, there; what has come lasts at least until now. None: not known.
    """

    city_id: str
    level: int
    wanted: Wanted
    place: CityPlace
    time: tuple[int, int] | None


def look(scene: Scene, incident: IncidentState, wanted: Mapping[str, Wanted], at: int) -> None:
    """Note in the incident which of its cities contradict each other at `at`, and since when."""
    if len(incident.told) < 2 and not incident.odds:  # noqa: PLR2004  it takes two
        return
    known = {(one.city_id, one.other_city_id, one.why): one.since_at for one in incident.odds}
    found = sorted({*_pairs(scene, _coloured(scene, incident, wanted, at))})[:NAMED_MOST]
    incident.odds = tuple(Odd(*one, known.get((one[0], one[2], one[4]), at)) for one in found)


def recorded(incident: IncidentState) -> tuple[Inconsistent, ...]:
    """The pairs as they stand in the incident's record."""
    return tuple(
        Inconsistent(one.city_id, level_label(one.level), one.other_city_id, level_label(one.other_level), one.why, to_text(one.since_at))
        for one in incident.odds
    )


def _coloured(scene: Scene, incident: IncidentState, wanted: Mapping[str, Wanted], at: int) -> list[Coloured]:
    found = []
    for city_id, told in incident.told.items():
        city, now = scene.city(city_id), wanted.get(city_id)
        if told.ended or city is None or now is None or told.below_since is not None or told.blind_since is not None:
            continue
        if city_id not in scene.hazard.limits and CRESTS_MEET not in now.reasons:
            found.append(Coloured(city_id, told.level, now, city.place, _time(now, at)))
    return sorted(found, key=lambda one: one.city_id)


def _time(wanted: Wanted, at: int) -> tuple[int, int] | None:
    if wanted.arrival is None:
        return None
    p10_at, p90_at = wanted.arrival.p10_at, wanted.arrival.p90_at
    return p10_at, max(p90_at, at) if p10_at <= at else p90_at


Pair = tuple[str, int, str, int, str]


def _pairs(scene: Scene, cities: list[Coloured]) -> Iterator[Pair]:
    if scene.hazard.footprint.startswith("river"):
        yield from _same_water(cities)
        yield from _upper_is_lower(scene, cities)
    elif scene.hazard.footprint == "wind":
        yield from _neighbours(cities)


def _pair(one: Coloured, other: Coloured, why: str) -> Pair:
    first, second = sorted((one, other), key=lambda city: city.city_id)
    return first.city_id, first.level, second.city_id, second.level, why


def _same_water(cities: list[Coloured]) -> Iterator[Pair]:
    points: dict[str, list[tuple[float, str, Coloured]]] = {}
    for city in cities:
        for reach, km in city.place.river:
            points.setdefault(reach, []).append((km, city.city_id, city))
    for along in points.values():
        along.sort(key=lambda point: point[:2])
        for number, (km, _, city) in enumerate(along):
            for other_km, _, other in along[number + 1 :]:
                if other_km - km > SAME_WATER_KM:
                    break
                if other.level != city.level and _at_one_time(city, other):
                    yield _pair(city, other, SAME_WATER)


def _upper_is_lower(scene: Scene, cities: list[Coloured]) -> Iterator[Pair]:
    """The cities of each source in the order in which its water reaches them: levels may only fall."""
    led: dict[str, list[Coloured]] = {}
    for city in cities:
        if city.wanted.path == Path.RIVER and city.time is not None:
            led.setdefault(city.wanted.series[0], []).append(city)
    for below in led.values():
        below.sort(key=lambda city: (city.wanted.arrival.p50_at if city.wanted.arrival else 0, city.city_id))
        for upper, lower in pairwise(below):
            if upper.level < lower.level and _one_line(scene, upper, lower):
                yield _pair(upper, lower, UPPER_IS_LOWER)


def _one_line(scene: Scene, upper: Coloured, lower: Coloured) -> bool:
    network = network_of(scene.region)
    if network is None:
        return False
    return any(bool(passes(network, [one, other])[0, 1]) for one, other in product(upper.place.river, lower.place.river))


def _neighbours(cities: list[Coloured]) -> Iterator[Pair]:
    """Cities are sorted into cubes as wide as neighbours may be apart, so that only those of adjoining cubes are compared."""
    cubes: dict[tuple[int, int, int], list[Coloured]] = {}
    for city in cities:
        cubes.setdefault(_cube(city.place), []).append(city)
    for (x, y, z), here in cubes.items():
        near = [other for dx, dy, dz in product((-1, 0, 1), repeat=3) for other in cubes.get((x + dx, y + dy, z + dz), ())]
        for city, other in product(here, near):
            if city.city_id < other.city_id and abs(city.level - other.level) >= NEIGHBOURS_LEVELS and _beside(city, other):
                yield _pair(city, other, NEIGHBOURS)


def _beside(one: Coloured, other: Coloured) -> bool:
    alike = one.wanted.path == other.wanted.path and _at_one_time(one, other)
    apart_km = distance_km(one.place.latitude, one.place.longitude, other.place.latitude, other.place.longitude)
    return alike and bool(apart_km <= NEIGHBOURS_KM)


def _at_one_time(one: Coloured, other: Coloured) -> bool:
    return one.time is None or other.time is None or (one.time[0] <= other.time[1] and other.time[0] <= one.time[1])


def _cube(place: CityPlace) -> tuple[int, int, int]:
    latitude, longitude = math.radians(place.latitude), math.radians(place.longitude)
    around = EARTH_KM * math.cos(latitude)
    axes = around * math.cos(longitude), around * math.sin(longitude), EARTH_KM * math.sin(latitude)
    x, y, z = (math.floor(axis / NEIGHBOURS_KM) for axis in axes)
    return x, y, z
