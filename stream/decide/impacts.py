"""From sources to cities: which cities the evidence wants warned now, at which level, by which path, when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from detectors.base import Level
from stream.decide.life import seconds
from stream.records.instants import MINUTE
from topology.base import Arrival, Conditions, Impact, Path, Source, footprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.decide.state import SourceState
    from stream.region.model import Hazard, Region


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the evidence wants a city to be told. `series` are those behind it, the leading one first.

    `probability` is that of any of the impacts (sources taken as independent); everything else is the leading impact's.
    """

    city_id: str
    level: int
    path: str
    paths: tuple[str, ...]
    probability: float
    arrival: Arrival | None
    unknown_because: str
    intensity: float
    confidence: float
    reasons: tuple[str, ...]
    series: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """The answer for all sources.

    The wanted warnings, cities below the warning probability (`watched`), the next instant at which an ended wave has passed somewhere,
    and the ended sources that nothing depends on any more.
    """

    wanted: dict[str, Wanted]
    watched: dict[str, float]
    passes_at: int | None
    spent: tuple[str, ...]


class Event(NamedTuple):
    """What an answer is about: an incident by its id (also before it is opened) and the sources it consists of."""

    incident_id: str
    sources: Sequence[SourceState]


@dataclass(frozen=True, slots=True)
class _Claim:
    impact: Impact
    level: int
    series: str


def place(region: Region, state: SourceState, incident_id: str) -> Source:
    """A source as footprints take it: where its series stands, and what was found there."""
    row = region.series.row_of[state.series]
    city = int(region.series.city[row])
    return Source(
        series=state.series,
        city_id=region.cities[city].city_id if city >= 0 else "",
        latitude=float(region.series.latitude[row]),
        longitude=float(region.series.longitude[row]),
        reach=region.series.reach[row],
        reach_km=float(region.series.reach_km[row]),
        onset_at=state.onset_at,
        observed_at=state.observed_at,
        ended_at=state.ended_at,
        value=state.value,
        score=state.score,
        incident_id=incident_id,
    )


def reach(region: Region, hazard: Hazard, event: Event, conditions: Conditions) -> Reached:
    """Ask the hazard's footprint for every source and put the answers together, city by city."""
    claims: dict[str, list[_Claim]] = {}
    spent: list[str] = []
    passes: list[int] = []
    for state in event.sources:
        found, ends_at = _claims(hazard, state, place(region, state, event.incident_id), conditions)
        passes += [ends_at] if ends_at is not None and ends_at > conditions.now else []
        if state.ended_at is not None and not found:
            spent.append(state.series)
        for claim in found:
            claims.setdefault(claim.impact.city_id, []).append(claim)
    wanted = {city_id: _together(city_id, claims[city_id]) for city_id in sorted(claims)}
    enough = hazard.rules.min_probability
    return Reached(
        {city_id: one for city_id, one in wanted.items() if one.probability >= enough},
        {city_id: one.probability for city_id, one in wanted.items() if hazard.rules.watch <= one.probability < enough},
        min(passes, default=None),
        tuple(spent),
    )


def _claims(hazard: Hazard, state: SourceState, source: Source, conditions: Conditions) -> tuple[list[_Claim], int | None]:
    """The cities one source claims, and when the last of an ended source's effects has passed (None while it lasts)."""
    lasting = state.ended_at is None
    found: list[_Claim] = []
    if source.city_id and lasting and not state.late:
        found.append(_Claim(_here(source), state.level, state.series))
    if not hazard.footprint:
        return found, None
    ends: list[int] = []
    for impact in footprint(hazard.footprint).footprint(hazard.graph, source, conditions):
        ends_at = _ends_at(impact, state, hazard)
        if lasting or ends_at > conditions.now:
            if state.late and (impact.arrival is None or impact.arrival.p90_at <= conditions.now):
                continue
            found.append(_Claim(impact, _remote_level(state.peak, impact, hazard), state.series))
            ends.append(ends_at)
    return found, None if lasting else min(ends, default=None)


def _here(source: Source) -> Impact:
    arrival = Arrival(source.onset_at, source.onset_at, source.onset_at)
    return Impact(source.city_id, Path.SAME_PLACE, 1.0, arrival, 1.0, 1.0, reasons=("measured_here",))


def _ends_at(impact: Impact, state: SourceState, hazard: Hazard) -> int:
    ended_at = state.ended_at if state.ended_at is not None else state.observed_at
    if impact.arrival is None:
        return ended_at + seconds(hazard.rules.validity_s)
    return impact.arrival.passed_at if impact.arrival.passed_at is not None else max(impact.arrival.p90_at, ended_at)


def _remote_level(peak: int, impact: Impact, hazard: Hazard) -> int:
    """The source's highest level, lowered by `remote_level_drop` levels for every 1/e of intensity lost on the way; never below blue."""
    if not hazard.rules.remote_level_drop or not 0 < impact.intensity < 1:
        return peak
    return max(int(Level.BLUE), peak - math.floor(hazard.rules.remote_level_drop * -math.log(impact.intensity)))


def _together(city_id: str, claims: list[_Claim]) -> Wanted:
    ordered = sorted(claims, key=_precedence)
    lead = ordered[0]
    missed = 1.0
    for claim in ordered:
        missed *= 1.0 - claim.impact.probability
    return Wanted(
        city_id=city_id,
        level=lead.level,
        path=lead.impact.path.value,
        paths=tuple(dict.fromkeys(claim.impact.path.value for claim in ordered)),
        probability=round(1.0 - missed, 6),
        arrival=_to_minutes(lead.impact.arrival),
        unknown_because=lead.impact.unknown_because,
        intensity=round(lead.impact.intensity, 6),
        confidence=round(lead.impact.confidence, 6),
        reasons=lead.impact.reasons,
        series=tuple(dict.fromkeys(claim.series for claim in ordered)),
    )


def _to_minutes(arrival: Arrival | None) -> Arrival | None:
    """No forecast is good to the millisecond: outwards to whole minutes."""
    if arrival is None:
        return None
    passed_at = None if arrival.passed_at is None else -(-arrival.passed_at // MINUTE) * MINUTE
    return Arrival(
        arrival.p10_at // MINUTE * MINUTE,
        (arrival.p50_at + MINUTE // 2) // MINUTE * MINUTE,
        -(-arrival.p90_at // MINUTE) * MINUTE,
        passed_at,
    )


def _precedence(claim: _Claim) -> tuple[int, bool, int, str]:
    """Worst level first; among equals what is measured here, then the earliest arrival, then the series' name."""
    arrival = claim.impact.arrival
    return (-claim.level, claim.impact.path is not Path.SAME_PLACE, arrival.p50_at if arrival else 2**62, claim.series)
