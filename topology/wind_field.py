"""The wind over a square around a place, at several instants: what puffs are carried by.

Stations measure at points and at their own instants, forecasts come as grids of latitude and longitude. Both are brought onto the same
small square of nodes (km east and north of the place), so that following a puff costs one table look-up a step whatever the wind comes
from. Components are turned into the frame of the place: near a pole, "east" at a station a hundred km away is another direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from topology.geodesy import bearing_deg, distance_km, from_xy, to_xy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from topology.base import WindGrid, Winds

    Floats = NDArray[np.float64]

NODES = 17
_HERE_KM = 0.001
_SOFTENING_KM = 1.0
"""Weights are 1 / (distance^2 + this^2): at a station its own measurement, without a pole."""


class Span(NamedTuple):
    """Which part of the wind is asked for: from `start_at` to `until_at` (int ms), `half_km` around the place; `now`: nothing later is measured.

    Instants are `step_ms` apart; a measurement counts for `window_ms`; below `calm_m_per_s` it has no direction and counts as a standstill.
    """

    start_at: int
    now: int
    until_at: int
    half_km: float
    step_ms: int
    window_ms: int
    calm_m_per_s: float


class Spot(NamedTuple):
    """The place in the middle (degrees)."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Field:
    """Components in the frame of the place (m/s) [instant, node north, node east], a single node when it is the same everywhere.

    `at` (int64 ms) never falls; two equal instants are a change of what is known: measured before, persistence or forecast after.
    `station_km`: distance of the nearest station used (0 inside a forecast, NaN if stations have no position).
    """

    at: NDArray[np.int64]
    east: Floats
    north: Floats
    half_km: float
    station_km: float

    def wind(self, instant: int, east_km: Floats, north_km: Floats) -> tuple[Floats, Floats]:
        """The wind at that index of `at` and these places, bilinear between nodes and held beyond the edge."""
        east, north = self.east[instant], self.north[instant]
        if east.size == 1:
            return east[0, 0], north[0, 0]
        last = east.shape[0] - 1
        scale = last / (2.0 * self.half_km)
        column, row = (np.clip((one + self.half_km) * scale, 0.0, last) for one in (east_km, north_km))
        left, below = np.minimum(column.astype(np.intp), last - 1), np.minimum(row.astype(np.intp), last - 1)
        right_part, upper_part = column - left, row - below
        corner = below * (last + 1) + left

        def between(nodes: Floats) -> Floats:
            flat = nodes.ravel()
            low = flat[corner] + right_part * (flat[corner + 1] - flat[corner])
            high = flat[corner + last + 1] + right_part * (flat[corner + last + 2] - flat[corner + last + 1])
            return np.asarray(low + upper_part * (high - low), dtype=np.float64)

        return between(east), between(north)


def field(winds: Winds | None, grid: WindGrid | None, here: Spot, span: Span) -> Field | None:
    """The wind around `here` as measured up to now and then as forecast, or else as it blew in the last window. None if nothing is known."""
    stations = None if winds is None else _stations(winds, here, span)
    forecast = grid if grid is not None and _inside(grid, here) else None
    if stations is None:
        return None if forecast is None else _of_grid(forecast, here, span, _instants(span.start_at, span.until_at, span.step_ms))
    alone = stations.east_km.size == 1
    past = _of_stations(stations, slice(0, -1), _instants(span.start_at, span.now, span.step_ms), span.half_km)
    # A wind that stays as it is needs no steps, unless it differs from place to place.
    ahead = np.array([span.now, span.until_at]) if alone and forecast is None else _instants(span.now, span.until_at, span.step_ms)
    if forecast is not None:
        return _joined(past, _of_grid(forecast, here, span, ahead))
    return _joined(past, _of_stations(stations, np.full(ahead.size, -1), ahead, span.half_km))


def _joined(past: Field, future: Field) -> Field:
    """One after the other, on the finer nodes of the two."""

    def both(first: Floats, then: Floats) -> Floats:
        nodes = np.broadcast_shapes(first.shape[1:], then.shape[1:])
        return np.concatenate([np.broadcast_to(one, (one.shape[0], *nodes)) for one in (first, then)])

    at = np.concatenate([past.at, future.at])
    return Field(at, both(past.east, future.east), both(past.north, future.north), past.half_km, future.station_km)


def _instants(start_at: int, until_at: int, step_ms: int) -> NDArray[np.int64]:
    """From start to end, whole steps counted from the end; both included."""
    count = -(-(until_at - start_at) // step_ms)
    return np.asarray(np.maximum(until_at - np.arange(count, -1, -1, dtype=np.int64) * step_ms, start_at), dtype=np.int64)


def usable(winds: Winds, calm_m_per_s: float) -> NDArray[np.bool_]:
    """Which measurements say something: a finite speed that is not negative, and a direction unless it is calm."""
    speed = winds.speed_m_per_s
    return np.asarray(np.isfinite(speed) & (speed >= 0.0) & (np.isfinite(winds.from_deg) | (speed < calm_m_per_s)), dtype=np.bool_)


class _Stations(NamedTuple):
    """Where stations stand in the frame (km, NaN: not known), and their winds at the instants up to now, then that of the last window.

    Winds are [instant, station]; `valid` where the station says something.
    """

    east_km: Floats
    north_km: Floats
    east: Floats
    north: Floats
    valid: NDArray[np.bool_]


def _stations(winds: Winds, here: Spot, span: Span) -> _Stations | None:
    """Every station's mean wind around every instant, and that of the last window. None if nothing was measured in it."""
    used = usable(winds, span.calm_m_per_s) & (winds.observed_at <= span.now) & (winds.observed_at > span.start_at - span.window_ms)
    placed = used & np.isfinite(winds.latitude) & np.isfinite(winds.longitude)
    # A wind whose place is not known stands for the whole domain where no better one is there.
    used = placed if placed.any() else used
    recent = winds.observed_at[used] > span.now - span.window_ms
    if not recent.any():
        return None
    places = np.stack([winds.latitude[used], winds.longitude[used]])
    places, station = (np.full((2, 1), np.nan), np.zeros(recent.size, np.intp)) if not placed.any() else _distinct(places)
    # Instants before the first one too: what blew there is not the first one's, but bridges a gap.
    early = -(-span.window_ms // span.step_ms)
    count = early + _instants(span.start_at, span.now, span.step_ms).size
    nearest = np.rint((winds.observed_at[used] - span.now) / span.step_ms).astype(np.intp) + count - 1
    # As if the last window were one more instant: its measurements count there and at their own.
    instant = np.concatenate([np.maximum(nearest, 0), np.full(int(recent.sum()), count)])
    cell = instant * places.shape[1] + np.concatenate([station, station[recent]])
    size, shape = (count + 1) * places.shape[1], (count + 1, places.shape[1])
    hits = np.bincount(cell, minlength=size).reshape(shape)
    east, north = (
        np.bincount(cell, np.concatenate([part, part[recent]]), size).reshape(shape) / np.maximum(hits, 1)
        for part in _components(winds, used, _turn_deg(here, *places)[station], span.calm_m_per_s)
    )
    valid = np.vstack([_filled(hits[:-1], (east, north), max(1, round(span.window_ms / span.step_ms))), hits[-1] > 0])
    # Where no station says anything, what they said before or after counts.
    valid[~valid.any(axis=1)] = True
    return _Stations(*to_xy(here.latitude, here.longitude, *places), east[early:], north[early:], valid[early:])


def _distinct(places: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Each place once [2, station], and which of them every column is."""
    distinct, station = np.unique(places, axis=1, return_inverse=True)
    return distinct, np.asarray(station, dtype=np.intp).ravel()


def _filled(hits: NDArray[np.intp], parts: tuple[Floats, Floats], reach: int) -> NDArray[np.bool_]:
    """Fill gaps between a station's instants in place (linear, the ends held); true where a measurement is at most `reach` instants away."""
    every = np.arange(hits.shape[0])
    valid = hits > 0
    for one in np.flatnonzero(~valid.all(axis=0) & valid.any(axis=0)):
        known = np.flatnonzero(valid[:, one])
        for part in parts:
            part[:-1, one] = np.interp(every, known, part[known, one])
        valid[:, one] = np.abs(every[:, None] - known).min(axis=1) <= reach
    return valid


def _of_stations(stations: _Stations, instants: slice | NDArray[np.intp], at: NDArray[np.int64], half_km: float) -> Field:
    """The winds of these of their instants, spread out over the square."""
    east, north, valid = stations.east[instants], stations.north[instants], stations.valid[instants]
    away_km = np.hypot(stations.east_km, stations.north_km)[stations.valid[-1]].min()
    if stations.east_km.size == 1:
        return Field(at, east[:, :, None], north[:, :, None], half_km, float(away_km))
    weights = _weights(stations, half_km)
    return Field(at, _spread_out(east, valid, weights), _spread_out(north, valid, weights), half_km, float(away_km))


def _components(winds: Winds, used: NDArray[np.bool_], turn_deg: Floats, calm_m_per_s: float) -> tuple[Floats, Floats]:
    """Winds as vectors in the frame of the place, whose directions are turned by so much."""
    speed = winds.speed_m_per_s[used]
    moving = speed >= calm_m_per_s
    towards = np.where(moving, winds.from_deg[used], 0.0) + 180.0 + turn_deg
    angle, speed = np.radians(towards), np.where(moving, speed, 0.0)
    return speed * np.sin(angle), speed * np.cos(angle)


def _turn_deg(here: Spot, latitude: Floats, longitude: Floats) -> Floats:
    """What a compass direction there has to be turned by to be a direction in the frame of `here`; 0 where the place is not known."""
    out = bearing_deg(here.latitude, here.longitude, latitude, longitude)
    onward = bearing_deg(latitude, longitude, here.latitude, here.longitude) + 180.0
    near = ~(distance_km(here.latitude, here.longitude, latitude, longitude) > _HERE_KM)
    return np.where(near, 0.0, out - onward)


def _weights(stations: _Stations, half_km: float) -> Floats:
    """Inverse-distance weights [node, station] (Shepard 1968, power 2)."""
    line = np.linspace(-half_km, half_km, NODES)
    north, east = (one.ravel()[:, None] for one in np.meshgrid(line, line, indexing="ij"))
    squared = (east - stations.east_km) ** 2 + (north - stations.north_km) ** 2
    return np.asarray(1.0 / (squared + _SOFTENING_KM**2), dtype=np.float64)


def _spread_out(part: Floats, valid: NDArray[np.bool_], weights: Floats) -> Floats:
    """[instant, station] onto [instant, node, node]."""
    share = np.where(valid, 1.0, 0.0) @ weights.T
    return np.asarray((np.where(valid, part, 0.0) @ weights.T / share).reshape(-1, NODES, NODES), dtype=np.float64)


def _inside(grid: WindGrid, here: Spot) -> bool:
    column = _column(grid, np.asarray([here.longitude]))[0]
    return bool(grid.latitude[0] <= here.latitude <= grid.latitude[-1] and column <= grid.longitude.size - (0 if _global(grid) else 1))


def _global(grid: WindGrid) -> bool:
    step = float(grid.longitude[1] - grid.longitude[0])
    return float(grid.longitude[-1] - grid.longitude[0]) + step >= 360.0 - step / 2.0


def _column(grid: WindGrid, longitude: Floats) -> Floats:
    """Position of a longitude among the columns (fractional; beyond the last one if outside)."""
    ahead = (longitude - grid.longitude[0]) % 360.0
    columns = np.interp(ahead, grid.longitude - grid.longitude[0], np.arange(grid.longitude.size, dtype=np.float64))
    beyond = ahead - (grid.longitude[-1] - grid.longitude[0])
    return np.asarray(np.where(beyond > 0.0, columns + beyond / (grid.longitude[1] - grid.longitude[0]), columns), dtype=np.float64)


def _of_grid(grid: WindGrid, here: Spot, span: Span, at: NDArray[np.int64]) -> Field:
    """The forecast on the square of nodes: bilinear in place (the edge held), linear in time (first and last instant held)."""
    line = np.linspace(-span.half_km, span.half_km, NODES)
    north_km, east_km = (one.ravel() for one in np.meshgrid(line, line, indexing="ij"))
    latitude, longitude = from_xy(here.latitude, here.longitude, east_km, north_km)
    row = np.interp(latitude, grid.latitude, np.arange(grid.latitude.size, dtype=np.float64))
    columns = grid.longitude.size
    column = _column(grid, longitude)
    column = column % columns if _global(grid) else np.where(column > columns - 1, np.where(column > columns, 0.0, columns - 1.0), column)
    below = np.minimum(row.astype(np.intp), grid.latitude.size - 2)
    left = np.minimum(column.astype(np.intp), columns - 1)
    right, right_part, upper_part = (left + 1) % columns, column - left, row - below

    def at_nodes(part: Floats) -> Floats:
        low = part[:, below, left] * (1.0 - right_part) + part[:, below, right] * right_part
        high = part[:, below + 1, left] * (1.0 - right_part) + part[:, below + 1, right] * right_part
        return np.asarray(low * (1.0 - upper_part) + high * upper_part, dtype=np.float64)

    turn = np.radians(_turn_deg(here, latitude, longitude))
    east, north = at_nodes(grid.east_m_per_s), at_nodes(grid.north_m_per_s)
    east, north = east * np.cos(turn) + north * np.sin(turn), north * np.cos(turn) - east * np.sin(turn)
    when = np.interp(at, grid.valid_at, np.arange(grid.valid_at.size, dtype=np.float64))
    early = np.minimum(when.astype(np.intp), max(0, grid.valid_at.size - 2))
    late, part = np.minimum(early + 1, grid.valid_at.size - 1), (when - early)[:, None]
    shape = (at.size, NODES, NODES)
    east, north = ((one[early] + part * (one[late] - one[early])).reshape(shape) for one in (east, north))
    return Field(at, east, north, span.half_km, 0.0)
