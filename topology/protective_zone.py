"""The zone that is always warned: what a wind model cannot be trusted with is the first kilometre, and the first half hour.

Shaped as in the Emergency Response Guidebook (2004 edition, introduction to the table of initial isolation and protective action
distances): a circle around the source, and downwind of it a square whose side is the protective distance, half of it to either side of
the wind's axis. The distances are parameters: the book's own depend on the substance and its amount.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from topology.cloud import Drift
    from topology.puffs import Cities


def protected(cities: Cities, drift: Drift, parameters: Mapping[str, float]) -> NDArray[np.bool_]:
    """Which cities any part of which lies within `isolation_km` of the source, or in the square of side `protective_km` downwind."""
    ahead, right = drift.east / drift.speed, drift.north / drift.speed
    along = cities.east_km * ahead + cities.north_km * right
    across = np.abs(cities.east_km * right - cities.north_km * ahead)
    side = parameters["protective_km"]
    beyond = np.hypot(np.maximum(np.maximum(-along, along - side), 0.0), np.maximum(across - side / 2.0, 0.0))
    isolated = np.hypot(cities.east_km, cities.north_km) <= cities.radius_km + parameters["isolation_km"]
    return np.asarray(isolated | ((beyond <= cities.radius_km) & (side > 0.0)), dtype=np.bool_)
