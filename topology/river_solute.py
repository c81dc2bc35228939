"""Footprint of something the water carries: front, peak and tail of a solute downstream.

The clock is the velocity of the concentration peak. Front, tail and fading of the peak follow Jobson's relations from some hundred dye
studies (USGS WRIR 96-4013): the leading edge arrives at 0.89 of the peak's travel time, the unit-peak concentration falls with
travel time T (h) as 857 T^(-0.760 (Q/Qa)^-0.079), and concentration is down to a tenth of the peak 2e6 / unit-peak seconds after the front.
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

# Jobson 1996, equations 18, 7 and 19.
LEADING_EDGE = 0.89
UNIT_PEAK_AT_1_H = 857.0
UNIT_PEAK_EXPONENT = -0.760
DISCHARGE_EXPONENT = -0.079
TAIL = 2e6

PARAMETERS: Mapping[str, float] = MappingProxyType(
    {
        "velocity_m_per_s": 0.5,
        "log_sd": 0.4,
        "floor_h": 1.0,
        "source_age_h": 24.0,
        "attenuation_per_km": 0.0002,
        "share_power": 0.5,
        "min_share": 0.01,
    }
)
LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "velocity_m_per_s": (0.02, 10.0),
        "log_sd": (0.0, 2.0),
        "floor_h": (0.0, 240.0),
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

    `velocity_m_per_s` (default velocity of the peak), `log_sd` (standard deviation of the log of the travel time), `floor_h` (least
    half width of the arrival window), `source_age_h` (travel time the solute already has when it passes the source station: the older,
    the slower its peak still falls), `attenuation_per_km` (loss on the way), `share_power` (how probability follows dilution),
    `min_share` (below that dilution a city is not affected).
    """
    cities = build_cities(places, parameter_faults(PARAMETERS, LIMITS, parameters))
    used = merged(PARAMETERS, LIMITS, parameters)
    network = cities.network
    return SoluteGraph(cities, build_clock(network, network.velocity_m_per_s, used["velocity_m_per_s"]), used)


def footprint(graph: SoluteGraph, source: Source, conditions: Conditions) -> tuple[Impact, ...]:
    """The cities the solute reaches, earliest first. Raises `TopologyError` if the source is not on the network.

    p10, p50 and p90 are arrivals of the front, counted from `onset_at`; `passed_at` is when the tail is down to a tenth of the peak,
    counted from the end of the source, or from the newest measurement while it lasts.
    """
    if not isinstance(graph, SoluteGraph):
        problem = f"a solute needs a SoluteGraph, not {type(graph).__name__}: build it with river_solute.build"
        raise TypeError(problem)
    relative = _relative_discharge(graph, source, conditions)
    found = []
    for reached in cities_below(graph.cities, graph.solute_clock, source):
        dilution = _dilution(reached)
        if dilution >= graph.parameters["min_share"]:
            found.append((reached.distance_km, _impact(graph.parameters, source, reached, dilution, relative)))
    return nearest_first(found)


def front_hours(peak_h: float) -> float:
    """Travel time (h) of the leading edge from that of the peak (Jobson 1996, eq. 18).

    >>> round(front_hours(100.0), 6)
    89.0
    """
    return LEADING_EDGE * peak_h


def tail_hours(peak_h: float, relative_discharge: float = 1.0) -> float:
    """Hours from the front until concentration is down to a tenth of the peak (Jobson 1996, eq. 7 and 19); 0 at the source.

    `relative_discharge` is Q/Qa, the discharge over its mean.

    >>> round(tail_hours(100.0), 1)
    21.5
    """
    return TAIL / UNIT_PEAK_AT_1_H * peak_h ** -_peak_exponent(relative_discharge) / 3600.0 if peak_h > 0.0 else 0.0


def peak_left(peak_h: float, age_h: float, relative_discharge: float = 1.0) -> float:
    """Part of the peak concentration left after `peak_h` more hours of travel, `age_h` (> 0) hours after the release (eq. 7), 0..1.

    >>> round(peak_left(76.0, 24.0), 3)
    0.338
    """
    return float(((age_h + peak_h) / age_h) ** _peak_exponent(relative_discharge))


def _peak_exponent(relative_discharge: float) -> float:
    return float(UNIT_PEAK_EXPONENT * relative_discharge**DISCHARGE_EXPONENT)


def _relative_discharge(graph: SoluteGraph, source: Source, conditions: Conditions) -> float:
    """Q/Qa at the source from the live discharge and the mean, 1 when either is missing; kept to the range of the dye studies."""
    network = graph.cities.network
    now = (conditions.discharge_m3_per_s or {}).get(source.reach, math.nan)
    at = network.index.get(source.reach)
    mean = math.nan if at is None else network.mean_discharge_m3_per_s.item(at)
    return min(10.0, max(0.1, now / mean)) if now > 0.0 and mean > 0.0 else 1.0


def _dilution(reached: Reached) -> float:
    """Concentration after mixing with other rivers, by mean discharges when given. A split leaves the concentration as it is."""
    return 1.0 if math.isnan(reached.flow_ratio) else min(1.0, reached.flow_ratio * reached.share)


def _impact(parameters: Mapping[str, float], source: Source, reached: Reached, dilution: float, relative: float) -> Impact:
    loss = math.exp(-parameters["attenuation_per_km"] * reached.distance_km)
    arrival, left = None, 1.0
    if math.isfinite(reached.hours):
        low_h, median_h, high_h = log_normal_hours(reached.hours, parameters["log_sd"])
        floor_h, front_h = parameters["floor_h"], front_hours(median_h)
        late_h = max(front_hours(high_h), front_h + floor_h)
        arrival = Arrival(
            instant(source.onset_at, max(0.0, min(front_hours(low_h), front_h - floor_h))),
            instant(source.onset_at, front_h),
            instant(source.onset_at, late_h),
            instant(last_left_at(source), late_h + tail_hours(high_h, relative)),
        )
        left = peak_left(median_h, parameters["source_age_h"], relative)
    return Impact(
        city_id=reached.city_id,
        path=Path.RIVER,
        probability=dilution ** parameters["share_power"] * loss,
        arrival=arrival,
        intensity=dilution * loss * left,
        confidence=way_confidence(reached.marks, reached.hours),
        unknown_because="" if arrival else "still water or a reservoir without a residence time on the way",
        reasons=way_reasons(reached.marks),
    )
