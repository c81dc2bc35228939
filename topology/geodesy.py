"""Distance, bearing and a local flat frame on the WGS 84 ellipsoid, for many points at once.

Footprints ask "how far, and in which direction" for every city at every step. Shapely is planar (a kilometre in degrees is wrong by
the cosine of the latitude), and exact geodesics cost ten times more than needed, so distances use the Andoyer-Lambert formula.

Everything works through sines and cosines of longitude differences, so a pair across the 180th meridian is as good as any other.
Latitudes and longitudes are degrees (WGS 84), distances km, bearings degrees clockwise from north in [0, 360). All arguments
broadcast against each other; NaN in gives NaN out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from topology.direction import compass_deg

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

EQUATORIAL_RADIUS_KM = 6378.137
FLATTENING = 1.0 / 298.257223563
_DESTINATION_STEPS = 4
_METRE_KM = 0.001


def distance_km(latitude: ArrayLike, longitude: ArrayLike, to_latitude: ArrayLike, to_longitude: ArrayLike) -> NDArray[np.float64]:
    """Distance along the surface in km (Andoyer-Lambert: Lambert 1942, first order in the flattening).

    Within 20 m of the exact geodesic up to 2,000 km; near-antipodal pairs (> 19,000 km) are only good to some tens of km.

    >>> bool(abs(distance_km(0.0, 179.5, 0.0, -179.5) - 111.32) < 0.01)
    True
    """
    flat = 1.0 - FLATTENING
    reduced = np.arctan(flat * np.tan(np.radians(latitude)))
    to_reduced = np.arctan(flat * np.tan(np.radians(to_latitude)))
    half_turn = np.radians(np.subtract(to_longitude, longitude)) / 2.0
    half_difference = (to_reduced - reduced) / 2.0
    half_sum = (to_reduced + reduced) / 2.0
    haversine = np.sin(half_difference) ** 2 + np.cos(reduced) * np.cos(to_reduced) * np.sin(half_turn) ** 2
    haversine = np.clip(haversine, 0.0, 1.0)
    angle = 2.0 * np.arcsin(np.sqrt(haversine))
    # haversine = sin^2(angle / 2): at 0 and at the antipode the quotients are 0/0 and their factors vanish or the formula ends.
    tiny = np.finfo(np.float64).tiny
    outward = (angle - np.sin(angle)) * (np.sin(half_sum) * np.cos(half_difference)) ** 2 / np.maximum(1.0 - haversine, 1e-12)
    across = (angle + np.sin(angle)) * (np.cos(half_sum) * np.sin(half_difference)) ** 2 / np.maximum(haversine, tiny)
    return np.asarray(EQUATORIAL_RADIUS_KM * (angle - FLATTENING / 2.0 * (outward + across)), dtype=np.float64)


def bearing_deg(latitude: ArrayLike, longitude: ArrayLike, to_latitude: ArrayLike, to_longitude: ArrayLike) -> NDArray[np.float64]:
    """Initial great-circle bearing (sphere) in [0, 360); within 0.3 degrees of the ellipsoid's. A point to itself gives 0.

    >>> round(float(bearing_deg(-17.0, 179.0, -17.0, -179.0)))
    90
    """
    here, there = np.radians(latitude), np.radians(to_latitude)
    turn = np.radians(np.subtract(to_longitude, longitude))
    east = np.sin(turn) * np.cos(there)
    north = np.cos(here) * np.sin(there) - np.sin(here) * np.cos(there) * np.cos(turn)
    return compass_deg(np.arctan2(east, north))


def destination(
    latitude: ArrayLike, longitude: ArrayLike, bearing: ArrayLike, distance: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude (in [-180, 180)) reached after `distance` km along `bearing`; the inverse of the two functions above.

    `distance_km` back to the start agrees within a metre up to 2,000 km.
    """
    here, course = np.radians(latitude), np.radians(bearing)
    wanted = np.asarray(distance, dtype=np.float64)
    angle = wanted / EQUATORIAL_RADIUS_KM
    for _ in range(_DESTINATION_STEPS):
        # A sphere is off by up to 0.6 %: measure what the step really covered and stretch it.
        sine = np.sin(here) * np.cos(angle) + np.cos(here) * np.sin(angle) * np.cos(course)
        to_latitude = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
        turn = np.arctan2(np.sin(course) * np.sin(angle) * np.cos(here), np.cos(angle) - np.sin(here) * sine)
        to_longitude = np.degrees(turn) + longitude
        covered = distance_km(latitude, longitude, to_latitude, to_longitude)
        # Below a metre the sphere is exact enough, and the rounding of degrees would make the quotient meaningless.
        angle = angle * np.where(covered > _METRE_KM, wanted / np.maximum(covered, _METRE_KM), 1.0)
    return np.asarray(to_latitude, dtype=np.float64), wrap_longitude(to_longitude)


def wrap_longitude(longitude: ArrayLike) -> NDArray[np.float64]:
    """The same meridian in [-180, 180).

    >>> float(wrap_longitude(190.0))
    -170.0
    """
    return np.asarray((np.asarray(longitude, dtype=np.float64) + 180.0) % 360.0 - 180.0, dtype=np.float64)


def to_xy(
    center_latitude: float, center_longitude: float, latitude: ArrayLike, longitude: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Azimuthal-equidistant coordinates (km east, km north): true distance and direction from the centre, nowhere else."""
    distance = distance_km(center_latitude, center_longitude, latitude, longitude)
    bearing = np.radians(bearing_deg(center_latitude, center_longitude, latitude, longitude))
    return distance * np.sin(bearing), distance * np.cos(bearing)


def from_xy(
    center_latitude: float, center_longitude: float, east_km: ArrayLike, north_km: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude of a point of the frame of `to_xy` (its inverse)."""
    bearing = np.degrees(np.arctan2(east_km, north_km))
    return destination(center_latitude, center_longitude, bearing, np.hypot(east_km, north_km))
