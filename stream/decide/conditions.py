"""What a domain knows besides its dangers: wind and discharge, remembered for as long as a footprint may ask for them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stream.decide.placing import concluded, place
from stream.decide.reports import interventions
from stream.records.instants import HOUR, SECOND
from topology.base import Conditions, Passage, Winds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stream.decide.state import DomainState, HazardState, SourceState
    from stream.region.model import Hazard, Region

Recent = dict[str, list[tuple[int, float]]]
"""Series id -> its recent measurements (observed_at, value), oldest first."""

KEEP_MS = 30 * 3_600_000
"""As long as smoke is followed: the wind of its time carried it."""
KEEP_MOST = 192
DISCHARGE = "/discharge"
CALM_M_PER_S = 0.5
"""Below this a vane stands still: stations give no direction, and none is needed to know that it is calm."""


def remember(recent: Recent, series: str, observed_at: int, value: float) -> None:
    """Add a measurement, in place; a correction replaces, an old one is put in its place, what no footprint can ask for is forgotten."""
    kept = [one for one in recent.get(series, []) if one[0] != observed_at]
    kept.append((observed_at, value))
    kept.sort()
    newest = kept[-1][0]
    recent[series] = [one for one in kept[-KEEP_MOST:] if one[0] >= newest - KEEP_MS]


def conditions(now: int, region: Region, hazard: Hazard, domain: DomainState) -> Conditions:
    """The conditions at `now` as footprints take them: wind and discharge, where this event was found so far, what people reported."""
    recent = domain.conditions if hazard.conditions else {}
    state = domain.hazards[hazard.hazard]
    sources = state.sources
    return Conditions(
        now,
        _winds(region, recent),
        (_discharge(region, recent) | _measured(region, sources.values())) or None,
        _passages(region, state),
        interventions(region, domain.reports),
    )


def _winds(region: Region, recent: Mapping[str, list[tuple[int, float]]]) -> Winds | None:
    """Speed and direction of the same station and instant, put together; None where there is no such pair."""
    pairs: list[tuple[int, str, float, float]] = []
    for series in sorted(recent):
        station, _, quantity = series.rpartition("/")
        if quantity != "wind_speed":
            continue
        directions = dict(recent.get(f"{station}/wind_direction", ()))
        pairs += [(at, series, speed, directions.get(at, 0.0)) for at, speed in recent[series] if at in directions or speed < CALM_M_PER_S]
    if not pairs:
        return None
    pairs.sort()
    rows = np.array([region.series.row_of[series] for _, series, _, _ in pairs], np.intp)
    return Winds(
        np.array([at for at, _, _, _ in pairs], np.int64),
        region.series.latitude[rows],
        region.series.longitude[rows],
        np.array([speed for _, _, speed, _ in pairs]),
        np.array([direction for _, _, _, direction in pairs]),
    )


def _passages(region: Region, state: HazardState) -> tuple[Passage, ...]:
    """Where and when the event was first found along a river, earliest first. Late evidence has its own time too, so it counts.

    A series' first trace where that is known (`fronts.py`), else when it began to alarm.
    """
    found = [_found(region, one) for one in state.sources.values() if one.series not in state.fronts and not concluded(one.placed)]
    for series, front in state.fronts.items():
        # Nobody had looked before, but so little is the edge of the cloud: the front came since the measurement before would have been due.
        due_before = front.front_at - round(float(region.series.interval_s[region.series.row_of[series]]) * SECOND)
        found.append(_passage(region, series, front.front_at, due_before if front.low and front.clean_at is None else front.clean_at))
    return tuple(sorted((one for one in found if one.reach), key=lambda one: (one.front_at, one.reach, one.reach_km)))


def _passage(region: Region, series: str, front_at: int, looked_at: int | None) -> Passage:
    row = region.series.row_of[series]
    return Passage(region.series.reach[row], float(region.series.reach_km[row]), front_at, _gap_h(front_at, looked_at))


def _found(region: Region, source: SourceState) -> Passage:
    here = place(region, source)
    return Passage(here.reach, here.reach_km, source.onset_at, _gap_h(source.onset_at, source.looked_at))


def _gap_h(front_at: int, looked_at: int | None) -> float:
    """Where it had never been looked for before, it is only known that the front came no later."""
    return math.inf if looked_at is None else (front_at - looked_at) / HOUR


def _measured(region: Region, sources: Iterable[SourceState]) -> dict[str, float]:
    """The newest discharge by reach where discharge is what the event is found in."""
    on_rivers = sorted((one for one in sources if one.series.endswith(DISCHARGE) and one.placed is None), key=lambda one: one.series)
    return {region.series.reach[region.series.row_of[one.series]]: one.value for one in on_rivers}


def _discharge(region: Region, recent: Mapping[str, list[tuple[int, float]]]) -> dict[str, float]:
    """The newest discharge by reach."""
    found = {}
    for series in sorted(recent):
        if series.endswith(DISCHARGE) and recent[series]:
            found[region.series.reach[region.series.row_of[series]]] = recent[series][-1][1]
    return found
