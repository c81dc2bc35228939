"""Answers and what happens without one: reminder, deputies, the joint body, the next level above it.

A warning that has to be answered goes up its first rung at the deadline, and one more after every half of the time that was given. A
revision at a higher level asks anew: what was answered before does not count for it. Whoever answered too little keeps the rung reached.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING

from stream.decide import roles
from stream.decide.life import seconds
from stream.decide.state import Answer
from stream.decide.telling import restore
from stream.records.instants import MINUTE
from stream.warnings.envelope import of_warning

if TYPE_CHECKING:
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState, Told
    from stream.records.journal import Acknowledgement
    from stream.records.output import Output

STOPS = frozenset({"seen", "accepted", "done"})
REJECTED = "rejected"
UNANSWERED = "unacknowledged"
UNREAD = "acknowledgements_unread"
UNSEEN = "blind"
OFFICERS_MOST = 50
"""Different names that may answer for one city: state must not grow with what somebody writes."""


class Rung(IntEnum):
    """How far up a warning went for want of an answer."""

    CITY = 0
    REMINDED = 1
    DEPUTIES = 2
    JOINT = 3
    NEXT = 4


def ask(scene: Scene, incident: IncidentState, before: Told | None, told: Told) -> Told:
    """The new revision with its role, and with what has to be answered until when. `before`: the revision before it."""
    bound = roles.governing(scene, incident, told.city_id, told.level)
    told.role = roles.role(incident, told.city_id, told.path, bound).value
    told.agreement_id = bound.agreement_id if bound is not None else ""
    if before is not None:
        told.acknowledged = before.acknowledged
    if told.ended:
        return told
    goes_on = before is not None and not before.ended
    if before is not None and goes_on:
        told.asked_at, told.asked_revision, told.acknowledge_by_at = before.asked_at, before.asked_revision, before.acknowledge_by_at
        told.rung, told.rung_at = before.rung, before.rung_at
        told.escalated_at, told.escalated_because, told.body = before.escalated_at, before.escalated_because, before.body
        if told.level <= before.level:
            return told
    within = seconds(roles.answer_within_s(scene, bound, told.level))
    if within:
        _ask_by(told, told.sent_at + within)
    return told


def _ask_by(told: Told, by: int) -> None:
    pending = told.acknowledge_by_at
    told.asked_at, told.asked_revision = told.sent_at, told.revision
    if pending is None:
        told.rung, told.escalated_at, told.escalated_because, told.body = Rung.CITY, None, "", ""
    told.acknowledge_by_at = by if pending is None else min(by, pending)
    told.rung_at = by if pending is None or told.rung_at is None else min(by, told.rung_at)
    if told.rung >= Rung.NEXT:
        told.rung_at = None


def answer(scene: Scene, incident: IncidentState, told: Told, message: Acknowledgement) -> bool:
    """Note an answer; whether it says anything new. Raises nothing: an answer of many names beyond `OFFICERS_MOST` is not noted."""
    said = told.acknowledged.setdefault(message.action, {})
    known = said.get(message.by)
    if (known is None and len(said) >= OFFICERS_MOST) or (known is not None and known.received_at >= message.received_at):
        return False
    said[message.by] = Answer(message.received_at, message.revision, message.note)
    told.acknowledged = {action: dict(sorted(told.acknowledged[action].items())) for action in sorted(told.acknowledged)}
    if told.acknowledge_by_at is None or message.revision < told.asked_revision:
        return True
    if is_answered(scene, told):
        told.acknowledge_by_at, told.rung, told.rung_at, told.escalated_because, told.body = None, Rung.CITY, None, "", ""
    elif message.action == REJECTED and told.rung < Rung.JOINT and told.city_id in incident.told:
        told.body = roles.body_above(scene, incident, told.city_id, told.agreement_id)
        told.rung, told.escalated_at, told.escalated_because = Rung.JOINT, message.received_at, REJECTED
        told.rung_at = message.received_at + _step(told)
    return True


def is_answered(scene: Scene, told: Told) -> bool:
    """Whether the revision that has to be answered is: by somebody, or by every officer where the agreement asks that. The newest word counts."""
    newest: dict[str, tuple[int, str]] = {}
    for action, said in told.acknowledged.items():
        for by, one in said.items():
            if one.revision >= told.asked_revision:
                newest[by] = max(newest.get(by, (-1, "")), (one.received_at, action))
    stopping = {by for by, (_, action) in newest.items() if action in STOPS}
    bound = roles.agreement(scene.region, told.agreement_id)
    if bound is not None and bound.each_officer:
        contacts = bound.contacts.get(roles.party_of(scene.region, bound, told.city_id))
        if contacts is not None:
            return set(contacts.officers) <= stopping
    return bool(stopping)


def escalation_due(incident: IncidentState) -> int | None:
    """The next instant at which a warning goes up; None if none does."""
    return min((told.rung_at for told in incident.told.values() if told.rung_at is not None and not told.ended), default=None)


def climb(scene: Scene, incident: IncidentState, until: int, *, unread: bool) -> list[Output]:
    """Let every warning go up whose time has come by `until`. What is said to bodies above follows from the rungs (`bodies.tell`)."""
    outputs: list[Output] = []
    for _, told in sorted(incident.told.items()):
        while not told.ended and told.rung_at is not None and told.rung_at <= until:
            outputs += _up(scene, incident, told, told.rung_at, UNREAD if unread else UNANSWERED)
    return outputs


def _up(scene: Scene, incident: IncidentState, told: Told, at: int, because: str) -> list[Output]:
    body = told.body or roles.body_above(scene, incident, told.city_id, told.agreement_id)
    deputies = _deputies(scene, told)
    rung = Rung(told.rung + 1)
    if rung is Rung.DEPUTIES and not deputies:
        rung = Rung.JOINT
    if rung is Rung.NEXT and (_took_over(incident, body) or not roles.next_level(scene.region, body)):
        told.rung_at = None  # it is in the hands of somebody who answered, or nobody stands above
        return []
    told.rung, told.escalated_at, told.escalated_because = rung, at, because
    told.rung_at = None if rung is Rung.NEXT or (rung is Rung.JOINT and not body) else at + _step(told)
    if rung >= Rung.JOINT and body:
        told.body = body
        incident.handed_over_to = roles.next_level(scene.region, body) if rung is Rung.NEXT else body
        incident.handed_over_at = at
        return []
    return [_again(told, Rung(min(rung, Rung.DEPUTIES)), deputies)]


def _step(told: Told) -> int:
    by = told.acknowledge_by_at if told.acknowledge_by_at is not None else told.asked_at
    return max((by - told.asked_at) // 2, MINUTE)


def _took_over(incident: IncidentState, body: str) -> bool:
    told = incident.bodies.get(body)
    return told is not None and not told.ended and told.acknowledge_by_at is None and told.asked_revision > 0


def _deputies(scene: Scene, told: Told) -> tuple[str, ...]:
    bound = roles.agreement(scene.region, told.agreement_id)
    contacts = bound.contacts.get(roles.party_of(scene.region, bound, told.city_id)) if bound is not None else None
    return contacts.deputies if contacts is not None else ()


def _again(told: Told, rung: Rung, deputies: tuple[str, ...]) -> Output:
    """The same bytes once more on the city's topic; a header says for whom."""
    warning = restore(told.value)
    again, _ = of_warning(warning, told.value, sent_at=told.sent_at, level=told.level, expires_at=told.expires_at)
    heads = [("ce_escalation", rung.name.lower().encode())]
    if rung is Rung.DEPUTIES and deputies:
        heads.append(("ce_addressees", ", ".join(deputies).encode()))
    return replace(again, headers=(*again.headers, *heads), reason=rung.name.lower())


def hand_back(incident: IncidentState, told: Told) -> None:
    """After an answer: nothing goes further up for cities whose body has taken over, and an incident that all have answered is nobody else's."""
    if told.about and told.acknowledge_by_at is None:
        for city_id, _ in told.about:
            if city_id in incident.told:
                incident.told[city_id].rung_at = None
    _hand_back(incident)


def _hand_back(incident: IncidentState) -> None:
    if not any(one.rung >= Rung.JOINT for one in incident.told.values() if not one.ended):
        incident.handed_over_to, incident.handed_over_at = "", None


def give_over(scene: Scene, incident: IncidentState, at: int) -> None:
    """Hand warnings that nothing has been seen of for the hazard's limit to the joint body, and take back those that are seen again."""
    limit = seconds(scene.hazard.rules.blind_limit_s)
    for city_id in sorted(incident.warned()):
        told = incident.told[city_id]
        if told.blind_since is None and told.escalated_because == UNSEEN:
            told.rung, told.escalated_at, told.escalated_because, told.body = Rung.CITY, None, "", ""
            _hand_back(incident)
        elif told.blind_since is not None and told.rung < Rung.JOINT and at >= told.blind_since + limit:
            told.body = roles.body_above(scene, incident, city_id, told.agreement_id)
            told.rung, told.escalated_at, told.escalated_because = Rung.JOINT, told.blind_since + limit, UNSEEN
            if told.body:
                incident.handed_over_to, incident.handed_over_at = told.body, told.escalated_at
