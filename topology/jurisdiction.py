"""Which city a point lies in: cities as areas or as circles, with an index, ready for many points at once.

Stations and reaches are located once, when a region is loaded; no message ever needs a point-in-polygon test. Who stands above a city is
`hierarchy.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from topology.base import Fault, TopologyError
from topology.geodesy import distance_km

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from shapely import MultiPolygon, Polygon

    from topology.base import CityPlace

TABLE = "cities.geojson"
KM_PER_DEGREE = 110.5
"""A little less than any degree of latitude has, so that boxes around circles are never too small."""
_POLAR_DEG, _MERIDIAN_DEG, _ROUNDING_DEG = 89.0, 180.0, 1e-6
NOBODY = -1
_BATCH, _ROWS_PER_DEG = 1 << 16, 4.0


@dataclass(frozen=True, slots=True)
class Locator:
    """Cities ready for point queries: areas (prepared, with an index) and circles (degrees, km; boxes around them with an index).

    `box_circle` is the circle of each box: one across the 180th meridian has two.
    """

    area_ids: tuple[str, ...]
    areas: NDArray[np.object_]
    tree: shapely.STRtree
    circle_ids: tuple[str, ...]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    radius_km: NDArray[np.float64]
    boxes: shapely.STRtree
    box_circle: NDArray[np.int64]


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
    latitude, longitude, radius_km = np.array([(c.latitude, c.longitude, c.radius_km) for c in circles], dtype=np.float64).reshape(-1, 3).T
    boxes, box_circle = _boxes(latitude, longitude, radius_km)
    return Locator(
        tuple(ordered),
        shapes,
        shapely.STRtree(shapes),
        tuple(c.city_id for c in circles),
        latitude,
        longitude,
        radius_km,
        shapely.STRtree(boxes),
        box_circle,
    )


def simplified(areas: Mapping[str, Polygon | MultiPolygon], tolerance_deg: float) -> Mapping[str, Polygon | MultiPolygon]:
    """The same areas with fewer vertices and the same common borders (Visvalingam-Whyatt on the coverage), for many point queries.

    A point within about `tolerance_deg` of a border may change sides, so fixed stations are located on the full borders. Areas that do not
    form a coverage (they overlap, or their borders do not match) come back as they are: simplified one by one they would tear gaps.

    >>> from shapely import box
    >>> halves = {"west": box(0, 0, 8, 8).segmentize(1), "east": box(8, 0, 16, 8).segmentize(1)}
    >>> len(simplified(halves, 0.5)["west"].exterior.coords) < 12
    True
    """
    shapes = np.array(list(areas.values()), dtype=object)
    if not len(shapes) or not shapely.coverage_is_valid(shapes):
        return areas
    return dict(zip(areas, shapely.coverage_simplify(shapes, tolerance_deg).tolist(), strict=True))


def locate(locator: Locator, latitude: ArrayLike, longitude: ArrayLike) -> tuple[str, ...]:
    """The city id of each point, "" for none.

    An area wins over a circle, the smaller area over the larger, the nearer circle over the farther. A point on a boundary is inside.
    """
    names = np.array([*locator.area_ids, *locator.circle_ids, ""], dtype=object)
    return tuple(names[locate_index(locator, latitude, longitude)].tolist())


def locate_index(locator: Locator, latitude: ArrayLike, longitude: ArrayLike) -> NDArray[np.int64]:
    """`locate` as positions in `area_ids` followed by `circle_ids`, `NOBODY` for none: for millions of points."""
    at_latitude = np.atleast_1d(np.asarray(latitude, dtype=np.float64))
    at_longitude = np.atleast_1d(np.asarray(longitude, dtype=np.float64))
    found = np.full(at_latitude.shape, NOBODY)
    # Neighbours one after another: they touch the same polygons, which then are in the processor's cache (three times faster).
    row = np.nan_to_num(at_latitude * _ROWS_PER_DEG).astype(np.int64)
    order = np.lexsort((at_longitude, row))
    for begin in range(0, len(order), _BATCH):
        some = order[begin : begin + _BATCH]
        found[some] = _batch(locator, at_latitude[some], at_longitude[some])
    return found


def _batch(locator: Locator, latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> NDArray[np.int64]:
    points = shapely.points(longitude, latitude)
    none = len(locator.area_ids)
    first_area = np.full(latitude.shape, none)
    point, area = locator.tree.query(points)
    inside = shapely.intersects_xy(locator.areas[area], longitude[point], latitude[point])
    np.minimum.at(first_area, point[inside], area[inside])
    found = np.where(first_area < none, first_area, NOBODY)
    if locator.circle_ids:
        left = np.flatnonzero(found == NOBODY)
        circle = _in_circle(locator, points[left], latitude[left], longitude[left])
        found[left] = np.where(circle == NOBODY, NOBODY, circle + none)
    return found


def _in_circle(
    locator: Locator, points: NDArray[np.object_], latitude: NDArray[np.float64], longitude: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The nearest circle around each point, the first by id among equals."""
    point, box = locator.boxes.query(points)
    circle = locator.box_circle[box]
    away_km = distance_km(latitude[point], longitude[point], locator.latitude[circle], locator.longitude[circle])
    inside = away_km <= locator.radius_km[circle]
    point, circle, away_km = point[inside], circle[inside], away_km[inside]
    order = np.lexsort((circle, away_km, point))
    first = order[np.unique(point[order], return_index=True)[1]]
    found = np.full(len(points), NOBODY)
    found[point[first]] = circle[first]
    return found


def _boxes(
    latitude: NDArray[np.float64], longitude: NDArray[np.float64], radius_km: NDArray[np.float64]
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Boxes (degrees) that hold the circles, and the circle of each. Near a pole a circle may lie at any longitude."""
    half_height = radius_km / KM_PER_DEGREE + _ROUNDING_DEG
    farthest = np.abs(latitude) + half_height
    cosine = np.cos(np.radians(np.minimum(farthest, _POLAR_DEG)))
    half_width = np.where(farthest < _POLAR_DEG, half_height / cosine, 360.0)
    circle = np.arange(len(latitude))
    # Whoever reaches over the 180th meridian stands on its other side too.
    sides = [(shift, np.flatnonzero(np.abs(longitude + shift) - half_width <= _MERIDIAN_DEG)) for shift in (0.0, 360.0, -360.0)]
    boxes = [
        shapely.box(
            longitude[who] + shift - half_width[who],
            latitude[who] - half_height[who],
            longitude[who] + shift + half_width[who],
            latitude[who] + half_height[who],
        )
        for shift, who in sides
    ]
    return np.concatenate(boxes), np.concatenate([circle[who] for _, who in sides])
