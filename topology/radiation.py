"""Travel between cities when nobody has counted it, by the radiation model: no distance exponent to choose.

Simini, Gonzalez, Maritan, Barabasi, "A universal model for mobility and migration patterns", Nature 484:96 (2012), eq. 2. A traveller takes
the nearest opportunity that beats those at home, so what counts is how many people live in between, not the kilometres.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from topology.geodesy import distance_km

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from topology.base import CityPlace


def radiation_travel(cities: Sequence[CityPlace], trips_per_person_per_day: float) -> NDArray[np.float64]:
    """Travellers per day [origin, destination], shape (n, n), zero on the diagonal.

    From i to j goes the share m n / ((m + s)(m + n + s)) of the `trips_per_person_per_day` x m travellers of i: m and n are the populations
    of i and j, s the people living nearer to i than j (i left out; cities equally far count as one and share). The shares of one origin sum to less than 1: who finds
    nothing better stays. A city of unknown population (0) sends and receives nobody.
    """
    population = np.array([city.population for city in cities], dtype=np.float64)
    latitude = np.array([city.latitude for city in cities])
    longitude = np.array([city.longitude for city in cities])
    travellers = np.zeros((len(cities), len(cities)))
    for i in np.flatnonzero(population > 0.0).tolist():
        away_km = distance_km(latitude[i], longitude[i], latitude, longitude)
        others = np.flatnonzero((population > 0.0) & (np.arange(len(cities)) != i))
        order = others[np.argsort(away_km[others], kind="stable")]
        sorted_km, people = away_km[order], np.concatenate(([0.0], np.cumsum(population[order])))
        # Cities equally far are one opportunity, shared by their people: none is in another's way, whatever the order of the table.
        nearer = people[np.searchsorted(sorted_km, sorted_km, side="left")]
        up_to_here = people[np.searchsorted(sorted_km, sorted_km, side="right")]
        here, there = population[i], population[order]
        share = here * there / ((here + nearer) * (here + up_to_here))
        travellers[i, order] = trips_per_person_per_day * here * share
    return travellers
