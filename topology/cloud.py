"""Where a danger in the air goes: the wind at its source, how surely that is known, and the puffs that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from topology.arrival import HOUR_MS, last_left_at
from topology.direction import angle_between_deg, compass_deg, yamartino_deg
from topology.plume import Air, Stability, stability_class, sun_elevation_deg, virtual_distance_m
from topology.puffs import Growth, advect, members, reach_m, spread_m
from topology.wind_field import Span, Spot, field, usable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from topology.base import Conditions, Source, Winds
    from topology.puffs import Cities, Tracks
    from topology.wind_field import Field

_BEST_CONFIDENCE = 0.6
_UNPLACED_CONFIDENCE = 0.8
_ROUND_DEG = 300.0


class Drift(NamedTuple):
    """The wind at the source, now and for the next hours (components in its frame, m/s), and how surely it is known."""

    east: float
    north: float
    direction_sd_deg: float
    log_speed_sd: float

    @property
    def speed(self) -> float:
        """m/s."""
        return math.hypot(self.east, self.north)

    @property
    def downwind_deg(self) -> float:
        """Where it blows to, degrees clockwise from north."""
        return float(compass_deg(math.atan2(self.east, self.north)))


@dataclass(frozen=True, slots=True)
class Cloud:
    """Everything that is known of where the danger goes, before any city is looked at.

    `started_at` and `lasted_to`: when the source began, and until when it is followed (until the newest wind, while it lasts).
    """

    drift: Drift
    wind: Field
    tracks: Tracks
    growth: Growth
    started_at: int
    lasted_to: int

    def confidence(self, parameters: Mapping[str, float]) -> float:
        """How far to be trusted: less with a shifting wind, and with the distance of the nearest wind station."""
        away_km = self.wind.station_km
        known = _UNPLACED_CONFIDENCE if math.isnan(away_km) else 1.0 / (1.0 + (away_km / parameters["station_km"]) ** 2)
        return _BEST_CONFIDENCE * (1.0 - min(1.0, 2.0 * self.drift.direction_sd_deg / 180.0)) * known

    def remarks(self, parameters: Mapping[str, float]) -> tuple[str, ...]:
        """What a reader of an answer should know about the wind."""
        if math.isnan(self.wind.station_km):
            return ("wind_station_without_position",)
        return ("far_from_wind_station",) if self.wind.station_km > parameters["station_km"] else ()

    def may_touch(self, cities: Cities) -> NDArray[np.bool_]:
        """A quick look: cities outside the angle that the ways and the width of the puffs take up from the source are never touched."""
        tracks, growth = self.tracks, self.growth
        moved = tracks.gone_km > 0.0
        bearing = np.degrees(np.arctan2(tracks.east_km[moved], tracks.north_km[moved])) - self.drift.downwind_deg
        off = (bearing + 180.0) % 360.0 - 180.0
        left, right = float(off.min(initial=0.0)), float(off.max(initial=0.0))
        away_km = np.hypot(cities.east_km, cities.north_km)
        gone_m = tracks.gone_km[..., -1]
        since_s = (tracks.at_ms[-1] - tracks.near_at_ms) / 1000.0 * tracks.speed[:, None]
        size_km = (
            cities.radius_km
            + growth.sigmas * float(spread_m(gone_m * 1000.0, np.minimum(since_s, growth.longest_ms / 1000.0), growth).max()) / 1000.0
        )
        inside = size_km >= away_km
        size_deg = np.degrees(np.arcsin(np.where(inside, 1.0, size_km / np.where(inside, 1.0, away_km))))
        middle, half = self.drift.downwind_deg + (left + right) / 2.0, (right - left) / 2.0
        towards = np.degrees(np.arctan2(cities.east_km, cities.north_km))
        near = angle_between_deg(towards, middle) <= half + size_deg + 1e-6
        return np.asarray(inside | near | (right - left > _ROUND_DEG), dtype=np.bool_)


def follow(source: Source, conditions: Conditions, parameters: Mapping[str, float]) -> Cloud | None:
    """Where the danger goes; None when it is calm at the source, or no wind is known. `parameters` must be complete.

    Depends on the winds measured and on what is known of the source, but not on the instant of the question: what is known ends with
    the newest wind, from which on the last ones go on (or a forecast begins).
    """
    known_at = newest_at(conditions, parameters)
    if known_at is None:
        return None
    step_ms, window_ms = round(parameters["step_s"] * 1000.0), round(parameters["window_s"] * 1000.0)
    longest_ms = round(parameters["max_travel_h"] * HOUR_MS)
    # What has not passed after the longest way never will: no need to go back farther.
    oldest_at = known_at - longest_ms - round((parameters["clearing_h"] + 1.0) * HOUR_MS)
    lasted_to = known_at if source.ended_at is None else min(max(last_left_at(source), oldest_at), known_at)
    start_at = min(max(source.onset_at, lasted_to - round(parameters["history_s"] * 1000.0)), lasted_to)
    until_at = known_at + math.ceil(longest_ms / step_ms) * step_ms
    span = Span(start_at, known_at, until_at, parameters["max_km"], step_ms, window_ms, parameters["calm_m_per_s"])
    wind = field(conditions.winds, conditions.wind_grid, Spot(source.latitude, source.longitude), span)
    if wind is None:
        return None
    drift = _drift(wind, conditions.winds, known_at, parameters)
    if drift.speed < parameters["calm_m_per_s"]:
        return None
    growth = _growth(source, known_at, drift, parameters)
    name = f"{source.incident_id or source.series}/{source.series}"
    ensemble = members(name, round(parameters["members"]), drift.direction_sd_deg, drift.log_speed_sd)
    releases = int((wind.at[: int(np.searchsorted(wind.at, known_at)) + 1] <= lasted_to).sum())
    tracks = advect(wind, ensemble, releases, growth)
    return Cloud(drift, wind, tracks, growth, source.onset_at, lasted_to)


def newest_at(conditions: Conditions, parameters: Mapping[str, float]) -> int | None:
    """Until when the wind is known (int ms): the newest usable measurement, if it is not older than the window; now if only a forecast is."""
    if conditions.winds is not None and (used := within_window(conditions.winds, conditions.now, parameters)).any():
        return int(conditions.winds.observed_at[used].max())
    return None if conditions.wind_grid is None else conditions.now


def within_window(winds: Winds, now: int, parameters: Mapping[str, float]) -> NDArray[np.bool_]:
    """Which measurements tell of the wind now: not older than the window, not after now, and usable."""
    recent = (winds.observed_at > now - parameters["window_s"] * 1000.0) & (winds.observed_at <= now)
    return np.asarray(recent & usable(winds, parameters["calm_m_per_s"]), dtype=np.bool_)


def _drift(wind: Field, winds: Winds | None, now: int, parameters: Mapping[str, float]) -> Drift:
    """The mean wind at the source over the coming window; its spread is that of the last one's measurements, or the least there is."""
    origin = np.zeros(1)
    ahead = np.flatnonzero((wind.at >= now) & (wind.at <= now + parameters["window_s"] * 1000.0))
    # Of two entries of now, the second is what is expected from now on.
    ahead = ahead[int(ahead.size > 1 and wind.at[ahead[1]] == now) :]
    blows = np.array([[float(np.ravel(part)[0]) for part in wind.wind(int(k), origin, origin)] for k in ahead]).mean(axis=0)
    spread_deg, speed_spread = parameters["min_direction_sd_deg"], parameters["min_speed_spread"]
    if winds is not None and (used := within_window(winds, now, parameters)).any():
        speed, from_deg = winds.speed_m_per_s[used], winds.from_deg[used]
        moving = speed >= parameters["calm_m_per_s"]
        spread_deg = max(spread_deg, yamartino_deg(from_deg[moving]) if moving.any() else spread_deg)
        speed_spread = max(speed_spread, float(speed.std() / speed.mean()) if speed.any() else speed_spread)
    return Drift(float(blows[0]), float(blows[1]), spread_deg, math.sqrt(math.log1p(speed_spread**2)))


def _growth(source: Source, now: int, drift: Drift, parameters: Mapping[str, float]) -> Growth:
    urban, given = parameters["urban"] > 0.0, round(parameters["stability"])
    stability = Stability(given) if given else stability_class(drift.speed, sun_elevation_deg(now, source.latitude, source.longitude))
    air = Air(stability, urban, parameters["mixing_height_m"], virtual_distance_m(parameters["source_radius_km"], stability, urban=urban))
    most = Growth(
        air,
        parameters["near_km"] * 1000.0,
        parameters["sigmas"],
        parameters["min_strength"],
        parameters["max_km"] * 1000.0,
        parameters["max_travel_h"] * HOUR_MS,
    )
    return replace(most, far_m=reach_m(most))
