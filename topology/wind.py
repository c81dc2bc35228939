"""Footprint of something in the air: the cities in the sector downwind of the source.

A first model: the wind of the last hours, averaged as a vector, is taken to hold everywhere and for the whole way. Its spread opens the
sector; calm or missing wind gives a circle, an unknown arrival and low confidence, and says so. It is a screening of who may be
affected, not a dispersion model, and is not to be trusted beyond some tens of kilometres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from topology.arrival import instant, last_left_at, log_normal_hours, nearest_first
from topology.base import Arrival, Impact, Path
from topology.direction import angle_between_deg, vector_mean, yamartino_deg
from topology.geodesy import bearing_deg, distance_km
from topology.parameters import merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from topology.base import Conditions, Places, Source, Winds

PARAMETERS: Mapping[str, float] = MappingProxyType(
    {
        "window_s": 10800.0,
        "calm_m_per_s": 0.5,
        "calm_radius_km": 15.0,
        "calm_probability": 0.5,
        "blind_radius_km": 15.0,
        "blind_probability": 0.2,
        "min_half_width_deg": 30.0,
        "sigmas": 2.0,
        "max_km": 150.0,
        "max_travel_h": 24.0,
        "fading_km": 100.0,
        "min_speed_spread": 0.3,
        "floor_h": 0.5,
        "clearing_h": 1.0,
    }
)
LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "window_s": (1.0, 86400.0),
        "calm_m_per_s": (0.01, 5.0),
        "calm_radius_km": (0.0, 1000.0),
        "calm_probability": (0.0, 1.0),
        "blind_radius_km": (0.0, 1000.0),
        "blind_probability": (0.0, 1.0),
        "min_half_width_deg": (1.0, 180.0),
        "sigmas": (0.1, 10.0),
        "max_km": (0.1, 2000.0),
        "max_travel_h": (0.1, 240.0),
        "fading_km": (0.1, 10000.0),
        "min_speed_spread": (0.0, 2.0),
        "floor_h": (0.0, 48.0),
        "clearing_h": (0.0, 240.0),
    }
)


@dataclass(frozen=True, slots=True)
class WindGraph:
    """The cities as parallel arrays (degrees, km) and the parameters in force."""

    city_ids: tuple[str, ...]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    radius_km: NDArray[np.float64]
    parameters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Sector:
    """Where the wind of the window carries: `downwind_deg` +- `half_width_deg` at `speed_m_per_s`, whose log spreads by `log_sd`."""

    downwind_deg: float
    half_width_deg: float
    speed_m_per_s: float
    log_sd: float


def build(places: Places, parameters: Mapping[str, float]) -> WindGraph:
    """The cities as arrays. Raises `TopologyError` with every fault of the parameters.

    `window_s` (age of the oldest wind used), `calm_m_per_s` (below it the vector mean is calm), `calm_radius_km` and
    `calm_probability` (then), `blind_radius_km` and `blind_probability` (no wind known), `min_half_width_deg` and `sigmas` (half width = the greater of it and sigmas x direction
    spread), `max_km`, `max_travel_h`, `fading_km` (probability and strength fall by e over it), `min_speed_spread` (standard
    deviation / mean), `floor_h` (least half width of the arrival window), `clearing_h` (until the air is clean after the last of it).
    """
    columns = np.array([(c.latitude, c.longitude, c.radius_km) for c in places.cities], dtype=np.float64).reshape(-1, 3).T
    columns.flags.writeable = False
    latitude, longitude, radius_km = columns
    return WindGraph(tuple(c.city_id for c in places.cities), latitude, longitude, radius_km, merged(PARAMETERS, LIMITS, parameters))


def footprint(graph: WindGraph, source: Source, conditions: Conditions) -> tuple[Impact, ...]:
    """The cities downwind, earliest first; around the source, untimed, when the wind is calm or unknown. Empty without a position.

    Arrivals count from `onset_at`; `passed_at` from the end of the source, or from the newest measurement while it lasts.
    """
    if not (math.isfinite(source.latitude) and math.isfinite(source.longitude)):
        return ()
    away_km = distance_km(source.latitude, source.longitude, graph.latitude, graph.longitude)
    sector = _sector(conditions, graph.parameters)
    if sector is None:
        return nearest_first(_around(graph, source, conditions, away_km))
    return nearest_first(_downwind(graph, source, sector, away_km))


def declared_sector(conditions: Conditions, parameters: Mapping[str, float]) -> tuple[float, float] | None:
    """(downwind bearing, half width) in degrees that `footprint` uses under these conditions; None when calm or no wind is known.

    No city is ever warned whose bearing from the source differs from downwind by more than the half width plus its own angular
    half size, asin(radius / distance).
    """
    sector = _sector(conditions, merged(PARAMETERS, LIMITS, parameters))
    return None if sector is None else (sector.downwind_deg, sector.half_width_deg)


def _in_window(winds: Winds, now: int, parameters: Mapping[str, float]) -> NDArray[np.bool_]:
    """Which measurements count: not older than the window, not after now, with a speed, and with a direction unless they are calm."""
    recent = (winds.observed_at > now - parameters["window_s"] * 1000.0) & (winds.observed_at <= now)
    speed = winds.speed_m_per_s
    usable = np.isfinite(speed) & (speed >= 0.0) & (np.isfinite(winds.from_deg) | (speed < parameters["calm_m_per_s"]))
    return np.asarray(recent & usable, dtype=np.bool_)


def _sector(conditions: Conditions, parameters: Mapping[str, float]) -> Sector | None:
    winds = conditions.winds
    if winds is None:
        return None
    used = _in_window(winds, conditions.now, parameters)
    if not used.any():
        return None
    speed, from_deg = winds.speed_m_per_s[used], winds.from_deg[used]
    moving = speed >= parameters["calm_m_per_s"]
    # The direction of a calm is noise (and often missing): it slows the mean down and says nothing about where to.
    mean = vector_mean(np.where(moving, speed, 0.0), from_deg)
    if mean.speed_m_per_s < parameters["calm_m_per_s"]:
        return None
    half_width = max(parameters["min_half_width_deg"], parameters["sigmas"] * yamartino_deg(from_deg[moving]))
    spread = max(parameters["min_speed_spread"], float(speed.std() / speed.mean()))
    return Sector(mean.downwind_deg, min(180.0, half_width), mean.speed_m_per_s, math.sqrt(math.log1p(spread**2)))


def _downwind(graph: WindGraph, source: Source, sector: Sector, away_km: NDArray[np.float64]) -> list[tuple[float, Impact]]:
    parameters = graph.parameters
    bearing = bearing_deg(source.latitude, source.longitude, graph.latitude, graph.longitude)
    inside = away_km <= graph.radius_km
    angular_size = np.degrees(np.arcsin(np.where(inside, 1.0, graph.radius_km / np.where(inside, 1.0, away_km))))
    off_axis = np.where(inside, 0.0, np.maximum(0.0, angle_between_deg(bearing, sector.downwind_deg) - angular_size))
    edge_km = np.maximum(0.0, away_km - graph.radius_km)
    hours = edge_km / sector.speed_m_per_s / 3.6
    reached = (off_axis <= sector.half_width_deg) & (edge_km <= parameters["max_km"]) & (hours <= parameters["max_travel_h"])
    sigma_deg = sector.half_width_deg / parameters["sigmas"]
    chance = np.exp(-0.5 * (off_axis / sigma_deg) ** 2 - edge_km / parameters["fading_km"])
    confidence = 0.6 * (1.0 - sector.half_width_deg / 180.0)
    found: list[tuple[float, Impact]] = []
    for i in np.flatnonzero(reached).tolist():
        if graph.city_ids[i] == source.city_id:
            continue
        arrival = _arrival(source, hours.item(i), sector.log_sd, parameters)
        strength = chance.item(i)
        impact = Impact(graph.city_ids[i], Path.WIND, strength, arrival, strength, confidence, reasons=("downwind",))
        found.append((edge_km.item(i), impact))
    return found


def _arrival(source: Source, hours: float, log_sd: float, parameters: Mapping[str, float]) -> Arrival:
    low_h, median_h, high_h = log_normal_hours(hours, log_sd, parameters["floor_h"])
    return Arrival(
        instant(source.onset_at, low_h),
        instant(source.onset_at, median_h),
        instant(source.onset_at, high_h),
        instant(last_left_at(source), high_h + parameters["clearing_h"]),
    )


def _around(graph: WindGraph, source: Source, conditions: Conditions, away_km: NDArray[np.float64]) -> list[tuple[float, Impact]]:
    """A circle when there is no direction: calm air (fairly sure for the nearest) or no wind known (a guess, and called one)."""
    parameters, winds = graph.parameters, conditions.winds
    calm = winds is not None and bool(_in_window(winds, conditions.now, parameters).any())
    radius_km = parameters["calm_radius_km" if calm else "blind_radius_km"]
    highest, confidence = (parameters["calm_probability"], 0.3) if calm else (parameters["blind_probability"], 0.1)
    because = "calm wind" if calm else _no_wind_since(winds, conditions.now)
    edge_km = np.maximum(0.0, away_km - graph.radius_km)
    chance = np.exp(-edge_km / parameters["fading_km"])
    found: list[tuple[float, Impact]] = []
    for i in np.flatnonzero(edge_km <= radius_km).tolist():
        if graph.city_ids[i] == source.city_id:
            continue
        near, city_id, reason = chance.item(i), graph.city_ids[i], "calm" if calm else "no_wind_data"
        found.append((edge_km.item(i), Impact(city_id, Path.WIND, highest * near, None, near, confidence, because, (reason,))))
    return found


def _no_wind_since(winds: Winds | None, now: int) -> str:
    """The newest usable wind before now, as RFC 3339 seconds."""
    past = np.empty(0) if winds is None else winds.observed_at[(winds.observed_at <= now) & np.isfinite(winds.speed_m_per_s)]
    if past.size == 0:
        return "no wind measured yet"
    since = datetime.fromtimestamp(int(past.max()) // 1000, UTC)
    return f"no wind measured since {since:%Y-%m-%dT%H:%M:%SZ}"
