"""Entries for the topic `audit`: one for each record and reason of identity, however many measurements it was about."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from stream.accept.decode import SINGLE
from stream.accept.envelope import BATCH_BYTES, batch_of
from stream.accept.refusal import IDENTITY
from stream.records.audit import AuditEntry
from stream.records.envelope import signed_bytes
from stream.records.instants import EARLIEST_AT, LATEST_AT, to_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.accept.decode import Bad
    from stream.accept.refusal import Refused
    from stream.records.envelope import Envelope
    from stream.records.lanes import Lane

HIDDEN = "(not kept)"
"""What stands for an unproven sender's words at the health door: they could be about a person."""


class Claim(NamedTuple):
    """Who a record is from: as its envelope says, or the door it came through. `denied`: the envelope itself does not count."""

    principal: str
    proven: bool
    envelope: Envelope | None = None
    denied: bool = False


class Place(NamedTuple):
    """Where a record came from: topic, partition, offset, append time (ms), and its bytes."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None


def entries(bad: Sequence[Bad], places: Sequence[Place], claims: Mapping[int, Claim], lane: Lane, *, cases: bool) -> list[AuditEntry]:
    """The entries of what is bad, in order. `places` and `claims`: by the record's number; `cases`: it came to the health door."""
    nobody = Claim("", proven=False)
    told = [one for one in bad if one.fault.reason in IDENTITY or claims.get(one.record, nobody).denied]
    count = Counter((one.record, one.fault.reason) for one in told)
    first: dict[tuple[int, Refused], Bad] = {}
    for one in sorted(told, key=lambda one: (one.record, one.element)):
        first.setdefault((one.record, one.fault.reason), one)
    return [_entry(one, places[one.record], claims.get(one.record, nobody), (lane, count[key], cases)) for key, one in first.items()]


def _entry(one: Bad, place: Place, claim: Claim, seen: tuple[Lane, int, bool]) -> AuditEntry:
    lane, count, cases = seen
    envelope = claim.envelope
    shown = claim.proven or not cases
    reason = one.fault.reason.value
    batch = sha256(place.value or b"").digest()[:BATCH_BYTES] if envelope is None else batch_of(signed_bytes(envelope))
    return AuditEntry(
        audit_id=f"{place.topic}/{place.partition}/{place.offset}/{reason}",
        reason=reason,
        detail=one.fault.detail if shown else "",
        by="accept",
        at=to_text(min(max(place.timestamp, EARLIEST_AT), LATEST_AT)),
        principal=claim.principal if shown or not claim.principal else HIDDEN,
        lane=lane,
        proven=claim.proven,
        key_id="" if envelope is None or not shown else envelope.key_id,
        sequence=None if envelope is None else envelope.sequence,
        batch=batch.hex(),
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        index=None if one.element == SINGLE else one.element,
        measurements=count,
    )
