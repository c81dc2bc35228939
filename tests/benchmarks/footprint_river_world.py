"""The river network and the cities of the footprint speed benchmark: generated, the same at every run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from topology.base import CityPlace, Source
from topology.reach_columns import reach_columns

if TYPE_CHECKING:
    from topology.network import Network
    from topology.reach_columns import ReachColumns

NEAREST = 320
"""Each reach flows into one of so many before it: at a million reaches some 6,000 from the farthest source to the sea, which is how the depth
of the 11,248 real reaches of the lower Colorado (649) grows with the square root of their number."""
FIRST_ID = 70_000_001


@dataclass(frozen=True)
class World:
    """`down`, `length_km`, `hours`: by reach. `city_reach`: where each city lies, at the lower end. Ids in a random order, as tables have them."""

    down: np.ndarray
    length_km: np.ndarray
    celerity_m_per_s: np.ndarray
    ids: np.ndarray
    city_reach: np.ndarray

    @property
    def hours(self) -> np.ndarray:
        return self.length_km / self.celerity_m_per_s / 3.6


def world(reaches: int, cities: int, nearest: int = NEAREST) -> World:
    rng = np.random.default_rng(2005)
    down = np.maximum(np.arange(reaches) - 1 - rng.integers(0, nearest, reaches), -1)
    down[0] = -1
    length_km = np.round(rng.gamma(2.0, 2.1, reaches) + 0.05, 3)
    return World(
        down,
        length_km,
        rng.uniform(0.6, 2.4, reaches).round(2),
        FIRST_ID + rng.permutation(reaches),
        np.sort(rng.choice(reaches, cities, replace=False)),
    )


def columns(w: World) -> ReachColumns:
    """The table of the network, its rows in a random order."""
    rows = np.random.default_rng(1).permutation(len(w.down))
    down = w.down[rows]
    return reach_columns(
        {
            "reach": w.ids[rows],
            "downstream": np.where(down >= 0, w.ids[np.maximum(down, 0)], 0),
            "length_km": w.length_km[rows],
            "celerity_m_per_s": w.celerity_m_per_s[rows],
        }
    )


def city_places(w: World) -> tuple[CityPlace, ...]:
    """City `c<number>` on `city_reach[number]`."""
    return tuple(
        CityPlace(f"c{number}", 30.0, 110.0, 5.0, 100_000, ((str(w.ids[reach]), float(w.length_km[reach])),))
        for number, reach in enumerate(w.city_reach.tolist())
    )


def sources(w: World, count: int) -> list[tuple[int, Source]]:
    """Random reaches, and a danger at the upper end of each."""
    chosen = np.random.default_rng(7).integers(0, len(w.down), count).tolist()
    return [(at, Source("st/q", "", 30.0, 110.0, str(w.ids[at]), 0.0, 0, 0, None, 100.0, 1.0)) for at in chosen]


def check_same(network: Network, w: World) -> None:
    """That the network built is the one generated."""
    assert len(network.reaches) == len(w.down)
    at = network.index[str(w.ids[5])]
    assert network.length_km.item(at) == w.length_km[5]
