"""What a forecast of a gauge changes: it is a source of its own while a level is foretold, and rates the waves that are on their way there."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from stream.decide.foretold import ONWARD, PREFIX, REASON, WHY, told_level
from stream.decide.state import SourceState
from stream.decide.stated import FORECAST, Placed
from stream.decide.wanted import Claim
from topology.base import Arrival, Impact, Path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stream.decide.foretold import Ahead, BoundForecast, CityOutlook, Foreseen, Foretold
    from stream.decide.scene import Scene
    from stream.decide.state import HazardState
    from stream.region.model import Region, Rules

DETECTOR = "forecast"


def foretell(scene: Scene, seen: Foreseen) -> bool:
    """Keep a gauge's forecast and the source it is; whether cities must be judged at once.

    Where gauges are missing nothing is forecast any more: what was foretold stands, blind, until its warnings' rules end it.
    """
    state, rules = scene.state, scene.hazard.rules
    before = state.foretold.get(seen.series)
    name = PREFIX + seen.series
    source = state.sources.get(name)
    if seen.found is None:
        if before is None or before.missing:
            return False
        state.foretold[seen.series] = msgspec.structs.replace(before, missing=seen.missing)
        state.silent.update((name,) if source is not None else ())
        return True
    state.foretold[seen.series] = seen.found
    state.silent.discard(name)
    told = told_level(seen.found.ahead, rules.foretold_probability)
    if dismissed(state, name, told.level if told is not None else 0):
        return False
    watched = [one is not None and not one.missing and any(a.chance >= rules.watch for a in one.ahead) for one in (before, seen.found)]
    if told is None:
        if source is None or source.ended_at is not None:
            return watched[0] != watched[1]
        source.level, source.ended_at, source.observed_at = 0, seen.found.base_at, seen.found.base_at
        return True
    if source is None or source.ended_at is not None:
        source = state.sources[name] = _fresh_source(name, seen.found)
    changed = source.level != told.level
    _renew(scene.region, source, seen, told)
    return changed


def dismissed(state: HazardState, series: str, level: int) -> bool:
    """Whether somebody took this level of a source back by hand; from a higher one on, or once it has been below, it counts again."""
    if 0 < level <= state.dismissed.get(series, 0):
        return True
    state.dismissed.pop(series, None)
    return False


def without(scene: Scene, forecasts: Sequence[BoundForecast], row: int) -> None:
    """A series (its local row) does not report any more: what is foretold with its help is blind until there is a new forecast."""
    for one in forecasts:
        if one.domain_id == scene.domain_id and row in one.rows:
            names = (PREFIX + series for series in one.ready.series)
            scene.state.silent.update(name for name in names if name in scene.state.sources)


def only_foretold(state: HazardState, series: set[str]) -> None:
    """Forget what was foretold of other series than these."""
    state.foretold = {name: one for name, one in state.foretold.items() if name in series}
    for name in [name for name in state.sources if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in series]:
        del state.sources[name]
        state.silent.discard(name)


def _fresh_source(name: str, found: Foretold) -> SourceState:
    return SourceState(name, 0, 0, found.base_at, found.base_at, found.highest, 0.0, None, DETECTOR, WHY, 1)


def _renew(region: Region, source: SourceState, seen: Foreseen, told: Ahead) -> None:
    table, row = region.series, region.series.row_of[seen.series]
    found = seen.found
    if found is None:
        return
    source.level = source.peak = told.level
    source.observed_at, source.value, source.highest = found.base_at, float(f"{found.highest:.4g}"), found.highest
    source.exceedance, source.score = told.chance, told.chance
    source.placed = Placed(
        city_id=found.city_id,
        latitude=known(float(table.latitude[row])),
        longitude=known(float(table.longitude[row])),
        reach=table.reach[row],
        reach_km=known(float(table.reach_km[row])),
        counts_as=table.station[row],
        weight=1.0,
        kind=FORECAST,
        reaches=((found.city_id, told.p10_at, told.p50_at, told.p90_at, told.chance, told.level),),
        domain_id=region.domains[int(table.domain[row])].domain_id,
        unit=table.unit[row],
    )


def known(value: float) -> float | None:
    """A number, None for NaN."""
    return None if math.isnan(value) else value


def claim_of(state: SourceState, number: int) -> list[Claim]:
    """What a forecast claims: its city, at the level and with the chance foretold; nothing once it has ended."""
    if state.placed is None or state.ended_at is not None:
        return []
    return [
        Claim(
            Impact(city_id, Path.RIVER, chance, Arrival(p10_at, p50_at, p90_at), 1.0, chance, reasons=(REASON,)),
            level,
            level,
            state.series,
            number,
            foretold=True,
        )
        for city_id, p10_at, p50_at, p90_at, chance, level in state.placed.reaches
    ]


def onward(impact: Impact, chance: float, unsure: tuple[int, int]) -> Impact:
    """What comes of a wave that is only foretold, with this chance; `unsure`: how much earlier or later than expected (ms) it may begin."""
    arrival = impact.arrival
    if arrival is not None:
        arrival = replace(arrival, p10_at=arrival.p10_at - unsure[0], p90_at=arrival.p90_at + unsure[1])
    return replace(
        impact,
        probability=impact.probability * chance,
        arrival=arrival,
        confidence=impact.confidence * chance,
        reasons=(*impact.reasons, ONWARD),
    )


def just_raised(sources: Iterable[SourceState]) -> dict[str, int]:
    """The sources that their newest measurement raised, and when that was: a forecast made before does not know of it."""
    return {one.series: one.observed_at for one in sources if one.before is not None or one.onset_at == one.observed_at}


def rated(
    claims: Mapping[str, list[Claim]], outlook: Mapping[str, CityOutlook], raised: Mapping[str, int], rules: Rules
) -> dict[str, list[Claim]]:
    """The claims by city, where waves on their way down a river to a gauge with a fresh forecast are what the forecast says of them.

    What was learned of all gauges together knows more of what will come than one wave does. A wave that comes later than the forecast
    looks ahead or has been seen after it was made, and everything that comes another way, stays as it is.
    """
    return {
        city_id: [_rated(one, outlook[city_id], raised, rules) for one in own] if city_id in outlook else own
        for city_id, own in claims.items()
    }


def _rated(claim: Claim, outlook: CityOutlook, raised: Mapping[str, int], rules: Rules) -> Claim:
    impact = claim.impact
    beyond = impact.arrival is not None and impact.arrival.p10_at > outlook.until_at
    newer = raised.get(claim.series, outlook.base_at) > outlook.base_at
    if impact.path is not Path.RIVER or claim.foretold is not None or beyond or newer or not outlook.ahead:
        return claim
    told = told_level(outlook.ahead, rules.foretold_probability)
    level, chance = (0, outlook.ahead[0].chance) if told is None else (told.level, told.chance)
    as_foretold = replace(impact, probability=chance, expected=None, reasons=(*impact.reasons, REASON))
    return replace(claim, impact=as_foretold, level=level, peak=level, foretold=told is not None)
