"""What is bad in a batch as refusals with its bytes, those of a message with very many of them as one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from stream.accept.decode import SINGLE, Bad
from stream.accept.refusal import Fault, Refusal, Refused, digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.accept.decode import Decoder
    from stream.accept.door import DoorRecord

REFUSALS_PER_RECORD_MAX = 100
"""More bad elements in one message than this are refused together, else a quarter megabyte of junk would become 130,000 records."""


def refusals(door: str, records: Sequence[DoorRecord], bad: list[Bad], decoder: Decoder) -> list[Refusal]:
    """Refusals in order of position, those of a message with very many of them as one."""
    if not bad:
        return []
    refused: list[Refusal] = []
    per_record = Counter(one.record for one in bad)
    summed: dict[int, Counter[Refused]] = {}
    for one in sorted(bad, key=lambda one: (one.record, one.element)):
        if per_record[one.record] > REFUSALS_PER_RECORD_MAX:
            summed.setdefault(one.record, Counter())[one.fault.reason] += 1
            continue
        payload = records[one.record].value
        if one.element != SINGLE and payload is not None:
            payload = decoder.element(payload, one.element)
        refused.append(_refusal(door, records[one.record], one, payload, cases=decoder.cases))
    for record, reasons in summed.items():
        what = f"{reasons.total()} elements refused ({', '.join(f'{count} {reason}' for reason, count in sorted(reasons.items()))})"
        whole = Bad(record, SINGLE, Fault(Refused.MANY, what))
        refused.append(_refusal(door, records[record], whole, records[record].value, cases=decoder.cases))
    return sorted(refused, key=lambda refusal: (refusal.partition, refusal.offset, -1 if refusal.index is None else refusal.index))


def _refusal(door: str, record: DoorRecord, bad: Bad, payload: bytes | None, *, cases: bool) -> Refusal:
    sent = payload or b""
    return Refusal(
        reason=bad.fault.reason,
        detail=bad.fault.detail,
        topic=door,
        partition=record.partition,
        offset=record.offset,
        index=None if bad.element == SINGLE else bad.element,
        payload=None if cases else payload,
        sha256=digest(sent),
        size=len(sent),
    )
