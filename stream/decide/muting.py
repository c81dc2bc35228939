"""What a city is spared, and the bounds within which that can hide no danger from it.

A muted revision is not sent to the city's topic. It stands on the compacted topic of warnings with the names of what mutes it, the city's
status goes on saying "warned", and who muted it stands in the incident's record. Muting ends by itself, and then what stands is sent.

What is never muted, in this order of reasons:

- anything red, and any level above the one that was silenced, or above what a rule of inhibition names: a raise is always sent;
- a warning while the city stands at a higher level than may be muted: it is told of the lowering first;
- the end of anything that the city was sent: all clear, withdrawal, expiry;
- what has to be answered and was not: silence is no answer;
- what bodies above the cities are told.

A warning mutes others only if the city itself was sent it, so that something worse than what it is spared always stands on its topic.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from detectors.base import Level
from stream.decide import silences
from stream.records.incident import Muted
from stream.records.instants import to_text
from stream.records.warning import MsgType, Reason

if TYPE_CHECKING:
    from stream.decide.scene import Scene
    from stream.decide.silences import Silence
    from stream.decide.state import DomainState, IncidentState, Told
    from stream.records.output import Output
    from stream.region.inhibitions import Inhibition

SILENCE, INHIBITION = "silence:", "inhibition:"
"""What a name in `muted_by` begins with; after it comes the statement's or the rule's id."""
MUTED_NAMED = 200
"""So many muted cities are named in an incident's record."""
WITHDRAWALS = frozenset({Reason.CANCELLED})
"""What reaches everybody who was ever told, also of an episode that had ended."""


class Mutes(NamedTuple):
    """What may mute warnings of one hazard of a domain at `at`: its silences, and the rules of inhibition with the cities that they spare (None: all)."""

    at: int
    silences: dict[str, Silence]
    rules: tuple[tuple[Inhibition, frozenset[str] | None], ...]


def mutes(scene: Scene, at: int) -> Mutes | None:
    """What may mute now; None where nothing does, which is the usual case and costs nothing."""
    rules = tuple((rule, _spared(scene.domain, rule)) for rule in scene.region.inhibitions if scene.hazard.hazard in rule.target_hazards)
    rules = tuple((rule, spared) for rule, spared in rules if spared is None or spared)
    return Mutes(at, scene.domain.silences, rules) if rules or scene.domain.silences else None


def _spared(domain: DomainState, rule: Inhibition) -> frozenset[str] | None:
    """The cities that a rule spares now: those who were sent its source, or all (None) where one was and the rule is for the domain."""
    found = frozenset(
        city_id
        for hazard in rule.source_hazards
        if hazard in domain.hazards
        for incident in domain.hazards[hazard].incidents.values()
        for city_id, told in incident.told.items()
        if not told.ended and told.heard >= rule.source_from
    )
    return None if found and rule.equal == "domain" else found


def muted_by(scene: Scene, incident: IncidentState, told: Told, now: Mutes | None) -> tuple[str, ...]:
    """The names of what mutes a standing warning; none while it may not be muted. `told.heard`: the level the city was sent and still stands at."""
    level = max(told.level, told.heard)
    if now is None or level >= Level.RED or told.acknowledge_by_at is not None:
        return ()
    silenced = (f"{SILENCE}{name}" for name in _about(scene, incident, told, now) if level <= now.silences[name].level)
    inhibited = (
        f"{INHIBITION}{rule.rule_id}"
        for rule, spared in now.rules
        if level <= rule.target_to and (spared is None or told.city_id in spared)
    )
    return (*silenced, *inhibited)


def _about(scene: Scene, incident: IncidentState, told: Told, now: Mutes) -> tuple[str, ...]:
    """The silences in force that are about this warning, whatever level they cover."""
    ids = (incident.incident_id, told.warning_id)
    return tuple(
        name
        for name, one in now.silences.items()
        if one.starts_at <= now.at < one.ends_at and silences.about(one, told.city_id, scene.hazard.hazard, ids)
    )


def heed(scene: Scene, incident: IncidentState, before: Told | None, told: Told, now: Mutes | None) -> Told:
    """The new revision, marked with what mutes it, or with what the city will have heard once it is sent. `before`: the revision before it.

    What the city hears first is an alert to it, whatever was muted before.
    """
    if before is not None:
        told.heard, told.heard_revision = before.heard, before.heard_revision
    if told.ended:
        withdrawn = told.reason in WITHDRAWALS and told.heard_revision > 0
        unheard = before is not None and before.muted_by and not told.heard and not withdrawn
        told.muted_by = before.muted_by if before is not None and unheard else ()
    else:
        told.muted_by = muted_by(scene, incident, told, now)
        _met(scene, incident, told, now)
    if told.muted_by:
        told.recent = before.recent if before is not None else ()  # it was not told that
        return told
    if not told.ended and not told.heard:
        told.msg_type = MsgType.ALERT
    told.heard, told.heard_revision = 0 if told.ended else told.level, told.revision
    return told


def _met(scene: Scene, incident: IncidentState, told: Told, now: Mutes | None) -> None:
    if now is not None:
        silences.met(now.silences, _about(scene, incident, told, now), (scene.hazard.hazard, told.warning_id))


def turned(scene: Scene, incident: IncidentState, told: Told | None, now: Mutes | None) -> Reason | None:
    """Why a warning that says nothing new needs a revision all the same: it is muted now, or no longer; None if nothing changed."""
    if told is None or told.ended:
        return None
    _met(scene, incident, told, now)
    by = muted_by(scene, incident, told, now)
    if by == told.muted_by:
        return None
    return Reason.MUTED if by else Reason.UNMUTED


def stir(scene: Scene, at: int) -> None:
    """After warnings of this hazard changed: what they mute, or do not mute any more, is looked at again."""
    for rule in scene.region.inhibitions:
        if scene.hazard.hazard in rule.source_hazards:
            for hazard in rule.target_hazards:
                state = scene.domain.hazards.get(hazard)
                if state is not None and state is not scene.state and state.incidents:
                    state.review_at = at if state.review_at is None else min(at, state.review_at)


def review(scene: Scene, at: int) -> None:
    """End the silences whose event is over, and set when muting has to be looked at next: when one begins or ends."""
    state, stated = scene.state, scene.domain.silences
    state.review_at = None
    if not stated:
        return
    standing = {told.warning_id for incident in state.incidents.values() for told in incident.told.values() if not told.ended}
    silences.let_go(stated, scene.hazard.hazard, standing)
    if state.incidents:
        state.review_at = silences.boundary(stated, at)


def sent(told: Told, said: tuple[Output, Output]) -> tuple[Output, ...]:
    """Of a revision's record for the city and the one for the compacted topic, those that go out."""
    if not told.muted_by:
        return said
    silent = any(name.startswith(SILENCE) for name in told.muted_by)
    return (replace(said[1], reason="silence_muted" if silent else "inhibition_muted"),)


def recorded(scene: Scene, incident: IncidentState) -> tuple[Muted, ...]:
    """Who is spared what because of what, as it stands in the incident's record: by city, then by what mutes it."""
    standing = sorted((city_id, told) for city_id, told in incident.told.items() if told.muted_by and not told.ended)
    return tuple(_muted(scene, city_id, name) for city_id, told in standing[:MUTED_NAMED] for name in told.muted_by)


def _muted(scene: Scene, city_id: str, name: str) -> Muted:
    silence = scene.domain.silences.get(name.removeprefix(SILENCE))
    if silence is not None:
        return Muted(city_id, name, to_text(silence.ends_at), silence.by, silence.why)
    rule = next((one for one in scene.region.inhibitions if f"{INHIBITION}{one.rule_id}" == name), None)
    return Muted(city_id, name, why=" / ".join(rule.why.values()) if rule is not None else "")
