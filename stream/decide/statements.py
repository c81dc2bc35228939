"""What a person stated by hand reaches its domain: each act has its own file, and what it changes is judged at once.

An act nobody knows (of a later version), and one about something that is not there, are counted as `unmatched` and change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide.advance import advance
from stream.decide.correcting import correct
from stream.decide.discrepancies import look
from stream.decide.hand_reports import confirm, report, withdraw
from stream.decide.maintenance import end_maintain, maintain
from stream.decide.posture import review
from stream.decide.silencing import silence, unsilence
from stream.decide.taking_back import cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stream.decide.partition import Partition
    from stream.records.journal import Statement
    from stream.records.output import Output

ACTS: Mapping[str, Callable[[Partition, Statement, int], list[Output] | None]] = {
    "report": report,
    "maintain": maintain,
    "end_maintain": end_maintain,
    "confirm": confirm,
    "withdraw": withdraw,
    "cancel": cancel,
    "correct": correct,
    "silence": silence,
    "unsilence": unsilence,
}
"""Each takes the partition, the statement and the domain's now; None: it is about nothing that is known."""


HEARD_MOST = 256
"""The last statements of a domain: one that comes twice counts once."""


def take_statement(partition: Partition, at: int, message: Statement) -> list[Output]:
    """Apply a statement at its journal record's timestamp `at`, after every deadline due before it."""
    domain = partition.core.domains[message.domain]
    outputs = advance(partition, message.domain, at)
    domain.now = max(domain.now, at)
    heard = domain.by_hand.heard
    if message.statement_id in heard:
        return outputs
    domain.by_hand.heard = [*heard[1 - HEARD_MOST :], message.statement_id]
    act = ACTS.get(message.act)
    said = None if act is None else act(partition, message, domain.now)
    if said is None:
        partition.core.counts.unmatched += 1
    outputs += [*(said or []), *review(partition, message.domain, domain.now)]
    outputs += look(partition, message.domain, domain.now)
    partition.wind(message.domain)
    return outputs
