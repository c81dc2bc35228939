"""Where did it come from: the reaches a danger of unknown source may have started on, and how likely each is.

In a tree the suspects are one slice of the network's numbering. Who is likelier among them is told by places found clean: had the danger
started above such a place, it would have had to pass it unseen, or after the measurement. Travel times carry the same log-normal doubt as
forecasts do. Nothing here looks at anything but the river: that a reach is likely says nothing about who did it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from topology.arrival import HOUR_MS, Z90
from topology.base import Fault, TopologyError
from topology.network import position_fault
from topology.upstream_ways import hours_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from topology.base import Passage
    from topology.network import Network
    from topology.river import Clock
    from topology.upstream_ways import Upstream

SPEEDS = 64
"""How many speeds of the river are tried, equally likely ones."""


class Clean(NamedTuple):
    """At this place of the river the danger was looked for at `at` (int ms) and not found."""

    reach: str
    reach_km: float
    at: int


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed beforehand.

    The clock's hours times `factor` are the median of a travel time, `log_sd` is the spread of its logarithm. A measurement overlooks a danger
    that is there with probability `missed`. The danger lasts `duration_h` at a place, so a later clean measurement says little. It started
    at most `age_max_h` before it was found first. Without `sites` (a weight by reach id) every km of river is as likely as any other; with them
    the source is one of them with probability `sites_share`.
    """

    log_sd: float = 0.4
    factor: float = 1.0
    missed: float = 0.05
    duration_h: float = 72.0
    age_max_h: float = 720.0
    sites: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    sites_share: float = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Suspects:
    """Reaches (numbers) the danger may have started on, the likeliest first; `probability` adds up to 1.

    `hours` is the median travel time from the middle of the reach (of its part above the detection) to the first detection, inf when a
    speed on the way is not known. `found_at` is when the danger was found there (int ms).
    """

    reach: NDArray[np.int64]
    probability: NDArray[np.float64]
    hours: NDArray[np.float64]
    found_at: int


class Suspect(NamedTuple):
    """One suspected reach: how likely, and when the danger left it (10th, 50th, 90th percentile, int ms; None when that cannot be said)."""

    reach: str
    probability: float
    left_at: tuple[int, int, int] | None


def suspects(network: Network, clock: Clock, found: Sequence[Passage], clean: Sequence[Clean], belief: Belief) -> Suspects:
    """The reaches from which water comes to every place in `found` (at least one), by probability.

    Empty when no single reach lies above all of them: then there are several sources. Raises `TopologyError` for places off the network.
    """
    named = [*((place.reach, place.reach_km) for place in found), *((place.reach, place.reach_km) for place in clean)]
    faults = [position_fault(network, reach, km, "places") for reach, km in named]
    if not found:
        faults.append(Fault("places", 0, "found", "the danger was found nowhere", "give the place where it was found"))
    if any(faults):
        raise TopologyError(tuple(fault for fault in faults if fault is not None))
    ways = [hours_to(network, clock, place.reach, place.reach_km) for place in found]
    common = ways[0].reach
    for way in ways[1:]:
        common = np.intersect1d(common, way.reach, assume_unique=True)
    # The detection farthest upstream is the one fewest reaches lie above.
    nearest = min(range(len(found)), key=lambda at: (len(ways[at].reach), found[at].reach_km, found[at].front_at))
    first, way = found[nearest], ways[nearest].only(common)
    weight = _prior(network, way, belief) * _agreement(network, clock, (first, way), clean, belief)
    total = weight.sum()
    probability = weight / total if total > 0.0 else weight
    order = np.lexsort((way.reach, -probability))
    return Suspects(way.reach[order], probability[order], way.hours[order] * belief.factor, first.front_at)


def likeliest(network: Network, among: Suspects, count: int, belief: Belief) -> tuple[Suspect, ...]:
    """The `count` likeliest suspects with ids and instants, under the belief they come from."""
    told, spread = [], math.exp(Z90 * belief.log_sd)
    for reach, probability, hours in zip(among.reach[:count].tolist(), among.probability.tolist(), among.hours.tolist(), strict=False):
        left_at = None
        if hours < math.inf:
            early, median, late = (among.found_at - round(hours * factor * HOUR_MS) for factor in (spread, 1.0, 1.0 / spread))
            left_at = (early, median, late)
        told.append(Suspect(network.reaches[reach], probability, left_at))
    return tuple(told)


def passing(hours: float, since_h: float, duration_h: float) -> bool:
    """Whether the danger was at a place when it was measured there, if its front took `hours` from there to the detection.

    `since_h`: from the measurement to the detection (negative: measured later). inf `hours`: nobody knows, so no contradiction.

    >>> [passing(hours, 24.0, 72.0) for hours in (23.0, 25.0, 95.0, 97.0)]
    [False, True, True, False]
    """
    return since_h <= hours <= since_h + duration_h


def _prior(network: Network, way: Upstream, belief: Belief) -> NDArray[np.float64]:
    total = way.length_km.sum()
    by_length = way.length_km / total if total > 0.0 else np.full(len(way.reach), 1.0 / max(1, len(way.reach)))
    listed = np.array([belief.sites.get(network.reaches[reach], 0.0) for reach in way.reach.tolist()]) if belief.sites else np.zeros(0)
    if not listed.sum() > 0.0:
        return by_length
    return np.asarray(belief.sites_share * listed / listed.sum() + (1.0 - belief.sites_share) * by_length)


class _Contradiction(NamedTuple):
    """A place found clean: the row of its reach, where on it, hours to the detection, hours before it, and the rows of the reaches above."""

    row: int
    km: float
    hours: float
    since_h: float
    above: NDArray[np.intp]


def _agreement(
    network: Network, clock: Clock, detection: tuple[Passage, Upstream], clean: Sequence[Clean], belief: Belief
) -> NDArray[np.float64]:
    """How well each suspect agrees with the places found clean between it and the detection, and with the age believed.

    The mean over how fast the river may have been: its speed is one and the same for all places.
    """
    way = detection[1]
    places = _on_the_way(network, clock, detection, clean)
    weight = np.zeros(len(way.reach))
    normal = NormalDist(sigma=belief.log_sd) if belief.log_sd > 0.0 else None
    for step in range(SPEEDS):
        factor = belief.factor * (math.exp(normal.inv_cdf((step + 0.5) / SPEEDS)) if normal else 1.0)
        part = (np.isinf(way.hours) | (way.hours * factor <= belief.age_max_h)).astype(np.float64)
        inside: dict[int, list[float]] = {}
        for place in places:
            if passing(place.hours * factor, place.since_h, belief.duration_h):
                part[place.above] *= belief.missed
                inside.setdefault(place.row, []).append(place.km)
        for row, kms in inside.items():
            part[row] *= _mean_along(kms, way.length_km.item(row), belief.missed)
        weight += part
    return weight / SPEEDS


def _on_the_way(network: Network, clock: Clock, detection: tuple[Passage, Upstream], clean: Sequence[Clean]) -> list[_Contradiction]:
    first, way = detection
    found = []
    for place in clean:
        at = network.index[place.reach]
        row = int(np.searchsorted(way.reach, at))
        if row < len(way.reach) and way.reach[row] == at and place.reach_km <= way.length_km[row]:
            above = np.flatnonzero(np.isin(way.reach, hours_to(network, clock, place.reach, place.reach_km).reach) & (way.reach != at))
            hours = way.hours_from(row, place.reach_km, clock)
            found.append(_Contradiction(row, place.reach_km, hours, (first.front_at - place.at) / HOUR_MS, above))
    return found


def _mean_along(kms: Sequence[float], length_km: float, missed: float) -> float:
    """Mean over a reach of `missed` to the power of how many of the places lie below a source on it."""
    product, mean, end = 1.0, 0.0, length_km
    for km in sorted(kms, reverse=True):
        mean += product * (end - km)
        product, end = product * missed, km
    return (mean + product * end) / length_km if length_km > 0.0 else product
