"""Footprint of a flood wave: the cities downstream, reached at the wave's celerity.

The wave runs faster than the water (about 5/3 of its velocity in a wide channel), so this clock must never be used for what the water
carries (`river_solute.py`): the arrival would be 1.7 times too early. Without routing, the arrival is path length over celerity with a
log-normal spread; the danger fades with distance and with the water of other rivers. The celerity follows the live discharge (kinematic
wave in a wide channel, Manning: celerity goes with discharge to the power 0.4), and every gauge that the wave has passed corrects the
rest of its way (`river_learning.py`).
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
from topology.lags import learned_clock
from topology.parameters import merged, parameter_faults
from topology.river import DEFAULT_SPEED, build_cities, build_clock, cities_below, clock_of, faded_km, way_confidence, way_reasons
from topology.river_forecast import cities_ahead, forecast_each, only_source_known
from topology.river_prior import MANY, Strength, impacts, instants, prior
from topology.river_ways import Clocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from topology.base import Conditions, Places, Source
    from topology.river import Clock, Reached, RiverCities
    from topology.river_forecast import Ahead, Pace

PARAMETERS: Mapping[str, float] = MappingProxyType(
    {
        "celerity_m_per_s": 1.5,
        "log_sd": 0.35,
        "correlation_km": 1000.0,
        "floor_h": 0.5,
        "discharge_exponent": 0.4,
        "ice_factor": 0.76,
        "ice_log_sd": 0.15,
        "duration_h": 24.0,
        "attenuation_per_km": 0.001,
        "share_power": 0.5,
        "min_share": 0.05,
    }
)
LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        **river_pace.LIMITS,
        "celerity_m_per_s": (0.05, 20.0),
        "duration_h": (0.0, 8760.0),
        "attenuation_per_km": (0.0, 1.0),
        "share_power": (0.0, 10.0),
        "min_share": (0.0, 1.0),
    }
)


@dataclass(frozen=True, slots=True)
class WaveGraph:
    """Cities along a river with the clock of a wave (and only of a wave)."""

    cities: RiverCities
    wave_clock: Clock
    parameters: Mapping[str, float]
    doubt: Clock | None = None
    """Where history taught the wave's times: the same hours, each times its own spread over `log_sd`."""


def build(places: Places, parameters: Mapping[str, float]) -> WaveGraph:
    """Validated graph of a flood wave. Raises `TopologyError` with every fault of parameters, reaches, city positions and lags.

    `celerity_m_per_s` (default speed of the wave at mean flow), `log_sd` (standard deviation of the log of the slowness), `correlation_km`
    (over which it stays alike along a river), `floor_h` (least half width of the arrival window), `discharge_exponent` (how celerity
    follows discharge), `ice_factor` and `ice_log_sd` (speed under ice over that of open water, and its spread), `duration_h` (how long
    the wave lasts at a place), `attenuation_per_km`, `share_power` (how probability follows the share of the city's flow), `min_share`
    (below it a city is not affected). Where `places.lags` say how long a wave took before, that is its clock, with its own spread, and the
    live discharge does not change it: lags are learned in floods.
    """
    cities = build_cities(places, parameter_faults(PARAMETERS, LIMITS, parameters))
    used = merged(PARAMETERS, LIMITS, parameters)
    network = cities.network
    clock = build_clock(network, network.celerity_m_per_s, used["celerity_m_per_s"])
    if not places.lags:
        return WaveGraph(cities, clock, used)
    learned = learned_clock(network, places.lags)
    known = ~np.isnan(learned.hours_per_km)
    marks = np.where(known, clock.marks & ~DEFAULT_SPEED, clock.marks).astype(np.int32)
    hours_per_km = np.where(known, learned.hours_per_km, clock.hours_per_km)
    scale = np.where(known, learned.log_sd, used["log_sd"]) / used["log_sd"] if used["log_sd"] > 0.0 else np.ones_like(hours_per_km)
    return WaveGraph(cities, clock_of(network, hours_per_km, marks), used, clock_of(network, hours_per_km * scale, marks))


def footprint(graph: WaveGraph, source: Source, conditions: Conditions) -> tuple[Impact, ...]:
    """The cities a flood wave from the source reaches, earliest first. Raises `TopologyError` if the source is not on the network.

    Arrivals count from the newest passage above the city, else from `onset_at`; `passed_at` from the end of the source, or from the newest
    measurement while it lasts.
    """
    pace, found = _pace(graph, source, conditions), []
    reached = cities_below(graph.cities, graph.wave_clock, source, pace.within_km)
    if len(reached) >= MANY and only_source_known(pace, conditions):
        return _of_many(graph.parameters, source, pace, reached)
    for ahead in forecast_each(graph.cities, pace, reached, source, conditions):
        share = _flow_share(ahead.reached)
        if share >= graph.parameters["min_share"]:
            found.append((ahead.reached.distance_km, _impact(graph.parameters, source, ahead, share)))
    return nearest_first(found)


def affected(graph: WaveGraph, source: Source, conditions: Conditions) -> tuple[str, ...]:
    """The ids of the cities that `footprint` finds, without asking when it comes to them: much quicker once passages are known."""
    del conditions
    within_km, least = faded_km(graph.parameters["attenuation_per_km"]), graph.parameters["min_share"]
    return tuple(one.city_id for one in cities_below(graph.cities, graph.wave_clock, source, within_km) if _flow_share(one) >= least)


def forecasts(graph: WaveGraph, source: Source, conditions: Conditions) -> tuple[Ahead, ...]:
    """The arrival of the wave at every city below, as a distribution (any quantile), before anything is left out."""
    return cities_ahead(graph.cities, _pace(graph, source, conditions), source, conditions)


def _pace(graph: WaveGraph, source: Source, conditions: Conditions) -> Pace:
    if not isinstance(graph, WaveGraph):
        problem = f"a flood wave needs a WaveGraph, not {type(graph).__name__}: build it with river_wave.build"
        raise TypeError(problem)
    relative = 1.0 if graph.doubt is not None else river_pace.relative_discharge(graph.cities.network, source, conditions)
    return river_pace.pace(Clocks(graph.wave_clock, graph.doubt), graph.parameters, relative, watched=True)


def _flow_share(reached: Reached) -> float:
    """Part of the city's flow that comes from the source: by mean discharges when given, else only what splits took away."""
    ratio = 1.0 if math.isnan(reached.flow_ratio) else reached.flow_ratio
    return min(1.0, ratio * reached.share)


def _impact(parameters: Mapping[str, float], source: Source, ahead: Ahead, share: float) -> Impact:
    reached = ahead.reached
    fading = math.exp(-parameters["attenuation_per_km"] * reached.distance_km)
    arrival = None
    if ahead.way is not None:
        arrival = ahead.arrival()
        run_h = max(0, arrival.p90_at - source.onset_at) / HOUR_MS
        passed_at = instant(last_left_at(source), run_h + parameters["duration_h"])
        arrival = Arrival(arrival.p10_at, arrival.p50_at, arrival.p90_at, max(passed_at, arrival.p90_at))
    return Impact(
        city_id=reached.city_id,
        path=Path.RIVER,
        probability=(share * ahead.strength) ** parameters["share_power"] * fading,
        arrival=arrival,
        intensity=share * ahead.strength * fading,
        confidence=river_pace.confidence(way_confidence(reached.marks, 0.0), ahead.legs, timed=ahead.way is not None),
        unknown_because=ahead.unknown_because,
        reasons=(*way_reasons(reached.marks), *ahead.reasons),
        asset=reached.asset,
    )


def _of_many(parameters: Mapping[str, float], source: Source, pace: Pace, reached: Sequence[Reached]) -> tuple[Impact, ...]:
    """`_impact` of many cities at once."""
    kept = [(one, share) for one in reached if (share := _flow_share(one)) >= parameters["min_share"]]
    found = prior(pace, source, [one for one, _ in kept])
    run_h = np.maximum(0, found.p90_at - source.onset_at) / HOUR_MS
    passed_at = instants(last_left_at(source), run_h + parameters["duration_h"])
    fading = [math.exp(-parameters["attenuation_per_km"] * one.distance_km) for one, _ in kept]
    probability = [share ** parameters["share_power"] * left for (_, share), left in zip(kept, fading, strict=True)]
    intensity = [share * left for (_, share), left in zip(kept, fading, strict=True)]
    return impacts(found, Strength(passed_at, probability, intensity))
