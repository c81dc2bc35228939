"""When a warning's measurement came to its door: carried beside it through the journal, so that the whole way can be measured.

It stands in a header of the journal's record, outside of what the fold reads: no decision can depend on it, and a journal that is kept, replayed
or rebuilt without it says the same.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from stream.records.output import Kind
from stream.records.warning import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka import ConsumerRecord

    from stream.records.journal import Entry
    from stream.records.output import Output

CAME_AT = "door_at"
RAISING = frozenset({Reason.FIRST.value, Reason.WORSE.value})


def came_at(appended_at: int) -> tuple[tuple[str, bytes]]:
    r"""The header that says when the oldest door record of some journal records was appended (ms).

    >>> came_at(1)
    (('door_at', b'\x00\x00\x00\x00\x00\x00\x00\x01'),)
    """
    return ((CAME_AT, max(0, appended_at).to_bytes(8, "big")),)


def came_first(records: Sequence[ConsumerRecord], entries: Sequence[Entry]) -> int | None:
    """When the first of the measurements in these entries came to its door; None where none of them came through one. `records`: theirs, and more."""
    start = bisect_left(records, entries[0].offset, key=lambda one: one.offset)
    end = bisect_left(records, entries[-1].offset + 1, start, key=lambda one: one.offset)
    found = [int.from_bytes(value, "big") for one in records[start:end] for name, value in one.headers if name == CAME_AT]
    return min(found, default=None)


def raises(output: Output) -> bool:
    """Whether this tells a city of a danger for the first time, or of a worse one."""
    return output.kind is Kind.CITY and bool(output.warning_id) and output.reason in RAISING
