"""A region bound to one partition: its arrays, and the look-ups that follow from it and are never written down.

Every series of the partition has one local row, the same for all arrays. What detection remembers (`history`, detector states, levels, who is
silent, what can be undone, the stations' health) is state and goes into the snapshot; everything else is rebuilt from the region.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import health, history, quality
from detectors.base import Detector, context_of, detector
from stream.decide import refused
from stream.decide.clusters import bind_scans
from stream.decide.foretold import bind_forecasts
from stream.decide.fronts import Traces, traces
from stream.decide.neighbours import NOBODY, neighbours, networks
from stream.records.journal import partition_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.decide.clusters import BoundScan
    from stream.decide.foretold import BoundForecast
    from stream.decide.undo import Undo
    from stream.decide.waiting import Waiting
    from stream.region.model import DetectorUse, Hazard, Region


@dataclass(slots=True)
class BoundDetector:
    """One detector of a hazard: `compact[local row]` is its index in `parameters` and `state`, -1 where it is not used."""

    name: str
    module: Detector
    compact: NDArray[np.int32]
    parameters: NDArray[Any]
    state: NDArray[Any]


@dataclass(slots=True)
class BoundHazard:
    """One hazard: `levels[detector, local row]` now, `silent[local row]`, `silent_after` (ms), who watches which city in which domain.

    `undo[local row]`: what the newest measurement of the series, which raised its level, can be undone with.
    `traces`: which series show by a first trace that something has come; None if none do.
    `waits[local row]`: its samples wait for the next grid instant, in `waiting[local row]`; None if none do.

    `watchers[domain][city]`: series that can see this danger coming for the city. `cities_of[series]`: the other way round.
    """

    hazard: Hazard
    member: NDArray[np.bool_]
    informs: NDArray[np.bool_]
    levels: NDArray[np.uint8]
    silent: NDArray[np.bool_]
    silent_after: NDArray[np.int64]
    detectors: tuple[BoundDetector, ...]
    watchers: dict[str, dict[str, tuple[str, ...]]]
    cities_of: dict[str, tuple[str, ...]]
    waits: NDArray[np.bool_] | None = None
    traces: Traces | None = None
    undo: dict[int, Undo] = field(default_factory=dict)
    waiting: dict[int, list[Waiting]] = field(default_factory=dict)


@dataclass(slots=True)
class Bound:
    """The part of a region that lives in this partition. `rows`: region rows by local row; `local`: the other way, -1 = elsewhere.

    By local row: `history`, `quality` (parameters), `watch` (`refused.WATCH`), `health` (state) with `health_parameters` where `health_rows`,
    the `neighbours` that can speak for a station, and the number of the `network` it is in. `checked`: domains whose stations are looked at at
    grid instants, and of which `forecasts` and `scans` are made then; `faults`: any is in fault.
    """

    region: Region
    rows: NDArray[np.intp]
    local: NDArray[np.int32]
    history: NDArray[Any]
    quality: NDArray[Any]
    hazards: tuple[BoundHazard, ...]
    domains: tuple[str, ...]
    members: dict[str, NDArray[np.intp]]
    watch: NDArray[Any]
    health: NDArray[Any]
    health_parameters: NDArray[Any]
    health_rows: NDArray[np.bool_]
    neighbours: NDArray[np.int32]
    network: NDArray[np.intp]
    checked: frozenset[str]
    forecasts: tuple[BoundForecast, ...] = ()
    scans: tuple[BoundScan, ...] = ()
    faults: bool = False
    maintained: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """By local row, whether it is in planned maintenance (`maintains`: any is)."""
    maintains: bool = False

    def series(self, row: int) -> str:
        """The id of the series in a local row."""
        return self.region.series.ids[int(self.rows[row])]

    def domain(self, row: int) -> str:
        """The domain of the series in a local row."""
        return self.region.domains[int(self.region.series.domain[self.rows[row]])].domain_id


def bind(region: Region, partition: int, partitions: int) -> Bound:
    """Fresh arrays for the domains of the region that this partition owns; every series counts as silent until it is heard."""
    mine = [index for index, domain in enumerate(region.domains) if partition_of(domain.domain_id, partitions, domain.pin) == partition]
    rows = np.flatnonzero(np.isin(region.series.domain, mine))
    local = np.full(len(region.series.ids), -1, np.int32)
    local[rows] = np.arange(len(rows), dtype=np.int32)
    domains = tuple(region.domains[index].domain_id for index in mine)
    members = {region.domains[index].domain_id: np.flatnonzero(region.series.domain[rows] == index) for index in mine}
    tests, watched = _quality(region, rows, local), _health(region, rows, local)
    judged = ~np.isnan(watched["confirm_n"])
    jumps = ~(np.isnan(tests["spike_suspect"]) & np.isnan(tests["rate_suspect_per_h"]))
    near = neighbours(region.series, rows, judged | jumps)
    forecasts = bind_forecasts(region, local)
    hazards = tuple(_bind_hazard(region, hazard, rows, local) for hazard in region.hazards)
    scans = bind_scans(region, hazards, rows)
    looked_at = judged | (near != NOBODY).any(axis=1)
    for hazard in hazards:
        looked_at |= False if hazard.waits is None else hazard.waits
    return Bound(
        region=region,
        rows=rows,
        local=local,
        history=history.initial(len(rows)),
        quality=tests,
        hazards=hazards,
        domains=domains,
        members=members,
        watch=refused.initial(len(rows)),
        health=health.initial(watched),
        health_parameters=watched,
        health_rows=judged,
        neighbours=near,
        network=networks(region.series, rows),
        maintained=np.zeros(len(rows), np.bool_),
        checked=frozenset(domain for domain, here in members.items() if looked_at[here].any())
        | {one.domain_id for one in forecasts}.union(one.domain_id for one in scans),
        forecasts=forecasts,
        scans=scans,
    )


def _quality(region: Region, rows: NDArray[np.intp], local: NDArray[np.int32]) -> NDArray[Any]:
    """One quality record a series: that of the first hazard that detects on it; tests are off for the rest."""
    parameters = np.zeros(len(rows), quality.PARAMETERS)
    parameters[:] = quality.DEFAULTS
    for hazard in reversed(region.hazards):
        here = local[hazard.rows]
        parameters[here[here >= 0]] = hazard.quality[here >= 0]
    return parameters


def _health(region: Region, rows: NDArray[np.intp], local: NDArray[np.int32]) -> NDArray[Any]:
    """One record a series: that of the first hazard that judges the health of its stations; `confirm_n` is NaN for the rest."""
    parameters = np.zeros(len(rows), health.PARAMETERS)
    parameters["confirm_n"] = np.nan
    for hazard in reversed(region.hazards):
        if hazard.health is not None:
            here = local[hazard.rows]
            mine = (here >= 0) & ~np.isnan(hazard.health["confirm_n"])
            parameters[here[mine]] = hazard.health[mine]
    return parameters


def _bind_hazard(region: Region, hazard: Hazard, rows: NDArray[np.intp], local: NDArray[np.int32]) -> BoundHazard:
    member = np.isin(rows, hazard.rows)
    uses = tuple(_bind_detector(use, len(rows), local) for use in hazard.detectors)
    after = region.series.interval_s[rows] * hazard.rules.silent_after_intervals * 1_000
    watchers, cities_of = _watchers(region, hazard, set(rows.tolist()))
    waits = np.zeros(len(rows), np.bool_)
    for use in uses:
        waits |= (use.compact >= 0) & (context_of(use.module) is not None)
    return BoundHazard(
        hazard=hazard,
        member=member,
        informs=np.isin(rows, hazard.condition_rows),
        levels=np.zeros((max(1, len(uses)), len(rows)), np.uint8),
        silent=member.copy(),
        silent_after=after.astype(np.int64),
        detectors=uses,
        watchers=watchers,
        cities_of=cities_of,
        waits=waits if waits.any() else None,
        traces=traces(region, rows, uses),
    )


def _bind_detector(use: DetectorUse, count: int, local: NDArray[np.int32]) -> BoundDetector:
    here = local[use.rows]
    compact = np.full(count, -1, np.int32)
    parameters = use.parameters[here >= 0]
    compact[here[here >= 0]] = np.arange(len(parameters), dtype=np.int32)
    module = detector(use.name)
    return BoundDetector(use.name, module, compact, parameters, module.initial(parameters))


def _watchers(region: Region, hazard: Hazard, mine: set[int]) -> tuple[dict[str, dict[str, tuple[str, ...]]], dict[str, tuple[str, ...]]]:
    watchers: dict[str, dict[str, tuple[str, ...]]] = {}
    cities_of: dict[str, list[str]] = {}
    for city, observers in zip(region.cities, hazard.observers, strict=True):
        by_domain: dict[str, list[str]] = {}
        for row in sorted(mine.intersection(observers.tolist())):
            series = region.series.ids[row]
            by_domain.setdefault(region.domains[region.series.domain[row]].domain_id, []).append(series)
            cities_of.setdefault(series, []).append(city.city_id)
        for domain, series_ids in by_domain.items():
            watchers.setdefault(domain, {})[city.city_id] = tuple(series_ids)
    return watchers, {series: tuple(cities) for series, cities in cities_of.items()}
