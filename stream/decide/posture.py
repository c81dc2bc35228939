"""The posture of a domain: how alert it is, from what stands in it. Raised at once, lowered after a hold, so that it does not flap.

normal     nothing stands
watch      a warning of yellow or more stands, or several cities are in watch (levels and numbers: `stream.region.postures`)
emergency  a confirmed warning of orange or more stands
recovery   after an emergency, from the end of its last warning until the hold is over

From any posture an emergency or a watch is taken at once when its cause is there; only a watch does not follow on an emergency before that
has been without its cause for its hold, and cities in watch alone do not end a recovery.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from stream.decide.life import seconds
from stream.records.instants import to_text
from stream.records.posture import Because, DomainPosture, Posture, Sampling
from stream.region.postures import rules_in
from stream.warnings.envelope import of_posture

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.state import DomainState
    from stream.records.output import Output
    from stream.region.model import Hazard, Region
    from stream.region.postures import Postures

INCIDENTS_NAMED = 20


class PostureState(msgspec.Struct, array_like=True):
    """A domain's posture. `below_since`: when what it was taken for went away, None while that is there."""

    posture: Posture = Posture.NORMAL
    since_at: int = -1
    below_since: int | None = None


class Standing(NamedTuple):
    """What stands in a domain: the highest level of a warning, and of a confirmed one, and how many cities are in watch."""

    level: int
    confirmed: int
    watched: int


class Step(NamedTuple):
    """The posture to take and why."""

    posture: Posture
    because: Because


def standing(domain: DomainState) -> Standing:
    """What stands in a domain now, over all its hazards."""
    told = [
        one
        for state in domain.hazards.values()
        for incident in state.incidents.values()
        for one in incident.told.values()
        if not one.ended
    ]  # fmt: skip
    return Standing(
        max((one.level for one in told), default=0),
        max((one.level for one in told if one.confirmed), default=0),
        len({city for state in domain.hazards.values() for city in state.watched}),
    )


def cause(now: Posture, found: Standing, rules: Postures) -> Step | None:
    """What the situation by itself asks for; None = nothing."""
    if found.confirmed >= rules.emergency_level:
        return Step(Posture.EMERGENCY, Because.CONFIRMED_DANGER)
    if found.level >= rules.watch_level:
        return Step(Posture.WATCH, Because.WARNED)
    if rules.watch_cities and found.watched >= rules.watch_cities and now is not Posture.RECOVERY:
        return Step(Posture.WATCH, Because.CITIES_IN_WATCH)
    return None


def judge(state: PostureState, found: Standing, rules: Postures, settled: int) -> Step | None:
    """The posture to take now, None = no other; notes in the state since when the cause of the present one is away."""
    now, asked = state.posture, cause(state.posture, found, rules)
    if asked is not None and asked.posture is now:
        state.below_since = None
        return None
    if asked is not None and (asked.posture is Posture.EMERGENCY or now in (Posture.NORMAL, Posture.RECOVERY)):
        return asked
    return None if now is Posture.NORMAL else _lowered(state, found, rules, settled)


def _lowered(state: PostureState, found: Standing, rules: Postures, settled: int) -> Step | None:
    """The lower posture that follows on one whose cause is away, once that has been so for its hold."""
    now = state.posture
    if now is Posture.EMERGENCY and not found.level:
        return Step(Posture.RECOVERY, Because.WARNINGS_ENDED)
    if state.below_since is None:
        state.below_since = settled
    if settled < state.below_since + seconds(rules.stances[now.value].hold_s):
        return None
    return Step(Posture.WATCH, Because.LESS_DANGER) if now is Posture.EMERGENCY else Step(Posture.NORMAL, Because.QUIET)


def review(partition: Partition, domain_id: str, at: int) -> list[Output]:
    """Take the posture that the domain's situation asks for, and say so if it is another one."""
    domain = partition.core.domains[domain_id]
    state = domain.posture
    if state.posture is Posture.NORMAL and not any(one.incidents or one.watched for one in domain.hazards.values()):
        return []
    region = partition.bound(domain_id).region
    step = judge(state, standing(domain), region.postures, min(at, partition.settled(at)))
    return [] if step is None else [_taken(partition, domain_id, step, at)]


def relax(partition: Partition, domain_id: str, at: int) -> list[Output]:
    """At the end of an exercise every domain is back to normal."""
    if partition.core.domains[domain_id].posture.posture is Posture.NORMAL:
        return []
    return [_taken(partition, domain_id, Step(Posture.NORMAL, Because.EXERCISE_OVER), at)]


def _taken(partition: Partition, domain_id: str, step: Step, at: int) -> Output:
    domain, region = partition.core.domains[domain_id], partition.bound(domain_id).region
    previous, since_at = domain.posture.posture, max(at, domain.posture.since_at)
    domain.posture = PostureState(step.posture, since_at, since_at if step.posture is Posture.RECOVERY else None)
    record = DomainPosture(
        domain=domain_id,
        lane=partition.lane,
        posture=step.posture,
        previous=previous,
        reason=step.because,
        since_at=to_text(since_at),
        as_of_at=to_text(at),
        incidents=tuple(sorted(name for one in domain.hazards.values() for name in one.incidents))[:INCIDENTS_NAMED],
        sampling=sampling(region, domain_id, step.posture),
        region=region.name,
        region_hash=region.region_hash,
    )
    return of_posture(record, sent_at=at)


def due(state: PostureState, rules: Postures) -> int | None:
    """When the posture may be lowered; None while its cause is there."""
    if state.below_since is None or state.posture is Posture.NORMAL:
        return None
    return state.below_since + seconds(rules.stances[state.posture.value].hold_s)


def ruled(region: Region, hazard: Hazard, posture: Posture) -> Hazard:
    """The hazard with its rules in this posture: itself where nothing differs."""
    stance = region.postures.stances.get(posture.value)
    rules = hazard.rules if stance is None else rules_in(hazard.rules, stance)
    return hazard if rules == hazard.rules else replace(hazard, rules=rules)


def sampling(region: Region, domain_id: str, posture: Posture) -> tuple[Sampling, ...]:
    """How often each quantity of the domain should be measured in this posture, where that is not as usual."""
    stance = region.postures.stances.get(posture.value)
    if stance is None or (stance.sampling == 1.0 and not stance.sampling_s):
        return ()
    rows = np.flatnonzero(region.series.domain == region.domain_index[domain_id])
    hints = []
    for quantity in sorted({region.series.quantity[row] for row in rows}):
        usual = min(float(region.series.interval_s[row]) for row in rows if region.series.quantity[row] == quantity)
        every_s = stance.sampling_s.get(quantity, usual * stance.sampling)
        if every_s != usual:
            hints.append(Sampling(quantity, every_s))
    return tuple(hints)
