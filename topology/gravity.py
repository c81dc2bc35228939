"""Travel between cities when nobody has counted it: a gravity model, which orders arrivals only roughly and is marked so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from topology.geodesy import distance_km

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from topology.base import CityPlace

# Below this, distance between centres says nothing about travel between two neighbouring cities.
NEAREST_KM = 10.0


def gravity_travel(cities: Sequence[CityPlace], trips_per_person_per_day: float, exponent: float) -> NDArray[np.float64]:
    """Travellers per day [origin, destination], shape (n, n), zero on the diagonal.

    Production-constrained gravity: each city sends `trips_per_person_per_day` x its population, divided over the others in proportion
    to population / distance^exponent. A city of unknown population (0) sends and receives nobody.
    """
    population = np.array([city.population for city in cities], dtype=np.float64)
    latitude = np.array([city.latitude for city in cities])
    longitude = np.array([city.longitude for city in cities])
    away_km = distance_km(latitude[:, None], longitude[:, None], latitude[None, :], longitude[None, :])
    pull = population[None, :] * np.maximum(away_km, NEAREST_KM) ** -exponent
    np.fill_diagonal(pull, 0.0)
    total = pull.sum(axis=1, keepdims=True)
    share = np.divide(pull, total, out=np.zeros_like(pull), where=total > 0.0)
    return np.asarray(trips_per_person_per_day * population[:, None] * share, dtype=np.float64)
