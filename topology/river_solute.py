"""Footprint of something the water carries: front, peak and tail of a solute downstream.

The clock is the velocity of the concentration peak: a river's own where it is given, Jobson's relation where drainage area and mean
discharge are, else the configured one. Front, tail and fading of the peak follow from it (`jobson.py`). Every place where the front was
found corrects the rest of its way (`river_learning.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from topology import river_pace
from topology.arrival import HOUR_MS, instant, last_left_at, nearest_first
from topology.base import Arrival, Impact, Path
from topology.jobson import LEADING_EDGE, VELOCITY_EXPONENT, peak_left, peak_velocity, tail_hours
from topology.parameters import merged, parameter_faults
from topology.river import build_cities, build_clock, cities_below, faded_km, way_confidence, way_reasons
from topology.river_forecast import cities_ahead, forecast_each, only_source_known
from topology.river_prior import MANY, Strength, each, impacts, instants, prior
from topology.river_ways import Clocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from topology.base import Conditions, Places, Source
    from topology.network import Network
    from topology.river import Clock, Reached, RiverCities
    from topology.river_forecast import Ahead, Pace

PARAMETERS: Mapping[str, float] = MappingProxyType(
    {
        "velocity_m_per_s": 0.5,
        "log_sd": 0.4,
        "correlation_km": 1000.0,
        "floor_h": 1.0,
        "discharge_exponent": VELOCITY_EXPONENT,
        "ice_factor": 0.76,
        "ice_log_sd": 0.15,
        "source_age_h": 24.0,
        "attenuation_per_km": 0.0002,
        "share_power": 0.5,
        "min_share": 0.01,
    }
)
LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        **river_pace.LIMITS,
        "velocity_m_per_s": (0.02, 10.0),
        "source_age_h": (0.1, 8760.0),
        "attenuation_per_km": (0.0, 1.0),
        "share_power": (0.0, 10.0),
        "min_share": (0.0, 1.0),
    }
)


@dataclass(frozen=True, slots=True)
class SoluteGraph:
    """Cities along a river with the clock of a solute's peak (and only of a solute)."""

    cities: RiverCities
    solute_clock: Clock
    parameters: Mapping[str, float]


def build(places: Places, parameters: Mapping[str, float]) -> SoluteGraph:
    """Validated graph of a solute. Raises `TopologyError` with every fault of parameters, reaches and city positions.

    `velocity_m_per_s` (default velocity of the peak at mean flow), `log_sd` (standard deviation of the log of the slowness),
    `correlation_km` (over which it stays alike along a river), `floor_h` (least half width of the arrival window), `discharge_exponent`
    (how velocity follows discharge), `ice_factor` and `ice_log_sd` (speed under ice over that of open water, and its spread),
    `source_age_h` (travel time the solute already has when it passes the source station: the older, the slower its peak still falls),
    `attenuation_per_km` (loss on the way), `share_power` (how probability follows dilution), `min_share` (below that dilution a city is
    not affected).
    """
    cities = build_cities(places, parameter_faults(PARAMETERS, LIMITS, parameters))
    used = merged(PARAMETERS, LIMITS, parameters)
    own = _own_velocity(cities.network)
    return SoluteGraph(cities, build_clock(cities.network, own, used["velocity_m_per_s"]), used)


def footprint(graph: SoluteGraph, source: Source, conditions: Conditions) -> tuple[Impact, ...]:
    """The cities the solute reaches, earliest first. Raises `TopologyError` if the source is not on the network.

    p10, p50 and p90 are arrivals of the front, counted from the newest passage above the city, else from `onset_at`; `passed_at` is when the
    tail is down to a tenth of the peak, counted from the end of the source, or from the newest measurement while it lasts.
    """
    pace, found = _pace(graph, source, conditions), []
    relative = river_pace.relative_discharge(graph.cities.network, source, conditions)
    reached = cities_below(graph.cities, graph.solute_clock, source, pace.within_km)
    if len(reached) >= MANY and only_source_known(pace, conditions):
        return _of_many((graph.parameters, relative), source, pace, reached)
    for ahead in forecast_each(graph.cities, pace, reached, source, conditions):
        dilution = _dilution(ahead.reached)
        if dilution >= graph.parameters["min_share"]:
            found.append((ahead.reached.distance_km, _impact(graph.parameters, source, ahead, dilution, relative)))
    return nearest_first(found)


def affected(graph: SoluteGraph, source: Source, conditions: Conditions) -> tuple[str, ...]:
    """The ids of the cities that `footprint` finds, without asking when it comes to them: much quicker once passages are known."""
    del conditions
    within_km, least = faded_km(graph.parameters["attenuation_per_km"]), graph.parameters["min_share"]
    return tuple(one.city_id for one in cities_below(graph.cities, graph.solute_clock, source, within_km) if _dilution(one) >= least)


def forecasts(graph: SoluteGraph, source: Source, conditions: Conditions) -> tuple[Ahead, ...]:
    """The arrival of the front at every city below, as a distribution (any quantile), before anything is left out."""
    return cities_ahead(graph.cities, _pace(graph, source, conditions), source, conditions)


def _pace(graph: SoluteGraph, source: Source, conditions: Conditions) -> Pace:
    if not isinstance(graph, SoluteGraph):
        problem = f"a solute needs a SoluteGraph, not {type(graph).__name__}: build it with river_solute.build"
        raise TypeError(problem)
    relative = river_pace.relative_discharge(graph.cities.network, source, conditions)
    return river_pace.pace(Clocks(graph.solute_clock), graph.parameters, relative, LEADING_EDGE, watched=False)


def _own_velocity(network: Network) -> NDArray[np.float64]:
    """The velocity column, filled by Jobson's relation at mean flow where a reach has a drainage area and a mean discharge instead."""
    own = np.array(network.velocity_m_per_s)
    area, flow = network.drainage_area_km2, network.mean_discharge_m3_per_s
    for at in np.flatnonzero(np.isnan(own) & (area > 0.0) & (flow > 0.0)).tolist():
        own[at] = peak_velocity(area.item(at), flow.item(at), flow.item(at))
    return own


def _dilution(reached: Reached) -> float:
    """Concentration after mixing with other rivers, by mean discharges when given. A split leaves the concentration as it is."""
    return 1.0 if math.isnan(reached.flow_ratio) else min(1.0, reached.flow_ratio * reached.share)


def _impact(parameters: Mapping[str, float], source: Source, ahead: Ahead, dilution: float, relative: float) -> Impact:
    reached = ahead.reached
    loss = math.exp(-parameters["attenuation_per_km"] * reached.distance_km)
    arrival, left = None, 1.0
    if ahead.way is not None:
        arrival = ahead.arrival()
        # From the front's hours back to the peak's, which fading and tail are counted by.
        late_h, middle_h = (max(0, at - source.onset_at) / HOUR_MS for at in (arrival.p90_at, arrival.p50_at))
        passed_at = instant(last_left_at(source), late_h + tail_hours(late_h / LEADING_EDGE, relative))
        arrival = Arrival(arrival.p10_at, arrival.p50_at, arrival.p90_at, max(passed_at, arrival.p90_at))
        left = peak_left(middle_h / LEADING_EDGE, parameters["source_age_h"], relative)
    return Impact(
        city_id=reached.city_id,
        path=Path.RIVER,
        probability=(dilution * ahead.strength) ** parameters["share_power"] * loss,
        arrival=arrival,
        intensity=dilution * loss * left,
        confidence=river_pace.confidence(way_confidence(reached.marks, 0.0), ahead.legs, timed=ahead.way is not None),
        unknown_because=ahead.unknown_because,
        reasons=(*way_reasons(reached.marks), *ahead.reasons),
        asset=reached.asset,
    )


def _of_many(given: tuple[Mapping[str, float], float], source: Source, pace: Pace, reached: Sequence[Reached]) -> tuple[Impact, ...]:
    """`_impact` of many cities at once; `given`: the parameters, and the relative discharge."""
    parameters, relative = given
    kept = [(one, dilution) for one in reached if (dilution := _dilution(one)) >= parameters["min_share"]]
    found = prior(pace, source, [one for one, _ in kept])
    late_h, middle_h = (np.maximum(0, at - source.onset_at) / HOUR_MS for at in (found.p90_at, found.p50_at))
    tail_h = each(lambda peak_h: tail_hours(peak_h, relative), late_h / LEADING_EDGE)
    lost = [math.exp(-parameters["attenuation_per_km"] * one.distance_km) for one, _ in kept]
    left = [
        peak_left(peak_h, parameters["source_age_h"], relative) if timed else 1.0
        for peak_h, timed in zip((middle_h / LEADING_EDGE).tolist(), found.timed.tolist(), strict=True)
    ]
    probability = [dilution ** parameters["share_power"] * loss for (_, dilution), loss in zip(kept, lost, strict=True)]
    intensity = [dilution * loss * part for (_, dilution), loss, part in zip(kept, lost, left, strict=True)]
    return impacts(found, Strength(instants(last_left_at(source), late_h + tail_h), probability, intensity))
