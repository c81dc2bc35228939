"""Rings on the globe as rings of degrees: cut where they cross the 180th meridian, and closed over a pole they run around.

Whoever reads degrees as a plane sees a ring across the 180th meridian as a band around the whole Earth, and a ring around a pole as a line.
RFC 7946 (GeoJSON), section 3.1.9, asks for cut shapes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_HALF, _FULL, _POLE = 180.0, 360.0, 90.0


def cut_ring(latitude: Floats, longitude: Floats) -> tuple[Floats, ...]:
    """Rings [vertex, (longitude, latitude)] in degrees, each closed, counter-clockwise and inside -180 .. 180.

    The vertices go once around, without the first repeated; neighbours are less than 180 degrees of longitude apart. A ring that runs
    around the Earth holds the pole of its own hemisphere.

    >>> east, west = cut_ring(np.array([0.0, 0.0, 1.0]), np.array([179.0, -179.0, 179.0]))
    >>> [float(one) for one in (east[:, 0].min(), east[:, 0].max(), west[:, 0].min(), west[:, 0].max())]
    [179.0, 180.0, -180.0, -179.0]
    """
    if latitude.size < 3:  # noqa: PLR2004 - a triangle is the least ring
        return ()
    onward = np.unwrap(np.append(longitude, longitude[0]), period=_FULL)
    around = round((onward[-1] - onward[0]) / _FULL)
    corners = np.column_stack([onward[:-1], latitude])
    if around:
        pole = math.copysign(_POLE, float(latitude.mean()))
        corners = np.vstack([corners, [[onward[-1], latitude[0]], [onward[-1], pole], [onward[0], pole]]])
    shape = shapely.make_valid(shapely.Polygon(corners))
    west, _, east, _ = shape.bounds
    found: list[Floats] = []
    for turn in range(math.floor((west + _HALF) / _FULL), math.floor((east + _HALF) / _FULL) + 1):
        part = shape.intersection(shapely.box(turn * _FULL - _HALF, -_POLE, turn * _FULL + _HALF, _POLE))
        found += [_turned(one, turn * _FULL) for one in _polygons(part)]
    return tuple(found)


def _polygons(shape: Any) -> list[Any]:
    """The surfaces of a shape; touching a meridian leaves lines and points behind, which are none."""
    return [one for one in shapely.get_parts(shape).tolist() if one.geom_type == "Polygon" and one.area > 0.0]


def _turned(polygon: Any, by_deg: float) -> Floats:
    """The outer ring, that many degrees to the west, counter-clockwise."""
    ring = np.asarray(polygon.exterior.coords, dtype=np.float64) - [by_deg, 0.0]
    return ring if polygon.exterior.is_ccw else ring[::-1]
