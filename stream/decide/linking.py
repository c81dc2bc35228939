"""What an incident passes on to other domains: what follows from it by the region's cascades, and what stations measure that serve them too.

A cascade is a lease: it says until when the effect is expected if nothing more is heard, and is renewed while the cause stands. So an effect
ends by itself when its cause does, or when Tocsin dies there. What follows from an incident's own evidence is passed on apart from what
follows from each link it has taken itself: a danger never holds up itself by way of another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.decide import consequences
from stream.decide.identity import link_id
from stream.decide.life import seconds
from stream.decide.linked import ALSO_IN_RULE, CASCADE, ENDED, LEAD_MS, OPEN, SAME_EVENT, WITHDRAWN, Sent, forget
from stream.decide.stated import LINKED
from stream.decide.taking_links import links_of
from stream.records.instants import HOUR, SECOND
from stream.records.journal import Linked, Seen, encode, partition_of
from stream.records.output import Kind, Output
from stream.records.warning import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.decide.consequences import Effects
    from stream.decide.fusion import Fused
    from stream.decide.impacts import Asked
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState, SourceState
    from stream.region.cascades import Cascade

Chain = tuple[tuple[str, str, str], ...]
RENEWALS = 4
"""How often a lease is renewed in the time it would go on by itself."""


class Cause(NamedTuple):
    """Sources from which something follows. `via`: the link they are, "" for an incident's own evidence; `chain`: where they come from."""

    via: str
    chain: Chain
    asked: tuple[Asked, ...]


def pass_on(scene: Scene, incident: IncidentState, asked: Sequence[Asked], fused: Fused | None, at: int) -> list[Output]:
    """What follows from an incident, as its sources claim cities now: the links that are new or have changed."""
    rules = [one for one in scene.region.cascades if one.cause == scene.hazard.hazard]
    if not rules:
        return []
    if incident.told and all(told.ended and told.reason is Reason.CANCELLED for told in incident.told.values()):
        return _sent(scene, _withdrawn(scene, incident.incident_id, at), at)
    made = [
        link
        for cause in _causes(scene, incident, asked)
        for rule in rules
        for domain_id, effects in consequences.of(scene, rule, cause.asked, fused, at)
        if (link := _revised(scene, incident, rule, cause, (domain_id, effects), at)) is not None
    ]
    return _sent(scene, made, at)


def share(scene: Scene, at: int, *, withdrawn: bool) -> list[Output]:
    """What stations measure that serve other domains, too, where it changed; and that a source there is none any more.

    `withdrawn`: because the measurement that had raised it was wrong.
    """
    state, table = scene.state, scene.region.series
    made: list[Linked] = []
    serving = [series for series in state.sources if (row := table.row_of.get(series)) is not None and table.also_in[row]]
    for series in sorted(serving):
        source, row = state.sources[series], table.row_of[series]
        if source.placed is not None:
            continue
        for domain_id in table.also_in[row]:
            if scene.hazard.family in scene.region.domains[scene.region.domain_index[domain_id]].families:
                link = _shared(scene, source, domain_id, seconds(float(table.interval_s[row])), at)
                made += [link] if link is not None else []
    gone = WITHDRAWN if withdrawn else ENDED
    for last in [one.last for one in state.links.sent.values()]:
        if last.seen is not None and last.state == OPEN and last.seen.ended_at is None and last.seen.series not in state.sources:
            made.append(_again(scene, last, at, state=gone))
    return _sent(scene, made, at)


def anew(scene: Scene, at: int) -> list[Output]:
    """Every link whose end is ahead, once more, and numbered above whatever another version of the fold may have passed on under its id."""
    made: list[Linked] = []
    for sent in scene.state.links.sent.values():
        sent.last = msgspec.structs.replace(sent.last, revision=max(sent.last.revision, at // SECOND))
        if (sent.last.ends_at or sent.last.sent_at) > at:
            made.append(_again(scene, sent.last, at, state=sent.last.state))
    return [_output(scene, link) for link in sorted(made, key=lambda one: one.link_id)]


def _causes(scene: Scene, incident: IncidentState, asked: Sequence[Asked]) -> Iterator[Cause]:
    """The incident's own evidence together, then each link it has taken, alone."""
    here = (incident.incident_id, scene.domain_id, scene.hazard.hazard)
    own = tuple(one for one in asked if one.state.placed is None or one.state.placed.kind != LINKED)
    if own:
        yield Cause("", (here,), own)
    for one in asked:
        if one.state.placed is not None and one.state.placed.kind == LINKED:
            for link in links_of(scene.state, (one.state.series,)):
                yield Cause(link.link_id, (*link.chain, here), (one,))


def _revised(scene: Scene, incident: IncidentState, rule: Cascade, cause: Cause, reached: tuple[str, Effects], at: int) -> Linked | None:
    """The next revision of what follows in one domain; None where nothing new is to be said."""
    domain_id, effects = reached
    name = link_id(rule.name, incident.incident_id, cause.via, domain_id, scene.lane.value)
    sent = scene.state.links.sent.get(name)
    stands = sent is not None and sent.last.state == OPEN
    told = {one[0]: one for one in sent.last.reaches} if sent is not None and stands else {}
    until = {city_id: ends_at for city_id, ends_at in sent.until.items() if ends_at > at} if sent is not None and stands else {}
    cities = consequences.merged({city_id: one for city_id, one in told.items() if city_id in until}, effects, scene.region, rule)
    if not cities:
        return None
    lasts, again = round(rule.lasts_h * HOUR), at + round(rule.delay.p90_h * HOUR)
    until |= {city_id: max(cities[city_id][3], again) + lasts for city_id in effects}
    if sent is not None and stands and cities == told and max(until.values()) - (sent.last.ends_at or 0) < lasts // RENEWALS:
        sent.until = until  # the lease goes on a little longer than was told
        return None
    reaches = tuple(cities[city_id] for city_id in sorted(cities))
    link = Linked(
        link_id=name,
        revision=1 if sent is None else sent.last.revision + 1,
        state=OPEN,
        cause=CASCADE,
        rule=rule.name,
        region_hash=scene.region.region_hash,
        from_domain=scene.domain_id,
        from_hazard=scene.hazard.hazard,
        from_incident=incident.incident_id,
        to_domain=domain_id,
        to_hazard=rule.effect,
        sent_at=at,
        effective_at=at + scene.lead_ms,
        ends_at=max(until.values()),
        hop=len(cause.chain),
        chain=cause.chain,
        level=max(one[5] for one in reaches),
        probability=max(one[4] for one in reaches),
        weight=rule.weight,
        reaches=reaches,
        lane=scene.lane.value,
    )
    scene.state.links.sent[name] = Sent(link, until)
    return link


def _withdrawn(scene: Scene, incident_id: str, at: int) -> list[Linked]:
    """Everything passed on of an incident that was wrong, taken back."""
    open_ones = [one.last for one in scene.state.links.sent.values() if one.last.state == OPEN and one.last.cause == CASCADE]
    return [_again(scene, last, at, state=WITHDRAWN) for last in open_ones if last.from_incident == incident_id]


def _again(scene: Scene, last: Linked, at: int, *, state: str) -> Linked:
    link = msgspec.structs.replace(
        last, revision=last.revision + 1, state=state, sent_at=at, effective_at=at + scene.lead_ms, region_hash=scene.region.region_hash
    )
    scene.state.links.sent[last.link_id].last = link
    return link


def _shared(scene: Scene, source: SourceState, domain_id: str, interval: int, at: int) -> Linked | None:
    """The next revision of what a station shows in another domain: as it changed, or while it still reports, before it would count as silent."""
    hazard = scene.hazard.hazard
    name = link_id(ALSO_IN_RULE, source.series, hazard, domain_id, scene.lane.value)
    sent = scene.state.links.sent.get(name)
    silent_after = round(interval * scene.hazard.rules.silent_after_intervals)
    seen = _seen(source)
    if sent is not None and sent.last.state == OPEN and _shape(sent.last.seen) == _shape(seen):
        due = source.ended_at is None and at >= sent.last.sent_at + silent_after // 2
        if not due or source.series in scene.state.silent:
            return None
    of = next((one.incident_id for one in scene.state.ordered() if source.series in one.series), "")
    link = Linked(
        link_id=name,
        revision=1 if sent is None else sent.last.revision + 1,
        state=OPEN,
        cause=SAME_EVENT,
        rule=ALSO_IN_RULE,
        region_hash=scene.region.region_hash,
        from_domain=scene.domain_id,
        from_hazard=hazard,
        from_incident=of,
        to_domain=domain_id,
        to_hazard=hazard,
        sent_at=at,
        effective_at=at + scene.lead_ms,
        ends_at=at + silent_after + LEAD_MS,
        hop=1,
        chain=((of, scene.domain_id, hazard),),
        level=source.level,
        seen=seen,
        lane=scene.lane.value,
    )
    scene.state.links.sent[name] = Sent(link)
    return link


def _seen(source: SourceState) -> Seen:
    return Seen(
        source.series, source.level, source.peak, source.onset_at, source.observed_at, source.value, source.score, source.detector, source.why,
        source.quality, source.late, source.ended_at, source.highest, source.p_value, source.log_lr, source.exceedance,
    )  # fmt: skip


def _shape(seen: Seen | None) -> tuple[object, ...]:
    """What is worth telling another domain at once."""
    return () if seen is None else (seen.level, seen.peak, seen.onset_at, seen.quality, seen.late, seen.ended_at)


def _sent(scene: Scene, made: Sequence[Linked], at: int) -> list[Output]:
    if made:
        forget(scene.state.links, at)
    return [_output(scene, link) for link in sorted(made, key=lambda one: one.link_id)]


def _output(scene: Scene, link: Linked) -> Output:
    """Into the journal, where the other domain is."""
    pin = scene.region.domains[scene.region.domain_index[link.to_domain]].pin if link.to_domain in scene.region.domain_index else None
    return Output(
        kind=Kind.JOURNAL,
        key=link.to_domain.encode(),
        value=encode(link),
        sent_at=link.sent_at,
        reason=link.state if link.state != OPEN else link.cause,
        hazard=link.to_hazard,
        lane=link.lane,
        partition=partition_of(link.to_domain, scene.partitions, pin),
    )
