"""What the two river clocks share: who lies downstream of a source, how far, and with which part of the water.

A flood wave and a solute run down the same reaches at different speeds. Each has its own module, its own graph type and its own
column of speeds (`river_wave.py`: celerity, `river_solute.py`: velocity); nothing here knows either clock.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from topology.base import TopologyError
from topology.network import SEVERAL_BRANCHES, build_network, descend, position_fault
from topology.network_faults import network_faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from topology.base import Fault, Places, Source
    from topology.network import Below, Network

# Routing models write their smallest allowed speed for reservoirs and still water (0.01 m/s in the National Water Model): no speed at all.
FLOOR_M_PER_S = 0.011

DEFAULT_SPEED, RESIDENCE, STILL_WATER = 1, 2, 4
_REASONS = (
    (DEFAULT_SPEED, "default_speed"),
    (RESIDENCE, "residence"),
    (STILL_WATER, "still_water"),
    (SEVERAL_BRANCHES, "several_branches"),
)


@dataclass(frozen=True, slots=True)
class Clock:
    """Hours per km of each reach (inf where no speed is known) and the marks (bits above) that say where they come from."""

    hours_per_km: tuple[float, ...]
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RiverCities:
    """A network and the cities along it: `on[reach index]` lists (km, index in `city_ids`)."""

    network: Network
    city_ids: tuple[str, ...]
    on: Mapping[int, tuple[tuple[float, int], ...]]


class Reached(NamedTuple):
    """A city downstream: the way to its first point of interest.

    `hours` is inf when a reach on the way has no known speed. `share` is the part of the source's water that passes the city (below 1
    after a split). `flow_ratio` is the source's mean discharge over the city's, NaN when either is not given.
    """

    city_id: str
    distance_km: float
    hours: float
    share: float
    flow_ratio: float
    marks: int


def build_cities(places: Places, faults: Sequence[Fault]) -> RiverCities:
    """The network with its cities. Raises `TopologyError` with `faults` (the caller's) and every fault of reaches and positions.

    A city without a river position is not part of the graph.
    """
    found = [*faults, *network_faults(places.reaches)]
    if found:
        raise TopologyError(tuple(found))
    network = build_network(places.reaches)
    on: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for number, city in enumerate(places.cities):
        for reach, km in city.river:
            fault = position_fault(network, reach, km, "cities.geojson")
            if fault is None:
                on[network.index[reach]].append((float(km), number))
            else:
                found.append(fault.__class__(fault.table, 0, "river", f"city {city.city_id!r}: {fault.problem}", fault.fix))
    if found:
        raise TopologyError(tuple(found))
    cities = tuple(city.city_id for city in places.cities)
    return RiverCities(network, cities, MappingProxyType({reach: tuple(sorted(at)) for reach, at in on.items()}))


def build_clock(network: Network, own_m_per_s: NDArray[np.float64], default_m_per_s: float) -> Clock:
    """The clock of a network from its `own` column of speeds; reaches without one run at the default.

    A speed at the floor marks still water: its `residence_h` then is the whole time through the reach, and without that the time is
    unknown. A reach without its own speed whose velocity is at the floor is still water too. Elsewhere residence is added.
    """
    length_km = np.asarray(network.length_km)
    slow = np.where(np.isnan(own_m_per_s), network.velocity_m_per_s, own_m_per_s) <= FLOOR_M_PER_S
    resident = ~np.isnan(network.residence_h)
    speed = np.where(np.isnan(own_m_per_s), default_m_per_s, own_m_per_s)
    running_h = np.where(slow, np.where(resident, 0.0, np.inf), length_km / np.where(slow, 1.0, speed) / 3.6)
    hours = running_h + np.where(resident, network.residence_h, 0.0)
    per_km = np.where(length_km > 0.0, hours / np.where(length_km > 0.0, length_km, 1.0), 0.0)
    marks = DEFAULT_SPEED * (np.isnan(own_m_per_s) & ~slow) + RESIDENCE * resident + STILL_WATER * (slow & ~resident)
    return Clock(tuple(per_km.tolist()), tuple(marks.tolist()))


def cities_below(cities: RiverCities, clock: Clock, source: Source) -> tuple[Reached, ...]:
    """The cities downstream of the source, each once, at the point it is reached first; never the source's own city.

    Empty when the source stands on no river. Raises `TopologyError` when its reach or kilometre is not on this network.
    """
    if not source.reach:
        return ()
    network, found = cities.network, dict[int, Reached]()
    flow = network.mean_discharge_m3_per_s
    source_flow = flow.item(network.index[source.reach]) if source.reach in network.index else math.nan
    for passed in descend(network, source.reach, source.reach_km, clock.hours_per_km, clock.marks):
        here = cities.on.get(passed.reach)
        if here is None:
            continue
        ratio = _ratio(source_flow, flow.item(passed.reach))
        for km, number in here:
            if km < passed.entry_km or cities.city_ids[number] == source.city_id:
                continue
            new = _at(cities.city_ids[number], km, passed, clock, ratio)
            known = found.get(number)
            if known is None or (new.hours, new.distance_km) < (known.hours, known.distance_km):
                found[number] = new
    return tuple(found.values())


def way_reasons(marks: int) -> tuple[str, ...]:
    """The words for what was met on the way."""
    return tuple(word for bit, word in _REASONS if marks & bit)


def way_confidence(marks: int, hours: float) -> float:
    """How far the arrival is to be trusted: 0.6 with given speeds, less with a default one or a choice of branches, 0.1 untimed."""
    if math.isinf(hours):
        return 0.1
    return 0.6 * (0.7 if marks & DEFAULT_SPEED else 1.0) * (0.8 if marks & (SEVERAL_BRANCHES | RESIDENCE) else 1.0)


def _at(city_id: str, km: float, passed: Below, clock: Clock, ratio: float) -> Reached:
    run_km = km - passed.entry_km
    if run_km <= 0.0:
        return Reached(city_id, passed.distance_km, passed.hours, passed.share, ratio, passed.marks)
    hours = passed.hours + run_km * clock.hours_per_km[passed.reach]
    return Reached(city_id, passed.distance_km + run_km, hours, passed.share, ratio, passed.marks | clock.marks[passed.reach])


def _ratio(source_flow: float, city_flow: float) -> float:
    """Source over city; a mean discharge of 0 says nothing about what flows now, so it counts as not given."""
    return source_flow / city_flow if source_flow > 0.0 and city_flow > 0.0 else math.nan
