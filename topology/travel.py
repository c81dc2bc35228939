"""Footprint of an outbreak: the cities its travellers reach, and when the first infected one is to be expected.

The way is the most probable one by effective distance (`effective_distance.py`). The first importation is a Poisson event whose rate is
the infected travellers a day; a way over other cities adds one generation of the disease at each. Travel explains arrival order only
roughly, so the confidence is low, and lower still when travel itself is a gravity model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from topology.arrival import DAY_MS, instant, last_left_at, nearest_first
from topology.base import Arrival, Impact, Path, TopologyError
from topology.effective_distance import link_lengths, shortest_from
from topology.gravity import gravity_travel
from topology.parameters import merged, parameter_faults
from topology.travel_faults import travel_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from topology.base import Conditions, Places, Source

PARAMETERS: Mapping[str, float] = MappingProxyType(
    {
        "reporting_factor": 5.0,
        "horizon_days": 21.0,
        "hop_delay_days": 5.0,
        "min_probability": 0.05,
        "trips_per_person_per_day": 0.01,
        "gravity_exponent": 2.0,
    }
)
LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "reporting_factor": (0.001, 10000.0),
        "horizon_days": (0.1, 3650.0),
        "hop_delay_days": (0.0, 365.0),
        "min_probability": (0.0, 1.0),
        "trips_per_person_per_day": (1e-6, 10.0),
        "gravity_exponent": (0.0, 6.0),
    }
)


@dataclass(frozen=True, slots=True)
class TravelGraph:
    """Cities and the travel between them: `leaving_per_day` of each city, link `lengths` [origin, destination] (effective distance)."""

    city_ids: tuple[str, ...]
    index: Mapping[str, int]
    population: NDArray[np.float64]
    leaving_per_day: NDArray[np.float64]
    lengths: NDArray[np.float64]
    modelled: bool
    parameters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Exposure:
    """What is the same for every city of one question: infected travellers leaving a day (NaN unknown), and for how many days."""

    infected_per_day: float
    days: float
    modelled: bool


def build(places: Places, parameters: Mapping[str, float]) -> TravelGraph:
    """Travel as a matrix: from `places.travel`, or from a gravity model when that is empty. Raises `TopologyError` with every fault.

    `reporting_factor` (infectious people per case reported in one period), `horizon_days` (how far ahead importation is looked
    for), `hop_delay_days` (delay at each city on the way), `min_probability` (below it a city is left out), and for the gravity
    model `trips_per_person_per_day` and `gravity_exponent`.
    """
    faults = (*parameter_faults(PARAMETERS, LIMITS, parameters), *travel_faults(places))
    if faults:
        raise TopologyError(faults)
    used = merged(PARAMETERS, LIMITS, parameters)
    index = {city.city_id: i for i, city in enumerate(places.cities)}
    if places.travel:
        travellers = np.zeros((len(index), len(index)))
        for row in places.travel:
            travellers[index[row.origin], index[row.destination]] = row.travellers_per_day
    else:
        travellers = gravity_travel(places.cities, used["trips_per_person_per_day"], used["gravity_exponent"])
    population = np.array([city.population for city in places.cities], dtype=np.float64)
    leaving, lengths = travellers.sum(axis=1), link_lengths(travellers)
    for array in (population, leaving, lengths):
        array.flags.writeable = False
    return TravelGraph(tuple(index), MappingProxyType(index), population, leaving, lengths, not places.travel, used)


def footprint(graph: TravelGraph, source: Source, conditions: Conditions) -> tuple[Impact, ...]:
    """The cities where an importation from the source city is likely enough, earliest first.

    `source.value` is the number of cases in the newest period. Empty when the source's city is unknown or has no case. Arrivals are the
    percentiles of the first importation *given* that it happens by the end of the horizon, counted from `onset_at`.
    """
    del conditions  # Nothing else known to the domain changes travel yet.
    at = graph.index.get(source.city_id)
    if at is None or source.value <= 0.0:
        return ()
    exposure = _exposure(graph, source, at)
    distance, links = shortest_from(graph.lengths, at)
    found: list[tuple[float, Impact]] = []
    for i in np.flatnonzero(np.isfinite(distance)).tolist():
        if i == at:
            continue
        impact = _impact(graph, source, exposure, (graph.city_ids[i], min(1.0, math.exp(links.item(i) - distance.item(i))), links.item(i)))
        if impact.probability >= graph.parameters["min_probability"]:
            found.append((distance.item(i), impact))
    return nearest_first(found)


def _exposure(graph: TravelGraph, source: Source, at: int) -> _Exposure:
    """Infected travellers a day = travellers x cases x reporting factor / population; from onset to the end, or a horizon ahead."""
    population = graph.population.item(at)
    infectious = source.value * graph.parameters["reporting_factor"]
    prevalence = min(1.0, infectious / population) if population > 0.0 and math.isfinite(infectious) else math.nan
    days = (last_left_at(source) - source.onset_at) / DAY_MS
    if source.ended_at is None:
        days += graph.parameters["horizon_days"]
    return _Exposure(graph.leaving_per_day.item(at) * prevalence, days, graph.modelled)


def _impact(graph: TravelGraph, source: Source, exposure: _Exposure, way: tuple[str, float, int]) -> Impact:
    """One city: `way` is its id, the share of the source's travellers on the way to it, and the number of links."""
    city_id, share, links = way
    rate_per_day = exposure.infected_per_day * share
    reasons = (*(("gravity_model",) if exposure.modelled else ()), "direct" if links == 1 else "indirect")
    confidence = (0.2 if exposure.modelled else 0.5) * (1.0 if links == 1 else 0.5)
    if math.isnan(rate_per_day):
        because = "the prevalence at the source is unknown (no population or no case count)"
        return Impact(city_id, Path.TRAVEL, share, None, share, 0.1, because, reasons)
    probability = -math.expm1(-rate_per_day * exposure.days)
    delay_h = 24.0 * graph.parameters["hop_delay_days"] * (links - 1)

    def reached_at(quantile: float) -> int:
        """The waiting time that `quantile` of those importations have, which happen while the source lasts."""
        waiting_days = -math.log1p(-quantile * probability) / rate_per_day
        return instant(source.onset_at, 24.0 * waiting_days + delay_h)

    arrival = None
    if probability > 0.0:
        passed_at = instant(source.onset_at, 24.0 * exposure.days + delay_h)
        arrival = Arrival(reached_at(0.1), reached_at(0.5), reached_at(0.9), passed_at)
    return Impact(city_id, Path.TRAVEL, probability, arrival, share, confidence, "" if arrival else "nobody exposed yet", reasons)
