"""What the two river clocks share: who lies downstream of a source, how far, and with which part of the water.

A flood wave and a solute run down the same reaches at different speeds. Each has its own module, its own graph type and its own
column of speeds (`river_wave.py`: celerity, `river_solute.py`: velocity); nothing here knows either clock.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from topology.base import TopologyError
from topology.downstream import Clock, Start, clock_of, ways_below
from topology.network import SEVERAL_BRANCHES, position_fault
from topology.river_points import RiverCities, build_cities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from topology.base import Source
    from topology.network import Network

__all__ = [
    "Clock",
    "Reached",
    "RiverCities",
    "build_cities",
    "build_clock",
    "cities_below",
    "clock_of",
    "faded_km",
    "way_confidence",
    "way_reasons",
]

# Routing models write their smallest allowed speed for reservoirs and still water (0.01 m/s in the National Water Model): no speed at all.
FLOOR_M_PER_S = 0.011

DEFAULT_SPEED, RESIDENCE, STILL_WATER, DRAWN_LENGTH = 1, 2, 4, 8
BORDER_REACH = 1 << 17
# What is left of a danger when it has faded: with less of it no city is asked about, so that answers end on a continental river too.
FADED = 1e-3
_REASONS = (
    (DEFAULT_SPEED, "default_speed"),
    (RESIDENCE, "residence"),
    (STILL_WATER, "still_water"),
    (DRAWN_LENGTH, "drawn_length"),
    (SEVERAL_BRANCHES, "several_branches"),
    (BORDER_REACH, "border_reach"),
)


class Reached(NamedTuple):
    """A city downstream: the way to its first point of interest.

    `hours` is inf when a reach on the way has no known speed. `share` is the part of the source's water that passes the city (below 1
    after a split). `flow_ratio` is the source's mean discharge over the city's, NaN when either is not given. `asset` names the point.
    """

    city_id: str
    distance_km: float
    hours: float
    share: float
    flow_ratio: float
    marks: int
    asset: str = ""


def build_clock(network: Network, own_m_per_s: NDArray[np.float64], default_m_per_s: float) -> Clock:
    """The clock of a network from its `own` column of speeds; reaches without one run at the default.

    A speed at the floor marks still water: its `residence_h` then is the whole time through the reach, and without that the time is
    unknown. A reach without its own speed whose velocity is at the floor is still water too. Elsewhere residence is added.
    """
    length_km = network.length_km
    slow = np.where(np.isnan(own_m_per_s), network.velocity_m_per_s, own_m_per_s) <= FLOOR_M_PER_S
    resident = ~np.isnan(network.residence_h)
    speed = np.where(np.isnan(own_m_per_s), default_m_per_s, own_m_per_s)
    running_h = np.where(slow, np.where(resident, 0.0, np.inf), length_km / np.where(slow, 1.0, speed) / 3.6)
    hours = running_h + np.where(resident, network.residence_h, 0.0)
    per_km = np.where(length_km > 0.0, hours / np.where(length_km > 0.0, length_km, 1.0), 0.0)
    marks = DEFAULT_SPEED * (np.isnan(own_m_per_s) & ~slow) + RESIDENCE * resident + STILL_WATER * (slow & ~resident)
    return clock_of(network, per_km, (marks + DRAWN_LENGTH * network.drawn).astype(np.int32))


def cities_below(cities: RiverCities, clock: Clock, source: Source, within_km: float = math.inf) -> tuple[Reached, ...]:
    """The cities downstream of the source, each once, at the point it is reached first; never the source's own city.

    A city that is the left or right of a border reach is reached where the danger enters that reach (at once on the source's own reach)
    unless one of its own points is reached. `within_km` bounds how far the water is followed. Empty when the source stands on no river.
    Raises `TopologyError` when its reach or kilometre is not on this network.
    """
    if not source.reach:
        return ()
    network = cities.network
    fault = position_fault(network, source.reach, source.reach_km, "source")
    if fault is not None:
        raise TopologyError((fault,))
    start = Start(network.index[source.reach], float(source.reach_km), within_km)
    found = _reached(cities, clock, start)
    if len(cities.banks):
        told = {reached.city_id for reached in found}
        found += [one for one in _reached(cities, clock, start._replace(whole_reach=True)) if one.city_id not in told]
    return tuple(one for one in found if one.city_id != source.city_id)


def _reached(cities: RiverCities, clock: Clock, start: Start) -> list[Reached]:
    """The nearest way to each city, to its own points or (a start that meets its whole reach) to its banks."""
    network, points = cities.network, cities.banks if start.whole_reach else cities.points
    found = ways_below(network, clock, points, start)
    city = points.city[found.point]
    if cities.several or start.whole_reach:
        first = np.sort(np.unique(city, return_index=True)[1])
        city, found = city[first], found.at(first)
    marks = found.marks | BORDER_REACH if start.whole_reach else found.marks
    columns = (found.distance_km, found.hours, found.share, _ratios(network, points.reach[found.point], start.reach), marks)
    asset, ids = points.asset, cities.city_ids
    cities_and_ways = zip(city.tolist(), found.point.tolist(), *(column.tolist() for column in columns), strict=True)
    return [Reached(ids[number], km, h, share, ratio, bits, asset[point]) for number, point, km, h, share, ratio, bits in cities_and_ways]


def _ratios(network: Network, reach: NDArray[np.int32], source: int) -> NDArray[np.float64]:
    """Mean discharge at the source over that at each reach; one of 0 says nothing about what flows now, so it counts as not given."""
    source_flow, flow = network.mean_discharge_m3_per_s.item(source), network.mean_discharge_m3_per_s[reach]
    if not source_flow > 0.0:
        return np.full(len(reach), math.nan)
    return np.asarray(np.divide(source_flow, flow, out=np.full(len(reach), math.nan), where=flow > 0.0))


def faded_km(attenuation_per_km: float) -> float:
    """The distance over which a danger that loses `attenuation_per_km` of itself per km falls to `FADED`; inf when it loses nothing.

    >>> round(faded_km(0.001))
    6908
    """
    return -math.log(FADED) / attenuation_per_km if attenuation_per_km > 0.0 else math.inf


def way_reasons(marks: int) -> tuple[str, ...]:
    """The words for what was met on the way."""
    return tuple(word for bit, word in _REASONS if marks & bit)


def way_confidence(marks: int, hours: float) -> float:
    """How far the arrival is to be trusted: 0.6 with given speeds, less with a default one or a choice of branches, 0.1 untimed."""
    if math.isinf(hours):
        return 0.1
    return 0.6 * (0.7 if marks & DEFAULT_SPEED else 1.0) * (0.8 if marks & (SEVERAL_BRANCHES | RESIDENCE | DRAWN_LENGTH) else 1.0)
