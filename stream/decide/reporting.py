"""A report of a person reaches its domain: it is remembered, and what it may change is judged again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide.advance import advance
from stream.decide.incident import evaluate
from stream.decide.life import Moment
from stream.decide.posture import review
from stream.decide.reports import remember

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.records.journal import Report
    from stream.records.output import Output


def take_report(partition: Partition, at: int, report: Report) -> list[Output]:
    """Remember a report, and judge again what it may change.

    On replay lanes an instant is judged as a whole: there the next measurements bring the judgement.
    """
    domain = partition.core.domains[report.domain]
    if partition.observed:
        remember(domain.reports, report, max(domain.now, at))
        return []
    outputs = advance(partition, report.domain, at)
    domain.now = max(domain.now, at)
    remember(domain.reports, report, domain.now)
    for index in partition.hazards_of(report.domain):
        scene = partition.scene(report.domain, index)
        if scene.state.sources or scene.state.incidents:
            outputs += evaluate(scene, Moment(domain.now, partition.settled(domain.now)))
    outputs += review(partition, report.domain, domain.now)
    partition.wind(report.domain)
    return outputs
