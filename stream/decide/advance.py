"""Deadlines: silence, holds, extensions, expiry, heartbeats and grid instants, in the order of their due time and stamped with it.

Grid instants follow the domain's `now`. Everything that could wrongly end or blind a warning waits until nothing that was sent before its due
time can still be in the doors (`Partition.settled`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide import by_hand, discrepancies, leaving, taking_links
from stream.decide.escalation import climb, escalation_due
from stream.decide.incident import evaluate, settled_due
from stream.decide.life import Moment
from stream.decide.posture import review
from stream.decide.station_health import SILENT, tell
from stream.decide.stations import check
from stream.decide.status import refresh_due, statuses

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.records.output import Output


def next_due(partition: Partition, domain_id: str, before: int) -> int | None:
    """The domain's earliest deadline that is due before `before` (exclusive) and may fire; None if there is none."""
    clock = partition.clocks[domain_id]
    if before <= clock.grid_at and before <= clock.link_at and before <= clock.settled_at and before <= clock.answer_at:
        return None  # asked twice for every message, and this is the usual answer
    dues = []
    if clock.grid_at < before:
        dues.append(clock.grid_at)
    if clock.link_at < before:
        dues.append(clock.link_at)
    if clock.settled_at < before and clock.settled_at <= partition.settled(before):
        dues.append(clock.settled_at)
    if clock.answer_at < before and clock.answer_at <= partition.answered(before):
        dues.append(clock.answer_at)
    return min(dues, default=None)


def advance(partition: Partition, domain_id: str, before: int) -> list[Output]:
    """Fire every deadline of the domain that is due before this instant."""
    outputs: list[Output] = []
    while (at := next_due(partition, domain_id, before)) is not None:
        outputs += fire(partition, domain_id, at)
    return outputs


def advance_all(partition: Partition, before: int) -> list[Output]:
    """The same for every domain of the partition, in the order of (due time, domain)."""
    outputs: list[Output] = []
    waiting = {domain_id: next_due(partition, domain_id, before) for domain_id in partition.clocks}
    while dues := [(at, domain_id) for domain_id, at in waiting.items() if at is not None]:
        at, domain_id = min(dues)
        outputs += fire(partition, domain_id, at)
        waiting[domain_id] = next_due(partition, domain_id, before)
    for domain_id in partition.clocks:
        domain = partition.core.domains[domain_id]
        domain.now = max(domain.now, before)
    return outputs


def fire(partition: Partition, domain_id: str, at: int) -> list[Output]:
    """Do what is due at `at` in this domain."""
    outputs: list[Output] = []
    settled = min(at, partition.settled(at))
    domain = partition.core.domains[domain_id]
    if domain.check_at is not None and domain.check_at <= at:
        domain.check_at = None
        outputs += check(partition, domain_id, at)
    said, stated = by_hand.let_pass(partition, domain_id, settled, at)
    outputs += said
    judged = False
    for index in partition.hazards_of(domain_id):
        scene = partition.scene(domain_id, index)
        touched: set[str] = set()
        linked, withdrawn = taking_links.settle(scene, at)
        if partition.clocks[domain_id].silent_at.get(index, at + 1) <= settled:
            rows = partition.overdue(domain_id, index, settled)
            outputs += tell(partition, domain_id, rows.tolist(), SILENT, at)
            touched |= partition.silence(scene, index, rows)
        grid_at, review_at = scene.state.grid_at, scene.state.review_at
        life_at, say_at = settled_due(scene), refresh_due(scene)
        gone = leaving.let_pass(scene, settled)
        went_up, said = _climb(partition, scene, at)
        outputs += said
        if (
            went_up
            or linked
            or gone
            or scene.hazard.hazard in stated
            or (grid_at is not None and grid_at <= at)
            or (review_at is not None and review_at <= at)
            or (life_at is not None and life_at <= settled)
            or (touched and scene.state.incidents)
        ):
            outputs += evaluate(scene, Moment(at, settled, withdrawn))
            judged = True
        elif touched or (say_at is not None and say_at <= settled):
            due = scene.cities() if say_at is not None and say_at <= settled else touched
            outputs += statuses(scene, due, at)
    outputs += review(partition, domain_id, at)
    if judged:  # not whenever it is woken: a clock may wake it too early, and does so at other times after a restart
        outputs += discrepancies.look(partition, domain_id, at)
    partition.wind(domain_id)
    return outputs


def _climb(partition: Partition, scene: Scene, at: int) -> tuple[bool, list[Output]]:
    """Let warnings go up that nobody answered; whether any did, and the repetitions that follow."""
    if partition.observed:
        return False, []
    went_up, outputs, until = False, [], partition.answered(at)
    for incident in scene.state.ordered():
        due = escalation_due(incident)
        if due is not None and due <= until:
            went_up = True
            outputs += climb(scene, incident, until, unread=partition.core.unread)
    return went_up, outputs
