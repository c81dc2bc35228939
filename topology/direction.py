"""Averages of directions: degrees must never be averaged as numbers (359 and 1 give 180), components must.

`from_deg` is the meteorological direction the wind blows *from*, degrees clockwise from north; `downwind` is where it blows *to*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FULL_CIRCLE_DEG = 360.0


@dataclass(frozen=True, slots=True)
class MeanWind:
    """The vector mean of wind measurements: its speed (m/s, at most the mean of the speeds) and where it blows to (degrees)."""

    speed_m_per_s: float
    downwind_deg: float


def compass_deg(angle_rad: ArrayLike) -> NDArray[np.float64]:
    """An angle in radians as a compass direction in degrees, always in [0, 360).

    >>> float(compass_deg(-1e-20))
    0.0
    """
    degrees = np.degrees(angle_rad) % FULL_CIRCLE_DEG
    # The modulo of a tiny negative angle rounds to 360 itself.
    return np.asarray(np.where(degrees >= FULL_CIRCLE_DEG, 0.0, degrees), dtype=np.float64)


def angle_between_deg(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Smallest angle between two directions, degrees in [0, 180].

    >>> float(angle_between_deg(350.0, 20.0))
    30.0
    """
    return np.asarray(np.abs((np.subtract(first, second) + 180.0) % 360.0 - 180.0), dtype=np.float64)


def yamartino_deg(from_deg: ArrayLike) -> float:
    """Spread (one standard deviation, degrees) of directions by Yamartino's single-pass estimator; NaN for none.

    Yamartino 1984: asin(e) (1 + (2/sqrt(3) - 1) e^3), e^2 = 1 - (mean sin^2 + mean cos^2). Directions at random give about 104.

    >>> round(yamartino_deg([350.0, 10.0]), 6)
    10.0081
    """
    angles = np.radians(np.atleast_1d(np.asarray(from_deg, dtype=np.float64)))
    if angles.size == 0:
        return float("nan")
    epsilon = np.sqrt(np.clip(1.0 - (np.sin(angles).mean() ** 2 + np.cos(angles).mean() ** 2), 0.0, 1.0))
    return float(np.degrees(np.arcsin(epsilon) * (1.0 + (2.0 / np.sqrt(3.0) - 1.0) * epsilon**3)))


def vector_mean(speed_m_per_s: ArrayLike, from_deg: ArrayLike) -> MeanWind:
    """The mean of wind vectors. At least one measurement; a speed of 0 counts as a zero vector whatever its direction (NaN too).

    >>> vector_mean([2.0, 2.0], [90.0, 270.0]).speed_m_per_s < 1e-9
    True
    """
    speed = np.asarray(speed_m_per_s, dtype=np.float64)
    angle = np.radians(np.where(speed > 0.0, from_deg, 0.0))
    east, north = float(-(speed * np.sin(angle)).mean()), float(-(speed * np.cos(angle)).mean())
    return MeanWind(float(np.hypot(east, north)), float(compass_deg(np.arctan2(east, north))))
