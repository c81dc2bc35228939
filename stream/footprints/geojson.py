"""An answer as GeoJSON (RFC 7946): the source, the cities reached, the river or the ways of the wind."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import shapely

from stream.footprints.answer import roles_row, row, source_row
from stream.footprints.spread import cut_at_meridian
from topology.geodesy import wrap_longitude

if TYPE_CHECKING:
    from stream.footprints.answer import Answer
    from stream.footprints.course import Line

_DIGITS = 6


def feature_collection(answer: Answer) -> dict[str, object]:
    """A FeatureCollection; each feature's `kind` is source, city, river or wind. What has no coordinates has a null geometry."""
    source, region = answer.question.source, answer.question.region
    features = [
        feature("source", None if math.isnan(source.latitude) else shapely.Point(source.longitude, source.latitude), source_row(answer))
    ]
    for impact in answer.impacts:
        city = region.cities[region.city_index[impact.city_id]]
        shape = shapely.from_wkt(city.polygon_wkt) if city.polygon_wkt else shapely.Point(city.place.longitude, city.place.latitude)
        features.append(feature("city", shape, {**row(answer, impact), "radius_km": round(city.place.radius_km, 3)}))
    features += [feature("river", line_shape(line), {"below_source": line.below, "schematic": True}) for line in answer.lines]
    if answer.outline is not None:
        features.append(feature("wind", answer.outline, {"schematic": True}))
    return {"type": "FeatureCollection", "features": features, "roles": roles_row(answer)}


def line_shape(line: Line) -> shapely.Geometry:
    """A stretch of river, cut at the 180th meridian."""
    latitude, longitude = np.array(line.points).T
    # Each step the short way round, then cut at the meridian.
    steps = np.concatenate(([longitude[0]], wrap_longitude(np.diff(longitude))))
    return cut_at_meridian(shapely.LineString(np.column_stack([np.cumsum(steps), latitude])))


def feature(kind: str, shape: shapely.Geometry | None, properties: dict[str, object]) -> dict[str, object]:
    """A GeoJSON feature; degrees to a decimetre."""
    geometry = None if shape is None else json.loads(shapely.to_geojson(shapely.transform(shape, lambda xy: np.round(xy, _DIGITS))))
    return {"type": "Feature", "properties": {"kind": kind, **properties}, "geometry": geometry}
