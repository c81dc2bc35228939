"""An incident was wrong, somebody who answers for it says: everybody who was ever told of it hears that, whoever it is and however it ended.

The measurements behind it raise nothing again until they are higher, or have been below every limit in between: what one person took back, the
same value of the same gauge must not bring back a minute later, and what is worse must.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.decide import muting, telling
from stream.decide.about import dispute, find, is_report
from stream.decide.hand_reports import judge, series_of
from stream.decide.life import seconds
from stream.records.warning import MsgType, Reason
from stream.region.administrations import name_of
from stream.warnings.envelope import of_warning, to_bytes
from stream.warnings.texts import WORDS, render, word

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState, Told
    from stream.records.journal import Statement
    from stream.records.output import Output

CANCELLED_BY_HAND = "cancelled_by_hand"


def cancel(partition: Partition, said: Statement, now: int) -> list[Output] | None:
    """Take back an incident (named by its id, by a warning's or by a report's); None if there is none, or it is not the speaker's to decide."""
    target = find(partition, said.domain, said.about, said.city_id)
    if target is None:
        return None
    if not target.allowed:
        return dispute(target, said, now)
    scene, incident, report, _ = target
    if report is not None and (incident is None or incident.series != (series_of(report.statement_id),)):
        _drop(scene, [series_of(report.statement_id)])  # there is more evidence: what rests on the report alone is withdrawn
        return judge(partition, scene, now, withdrawn=True)
    if incident is None:
        return None
    outputs = _to_everybody(scene, incident, said, now)
    _drop(scene, [one for one in incident.series if one in scene.state.sources])
    return outputs + judge(partition, scene, now, withdrawn=True)


def _drop(scene: Scene, series: list[str]) -> None:
    """Forget these sources; what is measured there counts again from a higher level on."""
    for one in series:
        source = scene.state.sources.pop(one, None)
        if is_report(one):
            scene.domain.by_hand.reports.pop(one.partition("/")[2], None)
        elif source is not None and source.level:
            scene.state.dismissed[one] = source.level
        if source is not None and source.placed is not None:
            scene.state.silent.discard(one)


def _to_everybody(scene: Scene, incident: IncidentState, said: Statement, now: int) -> list[Output]:
    outputs: list[Output] = []
    for everybody in (incident.told, incident.bodies):
        for city_id, told in sorted(everybody.items()):
            if told.reason is not Reason.CANCELLED:
                everybody[city_id], sent = _withdrawn(scene, incident, told, said, now)
                outputs += sent
    return outputs


def _withdrawn(scene: Scene, incident: IncidentState, told: Told, said: Statement, now: int) -> tuple[Told, tuple[Output, ...]]:
    sent_at = max(now, told.sent_at)
    made = msgspec.structs.replace(
        told, revision=told.revision + 1, msg_type=MsgType.CANCEL, reason=Reason.CANCELLED, sent_at=sent_at,
        expires_at=sent_at + seconds(scene.hazard.rules.validity_s), ended=True, acknowledge_by_at=None, rung_at=None,
        below_since=None, blind_since=None, muted_by=() if told.heard_revision else told.muted_by, heard=0,
    )  # fmt: skip
    if not made.muted_by:
        made.heard_revision = made.revision
    warning = msgspec.structs.replace(
        telling.compose(scene, made, None, incident, ()),
        reasons=(CANCELLED_BY_HAND,),
        text=render("cancel", scene.hazard.texts, words(scene, made, said, Reason.CANCELLED), scene.lane),
    )
    made.value = to_bytes(warning)
    both = of_warning(warning, made.value, sent_at=made.sent_at, level=made.level, expires_at=made.expires_at)
    return made, muting.sent(made, both)


def words(scene: Scene, told: Told, said: Statement, reason: Reason) -> dict[str, dict[str, str]]:
    """The fields of a text that tells what somebody stated."""
    fields = {}
    for language in WORDS:
        by = f"{name_of(scene.region, said.city_id, language)}, {said.by}"
        fields[language] = {
            "city": name_of(scene.region, told.city_id, language),
            "hazard": scene.hazard.texts.get(language, {}).get("name", scene.hazard.hazard),
            "level": word(language, telling.level_label(told.level)),
            "note": word(language, "stated").format(by=by, text=said.text),
            "reason": word(language, reason.value),
        }
    return fields
