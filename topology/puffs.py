"""An ensemble of puffs carried by the wind: where each member's plume goes, and when it touches a city.

One plume along the mean wind is wrong by the error of the direction, which at the distance of the next city is wider than any plume.
So the source is followed by members that differ in direction and speed; each lets a puff go at every instant, and each puff grows: up to
`near_m` of its way as Briggs' plume does, beyond it by 0.5 m in every second (Heffter 1965), starting from the width it then has. The
two laws so meet without a gap.

Members are the midpoints of equally likely parts of two normal distributions, paired by chance (a Latin hypercube: McKay 1979): a share
of members is then as exact as members can make it, and no member is farther out than `farthest_deviation`. The chance comes from a
name, so that the same question always has the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.random import PCG64, Generator

from topology.plume import Air, dilution, sigma_y_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from topology.wind_field import Field

    Floats = NDArray[np.float64]

HEFFTER_M_PER_S = 0.5
_KM_PER_MS = 1e-6
"""A metre per second, in km per millisecond."""


class Members(NamedTuple):
    """How every member differs: the angle it goes to the right of the wind (radians), and its speed as a multiple of the wind's."""

    turn_rad: Floats
    speed: Floats


class Cities(NamedTuple):
    """Circles in the frame of the source (km), parallel."""

    east_km: Floats
    north_km: Floats
    radius_km: Floats


@dataclass(frozen=True, slots=True)
class Growth:
    """How puffs grow, and when they count.

    They touch what is within `sigmas` spreads of their way, as long as they have at least `min_strength` of the source's concentration,
    and not beyond `far_m` and `longest_ms` of their way.
    """

    air: Air
    near_m: float
    sigmas: float
    min_strength: float
    far_m: float
    longest_ms: float


@dataclass(frozen=True, slots=True)
class Tracks:
    """The ways of all puffs: [member, release, instant], km; released at the instant of the same index, before it they do not count.

    `at_ms` of the instants, `gone_km` the length of the way, `near_at_ms` when it passed the end of the plume (inf if it never does);
    `speed` of each member as a multiple of the wind's.
    """

    at_ms: Floats
    east_km: Floats
    north_km: Floats
    gone_km: Floats
    near_at_ms: Floats
    speed: Floats


class Touches(NamedTuple):
    """How puffs touch cities [city, member, release]: the first and last instant (ms; inf and -inf if never), and how strongly at most (0..1)."""

    first_ms: Floats
    last_ms: Floats
    strength: Floats


@lru_cache(maxsize=256)
def members(name: str, count: int, direction_sd_deg: float, log_speed_sd: float) -> Members:
    """The ensemble of this name.

    >>> [round(one, 3) for one in sorted(members("inc-1", 4, 10.0, 0.3).turn_rad.tolist())]
    [-0.201, -0.056, 0.056, 0.201]
    """
    deviates = _deviates(count)
    chance = Generator(PCG64(int.from_bytes(blake2b(name.encode(), digest_size=16).digest(), "little")))
    turned = np.radians(direction_sd_deg * deviates[chance.permutation(count)])
    found = Members(turned, np.exp(log_speed_sd * deviates[chance.permutation(count)]))
    for array in found:
        array.flags.writeable = False
    return found


def farthest_deviation(count: int) -> float:
    """By how many standard deviations the outermost of so many members differ.

    >>> round(farthest_deviation(128), 2)
    2.66
    """
    return float(_deviates(count)[-1])


@lru_cache(maxsize=16)
def _deviates(count: int) -> Floats:
    normal = NormalDist()
    found = np.array([normal.inv_cdf((one + 0.5) / count) for one in range(count)])
    found.flags.writeable = False
    return found


def advect(field: Field, ensemble: Members, releases: int, growth: Growth) -> Tracks:
    """Carry a puff of every member, released at each of the first `releases` instants, through the field (Heun's method, order 2).

    Ends with the field, or once every puff is farther than counts.
    """
    at = field.at.astype(np.float64)
    sine, cosine = (ensemble.speed * one(ensemble.turn_rad) for one in (np.sin, np.cos))
    count = sine.size
    shape = (count, releases, at.size)
    east, north, gone = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    near_at = np.full(shape[:2], np.inf)
    sine, cosine = sine[:, None], cosine[:, None]

    def pace(instant: int, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        u, v = field.wind(instant, x, y)
        return u * cosine + v * sine, v * cosine - u * sine

    for k in range(at.size - 1):
        step, out = (at[k + 1] - at[k]) * _KM_PER_MS, min(k + 1, releases)
        x, y = east[:, :out, k], north[:, :out, k]
        first_u, first_v = pace(k, x, y)
        then_u, then_v = pace(k + 1, x + step * first_u, y + step * first_v)
        run_x, run_y = np.broadcast_arrays(step * (first_u + then_u) / 2.0, step * (first_v + then_v) / 2.0, x)[:2]
        east[:, :out, k + 1], north[:, :out, k + 1] = x + run_x, y + run_y
        run = np.hypot(run_x, run_y)
        gone[:, :out, k + 1] = gone[:, :out, k] + run
        left = growth.near_m / 1000.0 - gone[:, :out, k]
        crosses = (left >= 0.0) & (left < run)
        near_at[:, :out][crosses] = at[k] + (at[k + 1] - at[k]) * left[crosses] / run[crosses]
        if out == releases and float(gone[..., k + 1].min()) * 1000.0 > growth.far_m:
            last = k + 2
            return Tracks(at[:last], east[..., :last], north[..., :last], gone[..., :last], near_at, ensemble.speed)
    return Tracks(at, east, north, gone, near_at, ensemble.speed)


@lru_cache(maxsize=256)
def reach_m(growth: Growth) -> float:
    """How far from the source a puff can at most be strong enough to count: a width that grows no more after the plume's is a lower bound."""
    way = np.geomspace(10.0, growth.far_m, 200)
    strength = dilution(way, spread_m(way, np.zeros_like(way), growth), growth.air)
    faint = np.flatnonzero(strength < growth.min_strength)
    return float(way[faint[0]]) if faint.size else growth.far_m


def spread_m(gone_m: Floats, since_near_s: Floats, growth: Growth) -> Floats:
    """Spread across the way (m) after `gone_m`, `since_near_s` after the end of the plume (0 or less while in it)."""
    air = growth.air
    briggs = sigma_y_m(np.minimum(gone_m, growth.near_m) + air.virtual_m, air.stability, urban=air.urban)
    return np.asarray(briggs + HEFFTER_M_PER_S * np.maximum(since_near_s, 0.0), dtype=np.float64)


def touches(tracks: Tracks, cities: Cities, growth: Growth) -> Touches:
    """When and how strongly every puff touches every city. Each city is answered as if it were the only one."""
    legs = _legs(tracks, growth)
    near = [_near(legs, *one) for one in zip(*(column.tolist() for column in cities), strict=True)]
    counts = [leg.size for leg, _, _ in near]
    shape = (len(near), *tracks.near_at_ms.shape)
    found = Touches(np.full(shape, np.inf), np.full(shape, -np.inf), np.zeros(shape))
    if not sum(counts):
        return found
    leg, through, squared = (np.concatenate(column) for column in zip(*near, strict=True))
    city = np.repeat(np.arange(len(near)), counts)
    first, last, strength = _timed(tracks, growth, legs, _Near(leg, through, squared, cities.radius_km[city]))
    # Legs come in order of puffs: each puff's are a row.
    puff = city * tracks.near_at_ms.size + leg // legs.per_puff
    starts = np.flatnonzero(np.diff(puff, prepend=-1))
    rows = puff[starts]
    found.first_ms.ravel()[rows] = np.minimum.reduceat(first, starts)
    found.last_ms.ravel()[rows] = np.maximum.reduceat(last, starts)
    found.strength.ravel()[rows] = np.maximum.reduceat(strength, starts)
    return found


class _Legs(NamedTuple):
    """Every straight piece of every way, flat: its start, its direction divided by its squared length, and what is needed to be near it."""

    east_km: Floats
    north_km: Floats
    along_east: Floats
    along_north: Floats
    offset: Floats
    squared: Floats
    widest_km: Floats
    per_puff: int


class _Near(NamedTuple):
    """Legs that a city may be touched on: which, where on it the city is nearest (0 = start, 1 = end), its squared distance, its radius."""

    leg: NDArray[np.intp]
    through: Floats
    squared: Floats
    radius_km: Floats


def _legs(tracks: Tracks, growth: Growth) -> _Legs:
    x, y = tracks.east_km[..., :-1], tracks.north_km[..., :-1]
    run_x, run_y = np.diff(tracks.east_km), np.diff(tracks.north_km)
    squared = run_x**2 + run_y**2
    along_x, along_y = (one / np.where(squared > 0.0, squared, 1.0) for one in (run_x, run_y))
    # The width at its end is the most a leg can have, and no leg counts beyond the farthest.
    run, gone = np.diff(tracks.gone_km), tracks.gone_km[..., :-1]
    counted = np.clip((growth.far_m / 1000.0 - gone) / np.where(run > 0.0, run, 1.0), 0.0, 1.0)
    since_s = _aged_s(tracks.at_ms[:-1] + counted * np.diff(tracks.at_ms) - tracks.near_at_ms[..., None], tracks.speed[:, None, None])
    widest_km = growth.sigmas * spread_m((gone + counted * run) * 1000.0, since_s, growth) / 1000.0
    # What is no leg is nowhere near: before the release, or beyond the farthest that counts.
    begun = np.arange(tracks.at_ms.size - 1) >= np.arange(x.shape[1])[:, None]
    widest_km = np.where(begun & (tracks.gone_km[..., :-1] * 1000.0 <= growth.far_m), widest_km, -np.inf)
    offset = x * along_x + y * along_y
    return _Legs(x.ravel(), y.ravel(), along_x.ravel(), along_y.ravel(), offset.ravel(), squared.ravel(), widest_km.ravel(), x.shape[2])


def _aged_s(since_ms: Floats, speed: Floats) -> Floats:
    """How long a puff has grown: as long as the wind itself takes for its way.

    A member's speed is an error of when it comes, not of how thin it then is; or else only the fastest would be strong enough far away.
    """
    return since_ms * speed / 1000.0


def _near(legs: _Legs, east_km: float, north_km: float, radius_km: float) -> tuple[NDArray[np.intp], Floats, Floats]:
    """The legs one city may be touched on: which, where on them it is nearest, and how far away then (squared)."""
    through = east_km * legs.along_east
    through += north_km * legs.along_north
    through -= legs.offset
    part = np.minimum(np.maximum(through, 0.0), 1.0)
    squared = (east_km - legs.east_km) ** 2
    squared += (north_km - legs.north_km) ** 2
    squared -= part * (2.0 * through - part) * legs.squared
    reach = legs.widest_km + radius_km
    leg = np.flatnonzero((squared <= reach * reach) & (reach >= 0.0))
    return leg, through[leg], np.maximum(squared[leg], 0.0)


def _timed(tracks: Tracks, growth: Growth, legs: _Legs, near: _Near) -> tuple[Floats, Floats, Floats]:
    """First and last instant of a touch, and its strength, on every leg that may touch; inf, -inf and 0 where it does not."""
    puff, k = np.divmod(near.leg, legs.per_puff)
    start_ms = tracks.at_ms[k]
    lasts = tracks.at_ms[k + 1] - start_ms
    part, length = np.clip(near.through, 0.0, 1.0), np.sqrt(legs.squared[near.leg])
    gone_m = (tracks.gone_km[..., :-1].ravel()[near.leg] + part * length) * 1000.0
    when_ms = start_ms + part * lasts
    member = puff // tracks.near_at_ms.shape[1]
    wide_m = spread_m(gone_m, _aged_s(when_ms - tracks.near_at_ms.ravel()[puff], tracks.speed[member]), growth)
    beside = np.maximum(np.sqrt(near.squared) - near.radius_km, 0.0) * 1000.0 / wide_m
    strength = dilution(gone_m, wide_m, growth.air) * np.exp(-0.5 * beside**2)
    counts = (beside <= growth.sigmas) & (strength >= growth.min_strength) & (gone_m <= growth.far_m)
    counts &= when_ms - tracks.at_ms[puff % tracks.near_at_ms.shape[1]] <= growth.longest_ms
    # While its middle is inside the city's circle, or else at the moment it is nearest.
    chord = near.radius_km**2 - near.squared + ((near.through - part) * length) ** 2
    inside = np.sqrt(np.maximum(chord, 0.0)) / np.where(length > 0.0, length, np.inf)
    stays = length <= 0.0
    first = start_ms + lasts * np.where(stays, 0.0, np.clip(near.through - inside, 0.0, 1.0))
    last = start_ms + lasts * np.where(stays, 1.0, np.clip(near.through + inside, 0.0, 1.0))
    return np.where(counts, first, np.inf), np.where(counts, last, -np.inf), np.where(counts, strength, 0.0)
