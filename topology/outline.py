"""The footprint of the wind as a shape on the map: who lies in it may be reached. For eyes and for spatial indexes; cities are asked one by one.

In every direction it goes as far as at least `share` of the ensemble touch a point, and at least as far as the protective zone. It is
drawn in a flat frame around the source (true distances and directions from there), which no projection of a whole map can give.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from topology.antimeridian import cut_ring
from topology.cloud import follow
from topology.exposure import exposure
from topology.geodesy import destination
from topology.puffs import Cities, touches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from topology.base import Conditions, Source
    from topology.cloud import Cloud

    Floats = NDArray[np.float64]

BEARINGS = 120
DISTANCES = 24
_NEAREST_KM = 0.5


def outline(source: Source, conditions: Conditions, parameters: Mapping[str, float], share: float = 0.05) -> tuple[Floats, ...]:
    """Rings [vertex, (longitude, latitude)] in degrees, closed, counter-clockwise, cut at the 180th meridian; none without a position.

    `parameters` must be complete (those of a `WindGraph`). Without a direction of the wind: the circle of calm or unknown wind.
    """
    if not (math.isfinite(source.latitude) and math.isfinite(source.longitude)):
        return ()
    bearings = _bearings()
    cloud = follow(source, conditions, parameters)
    if cloud is None:
        known = conditions.winds is not None or conditions.wind_grid is not None
        circle_km = max(parameters["calm_radius_km" if known else "blind_radius_km"], parameters["isolation_km"], _NEAREST_KM)
        extent_km = np.full(BEARINGS, circle_km)
    else:
        extent_km = np.maximum(_touched_km(cloud, source, conditions.now, parameters, share), _protected_km(cloud, bearings, parameters))
    return cut_ring(*destination(source.latitude, source.longitude, bearings, extent_km))


def _bearings() -> Floats:
    return np.linspace(0.0, 360.0, BEARINGS, endpoint=False, dtype=np.float64)


def _touched_km(cloud: Cloud, source: Source, now: int, parameters: Mapping[str, float], share: float) -> Floats:
    """How far in each direction the farthest point lies that at least that share touches; 0 if none is."""
    away_km = np.geomspace(_NEAREST_KM, cloud.growth.far_m / 1000.0, DISTANCES)
    angle = np.radians(_bearings())[:, None]
    points = Cities((np.sin(angle) * away_km).ravel(), (np.cos(angle) * away_km).ravel(), np.zeros(BEARINGS * DISTANCES))
    met = cloud.may_touch(points)
    found = np.zeros(BEARINGS * DISTANCES)
    found[met] = exposure(touches(cloud.tracks, Cities(*(one[met] for one in points)), cloud.growth), cloud, source, now, parameters).share
    reached = found.reshape(BEARINGS, DISTANCES) >= share
    farthest = DISTANCES - 1 - np.argmax(reached[:, ::-1], axis=1)
    return np.where(reached.any(axis=1), away_km[farthest], 0.0)


def _protected_km(cloud: Cloud, bearings: Floats, parameters: Mapping[str, float]) -> Floats:
    """How far in each direction the protective zone goes: the isolation circle, and the square downwind."""
    off = np.radians(bearings - cloud.drift.downwind_deg)
    ahead, aside = np.cos(off), np.abs(np.sin(off))
    side = parameters["protective_km"]
    square = np.minimum(side / np.maximum(ahead, 1e-9), side / 2.0 / np.maximum(aside, 1e-9))
    return np.maximum(np.where(ahead > 0.0, square, 0.0), max(parameters["isolation_km"], _NEAREST_KM))
