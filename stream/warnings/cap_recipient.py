"""To whom an alert goes: a city, or an administration above cities (who coordinates, or was promised to be informed).

A region knows the outlines of its cities only. The area of an administration is therefore that of its cities in the region: what it can act
on here, and never more than it has.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely

from stream.region.model import City
from topology.adcode import is_code
from topology.base import CityPlace
from topology.geodesy import destination

if TYPE_CHECKING:
    from stream.region.model import Region

SIDES = 36
"""A city that is a circle is drawn with so many sides around it, so that nothing of it is left out."""


def recipient(region: Region, recipient_id: str) -> City | None:
    """The city of that id, or the administration as if it were one; None for whom the region does not have, or who has no city in it."""
    if recipient_id in region.city_index:
        return region.cities[region.city_index[recipient_id]]
    below = [city for city in region.cities if recipient_id in region.above.get(city.city_id, ())]
    if not below:
        return None
    known = region.administrations.get(recipient_id)
    area = shapely.union_all([_shape(city) for city in below])
    middle = area.centroid
    return City(
        city_id=recipient_id,
        names=known.names if known is not None else {},
        level=known.level if known is not None else "",
        parents=known.parents if known is not None else region.above.get(recipient_id, ()),
        place=CityPlace(recipient_id, middle.y, middle.x, 0.0),
        adcode=recipient_id if is_code(recipient_id) else "",
        polygon_wkt=area.wkt,
    )


def _shape(city: City) -> shapely.Geometry:
    if city.polygon_wkt:
        return shapely.from_wkt(city.polygon_wkt)
    place = city.place
    outside_km = max(0.1, place.radius_km) / math.cos(math.pi / SIDES)
    bearings = np.arange(SIDES) * (360.0 / SIDES)
    latitude, longitude = destination(place.latitude, place.longitude, bearings, outside_km)
    return shapely.Polygon(np.column_stack([longitude, latitude]))
