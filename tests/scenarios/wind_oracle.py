"""Which cities the wind may carry smoke to: bearing and distance on the ellipsoid, the winds of the window as vectors, their spread.

Independent of the product: the vector mean and Yamartino's estimator (Yamartino 1984, Journal of Climate and Applied Meteorology 23, 1362)
are written again here, bearings come from pyproj. The figures below are what the footprint declares; if it declares others, this must be told.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from pyproj import Geod

WINDOW_H = 3.0
CALM_M_PER_S = 0.5
CALM_RADIUS_KM = 15.0
MIN_HALF_WIDTH_DEG = 30.0
SIGMAS = 2.0
MAX_TRAVEL_H = 24.0
MAX_KM = 150.0
BEARING_ERROR_DEG = 0.3
"""The product's bearings are those of a sphere; so much they may differ from the ellipsoid's."""
_ELLIPSOID = Geod(ellps="WGS84")


class Wind(NamedTuple):
    """A measured wind: hours since some instant, speed, and where it blows from (degrees clockwise from north)."""

    hour: float
    speed_m_per_s: float
    from_deg: float


class Spot(NamedTuple):
    """A city, or a source (then without a radius)."""

    latitude: float
    longitude: float
    radius_km: float = 0.0


class Sector(NamedTuple):
    """Where the wind carries; None in place of a sector means a circle."""

    to_deg: float
    half_width_deg: float
    speed_m_per_s: float


def spread_deg(from_deg: list[float]) -> float:
    """Yamartino's estimate of the standard deviation of directions."""
    mean_sin = math.fsum(math.sin(math.radians(one)) for one in from_deg) / len(from_deg)
    mean_cos = math.fsum(math.cos(math.radians(one)) for one in from_deg) / len(from_deg)
    epsilon = math.sqrt(max(0.0, 1.0 - (mean_sin**2 + mean_cos**2)))
    return math.degrees(math.asin(epsilon) * (1.0 + 0.1547 * epsilon**3))


def sector(winds: list[Wind], hour: float) -> Sector | None:
    """The sector of the winds of the window before this hour (its own included); None when they cancel out or there are none."""
    recent = [wind for wind in winds if hour - WINDOW_H < wind.hour <= hour]
    if not recent:
        return None
    blowing = [wind for wind in recent if wind.speed_m_per_s >= CALM_M_PER_S]
    east = -math.fsum(wind.speed_m_per_s * math.sin(math.radians(wind.from_deg)) for wind in blowing) / len(recent)
    north = -math.fsum(wind.speed_m_per_s * math.cos(math.radians(wind.from_deg)) for wind in blowing) / len(recent)
    speed = math.hypot(east, north)
    if speed < CALM_M_PER_S:
        return None
    half_width = max(MIN_HALF_WIDTH_DEG, SIGMAS * spread_deg([wind.from_deg for wind in blowing]))
    return Sector(math.degrees(math.atan2(east, north)) % 360, min(180.0, half_width), speed)


def reaches(source: Spot, city: Spot, carried: Sector | None) -> bool:
    """Whether any part of the city's circle lies in the sector (or in the calm circle) around the source."""
    bearing, _, metres = _ELLIPSOID.inv(source.longitude, source.latitude, city.longitude, city.latitude)
    away_km = metres / 1000
    if carried is None:
        return away_km <= CALM_RADIUS_KM + city.radius_km + 0.05
    if away_km <= city.radius_km:
        return True
    own_half_deg = math.degrees(math.asin(city.radius_km / away_km))
    off_deg = abs((bearing - carried.to_deg + 180) % 360 - 180)
    edge_km = away_km - city.radius_km
    in_time = edge_km <= MAX_TRAVEL_H * 3.6 * carried.speed_m_per_s + 0.05 and edge_km <= MAX_KM
    return in_time and off_deg <= carried.half_width_deg + own_half_deg + BEARING_ERROR_DEG
