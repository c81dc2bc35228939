"""What bodies are told that no danger reaches: who takes over for cities that do not answer, and who was promised to be informed.

Each gets a warning of its own on its own topic, with the role `coordinator` or `informed`. A coordinator whose cities have answered stays
informed until they are over it; its message then ends as theirs did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.decide import identity, reopening, roles, telling
from stream.decide.escalation import UNSEEN, Rung
from stream.decide.life import seconds
from stream.decide.roles import Role
from stream.decide.state import Told
from stream.records.warning import MsgType, Reason
from stream.region.administrations import name_of
from stream.warnings.envelope import of_warning, to_bytes
from stream.warnings.texts import WORDS, render, word

if TYPE_CHECKING:
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState
    from stream.records.output import Output
    from stream.records.warning import CityWarning, Texts

CITIES_NAMED = 5
_LEVELS = ("none", "blue", "yellow", "orange", "red")
_ENDS = {Reason.CLEARED: MsgType.ALL_CLEAR, Reason.CANCELLED: MsgType.CANCEL}


class Due(NamedTuple):
    """What a body is to know. `about`: the cities and levels it is about, empty = all that are warned."""

    role: Role
    about: tuple[tuple[str, int], ...]
    agreement_id: str
    reasons: tuple[str, ...]
    answer_by_at: int | None = None

    def unseen(self) -> bool:
        """Whether it is to take over because nothing has been seen for too long, not because nobody answered."""
        return bool(self.reasons) and all(reason.startswith(f"{UNSEEN}:") for reason in self.reasons)


def tell(scene: Scene, incident: IncidentState, at: int) -> list[Output]:
    """Tell every body what it has to know and was not told yet; the outputs by their ids."""
    if not (incident.bodies or scene.region.agreements or any(told.rung >= Rung.JOINT for told in incident.told.values())):
        return []  # nobody to tell: what a record costs must not grow with cities for nothing
    active = {city_id: told for city_id, told in sorted(incident.told.items()) if not told.ended}
    due = _due(scene, incident, active)
    outputs: list[Output] = []
    for body_id in sorted({*incident.bodies, *due}):
        told, wanted = incident.bodies.get(body_id), due.get(body_id)
        if wanted is None and told is not None and not told.ended and body_id not in active:
            wanted = _still(told, active)
        if (reason := _reason(scene, incident, body_id, wanted, at)) is not None:
            incident.bodies[body_id] = _revised(scene, incident, body_id, wanted, reason, at)
            outputs += _say(scene, incident, incident.bodies[body_id], wanted)
    return outputs


def _due(scene: Scene, incident: IncidentState, active: dict[str, Told]) -> dict[str, Due]:
    found: dict[str, Due] = {}
    worst = max((told.level for told in active.values()), default=0)
    for one in roles.agreements(scene, incident.leads) if active and scene.region.agreements else ():
        for party in one.parties if worst >= _LEVELS.index(one.notify_from_level) else ():
            if party not in active:
                found.setdefault(party, Due(Role.INFORMED, (), one.agreement_id, (f"agreement:{one.agreement_id}",)))
    silent: dict[str, list[Told]] = {}
    for told in active.values():
        if told.rung >= Rung.JOINT:
            above = roles.next_level(scene.region, told.body) if told.rung >= Rung.NEXT else ""
            for one_body in (told.body, above):
                if one_body and one_body not in active:
                    silent.setdefault(one_body, []).append(told)
    for body, those in silent.items():
        goes_on = min((told.rung_at for told in those if told.rung_at is not None), default=None)
        about = tuple((told.city_id, told.level) for told in those)
        reasons = tuple(f"{told.escalated_because}:{told.city_id}" for told in those[: telling.ALSO_NAMED])
        found[body] = Due(Role.COORDINATOR, about, those[0].agreement_id, reasons, goes_on)
    return found


def _still(told: Told, active: dict[str, Told]) -> Due | None:
    """A body that was told stays informed as long as any of its cities is warned."""
    about = tuple((city_id, active[city_id].level) for city_id, _ in told.about if city_id in active)
    if not about and (told.about or not active):
        return None
    return Due(Role.INFORMED, about, told.agreement_id, ())


def _reason(scene: Scene, incident: IncidentState, body_id: str, wanted: Due | None, at: int) -> Reason | None:
    """Why the body is to be told something now; None if it is not."""
    told = incident.bodies.get(body_id)
    active = {city_id: incident.told[city_id] for city_id in incident.warned()}
    if wanted is None:
        return None if told is None or told.ended else Reason.MERGED if body_id in active else Reason.CLEARED
    takes_over = Reason.INFORMED if wanted.role is Role.INFORMED else Reason.BLIND if wanted.unseen() else Reason.UNACKNOWLEDGED
    if told is None or told.ended:
        return takes_over
    before, now = {city for city, _ in told.about}, {city for city, _ in wanted.about}
    if wanted.role is Role.COORDINATOR and (told.role != wanted.role or now - before):
        return takes_over
    if told.role != wanted.role or (wanted.role is Role.COORDINATOR and before - now):
        return Reason.SIGHTED if told.reason is Reason.BLIND else Reason.ACKNOWLEDGED
    level, expires_at = _worst(wanted, active)
    if level != told.level:
        return Reason.WORSE if level > told.level else Reason.BETTER
    half = seconds(scene.hazard.rules.validity_s) // 2
    return Reason.EXTENDED if expires_at > told.expires_at and at >= told.expires_at - half else None


def _worst(wanted: Due, active: dict[str, Told]) -> tuple[int, int]:
    """The highest level of the cities it is about, and when the last of their warnings ends."""
    those = [active[city_id] for city_id, _ in wanted.about if city_id in active] or list(active.values())
    return max((told.level for told in those), default=0), max((told.expires_at for told in those), default=0)


def _revised(scene: Scene, incident: IncidentState, body_id: str, wanted: Due | None, reason: Reason, at: int) -> Told:
    told = incident.bodies.get(body_id)
    active = {city_id: one for city_id, one in incident.told.items() if not one.ended}
    at = max(at, told.sent_at) if told is not None else at
    ends = wanted is None
    reason = _ending(incident, told) if told is not None and reason is Reason.CLEARED else reason
    level, expires_at = _worst(wanted, active) if wanted is not None else (told.level if told is not None else 0, 0)
    warning_id = told.warning_id if told is not None else identity.warning_id(f"{incident.incident_id}/body", body_id, scene.lane.value)
    revision = told.revision + 1 if told is not None else reopening.next_revision(scene.state, warning_id)
    opens = told is None or told.ended
    made = Told(
        city_id=body_id,
        warning_id=warning_id,
        revision=revision,
        level=level,
        msg_type=MsgType.ALERT if opens else _ENDS.get(reason, MsgType.UPDATE),
        reason=reason,
        path="",
        paths=(),
        probability=max((one.probability for one in active.values()), default=0.0),
        arrives_at_p50=None,
        sent_at=at,
        expires_at=at + seconds(scene.hazard.rules.validity_s) if ends else max(expires_at, at),
        ended=ends,
        role=wanted.role.value if wanted is not None else Role.INFORMED.value,
        agreement_id=wanted.agreement_id if wanted is not None else told.agreement_id if told is not None else "",
        about=wanted.about if wanted is not None else told.about if told is not None else (),
        acknowledged=told.acknowledged if told is not None else {},
        asked_at=told.asked_at if told is not None else at,
        asked_revision=told.asked_revision if told is not None else 0,
    )
    if wanted is not None and wanted.role is Role.COORDINATOR:
        made.acknowledge_by_at = wanted.answer_by_at if reason is not Reason.EXTENDED or told is None else told.acknowledge_by_at
        if reason in (Reason.UNACKNOWLEDGED, Reason.BLIND, Reason.WORSE):
            made.asked_at, made.asked_revision = at, revision
    return made


def give_up(scene: Scene, incident: IncidentState, told: Told, at: int) -> tuple[Output, ...]:
    """Tell a body that has a warning of this incident already that the one about an incident merged into it ends."""
    at = max(at, told.sent_at)
    ends = {"reason": Reason.MERGED, "msg_type": MsgType.UPDATE, "ended": True, "sent_at": at, "revision": told.revision + 1}
    last = msgspec.structs.replace(told, **ends, expires_at=at + seconds(scene.hazard.rules.validity_s), acknowledge_by_at=None)
    incident.said[last.warning_id] = last.revision
    return _say(scene, incident, last, None)


def _ending(incident: IncidentState, told: Told) -> Reason:
    """How the warnings ended that it was about: over only if all are, withdrawn only if all were."""
    cities = [city_id for city_id, _ in told.about] or list(incident.told)
    ends = {incident.told[city_id].reason for city_id in cities if city_id in incident.told}
    if ends == {Reason.CANCELLED}:
        return Reason.CANCELLED
    return Reason.EXPIRED if Reason.EXPIRED in ends else Reason.CLEARED


def _say(scene: Scene, incident: IncidentState, told: Told, wanted: Due | None) -> tuple[Output, Output]:
    warning: CityWarning = msgspec.structs.replace(
        telling.compose(scene, told, None, incident, telling.warned_now(incident)),
        arrival_unknown_because="",
        reasons=wanted.reasons if wanted is not None else (),
        text=_text(scene, told, unseen=wanted is not None and wanted.unseen()),
    )
    told.value = to_bytes(warning)
    return of_warning(warning, told.value, sent_at=told.sent_at, level=told.level, expires_at=told.expires_at)


def _text(scene: Scene, told: Told, *, unseen: bool) -> Texts:
    fields = {}
    for language in WORDS:
        names = [name_of(scene.region, city_id, language) for city_id, _ in told.about[:CITIES_NAMED]]
        more = len(told.about) - len(names)
        fields[language] = {
            "city": name_of(scene.region, told.city_id, language),
            "hazard": scene.hazard.texts.get(language, {}).get("name", scene.hazard.hazard),
            "level": word(language, telling.level_label(told.level)),
            "cities": ", ".join(names) + (f" +{more}" if more > 0 else ""),
            "reason": word(language, told.reason.value),
            "note": "",
        }
    kind = (
        told.role if not told.ended or told.reason is Reason.MERGED else "expired" if told.reason is Reason.EXPIRED else told.msg_type.value
    )
    if unseen:
        kind = "coordinator_blind"
    return render(kind, scene.hazard.texts, fields, scene.lane)
