"""A city states that it wants silence, or no longer: what it stands at is looked at again at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide.incident import evaluate
from stream.decide.life import Moment
from stream.decide.silences import keep, silence_of, take_back

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.records.journal import Statement
    from stream.records.output import Output


def silence(partition: Partition, said: Statement, now: int) -> list[Output] | None:
    """Begin a silence of the city's own messages; None (counted as unmatched) if it mutes nothing, or the city has too many."""
    wanted = silence_of(said, now)
    silences = partition.core.domains[said.domain].silences
    if said.statement_id in silences:
        return []
    if wanted is None or not keep(silences, said.statement_id, wanted, now):
        return None
    return _judged(partition, said.domain, now)


def unsilence(partition: Partition, said: Statement, now: int) -> list[Output] | None:
    """End the silence `about`; what stands is sent. None if the city has no such silence."""
    if not take_back(partition.core.domains[said.domain].silences, said.about, said.city_id):
        return None
    return _judged(partition, said.domain, now)


def _judged(partition: Partition, domain_id: str, now: int) -> list[Output]:
    """Every hazard of the domain with an incident is judged anew: on replay lanes, too, where what mutes is no measurement."""
    outputs: list[Output] = []
    for index in partition.hazards_of(domain_id):
        scene = partition.scene(domain_id, index)
        if scene.state.incidents:
            outputs += evaluate(scene, Moment(now, partition.settled(now)))
    return outputs
