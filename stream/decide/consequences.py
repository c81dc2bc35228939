"""Which cities a cascade of the region reaches, given the sources of its cause: pure questions to the region, nothing remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from detectors.base import Level
from stream.decide.life import SURER_BY, seconds
from stream.decide.reports import interventions
from stream.decide.wanted import remote_level
from stream.records.instants import HOUR
from stream.region.cascades import BELOW, INTAKES, LISTED
from topology.base import Conditions, footprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.decide.fusion import Fused
    from stream.decide.impacts import Asked
    from stream.decide.scene import Scene
    from stream.decide.stated import Reaching
    from stream.region.cascades import Cascade
    from stream.region.model import Hazard, Region
    from topology.base import Arrival

Effects = dict[str, "Reaching"]
"""By city: (city, arrival P10, P50, P90, probability, level) of the effect."""


def of(scene: Scene, rule: Cascade, asked: Sequence[Asked], fused: Fused | None, at: int) -> Iterator[tuple[str, Effects]]:
    """The effects of a cascade by the domain in which each is judged, in the order of their names.

    `asked`: the sources of the cause with the cities they claim; `fused`: how sure they are together. An unconfirmed source counts no higher
    here than it does for its own cities.
    """
    effect = next((one for one in scene.region.hazards if one.hazard == rule.effect), None)
    if effect is None:
        return
    probability = 1.0 if fused is None else fused.probability
    base = _below(scene, rule, effect, (asked, fused, at)) if rule.where == BELOW else _elsewhere(scene.region, rule, asked, fused)
    by_domain: dict[str, Effects] = {}
    for city_id, one in sorted(base.items()):
        domain_id = rule.domain or judged_in(scene.region, effect, city_id)
        if domain_id:
            by_domain.setdefault(domain_id, {})[city_id] = _effect(rule, one, probability)
    yield from sorted(by_domain.items())


def merged(known: Mapping[str, Reaching], effects: Effects, region: Region, rule: Cascade) -> Effects:
    """What is to be said now: cities once told stay, those told anew are added, and changed where the change is worth telling.

    Neither level nor probability falls: that a cause grows old or passes does not make less likely what follows later.
    """
    moved = next((seconds(one.rules.arrival_change_s) for one in region.hazards if one.hazard == rule.effect), 0)
    cities = dict(known)
    for city_id, one in effects.items():
        before = known.get(city_id)
        if before is None:
            cities[city_id] = one
        elif _worth_telling(before, one, moved):
            cities[city_id] = (*one[:4], max(before[4], one[4]), max(before[5], one[5]))
    return cities


def _worth_telling(before: Reaching, now: Reaching, moved: int) -> bool:
    return now[5] > before[5] or now[4] >= before[4] + SURER_BY or abs(now[2] - before[2]) > moved


def judged_in(region: Region, hazard: Hazard, city_id: str) -> str:
    """The domain that watches a city for a hazard: that of its own stations, else of any that see it coming, else the first of the hazard."""
    at = region.city_index.get(city_id)
    own = hazard.stations_in.get(city_id, ())
    seeing = [] if at is None else hazard.observers[at].tolist()
    for rows in (own, seeing, hazard.rows.tolist()):
        if len(rows):
            return min(region.domains[int(region.series.domain[row])].domain_id for row in rows)
    return ""


def _effect(rule: Cascade, base: Reaching, probability: float) -> Reaching:
    city_id, p10_at, p50_at, p90_at, chance, level = base
    return (
        city_id,
        p10_at + round(rule.delay.p10_h * HOUR),
        p50_at + round(rule.delay.p50_h * HOUR),
        p90_at + round(rule.delay.p90_h * HOUR),
        round(rule.probability * chance * probability, 6),
        max(int(Level.BLUE), level - rule.level_drop),
    )


def _elsewhere(region: Region, rule: Cascade, asked: Sequence[Asked], fused: Fused | None) -> Effects:
    """The cities that the cause reaches from the rule's level on, as it reaches them; or those the rule names, as soon as it reaches any."""
    found: Effects = {}
    for one in asked:
        for claim in one.claims:
            level = _told(claim.level, claim.series, fused)
            if level < rule.min_level:
                continue
            p10_at, p50_at, p90_at = _when(claim.impact.arrival, one.state.onset_at)
            reaching = (claim.impact.city_id, p10_at, p50_at, p90_at, claim.impact.probability, level)
            before = found.get(claim.impact.city_id)
            if before is None or _precedes(reaching, before):
                found[claim.impact.city_id] = reaching
    if rule.where == INTAKES:
        return {city_id: one for city_id, one in found.items() if _has_intake(region, city_id)}
    if rule.where == LISTED and found:
        worst = min(found.values(), key=lambda one: (-one[5], one[2], one[0]))
        return {city_id: (city_id, *worst[1:]) for city_id in rule.cities}
    return {} if rule.where == LISTED else found


def _below(scene: Scene, rule: Cascade, effect: Hazard, of_cause: tuple[Sequence[Asked], Fused | None, int]) -> Effects:
    """What the effect's own footprint reaches from where the cause stands: a danger that begins there."""
    asked, fused, at = of_cause
    found: Effects = {}
    module = footprint(effect.footprint)
    known = Conditions(at, interventions=interventions(scene.region, scene.domain.reports))
    for one in asked:
        cause = _told(one.state.level, one.state.series, fused)
        if one.state.ended_at is not None or cause < rule.min_level:
            continue
        source = replace(one.source, city_id="") if one.source.reach else one.source
        for impact in module.footprint(effect.graph, source, known):
            p10_at, p50_at, p90_at = _when(impact.arrival, one.state.onset_at)
            level = remote_level(cause, impact.intensity, effect.rules.remote_level_drop)
            reaching = (impact.city_id, p10_at, p50_at, p90_at, impact.probability, level)
            before = found.get(impact.city_id)
            if before is None or _precedes(reaching, before):
                found[impact.city_id] = reaching
    return found


def _told(level: int, series: str, fused: Fused | None) -> int:
    """The level a source may be told at: of an unconfirmed one, no more than the hazard allows."""
    return min(level, fused.cap) if fused is not None and series in fused.unconfirmed else level


def _when(arrival: Arrival | None, onset_at: int) -> tuple[int, int, int]:
    """When the cause comes; where nobody can say, it counts as there."""
    return (onset_at, onset_at, onset_at) if arrival is None else (arrival.p10_at, arrival.p50_at, arrival.p90_at)


def _precedes(one: Reaching, other: Reaching) -> bool:
    return (-one[5], one[2]) < (-other[5], other[2])


def _has_intake(region: Region, city_id: str) -> bool:
    at = region.city_index.get(city_id)
    return at is not None and any(region.cities[at].place.assets)
