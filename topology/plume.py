"""The Gaussian plume: how wide and how thin something in the air gets on its way, to some tens of kilometres.

Spreads are those of Briggs (1973) for open country and for cities, as printed in Vallero, Fundamentals of Air Pollution, tables 19-6 and
19-7 (from Gifford 1976). They are fitted from 100 m to 10 km and used here up to the distance at which the puffs of `puffs.py` take over.
Distances along the way in m, spreads (one standard deviation) in m, wind m/s. All array arguments broadcast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Stability(IntEnum):
    """Pasquill's classes, from very unstable (strong sun, light wind) to stable (clear night, light wind)."""

    A = 1
    B = 2
    C = 3
    D = 4
    E = 5
    F = 6


class Spread(NamedTuple):
    """slope * x * (1 + x * per_m) ** power."""

    slope: float
    per_m: float = 0.0
    power: float = 0.0


RURAL: dict[Stability, tuple[Spread, Spread]] = {
    Stability.A: (Spread(0.22, 1e-4, -0.5), Spread(0.20)),
    Stability.B: (Spread(0.16, 1e-4, -0.5), Spread(0.12)),
    Stability.C: (Spread(0.11, 1e-4, -0.5), Spread(0.08, 2e-4, -0.5)),
    Stability.D: (Spread(0.08, 1e-4, -0.5), Spread(0.06, 1.5e-3, -0.5)),
    Stability.E: (Spread(0.06, 1e-4, -0.5), Spread(0.03, 3e-4, -1.0)),
    Stability.F: (Spread(0.04, 1e-4, -0.5), Spread(0.016, 3e-4, -1.0)),
}
URBAN: dict[Stability, tuple[Spread, Spread]] = {
    Stability.A: (Spread(0.32, 4e-4, -0.5), Spread(0.24, 1e-3, 0.5)),
    Stability.B: (Spread(0.32, 4e-4, -0.5), Spread(0.24, 1e-3, 0.5)),
    Stability.C: (Spread(0.22, 4e-4, -0.5), Spread(0.20)),
    Stability.D: (Spread(0.16, 4e-4, -0.5), Spread(0.14, 3e-4, -0.5)),
    Stability.E: (Spread(0.11, 4e-4, -0.5), Spread(0.08, 1.5e-3, -0.5)),
    Stability.F: (Spread(0.11, 4e-4, -0.5), Spread(0.08, 1.5e-3, -0.5)),
}
"""Across the wind and upwards. Only here the vertical spread of unstable air grows faster than the distance."""
_SQUARE_WAVE_TO_SIGMA = 2.15
"""A source of some width is a Gaussian of this part of its radius (Turner 1970, p. 39: side / 4.3)."""
_BISECTIONS = 60
_FARTHEST_M = 1e8


@dataclass(frozen=True, slots=True)
class Air:
    """What the plume is spread by. `mixing_height_m`: nothing rises above it, `virtual_m`: how far upwind a point source would stand."""

    stability: Stability
    urban: bool
    mixing_height_m: float
    virtual_m: float = 0.0


def sigma_y_m(distance_m: ArrayLike, stability: Stability, *, urban: bool) -> NDArray[np.float64]:
    """Spread across the wind; its share of the distance never grows.

    >>> round(float(sigma_y_m(1000.0, Stability.D, urban=False)), 1)
    76.3
    """
    return _spread(distance_m, (URBAN if urban else RURAL)[stability][0])


def sigma_z_m(distance_m: ArrayLike, stability: Stability, *, urban: bool) -> NDArray[np.float64]:
    """Spread upwards.

    >>> round(float(sigma_z_m(1000.0, Stability.F, urban=False)), 1)
    12.3
    """
    return _spread(distance_m, (URBAN if urban else RURAL)[stability][1])


def _spread(distance_m: ArrayLike, law: Spread) -> NDArray[np.float64]:
    distance = np.asarray(distance_m, dtype=np.float64)
    if not law.power:
        return law.slope * distance
    run = 1.0 + law.per_m * distance
    # A square root is several times cheaper than a power, and these are most of the laws.
    return law.slope * distance * (1.0 / run if law.power == -1.0 else np.sqrt(run) if law.power > 0.0 else 1.0 / np.sqrt(run))


def concentration_g_m3(
    rate_g_s: float,
    wind_m_per_s: float,
    across_m: ArrayLike,
    above_m: ArrayLike,
    spread: tuple[ArrayLike, ArrayLike],
    release_m: float = 0.0,
) -> NDArray[np.float64]:
    """Concentration (g/m3) of a steady plume `across_m` beside and `above_m` over its axis on the ground, released at `release_m`.

    Turner 1970, eq. 3.1: a Gaussian in both directions of the given (sigma_y, sigma_z), reflected by the ground.

    >>> c = concentration_g_m3(0.37, 2.0, 0.0, 0.0, (45.9, 26.2), 40.0)
    >>> f"{float(c):.2e}"
    '1.53e-05'
    """
    sigma_y, sigma_z = np.asarray(spread[0], dtype=np.float64), np.asarray(spread[1], dtype=np.float64)
    beside = np.exp(-0.5 * (np.asarray(across_m) / sigma_y) ** 2)
    above = np.asarray(above_m)
    upright = np.exp(-0.5 * ((above - release_m) / sigma_z) ** 2) + np.exp(-0.5 * ((above + release_m) / sigma_z) ** 2)
    return np.asarray(rate_g_s / (2.0 * math.pi * wind_m_per_s * sigma_y * sigma_z) * beside * upright, dtype=np.float64)


@lru_cache(maxsize=256)
def virtual_distance_m(radius_km: float, stability: Stability, *, urban: bool) -> float:
    """How far upwind of a polluted place of this radius a point source would have to stand for its plume to be as wide there (Turner 1970).

    >>> 0.0 < virtual_distance_m(1.0, Stability.D, urban=False) < 10_000.0
    True
    """
    wanted = radius_km * 1000.0 / _SQUARE_WAVE_TO_SIGMA
    low, high = 0.0, _FARTHEST_M
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if float(sigma_y_m(middle, stability, urban=urban)) < wanted else (low, middle)
    return high


def dilution(distance_m: ArrayLike, sigma_across_m: ArrayLike, air: Air) -> NDArray[np.float64]:
    """Concentration on the axis on the ground relative to that at the (virtual) source, 1 at most.

    The plume is `sigma_across_m` wide there, and as high as `sigma_z_m` says, but no higher than air mixed up to `mixing_height_m`
    (Turner 1970: from sigma_z = 0.8 mixing heights on, the concentration is that of even mixing).
    """
    lid = 0.8 * air.mixing_height_m
    high = np.minimum(sigma_z_m(np.add(distance_m, air.virtual_m), air.stability, urban=air.urban), lid)
    high_there = min(float(sigma_z_m(air.virtual_m, air.stability, urban=air.urban)), lid)
    wide_there = float(sigma_y_m(air.virtual_m, air.stability, urban=air.urban))
    thinned = (wide_there * high_there) / np.maximum(np.asarray(sigma_across_m) * high, wide_there * high_there)
    return np.asarray(thinned, dtype=np.float64)


def stability_class(wind_m_per_s: float, sun_elevation_deg: float) -> Stability:
    """Pasquill's class from the surface wind and the sun under a clear sky (Pasquill 1961; sun: above 60 and 35 degrees, Turner 1964).

    Night reaches from an hour before sunset to an hour after sunrise: a sun below 10 degrees. Between two classes of the table, and
    where the cloud is not known, the more stable one: less is thinned than in truth, not more.

    >>> stability_class(1.5, -10.0).name, stability_class(1.5, 70.0).name, stability_class(8.0, 30.0).name
    ('F', 'A', 'D')
    """
    row = sum(wind_m_per_s >= limit for limit in (2.0, 3.0, 5.0, 6.0))
    column = sum(sun_elevation_deg >= limit for limit in (10.0, 35.0, 60.0))
    night, slight, moderate, strong = ("FFEDD"[row], "BCCDD"[row], "BBCDD"[row], "ABBCC"[row])
    return Stability[(night, slight, moderate, strong)[column]]


def sun_elevation_deg(at: int, latitude: float, longitude: float) -> float:
    """Height of the sun above the horizon (degrees, negative at night) at an instant (int ms UTC); good to a degree (Cooper 1969, no equation of time).

    >>> round(sun_elevation_deg(1_718_971_200_000, 23.4, 0.0))
    90
    """
    days = at / 86_400_000.0
    # Day of the year without a calendar: 1970-01-01 is day 0, a tropical year has 365.2422.
    declination = math.radians(23.45) * math.sin(2.0 * math.pi * (days % 365.2422 - 80.0) / 365.2422)
    hour_angle = 2.0 * math.pi * ((days + longitude / 360.0) % 1.0 - 0.5)
    here = math.radians(latitude)
    sine = math.sin(here) * math.sin(declination) + math.cos(here) * math.cos(declination) * math.cos(hour_angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))
