"""Footprint of an outbreak: the cities its travellers reach, and when the first infected one is to be expected.

The way is the most probable one by effective distance (`effective_distance.py`), or the direct link where that is likelier. The first importation is a Poisson event: the infected among
the travellers, who grow in number with the outbreak, and on a way over other cities only once those are infected (`importation.py`). How
many are infected behind one reported case, and how many travel, is known only up to a factor: the window says so. Travel explains the order
of arrivals only roughly, so the confidence is low, and lower still where travel itself is a model (`gravity.py`, `radiation.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from topology.arrival import DAY_MS, instant, last_left_at, nearest_first
from topology.base import Arrival, Impact, Path, TopologyError
from topology.effective_distance import NearestWays, link_lengths, shortest_from
from topology.gravity import gravity_travel
from topology.importation import burden, chance, doubt, growth_per_day, waiting_days
from topology.parameters import merged, parameter_faults
from topology.radiation import radiation_travel
from topology.travel_faults import travel_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from topology.base import Conditions, Places, Source
    from topology.effective_distance import Ways
    from topology.importation import Doubt

PARAMETERS: Mapping[str, float] = MappingProxyType(
    {
        "reporting_factor": 5.0,
        "horizon_days": 21.0,
        "serial_interval_days": 5.0,
        "reproduction_number": 1.5,
        "incidence_log_sd": 0.7,
        "model_log_sd": 1.0,
        "min_probability": 0.05,
        "trips_per_person_per_day": 0.01,
        "gravity_exponent": 2.0,
        "radiation": 0.0,
    }
)
LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "reporting_factor": (0.001, 10000.0),
        "horizon_days": (0.1, 3650.0),
        "serial_interval_days": (0.1, 365.0),
        "reproduction_number": (0.1, 30.0),
        "incidence_log_sd": (0.0, 3.0),
        "model_log_sd": (0.0, 3.0),
        "min_probability": (0.0, 1.0),
        "trips_per_person_per_day": (1e-6, 10.0),
        "gravity_exponent": (0.0, 6.0),
        "radiation": (0.0, 1.0),
    }
)
COUNTED_CONFIDENCE, MODELLED_CONFIDENCE = 0.5, 0.2
# Who travels over other cities is guessed from the links: half as sure.
INDIRECT_CONFIDENCE = 0.5
UNKNOWN_CONFIDENCE = 0.1


@dataclass(frozen=True, slots=True)
class TravelGraph:
    """Cities and the travel between them: `leaving_per_day` of each city, link `lengths` [origin, destination] (effective distance).

    `ways(origin)` are the nearest ways by `lengths`, remembered once asked for. `modelled` names the model of travel, "" where it was counted.
    """

    city_ids: tuple[str, ...]
    index: Mapping[str, int]
    population: NDArray[np.float64]
    leaving_per_day: NDArray[np.float64]
    lengths: NDArray[np.float64]
    ways: NearestWays
    unsure: Doubt
    modelled: str
    parameters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Found:
    """One row a city: the way taken, and what is to be expected of it.

    `links` of the way, the `share` of the source's travellers on it, the `probability` (NaN = unknown, -1 = no way), and the `days` of waiting
    to the 10th, 50th and 90th percentile.
    """

    links: NDArray[np.int64]
    share: NDArray[np.float64]
    probability: NDArray[np.float64]
    days: NDArray[np.float64]


def build(places: Places, parameters: Mapping[str, float]) -> TravelGraph:
    """Travel as a matrix: from `places.travel`, or from a model when that is empty. Raises `TopologyError` with every fault.

    `reporting_factor` (infectious people per case reported in one period), `horizon_days` (how far ahead importation is looked for),
    `serial_interval_days` and `reproduction_number` (the outbreak grows by this factor every serial interval), `incidence_log_sd` (standard
    deviation of the logarithm of infected travellers), `model_log_sd` (more of it where travel is a model), `min_probability` (below it a
    city is left out); and for the models `trips_per_person_per_day`, `radiation` (0.5 and more: the radiation model, else gravity) and
    `gravity_exponent`.
    """
    faults = (*parameter_faults(PARAMETERS, LIMITS, parameters), *travel_faults(places))
    if faults:
        raise TopologyError(faults)
    used = merged(PARAMETERS, LIMITS, parameters)
    index = {city.city_id: i for i, city in enumerate(places.cities)}
    modelled, spread = "", used["incidence_log_sd"]
    if places.travel:
        travellers = np.zeros((len(index), len(index)))
        for row in places.travel:
            travellers[index[row.origin], index[row.destination]] = row.travellers_per_day
    else:
        modelled, spread = "radiation_model" if used["radiation"] >= 0.5 else "gravity_model", math.hypot(spread, used["model_log_sd"])  # noqa: PLR2004  a switch
        trips = used["trips_per_person_per_day"]
        by_radiation = modelled == "radiation_model"
        travellers = (
            radiation_travel(places.cities, trips) if by_radiation else gravity_travel(places.cities, trips, used["gravity_exponent"])
        )
    population = np.array([city.population for city in places.cities], dtype=np.float64)
    leaving, lengths = travellers.sum(axis=1), link_lengths(travellers)
    for array in (population, leaving, lengths):
        array.flags.writeable = False
    ids, ways = tuple(index), NearestWays(lengths)
    return TravelGraph(ids, MappingProxyType(index), population, leaving, lengths, ways, doubt(spread), modelled, used)


def footprint(graph: TravelGraph, source: Source, conditions: Conditions) -> tuple[Impact, ...]:
    """The cities where an importation from the source city is likely enough, earliest first.

    `source.value` is the number of cases in the newest period. Empty when the source's city is unknown or has no case. Arrivals are the
    percentiles of the first importation *given* that it happens by the end of the horizon, counted from `onset_at`. Where the prevalence is
    unknown, `probability` is the share of the source's travellers on the way to the city and no arrival is told.
    """
    del conditions  # Nothing else known to the domain changes travel yet.
    at = graph.index.get(source.city_id)
    if at is None or source.value <= 0.0:
        return ()
    days, ways = _exposed_days(graph, source), graph.ways(at)
    found = _importations(graph, at, ways, _prevalence(graph, source, at), days)
    impacts = [(ways.distance.item(i), _impact(graph, source, i, found, days)) for i in _likely_enough(graph, found)]
    return nearest_first(impacts)


def affected(graph: TravelGraph, source: Source, conditions: Conditions) -> tuple[str, ...]:
    """The ids of the cities that `footprint` finds, without a word on each: half the work, and no memory of the ways."""
    del conditions
    at = graph.index.get(source.city_id)
    if at is None or source.value <= 0.0:
        return ()
    ways = shortest_from(graph.lengths, at)
    found = _importations(graph, at, ways, _prevalence(graph, source, at), _exposed_days(graph, source))
    return tuple(graph.city_ids[i] for i in _likely_enough(graph, found))


def _likely_enough(graph: TravelGraph, found: _Found) -> list[int]:
    enough = np.where(np.isnan(found.probability), found.share, found.probability) >= graph.parameters["min_probability"]
    # -1: no way there, and the source itself.
    return np.flatnonzero(enough & ~(found.probability < 0.0)).tolist()


def _importations(graph: TravelGraph, at: int, ways: Ways, prevalence: float, days: float) -> _Found:
    """The first importation everywhere: by the direct link or by the nearest way, whichever is likelier.

    Cities with fewer links on their way come first: nobody is reached over a city before that city itself.
    """
    used = graph.parameters
    growth = growth_per_day(used["reproduction_number"], used["serial_interval_days"])
    ceiling = 1.0 / prevalence if prevalence > 0.0 else 1.0

    def wait(rate: NDArray[np.float64], links: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(probability, days to the three percentiles) at travel rates over so many links."""
        infected = rate * prevalence
        if days <= 0.0:
            return np.where(np.isnan(infected), math.nan, 0.0), np.zeros((len(rate), 3))
        grows = burden(links - 1, growth, ceiling, days)
        probability = chance(infected, grows, graph.unsure)
        return probability, np.column_stack([waiting_days(infected, probability, q, grows, graph.unsure) for q in (0.1, 0.5, 0.9)])

    share, rate = _along(graph, at, ways)
    found = _Found(np.ones_like(ways.links), np.exp(1.0 - graph.lengths[at]), np.full(len(rate), -1.0), np.zeros((len(rate), 3)))
    linked = np.flatnonzero(np.isfinite(graph.lengths[at]))
    found.probability[linked], found.days[linked] = wait(graph.leaving_per_day[at] * found.share[linked], 1)
    for links in range(2, int(ways.links.max()) + 1):
        here = np.flatnonzero(ways.links == links)
        before = ways.previous[here]
        probability, waiting = wait(rate[here], links)
        probability = np.minimum(probability, found.probability[before])
        # A way that is known beats none; a way whose population is unknown does not beat a direct link that can be told.
        better = (probability > found.probability[here]) | (found.probability[here] < 0.0)
        taken, ours = here[better], before[better]
        found.links[taken], found.share[taken], found.probability[taken] = links, share[taken], probability[better]
        found.days[taken] = np.maximum(waiting[better], found.days[ours])
    return found


def _along(graph: TravelGraph, at: int, ways: Ways) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per city: the share of the source's travellers on the way to it, and travellers a day on its first link x per head on the others.

    The latter, times the prevalence at the source, is the rate of `importation.py`; NaN where the population of a city between is unknown.
    """
    share = np.exp(np.minimum(ways.links - ways.distance, 0.0))
    per_head = np.divide(graph.leaving_per_day, graph.population, out=np.full(len(share), math.nan), where=graph.population > 0.0)
    rate = np.zeros(len(share))
    for links in range(1, int(ways.links.max()) + 1):
        here = np.flatnonzero(ways.links == links)
        before = ways.previous[here]
        link = np.exp(1.0 - graph.lengths[before, here])
        rate[here] = link * (graph.leaving_per_day[at] if links == 1 else rate[before] * per_head[before])
    return share, rate


def _prevalence(graph: TravelGraph, source: Source, at: int) -> float:
    """Infectious people per head at the source; NaN when it is unknown."""
    population = graph.population.item(at)
    infectious = source.value * graph.parameters["reporting_factor"]
    return min(1.0, infectious / population) if population > 0.0 and math.isfinite(infectious) else math.nan


def _exposed_days(graph: TravelGraph, source: Source) -> float:
    """Days from the onset to the end of the source, or to a horizon ahead of the newest measurement while it lasts."""
    days = (last_left_at(source) - source.onset_at) / DAY_MS
    return days + graph.parameters["horizon_days"] if source.ended_at is None else days


def _impact(graph: TravelGraph, source: Source, i: int, found: _Found, days: float) -> Impact:
    city_id, share, probability, links = graph.city_ids[i], found.share.item(i), found.probability.item(i), found.links.item(i)
    reasons = (*((graph.modelled,) if graph.modelled else ()), "direct" if links == 1 else "indirect")
    confidence = (MODELLED_CONFIDENCE if graph.modelled else COUNTED_CONFIDENCE) * (1.0 if links == 1 else INDIRECT_CONFIDENCE)
    if math.isnan(probability):
        because = "the prevalence at the source, or of a city on the way, is unknown (no population or no case count)"
        return Impact(city_id, Path.TRAVEL, share, None, share, UNKNOWN_CONFIDENCE, because, reasons)
    if probability <= 0.0:
        return Impact(city_id, Path.TRAVEL, 0.0, None, share, confidence, "nobody exposed yet", reasons)
    over_days = days + graph.parameters["serial_interval_days"] * (links - 1)
    p10_at, p50_at, p90_at, passed_at = (instant(source.onset_at, 24.0 * one) for one in (*found.days[i].tolist(), over_days))
    return Impact(city_id, Path.TRAVEL, probability, Arrival(p10_at, p50_at, p90_at, passed_at), share, confidence, "", reasons)
