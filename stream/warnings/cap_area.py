"""A city's area as CAP writes it: "lat,lon" pairs (shapely has lon,lat), closed rings without holes, or a circle.

CAP has no holes and no multipolygons: each part becomes a polygon of its own and holes are filled, so that the area is never smaller than
the city.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import shapely

if TYPE_CHECKING:
    from stream.region.model import City

DECIMALS = 6
"""A tenth of a metre."""


class CapArea(NamedTuple):
    """`polygons`: each a text of "lat,lon" pairs; `circle`: "lat,lon radius_km", "" when there are polygons."""

    polygons: tuple[str, ...]
    circle: str


def area_of(city: City) -> CapArea:
    """The city's polygons, or the circle of a city that is a point with a radius (at least 0.1 km: a circle of no size warns nobody)."""
    if city.polygon_wkt:
        shape = shapely.from_wkt(city.polygon_wkt)
        return CapArea(tuple(_ring(part) for part in shapely.get_parts(shape)), "")
    place = city.place
    return CapArea((), f"{place.latitude:.{DECIMALS}f},{place.longitude:.{DECIMALS}f} {max(0.1, place.radius_km):.3f}")


def polygon(text: str) -> shapely.Polygon:
    """The polygon (lon, lat) of a CAP polygon text (lat,lon). Raises ValueError for anything but closed rings of numbers.

    >>> polygon("30,110 31,110 31,111 30,110").bounds
    (110.0, 30.0, 111.0, 31.0)
    """
    pairs = [tuple(float(number) for number in pair.split(",")) for pair in text.split()]
    if len(pairs) < 4 or pairs[0] != pairs[-1] or any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004 - CAP 1.2, 3.2.4: four pairs, lat,lon
        msg = f"{text[:80]!r} is no closed polygon of at least four lat,lon pairs"
        raise ValueError(msg)
    return shapely.Polygon([(longitude, latitude) for latitude, longitude in pairs])


def _ring(part: shapely.Polygon) -> str:
    points = [
        f"{latitude:.{DECIMALS}f},{longitude:.{DECIMALS}f}" for longitude, latitude in shapely.get_coordinates(part.exterior).tolist()
    ]
    return " ".join(points)
