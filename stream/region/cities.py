"""`cities.geojson`: who can be warned, where they lie, on which river, and who stands above them.

A feature with a Polygon, MultiPolygon or Point (with `radius_km`) is a city. One without geometry is only an administration above
others (a province, a river commission), named as their `parent`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import shapely
from shapely.errors import ShapelyError

from stream.region.geojson import read_features
from stream.region.model import Administration, City
from stream.region.names import IDENTIFIER, IDENTIFIER_FIX, RESERVED_CITIES
from stream.region.problems import nearest
from topology.adcode import above_by_code, canonical, same_place
from topology.base import CityPlace, TopologyError
from topology.hierarchy import build_hierarchy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.region.geojson import Feature
    from stream.region.problems import Findings

FILE = "cities.geojson"
PROPERTIES = ("id", "name_zh", "name_en", "level", "parent", "parents", "adcode", "population", "river", "radius_km", "note")
_KM_PER_DEGREE = 111.2
_POPULATION_MAX = 1e9
_RADIUS_MAX_KM = 1_000.0
_Points = tuple[tuple[tuple[str, float], ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Cities:
    """The cities in the order of their ids, the polygons of those that have one, and the line of each in the file.

    `administrations`: what stands above them and is no city itself.
    """

    cities: tuple[City, ...]
    index: Mapping[str, int]
    areas: Mapping[str, Any]
    lines: Mapping[str, int]
    administrations: Mapping[str, Administration]


@dataclass(slots=True)
class _Place:
    """Where a city lies (degrees, km); `area` None for a point with a radius."""

    latitude: float = math.nan
    longitude: float = math.nan
    radius_km: float = math.nan
    area: Any = None


@dataclass(slots=True)
class _Found:
    features: dict[str, Feature] = field(default_factory=dict)
    parent: dict[str, str] = field(default_factory=dict)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_cities(data: bytes, reach_length_km: Mapping[str, float] | None, findings: Findings) -> Cities | None:
    """The cities; None if the file as a whole cannot be read. `reach_length_km`: by reach id, None = not known (then not checked)."""
    features = read_features(FILE, data, findings)
    if features is None:
        return None
    found = _Found()
    for feature in features:
        _register(feature, found)
    above = _above(found, findings)
    cities, areas, lines, administrations = [], {}, {}, {}
    for city_id in sorted(found.features):
        feature = found.features[city_id]
        if feature.geometry is None:
            administrations[city_id] = Administration(_names(feature), feature.string("level"), above.get(city_id, ()))
            continue
        place = _place(feature, feature.geometry)
        cities.append(_city(city_id, feature, place, above.get(city_id, ()), _river(feature, reach_length_km)))
        lines[city_id] = feature.line("id")
        if place.area is not None:
            areas[city_id] = place.area
    if not cities:
        findings.add(FILE, 0, "", "holds no city that could be warned", "add a feature with a geometry")
    _refuse_same_place(cities, lines, findings)
    return Cities(tuple(cities), {city.city_id: at for at, city in enumerate(cities)}, areas, lines, administrations)


def _refuse_same_place(cities: Sequence[City], lines: Mapping[str, int], findings: Findings) -> None:
    """Two cities that are one administration (110000 and its pseudo-city 110100) would be warned twice of one danger."""
    code = {city.city_id: city.adcode for city in cities}
    for first, *others in same_place(code):
        for other in others:
            what = f"{other!r} ({code[other]}) and {first!r} ({code[first]}) are the same administration, {canonical(code[first])}"
            findings.add(FILE, lines[other], "adcode", what, "keep one of them; the other may stand above it without a geometry")


def _register(feature: Feature, found: _Found) -> None:
    feature.only(PROPERTIES)
    city_id = feature.string("id")
    if not IDENTIFIER.fullmatch(city_id):
        feature.problem("id", f"{city_id!r} is no city id", IDENTIFIER_FIX)
        return
    if city_id in RESERVED_CITIES:
        feature.problem("id", f"{city_id!r} is reserved: it would share the topic warnings.{city_id}", "choose another id")
    if city_id in found.features:
        feature.problem(
            "id", f"{city_id!r} stands twice, first in line {found.features[city_id].line('id')}", "give each feature its own id"
        )
        return
    found.features[city_id] = feature
    found.parent[city_id] = feature.string("parent")
    parents = feature.properties.get("parents")
    if parents is None:
        return
    if not isinstance(parents, list) or not all(isinstance(item, str) and IDENTIFIER.fullmatch(item) for item in parents):
        feature.problem("parents", f"{parents!r} is no list of ids", "list the administrations above, the nearest first")
    elif found.parent[city_id]:
        feature.problem("parents", "stands beside parent", "keep parent (a feature) or parents (a list), not both")
    else:
        found.parents[city_id] = tuple(parents)


def _above(found: _Found, findings: Findings) -> Mapping[str, tuple[str, ...]]:
    """The administrations above each feature, nearest first: as it says, or else by its adcode."""
    known, listed = dict(found.parent), dict(found.parents)
    for child, chain in above_by_code({one: feature.string("adcode") for one, feature in found.features.items()}).items():
        if not known[child] and child not in listed:
            nearest_feature = next((one for one in chain if one in known), "")
            known[child] = nearest_feature
            if not nearest_feature:
                listed[child] = chain
    for child, parent in found.parent.items():
        if parent and parent not in found.parent:
            fix = f"add a feature (geometry null will do) with that id; {nearest(parent, found.parent)}"
            found.features[child].problem("parent", f"no feature {parent!r}", fix)
            known[child] = ""
    try:
        chains = build_hierarchy(known).above
    except TopologyError as error:
        for fault in error.faults:
            findings.add(FILE, fault.line, fault.field, fault.problem, fault.fix)
        return {}
    return {child: chain + listed.get(chain[-1] if chain else child, ()) for child, chain in chains.items()}


def _names(feature: Feature) -> dict[str, str]:
    """The names by language, the other language's where one is missing; empty without any."""
    zh, en = feature.string("name_zh"), feature.string("name_en")
    return {"zh": zh or en, "en": en or zh} if zh or en else {}


def _city(city_id: str, feature: Feature, place: _Place, parents: tuple[str, ...], river: _Points) -> City:
    names = _names(feature)
    zh, en = feature.string("name_zh"), feature.string("name_en")
    if not names:
        feature.problem("name_en", "the city has no name", "add name_zh and name_en")
    elif not (zh and en):
        feature.note("name_zh" if en else "name_en", "the city is named in one language only", "add the other name")
    population = feature.number("population", 0, _POPULATION_MAX)
    return City(
        city_id=city_id,
        names=names,
        level=feature.string("level") or "city",
        parents=parents,
        place=CityPlace(
            city_id, place.latitude, place.longitude, place.radius_km, 0 if math.isnan(population) else int(population), *river
        ),
        adcode=feature.string("adcode"),
        polygon_wkt="" if place.area is None else shapely.to_wkt(place.area, rounding_precision=-1),
        note=feature.string("note"),
    )


def _river(feature: Feature, reach_length_km: Mapping[str, float] | None) -> _Points:
    places = feature.properties.get("river")
    if places is None:
        return (), ()
    shape = 'write [{"reach": "...", "km": 12.5}], and "asset": "name" for a point of its own (a water intake)'
    if not isinstance(places, list) or not all(
        isinstance(p, dict) and {"reach", "km"} <= set(p) <= {"reach", "km", "asset"} for p in places
    ):
        feature.problem("river", f"{places!r} is no list of places on a river", shape)
        return (), ()
    found, assets = [], []
    for place in places:
        reach, km, asset = place["reach"], place["km"], place.get("asset", "")
        if not isinstance(reach, str) or isinstance(km, bool) or not isinstance(km, int | float) or not isinstance(asset, str):
            feature.problem("river", f"{place!r} has no reach id and km, or an asset that is no text", shape)
        elif reach_length_km is not None and reach not in reach_length_km:
            feature.problem("river", f"no reach {reach!r} in reaches.csv", nearest(reach, reach_length_km))
        elif km < 0 or (reach_length_km is not None and km > reach_length_km[reach]):
            length = math.nan if reach_length_km is None else reach_length_km[reach]
            feature.problem("river", f"km {km:g} is outside reach {reach!r}", f"give 0 (its upstream end) to {length:g}")
        else:
            found.append((reach, float(km)))
            assets.append(asset)
    # Parallel to the points only when one of them has a name.
    return tuple(found), tuple(assets) if any(assets) else ()


def _place(feature: Feature, geometry: Mapping[str, Any]) -> _Place:
    radius_km = feature.number("radius_km", 0.0, _RADIUS_MAX_KM)
    if geometry.get("type") not in {"Point", "Polygon", "MultiPolygon"}:
        feature.problem(
            "geometry", f"is a {geometry.get('type')!r}", "give a Polygon, a MultiPolygon, or a Point with the property radius_km"
        )
        return _Place()
    try:
        shape = shapely.from_geojson(json.dumps(geometry))
    except (ShapelyError, ValueError, TypeError) as error:
        feature.problem("geometry", f"cannot be read: {error}", "see RFC 7946, section 3.1")
        return _Place()
    if shape.is_empty or not shape.is_valid:
        feature.problem("geometry", shapely.is_valid_reason(shape) if not shape.is_empty else "is empty", "repair the geometry")
        return _Place()
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004  the Earth's
        fix = "give degrees WGS 84, longitude first (RFC 7946, section 3.1.1)"
        feature.problem("geometry", f"lies outside the Earth ({west:g}, {south:g}, {east:g}, {north:g})", fix)
        return _Place()
    if shape.geom_type == "Point":
        if math.isnan(radius_km) and feature.properties.get("radius_km") is None:
            feature.problem("radius_km", "a Point has no size", "add the property radius_km")
        return _Place(shape.y, shape.x, radius_km)
    centre = shape.representative_point() if not shape.contains(shape.centroid) else shape.centroid
    km_per_degree_east = _KM_PER_DEGREE * math.cos(math.radians(centre.y))
    equal_circle_km = math.sqrt(shape.area * _KM_PER_DEGREE * km_per_degree_east / math.pi)
    return _Place(centre.y, centre.x, equal_circle_km if math.isnan(radius_km) else radius_km, shape)
