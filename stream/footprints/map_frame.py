"""From degrees to the picture: a flat frame in kilometres around the middle of what is shown, north up, and a scale that is true there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from topology.geodesy import from_xy, to_xy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_MARGIN = 0.12
_LEAST_KM = 4.0
_STEPS = (1.0, 2.0, 5.0)


class Box(NamedTuple):
    """A rectangle of the picture, pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether they overlap."""
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom

    def holds(self, other: Box) -> bool:
        """Whether the other lies inside."""
        return self.left <= other.left and self.top <= other.top and self.right >= other.right and self.bottom >= other.bottom


class Frame(NamedTuple):
    """The centre (degrees), its pixel, and the scale."""

    latitude: float
    longitude: float
    x: float
    y: float
    pixels_per_km: float

    def pixels(self, latitude: ArrayLike, longitude: ArrayLike) -> NDArray[np.float64]:
        """Pixels [place, 2]."""
        east_km, north_km = to_xy(self.latitude, self.longitude, latitude, longitude)
        return np.column_stack(
            [np.atleast_1d(self.x + east_km * self.pixels_per_km), np.atleast_1d(self.y - north_km * self.pixels_per_km)]
        )

    def degrees(self, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Latitude and longitude of pixels."""
        return from_xy(
            self.latitude, self.longitude, (np.asarray(x) - self.x) / self.pixels_per_km, (self.y - np.asarray(y)) / self.pixels_per_km
        )


def frame_of(latitude: NDArray[np.float64], longitude: NDArray[np.float64], box: Box) -> Frame:
    """The frame in which all these places (at least one) lie inside the box with a margin."""
    # Longitudes as seen from the first place: those across the 180th meridian are its neighbours.
    first = longitude[0]
    turned = first + (longitude - first + 180.0) % 360.0 - 180.0
    middle = ((latitude.min() + latitude.max()) / 2.0, (turned.min() + turned.max()) / 2.0)
    east_km, north_km = to_xy(*middle, latitude, turned)
    wide_km = max(_LEAST_KM, float(np.ptp(east_km))) * (1.0 + 2.0 * _MARGIN)
    high_km = max(_LEAST_KM, float(np.ptp(north_km))) * (1.0 + 2.0 * _MARGIN)
    scale = min((box.right - box.left) / wide_km, (box.bottom - box.top) / high_km)
    x = (box.left + box.right) / 2.0 - (east_km.min() + east_km.max()) / 2.0 * scale
    y = (box.top + box.bottom) / 2.0 + (north_km.min() + north_km.max()) / 2.0 * scale
    return Frame(*middle, float(x), float(y), scale)


def round_step(most: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not above `most`: for scale bars and grids.

    >>> round_step(180.0), round_step(0.7)
    (100.0, 0.5)
    """
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in _STEPS if step * power <= most * (1.0 + 1e-9))
