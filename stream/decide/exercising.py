"""Exercises begin and end in the journal: all that is told in between names the exercise, and nothing of it stays behind.

Only a fold of the exercise lane takes these commands. At the end every warning that still stands is withdrawn, in a text that says why, and
the partition forgets what was measured and told: the next exercise begins with stations that were never heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.decide import telling
from stream.decide.activate import activate
from stream.decide.incident import evaluate
from stream.decide.life import Moment, seconds
from stream.decide.posture import relax
from stream.records.lanes import Lane
from stream.records.warning import MsgType, Reason
from stream.region.administrations import name_of
from stream.warnings.envelope import of_warning, to_bytes
from stream.warnings.texts import WORDS, render

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState, Told
    from stream.records.journal import Command
    from stream.records.output import Output

BEGIN, OVER = "exercise", "exercise_over"
"""The commands; the first names the exercise where others name a region."""


def take_exercise(partition: Partition, command: Command, at: int) -> list[Output]:
    """Begin the exercise that the command names, or end the one under way; on other lanes, and said again, it changes nothing."""
    core = partition.core
    if partition.lane is not Lane.EXERCISE:
        return []
    if command.command == BEGIN:
        core.exercise = command.region
        return []
    if not core.exercise or command.region not in ("", core.exercise):
        return []
    outputs: list[Output] = []
    for domain_id in sorted(core.domains):
        when = max(at, core.domains[domain_id].now)
        for index in partition.hazards_of(domain_id):
            scene = partition.scene(domain_id, index)
            outputs += _call_off(scene, when)
            scene.state.sources.clear()
            outputs += evaluate(scene, Moment(when, when))
        outputs += relax(partition, domain_id, when)
    core.exercise = ""
    return outputs + _forget(partition, at)


def _call_off(scene: Scene, at: int) -> list[Output]:
    """Withdraw what stands; each city and body is told that it was an exercise."""
    outputs: list[Output] = []
    for incident in scene.state.ordered():
        for everybody in (incident.told, incident.bodies):
            for city_id, told in sorted(everybody.items()):
                if not told.ended:
                    everybody[city_id], said = _withdrawn(scene, incident, told, at)
                    outputs += said
    return outputs


def _withdrawn(scene: Scene, incident: IncidentState, told: Told, at: int) -> tuple[Told, tuple[Output, Output]]:
    sent_at = max(at, told.sent_at)
    made = msgspec.structs.replace(
        told, revision=told.revision + 1, msg_type=MsgType.CANCEL, reason=Reason.CANCELLED, sent_at=sent_at,
        expires_at=sent_at + seconds(scene.hazard.rules.validity_s), ended=True, acknowledge_by_at=None, rung_at=None,
    )  # fmt: skip
    fields = {language: {"city": name_of(scene.region, told.city_id, language)} for language in WORDS}
    warning = msgspec.structs.replace(
        telling.compose(scene, made, None, incident, ()),
        reasons=(OVER,),
        text=render(OVER, scene.hazard.texts, fields, scene.lane),
    )
    made.value = to_bytes(warning)
    return made, of_warning(warning, made.value, sent_at=made.sent_at, level=made.level, expires_at=made.expires_at)


def _forget(partition: Partition, at: int) -> list[Output]:
    """Make every region active anew, as if nothing had been measured."""
    core = partition.core
    outputs: list[Output] = []
    for name, bound in sorted(partition.bounds.items()):
        when = max([at, *(core.domains[domain_id].now for domain_id in bound.domains)])
        for domain_id in bound.domains:
            del core.domains[domain_id], partition.clocks[domain_id]
        del partition.bounds[name], core.active[name]
        outputs += activate(partition, bound.region, when)
    return outputs
