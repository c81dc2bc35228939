"""Where the wind may carry something, as one shape to look at: the ways of the ensemble's puffs, or a circle where there is no direction.

Who is reached is decided by the footprint itself, never by this shape.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from topology.cloud import follow
from topology.geodesy import from_xy, wrap_longitude

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topology.base import Conditions, Source

_WAY_WIDTH_KM = 0.06
"""Half width of a drawn way, as a part of its distance from the source: ways of neighbouring members touch."""
_LEAST_KM, _GAP = 0.5, 0.2


def ways_of_the_wind(source: Source, conditions: Conditions, parameters: Mapping[str, float]) -> Any:
    """A polygon (degrees, longitude first, cut at the 180th meridian); None without a position."""
    if not (math.isfinite(source.latitude) and math.isfinite(source.longitude)):
        return None
    cloud = follow(source, conditions, parameters)
    if cloud is None:
        calm = conditions.winds is not None
        return on_earth(shapely.Point(0.0, 0.0).buffer(parameters["calm_radius_km" if calm else "blind_radius_km"]), source)
    east, north = cloud.tracks.east_km[:, 0, :], cloud.tracks.north_km[:, 0, :]
    gone_km = np.hypot(east, north)
    near = gone_km <= parameters["max_km"]
    half_km = np.maximum(_LEAST_KM, _WAY_WIDTH_KM * gone_km)
    # Between two instants a puff sweeps the hull of its two circles.
    circles = shapely.buffer(shapely.points(east, north), half_km, quad_segs=4)
    pairs = np.stack([circles[:, :-1], circles[:, 1:]], axis=-1)[near[:, 1:]]
    swept = shapely.convex_hull(shapely.geometrycollections(pairs.reshape(-1, 2)))
    # Closed over the gaps between single members: the next draw of the same wind would fill them.
    gap_km = _GAP * float(gone_km[near].max())
    return on_earth(shapely.union_all(swept).buffer(gap_km).buffer(-gap_km).simplify(_LEAST_KM), source)


def on_earth(shape: Any, source: Source) -> Any:
    """A shape in km east and north of the source as degrees, cut at the 180th meridian (RFC 7946, section 3.1.9)."""

    def degrees(xy: Any) -> Any:
        latitude, longitude = from_xy(source.latitude, source.longitude, xy[:, 0], xy[:, 1])
        # Continuous around the source, so that the polygon stays one before it is cut.
        return np.column_stack([source.longitude + wrap_longitude(longitude - source.longitude), latitude])

    return cut_at_meridian(shapely.make_valid(shapely.transform(shape.segmentize(25.0) if not shape.is_empty else shape, degrees)))


def cut_at_meridian(shape: Any) -> Any:
    """The parts of a shape that lie beyond +-180 degrees, moved to the other side.

    >>> cut_at_meridian(shapely.LineString([(179, 0), (181, 0)])).bounds
    (-180.0, 0.0, 180.0, 0.0)
    """
    west, _, east, _ = shape.bounds if not shape.is_empty else (0.0, 0.0, 0.0, 0.0)
    if west >= -180.0 and east <= 180.0:  # noqa: PLR2004  the Earth's
        return shape
    parts = [
        shapely.transform(shape.intersection(shapely.box(-180.0 + turn, -90.0, 180.0 + turn, 90.0)), lambda xy, turn=turn: xy - [turn, 0.0])
        for turn in (-360.0, 0.0, 360.0)
    ]
    return shapely.union_all([part for part in parts if not part.is_empty])
