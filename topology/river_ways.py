"""Ways between places of a river: from one place to the cities, detections and works below it, by a clock.

A forecast that starts anew at each detection needs ways between cities, detections, gates and iced reaches. They come from the same
sums (or, where rivers split, the same walk) as the footprint itself, so that reservoirs and quickest paths mean the same everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from topology.network import descend, position_fault
from topology.river import cities_below

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from topology.base import Source
    from topology.network import Network
    from topology.river import Clock, RiverCities


class Spot(NamedTuple):
    """A place on the river: reach id and km from its upstream end."""

    reach: str
    km: float


class Along(NamedTuple):
    """How far it is: km, and hours by the clock (inf where a speed on the way is not known). `scale`: see `Stretch`."""

    km: float
    hours: float
    scale: float = 1.0


class Clocks(NamedTuple):
    """The clock of a danger, and the same hours each times its reach's own spread over the usual one (None where none is known)."""

    hours: Clock
    doubt: Clock | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """What lies below `spot`: any place, and by id the cities (looked for when the first is asked for: most ways lead to none that is)."""

    spot: Spot
    network: Network
    clocks: Clocks
    cities: Callable[[], Mapping[str, Along]]

    def to(self, place: Spot) -> Along | None:
        """The way to a place; None if it does not lie below."""
        along = between(self.network, self.clocks.hours, self.spot, place)
        if along is None or self.clocks.doubt is None:
            return along
        doubtful = between(self.network, self.clocks.doubt, self.spot, place)
        return along if doubtful is None else _scaled(along, doubtful.hours)

    def to_city(self, city_id: str) -> Along | None:
        """The way to the first point of a city that lies below; None if none does."""
        return self.cities().get(city_id)


def way_from(cities: RiverCities, clocks: Clocks, source: Source, spot: Spot) -> Way:
    """The ways down from `spot`, which is on the network, for the danger of `source` (whose own city is never asked for)."""

    @cache
    def found() -> Mapping[str, Along]:
        asked = replace(source, reach=spot.reach, reach_km=spot.km)
        ways = {one.city_id: Along(one.distance_km, one.hours) for one in cities_below(cities, clocks.hours, asked)}
        if clocks.doubt is not None:
            for one in cities_below(cities, clocks.doubt, asked):
                ways[one.city_id] = _scaled(ways[one.city_id], one.hours)
        return ways

    return Way(spot, cities.network, clocks, found)


def on_network(network: Network, spot: Spot) -> bool:
    """Whether a place that was reported earlier exists on this network."""
    return position_fault(network, spot.reach, spot.km, "") is None


def between(network: Network, clock: Clock, upper: Spot, lower: Spot) -> Along | None:
    """The quickest way from one place on the network to another; None if the second does not lie below the first."""
    here, there = _number(network, upper.reach), _number(network, lower.reach)
    if here == there:
        run_km = lower.km - upper.km
        return None if run_km < 0.0 else Along(run_km, _hours(clock, here, run_km))
    tree, below = network.tree, clock.to_outlet
    if tree is None or below is None:
        return _walked(network, clock, upper, lower)
    if not there <= here < there + tree.size.item(there):
        return None
    length_km = network.length_km
    rest_km, open_km = length_km.item(here) - upper.km, length_km.item(there) - lower.km
    km = tree.below_km.item(here) + rest_km - tree.below_km.item(there) - open_km
    ends_h = _hours(clock, here, rest_km) + _hours(clock, there, lower.km)
    if math.isinf(ends_h) or below.unknown.item(here) - below.unknown.item(there) - math.isinf(clock.hours_per_km.item(there)) > 0:
        return Along(km, math.inf)
    hours = below.hours.item(here) - below.hours.item(there) - _known_hours(clock, there, length_km.item(there)) + ends_h
    return Along(max(km, 0.0), max(hours, 0.0))


def _scaled(along: Along, doubtful_h: float) -> Along:
    known = 0.0 < along.hours < math.inf and doubtful_h < math.inf
    return along._replace(scale=doubtful_h / along.hours) if known else along


# The same few places are asked for again and again, and an id is looked for among all of them.
@lru_cache(maxsize=4096)
def _number(network: Network, reach: str) -> int:
    return network.index[reach]


def _walked(network: Network, clock: Clock, upper: Spot, lower: Spot) -> Along | None:
    there = network.index[lower.reach]
    for passed in descend(network, upper.reach, upper.km, clock.hours_per_km, clock.marks):
        if passed.reach == there:
            return Along(passed.distance_km + lower.km, passed.hours + _hours(clock, there, lower.km))
    return None


def _hours(clock: Clock, reach: int, run_km: float) -> float:
    return run_km * clock.hours_per_km.item(reach) if run_km > 0.0 else 0.0


def _known_hours(clock: Clock, reach: int, run_km: float) -> float:
    hours = _hours(clock, reach, run_km)
    return 0.0 if math.isinf(hours) else hours
