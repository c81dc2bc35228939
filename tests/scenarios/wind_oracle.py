"""Which cities the wind may carry smoke to: one puff after the other along the measured winds, and around it all that is not known of it.

Independent of the product: puffs are moved in plain arithmetic, Yamartino's estimator (Yamartino 1984, Journal of Climate and Applied
Meteorology 23, 1362) and Briggs' spreads are written again here, bearings come from pyproj. Nothing is drawn: whatever member of whatever
ensemble, it turns by at most so many standard deviations, is at most so much faster or slower, and as wide as under the least stable air
of that hour. The figures below are what the footprint declares; if it declares others, this must be told.
"""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import NamedTuple

from pyproj import Geod

WINDOW_H = 3.0
HISTORY_H = 3.0
STEP_H = 1.0
CALM_M_PER_S = 0.5
CALM_RADIUS_KM = 15.0
LEAST_DIRECTION_SD_DEG = 15.0
LEAST_SPEED_SPREAD = 0.3
FARTHEST_SDS = 2.66
"""Of 128 equally likely parts of a normal distribution the middle of the outermost."""
SPREADS = 2.0
PROTECTIVE_KM = 5.0
ISOLATION_KM = 1.0
MAX_TRAVEL_H = 24.0
SOURCE_SIGMA_M = 3000.0 / 2.15
"""As the region says: measured is a neighbourhood of 3 km."""
BY_DAY, BY_NIGHT = 0.32, 0.16
"""Briggs' urban spreads across the wind at class B (no January sun makes more of a wind of 0.5 m/s) and D, per m; both fall with 1 / sqrt(1 + 0.0004 x)."""
DAY = range(7, 18)
"""Hours of Beijing in which the sun can be higher than 10 degrees in January, and more."""
_ELLIPSOID = Geod(ellps="WGS84")
_SUB_STEPS = 12


class Wind(NamedTuple):
    """A measured wind: hours since 1970, speed, and where it blows from (degrees clockwise from north)."""

    hour: float
    speed_m_per_s: float
    from_deg: float


class Spot(NamedTuple):
    """A city, or a source (then without a radius)."""

    latitude: float
    longitude: float
    radius_km: float = 0.0


class Carried(NamedTuple):
    """Where puffs of the last hours are, have been and will be: (bearing, km from the source, km of way), and what is not known of them."""

    ways: tuple[tuple[float, float, float], ...]
    downwind_deg: float
    half_width_deg: float
    slowest: float
    fastest: float
    spread_per_m: float


def vector(wind: Wind) -> tuple[float, float]:
    """Towards east and north; a calm goes nowhere."""
    if wind.speed_m_per_s < CALM_M_PER_S:
        return 0.0, 0.0
    angle = math.radians(wind.from_deg + 180.0)
    return wind.speed_m_per_s * math.sin(angle), wind.speed_m_per_s * math.cos(angle)


def spread_deg(from_deg: list[float]) -> float:
    """Yamartino's estimate of the standard deviation of directions."""
    mean_sin = math.fsum(math.sin(math.radians(one)) for one in from_deg) / len(from_deg)
    mean_cos = math.fsum(math.cos(math.radians(one)) for one in from_deg) / len(from_deg)
    epsilon = math.sqrt(max(0.0, 1.0 - (mean_sin**2 + mean_cos**2)))
    return math.degrees(math.asin(epsilon) * (1.0 + 0.1547 * epsilon**3))


def carried(winds: list[Wind], hour: float, ended: float | None = None) -> Carried | None:
    """What the winds up to this hour do with what was released in the last hours, or in the last ones before the source ended.

    None when the winds of the window cancel out or there are none.
    """
    recent = [wind for wind in winds if hour - WINDOW_H < wind.hour <= hour]
    blowing = [wind for wind in recent if wind.speed_m_per_s >= CALM_M_PER_S]
    if not blowing:
        return None
    east, north = (math.fsum(vector(wind)[axis] for wind in blowing) / len(recent) for axis in (0, 1))
    if math.hypot(east, north) < CALM_M_PER_S:
        return None
    half_width = FARTHEST_SDS * max(LEAST_DIRECTION_SD_DEG, spread_deg([wind.from_deg for wind in blowing]))
    speeds = [wind.speed_m_per_s for wind in recent]
    mean = math.fsum(speeds) / len(speeds)
    spread = max(LEAST_SPEED_SPREAD, math.sqrt(math.fsum((one - mean) ** 2 for one in speeds) / len(speeds)) / mean)
    factor = math.exp(FARTHEST_SDS * math.sqrt(math.log(1.0 + spread**2)))
    local_hour = int(hour + 8) % 24
    last_h = 0.0 if ended is None else hour - ended
    ways = tuple(point for ago in range(int(HISTORY_H / STEP_H) + 1) for point in way(winds, hour, last_h + ago * STEP_H, (east, north)))
    per_m = BY_DAY if local_hour in DAY else BY_NIGHT
    return Carried(ways, math.degrees(math.atan2(east, north)) % 360.0, half_width, 1.0 / factor, factor, per_m)


def at_hour(winds: list[Wind], hour: float) -> tuple[float, float]:
    """The wind measured nearest to this hour."""
    return vector(min(winds, key=lambda wind: (abs(wind.hour - hour), wind.hour)))


def way(winds: list[Wind], hour: float, ago_h: float, onward: tuple[float, float]) -> list[tuple[float, float, float]]:
    """Positions of a puff released so long ago: along the measured winds until now, then along the mean of the window."""
    known = [wind for wind in winds if wind.hour <= hour]
    east = north = gone = 0.0
    # Instants are whole steps before this hour; the first leg may be shorter.
    before = [hour - ago_h, *(hour - step * STEP_H for step in range(math.ceil(ago_h / STEP_H) - 1, -1, -1))]
    legs = []
    for begin, end in itertools.pairwise(before):
        (u, v), (then_u, then_v) = at_hour(known, begin), at_hour(known, end)
        legs.append((end - begin, (u + then_u) / 2.0, (v + then_v) / 2.0))
    legs += [(STEP_H, *onward)] * math.ceil((MAX_TRAVEL_H - ago_h) / STEP_H)
    found = []
    for hours, u, v in legs:
        for _ in range(_SUB_STEPS):
            east, north = east + 3.6 * hours * u / _SUB_STEPS, north + 3.6 * hours * v / _SUB_STEPS
            gone += 3.6 * hours * math.hypot(u, v) / _SUB_STEPS
            found.append((math.degrees(math.atan2(east, north)) % 360.0, math.hypot(east, north), gone))
    return found


def width_km(gone_km: float, per_m: float) -> float:
    """So far beside its way a puff counts, counted from the virtual source that makes it as wide as the neighbourhood at its start."""
    squared = SOURCE_SIGMA_M**2
    virtual_m = (4e-4 * squared + math.sqrt((4e-4 * squared) ** 2 + 4.0 * per_m**2 * squared)) / (2.0 * per_m**2)
    x_m = virtual_m + 1000.0 * gone_km
    return SPREADS * per_m * x_m / math.sqrt(1.0 + 4e-4 * x_m) / 1000.0


@cache
def between(source: Spot, city: Spot) -> tuple[float, float]:
    """Bearing (degrees) and distance (km)."""
    bearing, _, metres = _ELLIPSOID.inv(source.longitude, source.latitude, city.longitude, city.latitude)
    return bearing, metres / 1000


def reaches(source: Spot, city: Spot, seen: Carried | None) -> bool:
    """Whether any puff may touch any part of the city's circle, or it lies in the protective zone (or in the calm circle) of the source."""
    bearing, away_km = between(source, city)
    if seen is None:
        return away_km <= CALM_RADIUS_KM + city.radius_km + 0.05
    off = math.radians(bearing - seen.downwind_deg)
    along, across = away_km * math.cos(off), abs(away_km * math.sin(off))
    in_square = -city.radius_km <= along <= PROTECTIVE_KM + city.radius_km and across <= PROTECTIVE_KM / 2.0 + city.radius_km
    if in_square or away_km <= city.radius_km + ISOLATION_KM:
        return True
    return any(_near(bearing, away_km, city.radius_km, point, seen) for point in seen.ways)


def _near(bearing: float, away_km: float, radius_km: float, point: tuple[float, float, float], seen: Carried) -> bool:
    """Whether some member's puff, being at this point of its way but for its own turn and speed, touches the city."""
    towards, out_km, gone_km = point
    if not out_km:
        return False
    # The member whose puff is as far out as the city: its way is longer or shorter in proportion.
    wide = radius_km + width_km(gone_km * (away_km + radius_km) / out_km, seen.spread_per_m)
    if not out_km * seen.slowest - wide <= away_km <= out_km * seen.fastest + wide:
        return False
    size = 180.0 if wide >= away_km else math.degrees(math.asin(wide / away_km))
    return abs((bearing - towards + 180.0) % 360.0 - 180.0) <= seen.half_width_deg + size + 0.05
