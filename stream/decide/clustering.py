"""What a cluster changes: it is a source of its own for all cities of its zone, as long as so many cases together are unusual."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stream.decide.clusters import PREFIX, REASON, WHY
from stream.decide.foretelling import dismissed
from stream.decide.fusion import log_e_value
from stream.decide.state import SourceState
from stream.decide.stated import SCAN, Placed
from stream.decide.wanted import Claim
from topology.base import Arrival, Impact, Path

if TYPE_CHECKING:
    from stream.decide.clusters import Clustered
    from stream.decide.scene import Scene

DETECTOR = "space_time"
_DIGITS = 6


def gather(scene: Scene, one: Clustered) -> bool:
    """Keep the source that a domain's scan is; whether cities must be judged at once.

    While a place of the cluster has not reported it is neither lowered nor ended.
    """
    state, name = scene.state, PREFIX + scene.domain_id
    source = state.sources.get(name)
    if source is not None and source.placed is not None and source.ended_at is None:
        cities = [city_id for city_id, *_ in source.placed.reaches]
        blind = any(series in state.silent for city_id in cities for series in _counted(scene, city_id))
        (state.silent.add if blind else state.silent.discard)(name)
        if one.level <= source.level and (blind or not one.unreported.isdisjoint(cities)):
            return False
    if dismissed(state, name, one.level):
        return False
    if not one.level:
        if source is None or source.ended_at is not None:
            return False
        source.level, source.ended_at = 0, one.period_at
        state.silent.discard(name)
        return True
    if source is None or source.ended_at is not None:
        source = SourceState(name, 0, 0, one.period_at, one.period_at, one.cases, 0.0, None, DETECTOR, WHY, 1)
        state.sources[name] = source
    placed = _placed(scene, one)
    changed = source.level != one.level or source.placed is None or {city for city, *_ in source.placed.reaches} != set(one.cities)
    source.level, source.peak, source.placed = one.level, max(source.peak, one.level), placed
    source.observed_at, source.value, source.highest = one.period_at, one.cases, one.cases
    source.p_value, source.score = float(f"{one.p_value:.6g}"), round(-math.log10(max(one.p_value, 1e-300)), 4)
    return changed


def _counted(scene: Scene, city_id: str) -> list[str]:
    """The series of the hazard that stand in a city."""
    return [scene.region.series.ids[row] for row in scene.hazard.stations_in.get(city_id, ())]


def _placed(scene: Scene, one: Clustered) -> Placed:
    """Nowhere in particular; it claims the cities of its zone, as surely as the hazard's prior and the p-value together say."""
    prior = scene.hazard.fusion.prior
    log_odds = math.log(prior / (1.0 - prior)) + log_e_value(one.p_value)
    chance = round(1.0 / (1.0 + math.exp(-log_odds)), _DIGITS)
    at = one.period_at
    return Placed(
        city_id="",
        latitude=None,
        longitude=None,
        reach="",
        reach_km=None,
        counts_as=PREFIX + scene.domain_id,
        weight=1.0,
        kind=SCAN,
        reaches=tuple((city_id, at, at, at, chance, one.level) for city_id in one.cities),
        domain_id=scene.domain_id,
        unit=one.unit,
        confirmed=one.above >= scene.hazard.fusion.k,
    )


def claims_of(state: SourceState, number: int) -> list[Claim]:
    """What a cluster claims: every city of its zone; nothing once it has ended."""
    if state.placed is None or state.ended_at is not None:
        return []
    return [
        Claim(
            Impact(city_id, Path.SAME_PLACE, chance, Arrival(at, at, at), 1.0, chance, reasons=(REASON,)),
            level,
            level,
            state.series,
            number,
        )
        for city_id, at, _, _, chance, level in state.placed.reaches
    ]
