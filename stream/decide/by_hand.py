"""The deadlines of what people stated: a report that is over or too old, a maintenance that begins or ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide import hand_reports, maintenance

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.stated import ByHand
    from stream.records.output import Output


def due(said: ByHand) -> int | None:
    """The next of them; None if nothing is waited for."""
    if not said.reports and not said.maintained:
        return None
    return min((*map(hand_reports.due, said.reports.values()), *map(maintenance.due, said.maintained.values())))


def let_pass(partition: Partition, domain_id: str, until: int, at: int) -> tuple[list[Output], set[str]]:
    """Everything that is due by `until` happens, stamped `at`; what is said of it, and the hazards that are to be judged."""
    said = partition.core.domains[domain_id].by_hand
    outputs: list[Output] = []
    hazards: set[str] = set()
    if not said.reports and not said.maintained:
        return outputs, hazards
    for about, one in sorted(said.maintained.items()):
        if maintenance.due(one) <= until:
            outputs += maintenance.let_pass(partition, domain_id, about, at)
    for _, known in sorted(said.reports.items()):
        if hand_reports.due(known) <= until and (hazard := hand_reports.let_pass(partition, domain_id, known)) is not None:
            hazards.add(hazard)
    return outputs, hazards
