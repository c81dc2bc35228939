"""ACCEPT: the Faust agent on the doors. A batch counts as read only when every journal and `rejected` record of it is acknowledged."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

from stream.health.tracing import carried
from stream.runtime.clocks import wall_ms
from stream.runtime.failpoints import failpoint
from stream.runtime.journey import came_at
from stream.runtime.positions import Partition
from stream.runtime.producer import Errand, Record
from stream.runtime.topics import MESSAGE_BYTES, REJECTED_PARTITIONS
from stream.warnings.envelope import of_audit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stream.records.audit import AuditEntry
    from stream.runtime.parts import Parts
    from stream.runtime.transport import Run

log = logging.getLogger(__name__)
BATCHES_MOST = 64
"""Batches whose sends are still awaited before the next is read: bounded memory while the broker is away."""


class AcceptLike(Protocol):
    """What the runtime needs of `stream.accept.door.Accept`."""

    def accept(self, door: str, records: Sequence[Any], now: int) -> Any:
        """`Accepted`: entries for the journal, refusals, counts."""


class Accepting:
    """All door partitions of this process. `make`: an Accept for the regions that are active now."""

    def __init__(self, parts: Parts, make: Callable[[], AcceptLike], to_rejected: Callable[[Any], Any]) -> None:
        self._parts = parts
        self._make = make
        self._to_rejected = to_rejected
        self._accept = make()
        self._outbox = parts.outbox(Errand.JOURNAL)
        self._room = asyncio.Semaphore(BATCHES_MOST)
        self._finishing: set[asyncio.Task[None]] = set()

    def regions_changed(self) -> None:
        """Judge by the regions that are active now."""
        self._accept = self._make()

    async def on_batch(self, topic: str, generation: int, runs: Sequence[Run]) -> None:
        """Accept records of a door; returns when their sends are under way, positions move when those are acknowledged."""
        if self._parts.generation() != generation:
            return
        await self._room.acquire()
        positions, door = self._parts.positions, self._parts.topics.door_of(topic)
        sources = [Partition(topic, run.partition) for run in runs]
        finished = [
            positions.begin(source, run.records[-1].offset + 1, run.records[-1].timestamp, generation)
            for source, run in zip(sources, runs, strict=True)
        ]
        records = runs[0].records if len(runs) == 1 else [record for run in runs for record in run.records]
        accepted = self._accept.accept(topic, records, wall_ms())
        came = came_at(min(run.records[0].timestamp for run in runs)) if self._parts.settings.clock == "broker" else ()
        sends = await self._outbox.send_runs(self._parts.topics.journal, accepted.entries, (*came, *carried()))
        for refusal in accepted.refused:
            sends.append(await self._outbox.send(self._rejected(refusal, records[-1].timestamp)))
            self._parts.metrics.rejected.labels(door, refusal.reason).inc()
        for entry in accepted.audit:
            sends.append(await self._outbox.send(self._audited(entry, records[-1].timestamp)))
        self._parts.metrics.door_records.labels(door).inc(len(records))
        self._parts.metrics.accepted.labels(door).inc(accepted.accepted)
        self._parts.metrics.late.labels(door).inc(accepted.late)
        for delays in accepted.delays:
            self._parts.metrics.delay_s.observe(door, delays / 1000)
        self._parts.metrics.journal_messages.labels("measurements").inc(len(accepted.entries))
        task = self._parts.start(self._finish(sends, finished, sources, records[0].timestamp))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def settle(self) -> None:
        """Wait until everything accepted so far is acknowledged."""
        while self._finishing:
            await asyncio.wait(self._finishing)

    async def _finish(
        self, sends: list[asyncio.Future[object]], finished: list[asyncio.Event], sources: Sequence[Partition], appended_at: int
    ) -> None:
        if sends:
            await asyncio.wait(sends)
            for send in sends:
                send.result()  # a failure ends the process (Parts.start watches this task)
        await failpoint("before_accept_commit")
        for source, event in zip(sources, finished, strict=True):
            event.set()
            self._parts.positions.advance(source)
        self._room.release()
        self._parts.observe("accept", appended_at)

    def _audited(self, entry: AuditEntry, timestamp: int) -> Record:
        stamp = None if self._parts.settings.clock == "broker" else max(0, timestamp)
        partition = (entry.partition or 0) % self._parts.settings.partitions
        made = of_audit(entry, sent_at=timestamp)
        return Record(self._parts.topics.audit, made.value, made.key, partition, stamp, made.headers)

    def _rejected(self, refusal: Any, timestamp: int) -> Record:
        record = self._to_rejected(refusal)
        value, headers = record.value, list(record.headers)
        # Only a compressed record can be longer than the door's limit; its sum and size are in the headers.
        if value is not None and len(value) > MESSAGE_BYTES:
            value, headers = value[:MESSAGE_BYTES], [*headers, ("truncated", b"true")]
        stamp = None if self._parts.settings.clock == "broker" else max(0, timestamp)
        return Record(self._parts.topics.rejected, value, record.key, refusal.partition % REJECTED_PARTITIONS, stamp, tuple(headers))
