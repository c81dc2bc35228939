"""Footprint of something in the air: which cities a source reaches with the wind, when, how strongly, how surely.

The source is followed by an ensemble of puffs (`puffs.py`) through the wind as it was measured since and as it is forecast, or else as
it blew in the last hours (`wind_field.py`). Up to about 50 km a puff is as wide as a Gaussian plume (`plume.py`), beyond it grows with
time. The probability of a city is the share of members that touch it. Calm or missing wind gives a circle, an unknown arrival and low
confidence, and says so. Nothing here knows terrain, rain, chemistry or height: it is a screening of who may be affected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from topology.arrival import last_left_at, nearest_first
from topology.base import Impact, Path, Winds
from topology.cloud import follow, newest_at, within_window
from topology.exposure import exposure
from topology.geodesy import distance_km, to_xy
from topology.parameters import merged
from topology.plume import dilution
from topology.protective_zone import protected
from topology.puffs import HEFFTER_M_PER_S, Cities, Touches, spread_m, touches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from topology.base import Conditions, Places, Source
    from topology.cloud import Cloud

    Floats = NDArray[np.float64]

PARAMETERS: Mapping[str, float] = MappingProxyType(
    {
        "window_s": 10800.0,
        "history_s": 10800.0,
        "step_s": 3600.0,
        "calm_m_per_s": 0.5,
        "calm_radius_km": 15.0,
        "calm_probability": 0.5,
        "blind_radius_km": 15.0,
        "blind_probability": 0.2,
        "protective_km": 5.0,
        "isolation_km": 1.0,
        "protective_probability": 0.5,
        "members": 128.0,
        "min_direction_sd_deg": 15.0,
        "min_speed_spread": 0.3,
        "sigmas": 2.0,
        "min_strength": 0.02,
        "source_radius_km": 1.0,
        "stability": 0.0,
        "urban": 0.0,
        "mixing_height_m": 1000.0,
        "near_km": 50.0,
        "max_km": 300.0,
        "max_travel_h": 24.0,
        "station_km": 100.0,
        "floor_h": 0.5,
        "clearing_h": 1.0,
    }
)
LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "window_s": (1.0, 86400.0),
        "history_s": (0.0, 86400.0),
        "step_s": (600.0, 21600.0),
        "calm_m_per_s": (0.01, 5.0),
        "calm_radius_km": (0.0, 1000.0),
        "calm_probability": (0.0, 1.0),
        "blind_radius_km": (0.0, 1000.0),
        "blind_probability": (0.0, 1.0),
        "protective_km": (0.0, 50.0),
        "isolation_km": (0.0, 50.0),
        "protective_probability": (0.0, 1.0),
        "members": (8.0, 1024.0),
        "min_direction_sd_deg": (1.0, 90.0),
        "min_speed_spread": (0.0, 2.0),
        "sigmas": (0.1, 5.0),
        "min_strength": (0.0, 1.0),
        "source_radius_km": (0.01, 100.0),
        "stability": (0.0, 6.0),
        "urban": (0.0, 1.0),
        "mixing_height_m": (10.0, 5000.0),
        "near_km": (1.0, 100.0),
        "max_km": (0.1, 2000.0),
        "max_travel_h": (0.1, 240.0),
        "station_km": (1.0, 10000.0),
        "floor_h": (0.0, 48.0),
        "clearing_h": (0.0, 240.0),
    }
)
_ZONE = "inside the protective zone, not on the way of the wind"
_FAR_CONFIDENCE = 0.7
_WINDS = ("observed_at", "latitude", "longitude", "speed_m_per_s", "from_deg")
_CALM_FADING_KM = 100.0
_NEAREST_RADIUS_KM = 6335.0
"""The smallest radius of curvature of the ellipsoid: an angle of an arc is at most its length over this."""


@dataclass(frozen=True, slots=True, eq=False)
class WindGraph:
    """The cities as parallel arrays (degrees, km), as points of a unit sphere [city, 3], and the parameters in force."""

    city_ids: tuple[str, ...]
    latitude: Floats
    longitude: Floats
    radius_km: Floats
    points: Floats
    parameters: Mapping[str, float]


def build(places: Places, parameters: Mapping[str, float]) -> WindGraph:
    """The cities as arrays. Raises `TopologyError` with every fault of the parameters.

    Wind: `window_s` (what blew in it goes on, unless a forecast says otherwise), `history_s` (so far back puffs are released),
    `step_s` (time between puffs and of their steps), `calm_m_per_s` (below it, it is calm), `calm_radius_km` and `calm_probability`
    (then), `blind_radius_km` and `blind_probability` (no wind known), `station_km` (at this distance of the nearest wind station the
    confidence is half). Ensemble: `members`, `min_direction_sd_deg` and `min_speed_spread` (standard deviation / mean): the least they
    differ by. Plume: `source_radius_km` (how far around the source it is as measured there), `stability` (1 to 6 = Pasquill's A to F,
    0 = from wind and sun), `urban` (1 = spreads as over a city), `mixing_height_m`, `near_km` (so far it spreads as a plume), `sigmas`
    and `min_strength` (it touches what is within so many spreads and has at least that part of the source's concentration), `max_km`,
    `max_travel_h`, `floor_h` (least half width of the arrival window), `clearing_h` (until the air is clean after the last of it).
    Zone: `protective_km` (side of a square downwind) and `isolation_km` (radius around the source) are always included, with
    `protective_probability` at least; the shape is that of the Emergency Response Guidebook (initial isolation, protective action).
    """
    given = merged(PARAMETERS, LIMITS, parameters)
    columns = np.array([(c.latitude, c.longitude, c.radius_km) for c in places.cities], dtype=np.float64).reshape(-1, 3).T
    points = _on_sphere(columns[0], columns[1])
    for array in (columns, points):
        array.flags.writeable = False
    latitude, longitude, radius_km = columns
    return WindGraph(tuple(c.city_id for c in places.cities), latitude, longitude, radius_km, points, given)


def footprint(graph: WindGraph, source: Source, conditions: Conditions) -> tuple[Impact, ...]:
    """The cities the wind reaches, earliest first; around the source, untimed, when it is calm or unknown. Empty without a position.

    Arrivals count from when the present exposure began, `passed_at` from the end of the source, or from the newest measurement while
    it lasts. Cities that only puffs reached which have passed are left out.
    """
    if not (math.isfinite(source.latitude) and math.isfinite(source.longitude)):
        return ()
    met = _followed(_asked(graph, source, conditions))
    if met.cloud is None:
        return nearest_first(_around(graph, source, conditions, met.here))
    return nearest_first(_carried(graph, source, conditions.now, met.cloud, met))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with all that the ways of the puffs depend on in its `token`, so that they are followed once until something new is known."""

    graph: WindGraph
    token: tuple[object, ...]
    source: Source = field(compare=False)
    conditions: Conditions = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Met:
    """The cities that may be concerned (indices `here`), where they lie, who is protected, and how the puffs touch the rows `near`."""

    here: NDArray[np.intp]
    cloud: Cloud | None
    edge_km: Floats
    zone: NDArray[np.bool_]
    near: NDArray[np.intp]
    touched: Touches


def _asked(graph: WindGraph, source: Source, conditions: Conditions) -> _Asked:
    known_at = newest_at(conditions, graph.parameters)
    winds: tuple[bytes, ...] = ()
    if conditions.winds is not None:
        past = conditions.winds.observed_at <= conditions.now
        kept = conditions.winds if past.all() else Winds(*(getattr(conditions.winds, one)[past] for one in _WINDS))
        conditions = replace(conditions, winds=kept)
        winds = tuple(getattr(kept, one).tobytes() for one in _WINDS)
    left_at = None if source.ended_at is None else last_left_at(source)
    what = (source.latitude, source.longitude, source.city_id, source.series, source.incident_id, source.onset_at, left_at)
    return _Asked(graph, (known_at, *what, *winds, id(conditions.wind_grid)), source, conditions)


@lru_cache(maxsize=32)
def _followed(asked: _Asked) -> _Met:
    """Everything of an answer that time alone does not change. The question keeps the forecast it names by its identity alive."""
    graph, source, parameters = asked.graph, asked.source, asked.graph.parameters
    here = _candidates(graph, source)
    nobody = np.zeros(0)
    cloud = follow(source, asked.conditions, parameters) if here.size else None
    if cloud is None:
        return _Met(here, None, nobody, nobody > 0.0, here[:0], Touches(*np.zeros((3, 0, 1, 1))))
    east_km, north_km = to_xy(source.latitude, source.longitude, graph.latitude[here], graph.longitude[here])
    cities = Cities(east_km, north_km, graph.radius_km[here])
    edge_km = np.maximum(np.hypot(east_km, north_km) - cities.radius_km, 0.0)
    near = np.flatnonzero(cloud.may_touch(cities))
    touched = touches(cloud.tracks, Cities(*(one[near] for one in cities)), cloud.growth)
    return _Met(here, cloud, edge_km, protected(cities, cloud.drift, parameters), near, touched)


def _on_sphere(latitude: ArrayLike, longitude: ArrayLike) -> Floats:
    """Directions as unit vectors [place, 3]: what is near one is found by one product, also at the poles and across the antimeridian."""
    phi, theta = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)], axis=-1)


def _candidates(graph: WindGraph, source: Source) -> NDArray[np.intp]:
    """Cities not farther than anything is ever carried, without the source's own; a few too many rather than one too few."""
    parameters = graph.parameters
    far_km = max(parameters[name] for name in ("max_km", "calm_radius_km", "blind_radius_km", "protective_km", "isolation_km"))
    widest_km = float(graph.radius_km.max(initial=0.0)) + 3.6 * HEFFTER_M_PER_S * parameters["max_travel_h"] * parameters["sigmas"]
    angle = min(math.pi, 1.01 * (far_km + widest_km) / _NEAREST_RADIUS_KM)
    here = _on_sphere(source.latitude, source.longitude)
    near = np.flatnonzero(graph.points @ here >= math.cos(angle) - 1e-12)
    return near[[graph.city_ids[i] != source.city_id for i in near.tolist()]] if source.city_id else near


def _carried(graph: WindGraph, source: Source, now: int, cloud: Cloud, met: _Met) -> list[tuple[float, Impact]]:
    """What the wind brings, and whoever lies in the protective zone whatever it does."""
    parameters, edge_km, zone, here = graph.parameters, met.edge_km, met.zone, met.here
    found = exposure(met.touched, cloud, source, now, parameters)
    arrivals = found.arrivals(source)
    row_of = {int(met.near[row]): row for row in np.flatnonzero(found.share > 0.0).tolist()}
    confidence, remarks = cloud.confidence(parameters), cloud.remarks(parameters)
    impacts: list[tuple[float, Impact]] = []
    for i in sorted({*row_of, *np.flatnonzero(zone).tolist()}):
        row, away_km, near = row_of.get(i), edge_km.item(i), edge_km.item(i) <= parameters["near_km"]
        least, reasons = (parameters["protective_probability"], ("protective_zone",)) if zone[i] else (0.0, ())
        sure = confidence * (1.0 if near else _FAR_CONFIDENCE)
        city_id = graph.city_ids[int(here[i])]
        if row is None:
            impact = Impact(city_id, Path.WIND, least, None, _thinned(away_km, cloud), sure, _ZONE, reasons + remarks)
        else:
            why = ("downwind", "plume" if near else "puffs", *reasons, *remarks)
            chance = max(least, found.share.item(row))
            impact = Impact(city_id, Path.WIND, chance, arrivals[row], found.strength.item(row), sure, reasons=why)
        impacts.append((away_km, impact))
    return impacts


def _thinned(away_km: float, cloud: Cloud) -> float:
    """How strong it would be at this distance if the wind blew there."""
    gone_m = np.asarray(away_km * 1000.0)
    return float(dilution(gone_m, spread_m(gone_m, np.zeros(()), cloud.growth), cloud.growth.air))


def _around(graph: WindGraph, source: Source, conditions: Conditions, here: NDArray[np.intp]) -> list[tuple[float, Impact]]:
    """A circle when there is no direction: calm air (fairly sure for the nearest) or no wind known (a guess, and called one)."""
    parameters, winds = graph.parameters, conditions.winds
    calm = conditions.wind_grid is not None or (winds is not None and bool(within_window(winds, conditions.now, parameters).any()))
    radius_km = parameters["calm_radius_km" if calm else "blind_radius_km"]
    highest, confidence = (parameters["calm_probability"], 0.3) if calm else (parameters["blind_probability"], 0.1)
    because = "calm wind" if calm else _no_wind_since(winds, conditions.now)
    away_km = distance_km(source.latitude, source.longitude, graph.latitude[here], graph.longitude[here])
    edge_km = np.maximum(0.0, away_km - graph.radius_km[here])
    # Nothing carries it: what is farther than the source is wide gets ever less likely, but is not safe.
    near = np.exp(-edge_km / _CALM_FADING_KM)
    zone = edge_km <= parameters["isolation_km"]
    found: list[tuple[float, Impact]] = []
    for i in np.flatnonzero((edge_km <= radius_km) | zone).tolist():
        chance = max(highest * near.item(i), parameters["protective_probability"] if zone[i] else 0.0)
        reasons = ("calm" if calm else "no_wind_data",) + (("protective_zone",) if zone[i] else ())
        city_id = graph.city_ids[int(here[i])]
        found.append((edge_km.item(i), Impact(city_id, Path.WIND, chance, None, near.item(i), confidence, because, reasons)))
    return found


def _no_wind_since(winds: Winds | None, now: int) -> str:
    """The newest usable wind before now, as RFC 3339 seconds."""
    past = np.empty(0) if winds is None else winds.observed_at[(winds.observed_at <= now) & np.isfinite(winds.speed_m_per_s)]
    if past.size == 0:
        return "no wind measured yet"
    since = datetime.fromtimestamp(int(past.max()) // 1000, UTC)
    return f"no wind measured since {since:%Y-%m-%dT%H:%M:%SZ}"
