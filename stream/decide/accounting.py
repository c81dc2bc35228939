"""The incident's own record: what it consists of, whom it concerns, how sure it is, who answered; said when that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.decide import answers, consistency, fronts, muting, reopening, telling
from stream.records.incident import Incident, WeighedEvidence
from stream.records.instants import to_text
from stream.records.warning import AlsoWarned, Reason
from stream.warnings.envelope import of_incident

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.decide.fusion import Fused
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState
    from stream.records.output import Output

_ORDER = (
    Reason.FIRST, Reason.WORSE, Reason.EARLIER, Reason.LATER, Reason.SURER, Reason.BETTER, Reason.CANCELLED, Reason.CLEARED,
    Reason.LEFT, Reason.MERGED, Reason.SPLIT,
)  # fmt: skip


def gravest(reasons: Iterable[Reason]) -> Reason:
    """Of the reasons why cities were told something, the one that the incident's record gives."""
    known = sorted(reasons, key=lambda one: _ORDER.index(one) if one in _ORDER else len(_ORDER))
    return known[0] if known else Reason.NOTHING_NEW


def account(scene: Scene, incident: IncidentState, at: int, reason: Reason, fused: Fused | None) -> list[Output]:
    """The record, if it changed; an incident whose every warning has ended and whose sources are quiet is closed."""
    closed = not incident.warned() and all(source.ended_at is not None for source in scene.sources_of(incident))
    record = _record(scene, incident, at, reason, fused)
    if closed:
        record = msgspec.structs.replace(record, state="closed", closed_at=to_text(at))
    if (shape := _shape(record)) == incident.summary:
        return []
    incident.summary, incident.revision = shape, record.revision
    if closed:
        fronts.forget(scene.region, scene.state, incident)
        reopening.close(scene.state, incident, at)
    return [of_incident(record, sent_at=at)]


def merged(scene: Scene, incident: IncidentState, into: str, at: int) -> Output:
    """The last record of an incident that goes on as another one."""
    record = _record(scene, incident, at, Reason.MERGED, None)
    record = msgspec.structs.replace(record, state="merged", closed_at=to_text(at), merged_into=into, cities=())
    incident.revision = record.revision
    return of_incident(record, sent_at=at)


def _record(scene: Scene, incident: IncidentState, at: int, reason: Reason, fused: Fused | None) -> Incident:
    active = sorted((-incident.told[city_id].level, city_id) for city_id in incident.warned())
    incident.level = max((-level for level, _ in active), default=0)
    support = fused.support if fused is not None else ()
    return Incident(
        incident_id=incident.incident_id,
        revision=incident.revision + 1,
        hazard=scene.hazard.hazard,
        domain=scene.domain_id,
        lane=scene.lane,
        state="open",
        level=telling.level_label(incident.level),
        opened_at=to_text(incident.opened_at),
        as_of_at=to_text(at),
        closed_at=None,
        reason=reason,
        sources=tuple(telling.summary(scene, source) for source in scene.sources_of(incident)),
        probability=incident.probability,
        confirmed=incident.confirmed,
        evidence=tuple(WeighedEvidence(one.series, one.log_odds, one.weight, one.independent, one.reason.value) for one in support),
        cities=tuple(AlsoWarned(city, telling.level_label(-level)) for level, city in active),
        muted=muting.recorded(scene, incident),
        inconsistent=consistency.recorded(incident),
        split_from=incident.split_from,
        linked_to=incident.linked_to,
        posture=scene.domain.posture.posture,
        region=scene.region.name,
        region_hash=scene.region.region_hash,
        **answers.recorded(incident),
    )


def _shape(record: Incident) -> bytes:
    """What makes a new record necessary."""
    confirmed = [] if record.confirmed else ["unconfirmed"]
    series = [source.series for source in record.sources]
    noted = [part for part in (record.muted, record.inconsistent) if part]
    return repr((record.state, record.cities, series, *confirmed, *answers.shape(record), *noted, *record.linked_to)).encode()
