"""A city's answer reaches its domain: it is noted, what waited for it stops, and who stands above learns of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide.advance import advance
from stream.decide.escalation import answer, hand_back
from stream.decide.incident import evaluate
from stream.decide.life import Moment
from stream.decide.posture import review

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState, Told
    from stream.records.journal import Acknowledgement
    from stream.records.output import Output


def take_answer(partition: Partition, at: int, message: Acknowledgement) -> list[Output]:
    """Note an answer. One to a warning that is not known, is another city's, or has no such revision yet is counted and changes nothing.

    On replay lanes, where nobody answers history, it is noted and nothing is judged.
    """
    domain = partition.core.domains.get(message.domain)
    if domain is None:
        partition.core.counts.unmatched += 1
        return []
    outputs: list[Output] = []
    if not partition.observed:
        outputs += advance(partition, message.domain, at)
        domain.now = max(domain.now, at)
    found = _find(partition, message)
    if found is None:
        partition.core.counts.unmatched += 1
        return outputs
    scene, incident, told = found
    partition.core.counts.answers += 1
    if answer(scene, incident, told, message) and not partition.observed:
        hand_back(incident, told)
        outputs += evaluate(scene, Moment(domain.now, partition.settled(domain.now)))
        outputs += review(partition, message.domain, domain.now)
        partition.wind(message.domain)
    return outputs


def _find(partition: Partition, message: Acknowledgement) -> tuple[Scene, IncidentState, Told] | None:
    for index in partition.hazards_of(message.domain):
        scene = partition.scene(message.domain, index)
        for incident in scene.state.ordered():
            for told in (incident.told.get(message.city_id), incident.bodies.get(message.city_id)):
                if told is not None and told.warning_id == message.warning_id and message.revision <= told.revision:
                    return scene, incident, told
    return None
