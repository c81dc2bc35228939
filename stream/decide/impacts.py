"""From sources to cities: which cities the evidence wants warned now, at which level, by which path, when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stream.decide.clustering import claims_of
from stream.decide.foretelling import claim_of, just_raised, onward, rated
from stream.decide.foretold import NOTHING_AHEAD, PREFIX, outlook_of
from stream.decide.fusion import Fused, fuse
from stream.decide.gauges import at_gauge
from stream.decide.life import seconds
from stream.decide.stated import FORECAST, SCAN
from stream.decide.wanted import Claim, Lines, Wanted, remote_level, together
from stream.decide.waves import Heard
from stream.region.river_network import network_of
from topology.base import Arrival, Conditions, Impact, Path, Source, footprint
from topology.confluence import passes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.decide.foretold import Foretold
    from stream.decide.state import SourceState
    from stream.decide.stated import Reaching
    from stream.region.model import Hazard, Region


@dataclass(frozen=True, slots=True)
class Reached:
    """The answer for all sources.

    The wanted warnings, cities below the warning probability (`watched`), the next instant at which an ended wave has passed somewhere,
    the ended sources that nothing depends on any more, and how sure all of them together are.
    """

    wanted: dict[str, Wanted]
    watched: dict[str, float]
    passes_at: int | None
    spent: tuple[str, ...]
    fused: Fused | None = None


class Around(NamedTuple):
    """What is known besides the sources of an incident: which series are silent, what gauges are foretold, and where it was measured before.

    `foretold`: by series. `found_in`: cities.
    """

    silent: frozenset[str] | set[str] = frozenset()
    foretold: Mapping[str, Foretold] = MappingProxyType({})
    found_in: frozenset[str] = frozenset()


class Asked(NamedTuple):
    """One source as a question, and the answer: its number, its state, what the footprint is given of it, and the cities it claims.

    `ends_at`: when the next of an ended source's effects has passed.
    """

    number: int
    state: SourceState
    source: Source
    claims: tuple[Claim, ...] = ()
    ends_at: int | None = None


def ask(region: Region, hazard: Hazard, asked: Asked, conditions: Conditions) -> Asked:
    """What a source claims by itself, before it is known of which incident it is."""
    claims, ends_at = _claims(region, hazard, asked, conditions)
    return asked._replace(claims=tuple(claims), ends_at=ends_at)


def weigh(region: Region, hazard: Hazard, asked: Sequence[Asked], around: Around, now: int) -> Reached:
    """Weigh the evidence of an incident's sources, each asked before, and put together what its sources claim, city by city."""
    claims: dict[str, list[Claim]] = {}
    spent: list[str] = []
    for number, one in enumerate(asked):
        if one.state.ended_at is not None and not one.claims:
            spent.append(one.state.series)
        for claim in one.claims:
            here = claim if claim.source == number else replace(claim, source=number)
            claims.setdefault(claim.impact.city_id, []).append(here)
    sources = [one.state for one in asked]
    outlook = outlook_of(around.foretold, now)
    claims = rated(claims, outlook, just_raised(sources), hazard.rules) if outlook else claims
    lines = _lines(region, hazard, asked)
    fused = fuse(region, hazard, Heard(sources, claims, around.silent, now, around.found_in))
    wanted = {
        city_id: together(city_id, _held_down(claims[city_id], fused), lines, outlook.get(city_id, NOTHING_AHEAD).ahead)
        for city_id in sorted(claims)
    }
    enough, watch = hazard.rules.min_probability, hazard.rules.watch
    return Reached(
        {city_id: one for city_id, one in wanted.items() if one.warns >= enough},
        {city_id: one.probability for city_id, one in wanted.items() if one.warns < enough and one.probability >= watch},
        min((one.ends_at for one in asked if one.ends_at is not None and one.ends_at > now), default=None),
        tuple(spent),
        fused,
    )


def _held_down(claims: list[Claim], fused: Fused) -> list[Claim]:
    """What an unconfirmed source claims, no higher than the hazard allows for one."""
    if not fused.unconfirmed:
        return claims
    return [
        replace(one, level=min(one.level, fused.cap), peak=min(one.peak, fused.cap), confirmed=False)
        if one.series in fused.unconfirmed
        else one
        for one in claims
    ]


def _lines(region: Region, hazard: Hazard, asked: Sequence[Asked]) -> Lines:
    """Which sources stand on one line of water; where there is no river, each stands alone."""
    network = network_of(region) if len(asked) > 1 and any(one.source.reach for one in asked) else None
    if network is None:
        return Lines(np.eye(len(asked), dtype=np.bool_), hazard.rules.remote_level_drop)
    return Lines(passes(network, [(one.source.reach, one.source.reach_km) for one in asked]), hazard.rules.remote_level_drop)


def _claims(region: Region, hazard: Hazard, asked: Asked, conditions: Conditions) -> tuple[list[Claim], int | None]:
    """The cities one source claims, and when the last of an ended source's effects has passed (None while it lasts)."""
    number, state, source = asked.number, asked.state, asked.source
    lasting = state.ended_at is None
    found: list[Claim] = []
    if state.placed is not None and state.placed.kind == FORECAST:
        return [*claim_of(state, number), *_runs_on(region, hazard, asked, conditions)], None
    if state.placed is not None and state.placed.kind == SCAN:
        return claims_of(state, number), None
    if state.placed is not None and state.placed.reaches:
        return _passed_on(state.placed.reaches, asked, conditions.now)
    if source.city_id and lasting and not state.late:
        found.append(Claim(_here(source), state.level, state.peak, state.series, number))
    if not hazard.footprint:
        return found, None
    ends: list[int] = []
    for impact in footprint(hazard.footprint).footprint(hazard.graph, source, conditions):
        ends_at = _ends_at(impact, state, hazard)
        if lasting or ends_at > conditions.now:
            if state.late and (impact.arrival is None or impact.arrival.p90_at <= conditions.now):
                continue
            found.append(_remote(region, hazard, asked, impact))
            ends.append(ends_at)
    return found, None if lasting else min(ends, default=None)


def _runs_on(region: Region, hazard: Hazard, asked: Asked, conditions: Conditions) -> list[Claim]:
    """The cities below a gauge whose level is foretold: the wave comes there from when it is expected at the gauge, if it comes at all."""
    if asked.state.placed is None or asked.state.ended_at is not None or not hazard.footprint:
        return []
    found = []
    for _, p10_at, p50_at, p90_at, chance, _ in asked.state.placed.reaches:
        source = replace(asked.source, onset_at=p50_at, observed_at=p50_at)
        for impact in footprint(hazard.footprint).footprint(hazard.graph, source, conditions):
            claim = _remote(region, hazard, asked, impact)
            found.append(replace(claim, impact=onward(claim.impact, chance, (p50_at - p10_at, p90_at - p50_at))))
    return found


def _passed_on(reaches: Sequence[Reaching], asked: Asked, now: int) -> tuple[list[Claim], int | None]:
    """The cities claimed by what another domain passed on; once it has ended, those where it is still to come."""
    number, state = asked.number, asked.state
    found = [
        Claim(
            Impact(city_id, Path.LINKED, probability, Arrival(p10_at, p50_at, p90_at), 1.0, 1.0, reasons=("linked",)),
            level,
            level,
            state.series,
            number,
        )
        for city_id, p10_at, p50_at, p90_at, probability, level in reaches
        if state.ended_at is None or p90_at > now
    ]
    ends = [claim.impact.arrival.p90_at for claim in found if claim.impact.arrival is not None]
    return found, None if state.ended_at is None else min(ends, default=None)


def _here(source: Source) -> Impact:
    arrival = Arrival(source.onset_at, source.onset_at, source.onset_at)
    return Impact(source.city_id, Path.SAME_PLACE, 1.0, arrival, 1.0, 1.0, reasons=("measured_here",))


def _remote(region: Region, hazard: Hazard, asked: Asked, impact: Impact) -> Claim:
    """The claim on a city below or downwind; by the city's own limits where history taught what comes of it at its gauge."""
    number, state = asked.number, asked.state
    gauge = at_gauge(region, hazard, (state.series.removeprefix(PREFIX), state.highest), impact)
    if gauge is not None:
        return Claim(gauge.impact, gauge.level, state.peak, state.series, number)
    return Claim(impact, remote_level(state.peak, impact.intensity, hazard.rules.remote_level_drop), state.peak, state.series, number)


def _ends_at(impact: Impact, state: SourceState, hazard: Hazard) -> int:
    ended_at = state.ended_at if state.ended_at is not None else state.observed_at
    if impact.arrival is None:
        return ended_at + seconds(hazard.rules.validity_s)
    return impact.arrival.passed_at if impact.arrival.passed_at is not None else max(impact.arrival.p90_at, ended_at)
