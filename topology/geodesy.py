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
_NEARLY_ANTIPODAL = np.sin(np.radians(150.0) / 2.0) ** 2
_VIA_FIRST, _VIA_ROUNDS, _VIA_KM = 33, 5, 10_000.0


def distance_km(latitude: ArrayLike, longitude: ArrayLike, to_latitude: ArrayLike, to_longitude: ArrayLike) -> NDArray[np.float64]:
    """Distance along the surface in km (Andoyer-Lambert: Lambert 1942, first order in the flattening).

    Within 20 m of the exact geodesic at any latitude and longitude up to 10,000 km. Beyond 150 degrees of arc the formula fails (18 km
    off near the antipode); such pairs are measured over a point in between, and are good to 20 m; between 135 and 150 degrees it is 130 m off at most.

    >>> bool(abs(distance_km(0.0, 179.5, 0.0, -179.5) - 111.32) < 0.01)
    True
    """
    haversine, distance = _lambert(latitude, longitude, to_latitude, to_longitude)
    far = haversine > _NEARLY_ANTIPODAL
    if far.any():
        ends = np.broadcast_arrays(latitude, longitude, to_latitude, to_longitude)
        distance = np.array(distance)
        distance[far] = _over_a_point_between(*(np.asarray(end, dtype=np.float64)[far] for end in ends))
    return distance


def _lambert(
    latitude: ArrayLike, longitude: ArrayLike, to_latitude: ArrayLike, to_longitude: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Haversine on the auxiliary sphere, and Lambert's distance (km)."""
    reduced, to_reduced = _reduced(latitude), _reduced(to_latitude)
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
    distance = EQUATORIAL_RADIUS_KM * (angle - FLATTENING / 2.0 * (outward + across))
    return np.asarray(haversine, dtype=np.float64), np.asarray(distance, dtype=np.float64)


def _reduced(latitude: ArrayLike) -> NDArray[np.float64]:
    """Latitude on the auxiliary sphere (radians)."""
    return np.asarray(np.arctan((1.0 - FLATTENING) * np.tan(np.radians(latitude))), dtype=np.float64)


def _over_a_point_between(
    latitude: NDArray[np.float64], longitude: NDArray[np.float64], to_latitude: NDArray[np.float64], to_longitude: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance of nearly antipodal pairs: the shortest way over any point 10,000 km away (both parts are then well within the formula)."""
    middle, width = np.zeros(latitude.shape), np.full(latitude.shape, 180.0)
    shortest = np.full(latitude.shape, np.inf)
    for _ in range(_VIA_ROUNDS):
        course = middle[:, None] + width[:, None] * np.linspace(-1.0, 1.0, _VIA_FIRST)
        via = destination(latitude[:, None], longitude[:, None], course, _VIA_KM)
        ways = _VIA_KM + _lambert(*via, to_latitude[:, None], to_longitude[:, None])[1]
        best = np.argmin(ways, axis=1)
        rows = np.arange(best.size)
        shortest = np.minimum(shortest, ways[rows, best])
        middle, width = course[rows, best], width * 2.0 / (_VIA_FIRST - 1)
    return shortest


def bearing_deg(latitude: ArrayLike, longitude: ArrayLike, to_latitude: ArrayLike, to_longitude: ArrayLike) -> NDArray[np.float64]:
    """Initial bearing of the geodesic in [0, 360): that of the auxiliary sphere, its longitudes corrected to first order in the flattening.

    Within 0.01 degrees of the ellipsoid's up to 10,000 km. A point to itself gives 0.

    >>> round(float(bearing_deg(-17.0, 179.0, -17.0, -179.0)))
    90
    """
    here, there = _reduced(latitude), _reduced(to_latitude)
    turn = np.radians((np.subtract(to_longitude, longitude) + 180.0) % 360.0 - 180.0)
    east, north = _heading(here, there, turn)
    # Vincenty 1975, eq. 11 with C = f and without the terms in f squared: the auxiliary sphere turns a little further.
    across = np.hypot(east, north)
    angle = np.arctan2(across, np.sin(here) * np.sin(there) + np.cos(here) * np.cos(there) * np.cos(turn))
    sine = np.cos(here) * np.divide(east, across, out=np.zeros_like(across), where=across > 0.0)
    east, north = _heading(here, there, turn + FLATTENING * angle * sine)
    return compass_deg(np.arctan2(east, north))


def _heading(here: ArrayLike, there: ArrayLike, turn: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """East and north component of the direction from here to there on a sphere (radians)."""
    east = np.asarray(np.sin(turn) * np.cos(there), dtype=np.float64)
    return east, np.asarray(np.cos(here) * np.sin(there) - np.sin(here) * np.cos(there) * np.cos(turn), dtype=np.float64)


def destination(
    latitude: ArrayLike, longitude: ArrayLike, bearing: ArrayLike, distance: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude (in [-180, 180)) reached after `distance` km along `bearing`; the inverse of the two functions above.

    `distance_km` back to the start agrees within a metre up to 10,000 km.
    """
    here, course = _reduced(latitude), np.radians(bearing)
    wanted = np.asarray(distance, dtype=np.float64)
    angle = wanted / EQUATORIAL_RADIUS_KM
    for _ in range(_DESTINATION_STEPS):
        # The auxiliary sphere is off by up to 0.3 %: measure what the step really covered and stretch it.
        sine = np.sin(here) * np.cos(angle) + np.cos(here) * np.sin(angle) * np.cos(course)
        along = np.cos(here) * np.cos(angle) - np.sin(here) * np.sin(angle) * np.cos(course)
        across = np.sin(course) * np.sin(angle)
        # Not the arcsine of `sine`: it loses half the digits at the poles.
        there = np.arctan2(sine, np.hypot(along, across))
        to_latitude = np.degrees(np.arctan(np.tan(there) / (1.0 - FLATTENING)))
        turn = np.arctan2(across, along) - FLATTENING * angle * np.cos(here) * np.sin(course)
        to_longitude = np.degrees(turn) + longitude
        covered = _lambert(latitude, longitude, to_latitude, to_longitude)[1]
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
