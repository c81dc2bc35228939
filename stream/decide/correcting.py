"""What was said of an incident is corrected by somebody who answers for it: everybody who was ever told of it gets the right version.

Of a report the level, the place and the end can be corrected, too: then it is judged anew at once, up or down, because what was too high was wrong and
not over; whom it should never have warned is told so. Measurements are corrected by measurements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.decide import muting, telling
from stream.decide.about import dispute, find
from stream.decide.hand_reports import LEVELS, counted, judge, placed, series_of
from stream.decide.life import seconds
from stream.decide.taking_back import words
from stream.records.instants import to_text
from stream.records.warning import MsgType, Reason
from stream.warnings.envelope import of_warning, to_bytes
from stream.warnings.texts import render

if TYPE_CHECKING:
    from stream.decide.about import Target
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState, Told
    from stream.decide.stated import HandReport
    from stream.records.journal import Statement
    from stream.records.output import Output

CORRECTED_BY_HAND = "corrected_by_hand"


def correct(partition: Partition, said: Statement, now: int) -> list[Output] | None:
    """Correct what was said; None if there is nothing of that id, or it is not the speaker's to decide."""
    target = find(partition, said.domain, said.about, said.city_id)
    if target is None:
        return None
    if not target.allowed:
        return dispute(target, said, now)
    scene, incident, report, _ = target
    outputs: list[Output] = []
    if report is not None:
        report.text = said.text
        if said.ends_at is not None:
            _ends(scene, report, said.ends_at)
        if said.level or said.place_city or said.reach or said.latitude is not None:
            outputs += _anew(partition, target, said, now)
    if incident is None:
        return outputs
    outputs += _to_everybody(scene, incident, said, now)
    return outputs + (judge(partition, scene, now) if incident.summary == b"" else [])  # one that was over is over again


def _anew(partition: Partition, target: Target, said: Statement, now: int) -> list[Output]:
    """Judge a corrected report; a level that falls because of it falls at once."""
    scene, incident, report, _ = target
    source = None if report is None else scene.state.sources.get(series_of(report.statement_id))
    if report is None or source is None or source.placed is None or source.ended_at is not None:
        return []
    level = LEVELS.get(said.level, report.level)
    if said.place_city or said.reach or said.latitude is not None:
        source.placed = msgspec.structs.replace(
            placed(scene, said), counts_as=source.placed.counts_as, weight=source.placed.weight, confirmed=source.placed.confirmed
        )  # fmt: skip
        report.about_city = said.place_city or report.city_id
    if level > report.level:
        report.confirmed_by = ()  # nobody has confirmed that
    report.level = level
    source.level = source.peak = counted(report)
    source.value = source.value if said.value is None else said.value
    if not source.level:
        del scene.state.sources[source.series]
    standing = [] if incident is None else [told for told in incident.told.values() if not told.ended]
    for told in standing:
        told.below_since = None
    outputs = judge(partition, scene, now, withdrawn=True, corrected=source.series)
    lower = [told for told in (incident.told.values() if incident is not None else ()) if not told.ended and told.below_since == now]
    for told in lower:
        told.below_since = partition.settled(now) - seconds(scene.hazard.rules.hold_s)
    return outputs + (judge(partition, scene, now, corrected=source.series) if lower else [])


def _ends(scene: Scene, report: HandReport, ends_at: int) -> None:
    """It is over then, and not when it was said before, or when nobody stands behind it any more."""
    report.ends_at, report.lapsed = ends_at, False
    scene.state.silent.discard(series_of(report.statement_id))


def _to_everybody(scene: Scene, incident: IncidentState, said: Statement, now: int) -> list[Output]:
    outputs: list[Output] = []
    for everybody in (incident.told, incident.bodies):
        for _, told in sorted(everybody.items()):
            outputs += _correction(scene, incident, told, said, now)
    return outputs


def _correction(scene: Scene, incident: IncidentState, told: Told, said: Statement, now: int) -> tuple[Output, ...]:
    """The next revision of what somebody was told: as it stands, with what is corrected. It changes nothing about its life."""
    before = telling.restore(told.value) if told.value else telling.compose(scene, told, None, incident, ())
    told.revision, told.sent_at = told.revision + 1, max(now, told.sent_at)
    told.muted_by = () if told.heard_revision else told.muted_by  # whoever was told before is told this
    warning = msgspec.structs.replace(
        before,
        revision=told.revision,
        supersedes=told.revision - 1,
        msg_type=MsgType.UPDATE if before.msg_type is MsgType.ALERT else before.msg_type,
        reason=Reason.CORRECTION,
        muted_by=told.muted_by,
        sent_at=to_text(told.sent_at),
        reasons=(*(one for one in before.reasons if one != CORRECTED_BY_HAND), CORRECTED_BY_HAND),
        region=scene.region.name,
        region_hash=scene.region.region_hash,
        text=render("correction", scene.hazard.texts, words(scene, told, said, Reason.CORRECTION), scene.lane),
    )
    told.value = to_bytes(warning)
    if not told.muted_by:
        told.heard_revision, told.heard = told.revision, 0 if told.ended else told.level
    both = of_warning(warning, told.value, sent_at=told.sent_at, level=told.level, expires_at=told.expires_at)
    return muting.sent(told, both)
