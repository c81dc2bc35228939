"""Who answers for a place: the hierarchy of administrations, and which city a point lies in.

Stations and reaches are located once, when a region is loaded; no message ever needs a point-in-polygon test.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import shapely

from topology.base import Fault, TopologyError
from topology.geodesy import distance_km

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from shapely import MultiPolygon, Polygon

    from topology.base import CityPlace

TABLE = "cities.geojson"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Every administration and the ones above it, nearest first (`above[id]`, empty at a root)."""

    above: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Locator:
    """Cities ready for point queries: areas (prepared, with an index) and circles (degrees, km)."""

    area_ids: tuple[str, ...]
    areas: NDArray[np.object_]
    tree: shapely.STRtree
    circle_ids: tuple[str, ...]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    radius_km: NDArray[np.float64]


def build_hierarchy(parents: Mapping[str, str]) -> Hierarchy:
    """The hierarchy from each id's parent ("" at a root). Raises `TopologyError` for unknown parents and for cycles, all of them.

    >>> build_hierarchy({"harbin": "heilongjiang", "heilongjiang": ""}).above["harbin"]
    ('heilongjiang',)
    """
    faults = [
        Fault(TABLE, 0, "parent", f"parent {parent!r} of {child!r} is not known", "add it, or leave the parent empty")
        for child, parent in parents.items()
        if parent and parent not in parents
    ]
    above: dict[str, tuple[str, ...]] = {}
    circling: set[str] = set()
    for child in parents:
        chain, at = [child], parents[child]
        while at in parents and at not in chain:
            chain.append(at)
            at = parents[at]
        if at in parents and not circling.intersection(chain):
            circle = chain[chain.index(at) :]
            circling.update(circle)
            text = " -> ".join([*circle, at])
            faults.append(Fault(TABLE, 0, "parent", f"parents run in a circle: {text}", "correct one of these parents"))
        above[child] = tuple(chain[1:])
    if faults:
        raise TopologyError(tuple(faults))
    return Hierarchy(MappingProxyType(above))


def lowest_common_ancestor(hierarchy: Hierarchy, ids: Iterable[str]) -> str | None:
    """The lowest administration that contains all of `ids` (one id: itself); None when they share none or `ids` is empty.

    An id that is not in the hierarchy raises KeyError.

    >>> tree = build_hierarchy({"harbin": "heilongjiang", "jiamusi": "heilongjiang", "heilongjiang": "", "khabarovsk": ""})
    >>> lowest_common_ancestor(tree, ["harbin", "jiamusi"])
    'heilongjiang'
    >>> lowest_common_ancestor(tree, ["harbin", "khabarovsk"]) is None
    True
    """
    chains = [(one, *hierarchy.above[one]) for one in ids]
    if not chains:
        return None
    shared = set(chains[0]).intersection(*chains[1:])
    return next((one for one in chains[0] if one in shared), None)


def build_locator(cities: Sequence[CityPlace], areas: Mapping[str, Polygon | MultiPolygon]) -> Locator:
    """Index cities for `locate`: by their area (degrees, longitude first) where `areas` has one, else as a circle.

    An area across the 180th meridian must be split there (RFC 7946, section 3.1.9). Raises `TopologyError` for invalid or empty areas.
    """
    faults = tuple(
        Fault(TABLE, 0, "geometry", f"city {city_id!r}: {shapely.is_valid_reason(area)}", "repair the polygon")
        for city_id, area in areas.items()
        if area.is_empty or not area.is_valid
    )
    if faults:
        raise TopologyError(faults)
    # Smallest first: the first hit of a point is the innermost area.
    ordered = sorted((city.city_id for city in cities if city.city_id in areas), key=lambda one: (areas[one].area, one))
    shapes = np.array([areas[one] for one in ordered], dtype=object)
    shapely.prepare(shapes)
    circles = sorted((c for c in cities if c.city_id not in areas), key=lambda c: c.city_id)
    columns = np.array([(c.latitude, c.longitude, c.radius_km) for c in circles], dtype=np.float64).reshape(-1, 3).T
    return Locator(tuple(ordered), shapes, shapely.STRtree(shapes), tuple(c.city_id for c in circles), *columns)


def locate(locator: Locator, latitude: ArrayLike, longitude: ArrayLike) -> tuple[str, ...]:
    """The city id of each point, "" for none.

    An area wins over a circle, the smaller area over the larger, the nearer circle over the farther. A point on a boundary is inside.
    """
    at_latitude = np.atleast_1d(np.asarray(latitude, dtype=np.float64))
    at_longitude = np.atleast_1d(np.asarray(longitude, dtype=np.float64))
    first_area = np.full(at_latitude.shape, len(locator.area_ids))
    point, area = locator.tree.query(shapely.points(at_longitude, at_latitude))
    inside = shapely.intersects_xy(locator.areas[area], at_longitude[point], at_latitude[point])
    np.minimum.at(first_area, point[inside], area[inside])
    return tuple(
        locator.area_ids[i] if i < len(locator.area_ids) else _in_circle(locator, at_latitude.item(p), at_longitude.item(p))
        for p, i in enumerate(first_area.tolist())
    )


def _in_circle(locator: Locator, latitude: float, longitude: float) -> str:
    if not locator.circle_ids:
        return ""
    away_km = distance_km(latitude, longitude, locator.latitude, locator.longitude)
    away_km = np.where(away_km <= locator.radius_km, away_km, np.inf)
    nearest = int(away_km.argmin())
    return locator.circle_ids[nearest] if np.isfinite(away_km[nearest]) else ""
