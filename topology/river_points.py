"""Where cities lie along a river: their points (centres, water intakes), in the order water passes them, as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from topology.base import Fault, TopologyError
from topology.network import build_network, position_fault
from topology.network_faults import network_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from topology.base import CityPlace, Places
    from topology.network import Network

_Point = tuple[int, float, int, str]


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points on reaches, ordered down every run of reaches: by reach number from the largest, then by kilometre.

    Those on reach i are `from_[i + 1]` to `from_[i]` (`from_` counts the points on reaches of that number and above). `city` is an index of
    `RiverCities.city_ids`, `asset` the name of the point ("" = the city as such).
    """

    reach: NDArray[np.int32]
    km: NDArray[np.float64]
    city: NDArray[np.int32]
    asset: tuple[str, ...]
    from_: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.reach)


@dataclass(frozen=True, slots=True, eq=False)
class RiverCities:
    """A network and the cities along it. `points` are their own places, `banks` the border reaches whose left or right they are."""

    network: Network
    city_ids: tuple[str, ...]
    points: Points
    banks: Points
    several: bool
    """Some city has more than one point."""


def build_cities(places: Places, faults: Sequence[Fault]) -> RiverCities:
    """The network with its cities. Raises `TopologyError` with `faults` (the caller's) and every fault of reaches and positions.

    A city without a river position is not part of the graph unless it is the left or right of a border reach.
    """
    found = [*faults, *(network_faults(places.reaches) if places.network is None else ())]
    if found:
        raise TopologyError(tuple(found))
    network = build_network(places.reaches) if places.network is None else places.network
    cities = places.cities
    named = [(number, reach, float(km), asset) for number, city in enumerate(cities) for (reach, km), asset in _points_of(city)]
    at = network.index.locate(reach for _, reach, _, _ in named)
    kms = np.array([km for _, _, km, _ in named])
    wrong = (at < 0) | ~((kms >= 0.0) & (kms <= network.length_km[at])) if len(network.reaches) else np.ones(len(named), dtype=np.bool_)
    for number, reach, km, _ in (named[i] for i in np.flatnonzero(wrong).tolist()):
        fault = position_fault(network, reach, km, "cities.geojson")
        if fault is not None:
            found.append(Fault(fault.table, 0, "river", f"city {cities[number].city_id!r}: {fault.problem}", fault.fix))
    if found:
        raise TopologyError(tuple(found))
    points = _ordered([(reach, km, number, asset) for reach, (number, _, km, asset) in zip(at.tolist(), named, strict=True)], network)
    index = {city.city_id: number for number, city in enumerate(cities)} if network.banks else {}
    banks = [(reach, 0.0, index[name], "") for reach, names in network.banks.items() for name in names if name in index]
    city_ids = tuple(city.city_id for city in cities)
    return RiverCities(network, city_ids, points, _ordered(banks, network), len(set(points.city.tolist())) < len(points))


def _points_of(city: CityPlace) -> Iterator[tuple[tuple[str, float], str]]:
    return zip(city.river, city.assets or ("",) * len(city.river), strict=True)


def _ordered(points: list[_Point], network: Network) -> Points:
    points.sort(key=lambda point: (-point[0], point[1], point[2]))
    reach = np.array([point[0] for point in points], dtype=np.int32)
    on = np.bincount(reach, minlength=len(network.reaches) + 1) if points else np.zeros(len(network.reaches) + 1, dtype=np.int64)
    arrays = (
        reach,
        np.array([point[1] for point in points], dtype=np.float64),
        np.array([point[2] for point in points], dtype=np.int32),
        np.cumsum(on[::-1])[::-1].astype(np.int32),
    )
    for array in arrays:
        array.flags.writeable = False
    return Points(*arrays[:3], tuple(point[3] for point in points), arrays[3])
