"""The service without a broker: the same ACCEPT and the same fold over files or a recorded journal.

What it yields is what stands on the topics after dropping repetitions, byte for byte, when the journal is the same.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.accept.door import Accept, DoorRecord
from stream.decide.fold import Fold
from stream.errors import TocsinError, UnknownRegion
from stream.records.journal import Command, Entry, Tick, decode, encode
from stream.records.output import Kind
from stream.review.journal_file import Recorded
from stream.review.linked_replay import decide_together, links
from stream.review.turns import decided

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stream.accept.refusal import Refusal
    from stream.decide.partition import Partition
    from stream.records.output import Output
    from stream.region.model import Region
    from stream.review.inputs import DoorMessage
    from stream.review.journal_file import Header
    from stream.settings import Settings

_AT_ONCE = 10_000


class Journaled(NamedTuple):
    """A journal made without a broker (records in order within each partition), and what ACCEPT refused."""

    records: list[Recorded]
    refused: list[Refusal]


def journal_of(regions: Sequence[Region], messages: Sequence[DoorMessage], settings: Settings, until_at: int | None = None) -> Journaled:
    """The journal that feeding these messages on a replay lane writes: activations, measurements, and the closing tick at `until_at` (ms).

    `messages` stand in feed order (see `stream.review.inputs.in_feed_order`). Without `until_at` the tick follows the last one by 1 ms.
    """
    accept = Accept(regions, settings, settings.partitions)
    end_at = until_at or max((message.observed_at for message in messages), default=0) + 1
    lanes: list[list[tuple[int, bytes]]] = [
        [(0, encode(Command("activate", region.name, region.region_hash, lane=settings.lane.value))) for region in regions]
        for _ in range(settings.partitions)
    ]
    refused: list[Refusal] = []
    for start in range(0, len(messages), _AT_ONCE):
        some = enumerate(messages[start : start + _AT_ONCE], start)
        for family, run in groupby(some, key=lambda one: one[1].family):
            records = [DoorRecord(0, number, message.observed_at, message.value) for number, message in run]
            accepted = accept.accept(family, records, records[-1].timestamp)
            refused.extend(accepted.refused)
            for entry in accepted.entries:
                lanes[entry.partition].append((entry.timestamp or 0, entry.value))
    closing = encode(Tick(end_at, 0.0, end_at, closing=True, lane=settings.lane.value))
    journal = [
        Recorded(partition, offset, at, value)
        for partition, lane in enumerate(lanes)
        for offset, (at, value) in enumerate([*lane, (end_at, closing)])
    ]
    return Journaled(journal, refused)


def decide(regions: Sequence[Region], header: Header, records: Iterable[Recorded], *, together: bool = False) -> Iterator[Output]:
    """The fold's outputs for a journal, partition by partition in the order of the journal.

    `together`: what domains pass on to each other is decided anew, all of them in the order of time (see `linked_replay`), where they do.
    Where another version of the fold has decided, nothing: see `turns`. TocsinError when the journal names a region that is not among `regions` (by hash: other files are another region).
    """
    by_hash = {region.region_hash: region for region in regions}

    def source(region_hash: str) -> Region:
        if region_hash not in by_hash:
            raise UnknownRegion(region_hash)
        return by_hash[region_hash]

    fold = Fold(source, lane=header.lane, clock=header.clock, partitions=header.partitions)
    states: dict[int, Partition] = {}
    try:
        if together and links(regions):
            yield from decide_together(fold, header, records)
            return
        for partition, run in groupby(records, key=lambda record: record.partition):
            state = states.setdefault(partition, fold.initial(partition))
            yield from decided(fold, state, [Entry(record.offset, record.timestamp, record.value) for record in run])
    except UnknownRegion as error:
        known = ", ".join(f"{region.name} {region.region_hash}" for region in regions)
        msg = f"the journal was written with region {error.region_hash}, given is {known}; give the folder as it was then"
        raise TocsinError(msg) from error


class Line(msgspec.Struct, frozen=True):
    """One line of `replay --out`: an output, with its record on the topic as `value` (null = a tombstone)."""

    kind: str
    city_id: str
    key: str
    warning_id: str
    revision: int
    value: msgspec.Raw


def _json(output: Output) -> bytes:
    """The record as it is; what goes into the journal with the names of its fields."""
    if output.kind is Kind.JOURNAL and output.value is not None:
        message = decode(output.value)
        return msgspec.json.encode({name: getattr(message, name) for name in message.__struct_fields__})
    return output.value or b""


def line(output: Output) -> bytes:
    """The JSON line of an output; the record's bytes stand in it unchanged."""
    raw = msgspec.Raw(_json(output) if output.value is not None else b"null")
    return msgspec.json.encode(Line(output.kind, output.city_id, output.key.decode(), output.warning_id, output.revision, raw))
