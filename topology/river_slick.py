"""Front, peak and tail of a solute at the cities below, and the concentration of its peak: what a water works must know.

A warning speaks of the front. How long an intake must stay closed follows from Jobson's relations (`jobson.py`) for the age that the slick
has when it arrives: the older it is, the longer and the thinner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from topology import river_pace, river_solute
from topology.arrival import HOUR_MS, instant
from topology.jobson import LEADING_EDGE, tail_hours

if TYPE_CHECKING:
    from topology.base import Conditions, Source
    from topology.river_solute import SoluteGraph


class Slick(NamedTuple):
    """At a city: when the front comes, the peak, and when it is down to a tenth of the peak (medians, int ms UTC).

    `peak`: the concentration of the peak, in the unit of the source's series, if that was `source.value` at the source.
    """

    city_id: str
    front_at: int
    peak_at: int
    tail_at: int
    peak: float


def slicks(graph: SoluteGraph, source: Source, conditions: Conditions) -> tuple[Slick, ...]:
    """The slick of a release that passes the source `source_age_h` after it, at every city whose time is known, nearest first."""
    relative = river_pace.relative_discharge(graph.cities.network, source, conditions)
    age_h = graph.parameters["source_age_h"]
    found = []
    for impact in river_solute.footprint(graph, source, conditions):
        if impact.arrival is not None:
            front_at = impact.arrival.p50_at
            peak_h = age_h + max(0, front_at - source.onset_at) / HOUR_MS / LEADING_EDGE
            peak_at = instant(front_at, (1.0 - LEADING_EDGE) * peak_h)
            tail_at = max(peak_at, instant(front_at, tail_hours(peak_h, relative)))
            found.append(Slick(impact.city_id, front_at, peak_at, tail_at, source.value * impact.intensity))
    return tuple(found)
