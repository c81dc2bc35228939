"""A census of a partition: how many of what stand there, for whoever watches the service. It changes nothing and is no part of any decision."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from detectors.rows import NEVER
from stream.decide.telling import level_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from stream.decide.bound import Bound, BoundHazard
    from stream.decide.partition import Partition
    from stream.decide.state import Core, HazardState


@dataclass(slots=True)
class City:
    """A city and a hazard: the level of its warning (0 = none), and when what can see the danger for it was observed last (ms, None: never)."""

    level: int = 0
    observed_at: int | None = None


@dataclass(slots=True)
class Census:
    """What a partition holds. `warnings` in force by hazard and level; `statuses` of cities by hazard and status; series by quantity.

    `counts`: what the fold did not take since the partition's beginning, by reason. `cities` is empty unless it was asked for.
    """

    warnings: Counter[tuple[str, str]] = field(default_factory=Counter)
    incidents: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    stations: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)
    postures: Counter[str] = field(default_factory=Counter)
    hazards: set[str] = field(default_factory=set)
    time_suspect: int = 0
    repeated: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    cities: dict[tuple[str, str], City] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Quantities:
    """By series of a partition that a hazard judges: its number in `names`."""

    rows: NDArray[np.intp]
    number: NDArray[np.intp]
    names: list[str]


@dataclass(frozen=True, slots=True)
class _Sight:
    """Which series see a danger for which city: `rows` in order of the cities, those of each from one of `starts` on."""

    cities: list[str]
    rows: NDArray[np.intp]
    starts: NDArray[np.intp]


class CensusTaker:
    """Takes censuses; what follows from a region alone is worked out once. `per_city`: also of every city by itself."""

    def __init__(self, *, per_city: bool = False) -> None:
        self._per_city = per_city
        self._quantities: dict[tuple[int, str], tuple[str, _Quantities]] = {}
        self._sights: dict[tuple[int, str, str], tuple[str, _Sight]] = {}

    def take(self, state: Partition) -> Census:
        """The census of a partition whose state nobody changes meanwhile."""
        core, found = state.core, Census()
        found.repeated, found.counts = core.counts.duplicate, _not_taken(core)
        found.time_suspect = int(core.time_suspect)
        for bound in state.bounds.values():
            self._count_stations(core.partition, bound, found)
            if self._per_city:
                self._observe_cities(core.partition, bound, found)
        for domain in core.domains.values():
            found.postures[domain.posture.posture.value] += 1
            for hazard, one in domain.hazards.items():
                _count_hazard(hazard, one, found)
                if self._per_city:
                    _rate_cities(hazard, one, found)
        return found

    def _count_stations(self, partition: int, bound: Bound, found: Census) -> None:
        key, region = (partition, bound.region.name), bound.region
        if self._quantities.get(key, ("",))[0] != region.region_hash:
            judged = np.zeros(len(bound.rows), np.bool_)
            for hazard in bound.hazards:
                judged |= hazard.member
            rows = np.flatnonzero(judged)
            names, number = np.unique([region.series.quantity[row] for row in bound.rows[rows].tolist()] or [""], return_inverse=True)
            self._quantities[key] = region.region_hash, _Quantities(rows, number[: len(rows)], names.tolist())
        known = self._quantities[key][1]
        silent = np.zeros(len(bound.rows), np.bool_)
        for hazard in bound.hazards:
            silent |= hazard.silent & hazard.member
        of_all = np.bincount(known.number, minlength=len(known.names)).tolist()
        of_silent = np.bincount(known.number[silent[known.rows]], minlength=len(known.names)).tolist()
        for name, stations, quiet in zip(known.names, of_all, of_silent, strict=True):
            if stations:
                found.stations[name] += stations
                found.silent[name] += quiet

    def _observe_cities(self, partition: int, bound: Bound, found: Census) -> None:
        for hazard in bound.hazards:
            sight = self._sight(partition, bound, hazard)
            newest = bound.history["observed_at"][sight.rows, -1]
            for city, at in zip(sight.cities, np.maximum.reduceat(newest, sight.starts).tolist() if len(newest) else [], strict=True):
                if at != NEVER:
                    found.cities.setdefault((city, hazard.hazard.hazard), City()).observed_at = at

    def _sight(self, partition: int, bound: Bound, hazard: BoundHazard) -> _Sight:
        key = partition, bound.region.name, hazard.hazard.hazard
        if self._sights.get(key, ("",))[0] != bound.region.region_hash:
            self._sights[key] = bound.region.region_hash, _seen_by(bound, hazard)
        return self._sights[key][1]


def _seen_by(bound: Bound, hazard: BoundHazard) -> _Sight:
    rows_of: dict[str, list[int]] = {}
    for series, cities in hazard.cities_of.items():
        row = int(bound.local[bound.region.series.row_of[series]])
        for city in cities:
            rows_of.setdefault(city, []).append(row)
    starts = np.cumsum([0, *(len(rows) for rows in rows_of.values())])[:-1]
    return _Sight(list(rows_of), np.array([row for rows in rows_of.values() for row in rows], np.intp), starts)


def _count_hazard(hazard: str, state: HazardState, found: Census) -> None:
    found.hazards.add(hazard)
    found.incidents[hazard] += len(state.incidents)
    for incident in state.incidents.values():
        for level, count in Counter(told.level for told in incident.told.values() if not told.ended).items():
            found.warnings[hazard, level_label(level)] += count
    for status, count in Counter(one.state for one in state.status.values()).items():
        found.statuses[hazard, status] += count


def _rate_cities(hazard: str, state: HazardState, found: Census) -> None:
    for city in state.status:
        found.cities.setdefault((city, hazard), City())
    for incident in state.incidents.values():
        for city, told in incident.told.items():
            if not told.ended:
                one = found.cities.setdefault((city, hazard), City())
                one.level = max(one.level, told.level)


def _not_taken(core: Core) -> Counter[str]:
    counts = core.counts
    return Counter(
        other_lane=counts.other_lane,
        retired=counts.retired,
        too_old=counts.too_old,
        quality_failed=counts.failed,
        answer_unmatched=counts.unmatched,
        batch_repeated=counts.repeated,
        sequence_refused=counts.sequence_refused,
        links_refused=sum(counts.links_refused.values()),
    )


def together(all_of_them: Iterable[Census]) -> Census:
    """The census of several partitions as one; of a city in several domains the higher level and the newer observation."""
    made = Census()
    for one in all_of_them:
        for name in ("warnings", "incidents", "statuses", "stations", "silent", "postures", "counts"):
            mine: Counter[object] = getattr(made, name)
            mine.update(getattr(one, name))
        made.hazards |= one.hazards
        made.time_suspect += one.time_suspect
        made.repeated += one.repeated
        for key, city in one.cities.items():
            known = made.cities.setdefault(key, City())
            known.level = max(known.level, city.level)
            known.observed_at = max((at for at in (known.observed_at, city.observed_at) if at is not None), default=None)
    return made
