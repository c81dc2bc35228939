"""Footprint of a flood wave: the cities downstream, reached at the wave's celerity.

The wave runs faster than the water (about 5/3 of its velocity in a wide channel), so this clock must never be used for what the water
carries (`river_solute.py`): the arrival would be 1.7 times too early. Without routing, the arrival is path length over celerity with a
log-normal spread; the danger fades with distance and with the water of other rivers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from topology.arrival import instant, last_left_at, log_normal_hours, nearest_first
from topology.base import Arrival, Impact, Path
from topology.parameters import merged, parameter_faults
from topology.river import build_cities, build_clock, cities_below, way_confidence, way_reasons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topology.base import Conditions, Places, Source
    from topology.river import Clock, Reached, RiverCities

PARAMETERS: Mapping[str, float] = MappingProxyType(
    {
        "celerity_m_per_s": 1.5,
        "log_sd": 0.35,
        "floor_h": 0.5,
        "duration_h": 24.0,
        "attenuation_per_km": 0.001,
        "share_power": 0.5,
        "min_share": 0.05,
    }
)
LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "celerity_m_per_s": (0.05, 20.0),
        "log_sd": (0.0, 2.0),
        "floor_h": (0.0, 240.0),
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


def build(places: Places, parameters: Mapping[str, float]) -> WaveGraph:
    """Validated graph of a flood wave. Raises `TopologyError` with every fault of parameters, reaches and city positions.

    `celerity_m_per_s` (default speed of the wave), `log_sd` (standard deviation of the log of the travel time), `floor_h` (least half
    width of the arrival window), `duration_h` (how long the wave lasts at a place), `attenuation_per_km`, `share_power` (how
    probability follows the share of the city's flow), `min_share` (below it a city is not affected).
    """
    cities = build_cities(places, parameter_faults(PARAMETERS, LIMITS, parameters))
    used = merged(PARAMETERS, LIMITS, parameters)
    network = cities.network
    return WaveGraph(cities, build_clock(network, network.celerity_m_per_s, used["celerity_m_per_s"]), used)


def footprint(graph: WaveGraph, source: Source, conditions: Conditions) -> tuple[Impact, ...]:
    """The cities a flood wave from the source reaches, earliest first. Raises `TopologyError` if the source is not on the network.

    Arrivals count from `onset_at`; `passed_at` from the end of the source, or from the newest measurement while it lasts.
    """
    del conditions  # Discharge does not change this clock yet.
    if not isinstance(graph, WaveGraph):
        problem = f"a flood wave needs a WaveGraph, not {type(graph).__name__}: build it with river_wave.build"
        raise TypeError(problem)
    found = []
    for reached in cities_below(graph.cities, graph.wave_clock, source):
        share = _flow_share(reached)
        if share >= graph.parameters["min_share"]:
            found.append((reached.distance_km, _impact(graph.parameters, source, reached, share)))
    return nearest_first(found)


def _flow_share(reached: Reached) -> float:
    """Part of the city's flow that comes from the source: by mean discharges when given, else only what splits took away."""
    ratio = 1.0 if math.isnan(reached.flow_ratio) else reached.flow_ratio
    return min(1.0, ratio * reached.share)


def _impact(parameters: Mapping[str, float], source: Source, reached: Reached, share: float) -> Impact:
    fading = math.exp(-parameters["attenuation_per_km"] * reached.distance_km)
    arrival = None
    if math.isfinite(reached.hours):
        low_h, median_h, high_h = log_normal_hours(reached.hours, parameters["log_sd"], parameters["floor_h"])
        arrival = Arrival(
            instant(source.onset_at, low_h),
            instant(source.onset_at, median_h),
            instant(source.onset_at, high_h),
            instant(last_left_at(source), high_h + parameters["duration_h"]),
        )
    return Impact(
        city_id=reached.city_id,
        path=Path.RIVER,
        probability=share ** parameters["share_power"] * fading,
        arrival=arrival,
        intensity=share * fading,
        confidence=way_confidence(reached.marks, reached.hours),
        unknown_because="" if arrival else "still water or a reservoir without a residence time on the way",
        reasons=way_reasons(reached.marks),
    )
