"""The sequences of signed batches, judged where there is one order.

An identical repeat is dropped and counted; other content under a used number is refused and audited, and so is a number older than what is
remembered.

Batches may overtake each other on the way (a door has many partitions), so a number below the highest is no fault by itself: the newest
`WINDOW` numbers of each principal are remembered in each domain, as in the anti-replay window of IPsec (RFC 4303, section 3.4.3).
"""

from __future__ import annotations

from bisect import bisect_left
from enum import StrEnum
from typing import TYPE_CHECKING

from stream.decide.signed import SignedBatch
from stream.records.audit import AuditEntry
from stream.records.instants import to_text
from stream.warnings.envelope import of_audit

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.records.journal import SignedMeasurements
    from stream.records.output import Output

WINDOW = 256
"""Some seconds of a busy signer: so much may come again after a restart and still be known as a repeat."""


class Sequence(StrEnum):
    """What a message out of a signed batch is."""

    FRESH = "fresh"
    REPEAT = "repeat"
    REUSED = "sequence_reused"
    """Its number was used before, for something else."""
    OLD = "sequence_old"
    """Its number is older than what is remembered: nobody can say any more whether it is a repeat."""


DETAIL = {
    Sequence.REUSED: "this sequence number was used for another batch: a copy of the key is in use, or the gateway lost its count",
    Sequence.OLD: f"this sequence number is older than the newest {WINDOW} of this principal",
}


def judge(batches: list[SignedBatch], message: SignedMeasurements) -> Sequence:
    """What the message is, and remember it if it is fresh. `batches`: what is remembered of its principal in its domain, by ascending number."""
    at = bisect_left(batches, message.sequence, key=lambda one: one.sequence)
    if at < len(batches) and batches[at].sequence == message.sequence:
        known = batches[at]
        if known.batch != message.batch:
            return Sequence.REUSED
        # The parts of a batch come in order, from whoever writes them, so a part below the next one was here before.
        if message.part < known.next_part:
            return Sequence.REPEAT
        known.next_part = message.part + 1
        return Sequence.FRESH
    if at == 0 and len(batches) >= WINDOW:
        return Sequence.OLD
    batches.insert(at, SignedBatch(message.sequence, message.batch, message.part + 1))
    del batches[:-WINDOW]
    return Sequence.FRESH


def take(partition: Partition, timestamp: int, message: SignedMeasurements) -> list[Output] | None:
    """None if the message is to be detected on; else what is said instead of it."""
    batches = partition.core.domains[message.domain].signed.setdefault(message.principal, [])
    found = judge(batches, message)
    counts = partition.core.counts
    if found is Sequence.FRESH:
        return None
    if found is Sequence.REPEAT:
        counts.repeated += 1
        return []
    counts.sequence_refused += 1
    return [_audit(partition, timestamp, message, found)]


def _audit(partition: Partition, timestamp: int, message: SignedMeasurements, found: Sequence) -> Output:
    batch = message.batch.hex()
    entry = AuditEntry(
        audit_id=f"{message.domain}/{message.principal}/{message.sequence}/{batch}/{message.part}",
        reason=found.value,
        detail=DETAIL[found],
        by="fold",
        at=to_text(timestamp),
        principal=message.principal,
        lane=partition.lane,
        proven=True,
        key_id=message.key_id,
        sequence=message.sequence,
        batch=batch,
        domain=message.domain,
        measurements=len(message.flags),
    )
    return of_audit(entry, sent_at=timestamp)
