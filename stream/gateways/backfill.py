"""The doors of history (`backfill.<family>`), read by `tocsin intake` into the journal, after everything that is live.

The same ACCEPT as at the live doors judges it, and all of it is marked late: it is learned, and warns only of what still lies ahead. No tick
waits for these doors. A bulk of millions must delay nothing: a window of it is written at a time, not faster than `PER_S`, and the next one only
when the workers have finished all that stood in the live doors and in the journal when this one was begun (`live.py`). Where the workers are
behind, or none runs, history waits in its doors.

How far they are read is committed in a consumer group of its own after the broker has acknowledged what was written: at least once, and the
fold drops what it knows. Intakes that run at once share the partitions, so none is written twice while all of them live.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from stream.accept.door import Accept, DoorRecord
from stream.gateways.live import live
from stream.gateways.to_journal import write
from stream.runtime.app import group_of
from stream.runtime.clocks import wall_ms
from stream.runtime.failpoints import failpoint
from stream.runtime.feeding import producer
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from aiokafka import AIOKafkaProducer, ConsumerRecord

    from stream.gateways.backfill_metrics import BackfillMetrics
    from stream.gateways.live import Live
    from stream.runtime.regions_feed import RegionsFeed
    from stream.settings import Settings

log = logging.getLogger(__name__)
PER_S = 5_000
"""Measurements a second at most, 18 million an hour: history has time, and what is live goes between."""
WINDOW = 5_000
"""Measurements written from one look at the workers to the next."""
SLICE_BYTES = 65_536
"""So much of a door is written at once, some milliseconds of work for a worker; at least one record."""
POLL_MS = 500
RECORDS_MOST = 200
WATCH_S = 2.0
LONGEST_WAIT_MS = 86_400_000
"""A member of the group that asks for no records for so long is taken for dead; history may have to wait for the workers."""


class Backfill:
    """The doors of history of one lane. Set `changed` when the active regions change."""

    def __init__(self, settings: Settings, feed: RegionsFeed, metrics: BackfillMetrics) -> None:
        self._settings = settings
        self._feed = feed
        self._metrics = metrics
        self._accept: Accept | None = None
        self._at_hand = self._oldest_at = 0
        """Records that were read and not written yet; when the oldest of that reading was handed in (ms)."""
        self._left = 0
        """Measurements that may be written before the next look."""
        self._begun: Mapping[TopicPartition, int] | None = None
        """What stood in the live doors and the journal when the window was begun."""
        self.changed = asyncio.Event()
        self.changed.set()

    async def run(self) -> None:
        """Read and write for ever."""
        async with live(self._settings) as others, producer(self._settings) as sender, self._reader() as reader:
            watching = asyncio.create_task(self._watch(reader))
            try:
                while True:
                    await self._round(reader, sender, others)
                    if watching.done():
                        watching.result()
            finally:
                watching.cancel()
                await asyncio.wait([watching])

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[AIOKafkaConsumer]:
        reader = AIOKafkaConsumer(
            *Topics(self._settings.prefix).backfill,
            **self._settings.cluster.aiokafka(),
            group_id=f"{group_of(self._settings)}-backfill",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_interval_ms=LONGEST_WAIT_MS,
        )
        await reader.start()
        try:
            yield reader
        finally:
            await reader.stop()

    async def _round(self, reader: AIOKafkaConsumer, sender: AIOKafkaProducer, others: Live) -> None:
        """One reading of the doors, in slices."""
        if not self._feed.regions():  # nobody could say what belongs to whom: all would be refused
            await asyncio.sleep(POLL_MS / 1000)
            return
        found = await reader.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MOST)
        if not found:
            self._begun = None
        self._at_hand = sum(map(len, found.values()))
        self._oldest_at = min((records[0].timestamp for records in found.values()), default=0)
        for place, records in found.items():
            for some in _slices(records):
                await self._turn(others)
                await self._write(place, some, sender)
                if not await _commit(reader, place, some[-1].offset + 1):
                    break
                self._at_hand -= len(some)
        self._at_hand = self._oldest_at = 0

    async def _turn(self, others: Live) -> None:
        """Wait until nothing live waits."""
        if self._begun is not None and self._left > 0:
            return
        await others.passed(await others.ends() if self._begun is None else self._begun)
        self._begun, self._left = await others.ends(), WINDOW

    async def _write(self, place: TopicPartition, records: Sequence[ConsumerRecord], sender: AIOKafkaProducer) -> None:
        """Everything into the journal, to `rejected` and `audit`; returns when the broker has acknowledged it, and not too soon."""
        began = time.monotonic()
        accept = await self._judge()
        made = [DoorRecord(place.partition, one.offset, one.timestamp, one.value) for one in records]
        accepted = accept.accept(place.topic, made, wall_ms())
        await write(self._settings, sender, accepted, records[-1].timestamp)
        await failpoint("before_backfill_commit")
        door = place.topic.rpartition(".")[2]
        self._metrics.accepted.labels(door).inc(accepted.accepted)
        for refusal in accepted.refused:
            self._metrics.rejected.labels(door, refusal.reason).inc()
        count = accepted.accepted + len(accepted.refused)
        self._left -= count
        await asyncio.sleep(max(0.0, count / PER_S - (time.monotonic() - began)))

    async def _judge(self) -> Accept:
        """ACCEPT by the regions that are active now."""
        if self._accept is None or self.changed.is_set():
            self.changed.clear()
            self._accept = await asyncio.to_thread(Accept, self._feed.regions(), self._settings, self._settings.journal_width, history=True)
        return self._accept

    async def _watch(self, reader: AIOKafkaConsumer) -> None:
        """Show what waits, for ever."""
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                assigned = list(reader.assignment())
                ends = await reader.end_offsets(assigned) if assigned else {}
                unread = sum([ends[one] - await reader.position(one) for one in assigned])
            except IllegalStateError:
                continue  # the group shares the partitions anew
            self._metrics.waiting.set(unread + self._at_hand)
            self._metrics.oldest_at.set(self._oldest_at / 1000)


def _slices(records: Sequence[ConsumerRecord]) -> Iterator[Sequence[ConsumerRecord]]:
    """Consecutive records of at most `SLICE_BYTES`, or single longer ones."""
    start = size = 0
    for number, one in enumerate(records):
        size += len(one.value or b"")
        if size > SLICE_BYTES and number > start:
            yield records[start:number]
            start, size = number, len(one.value or b"")
    yield records[start:]


async def _commit(reader: AIOKafkaConsumer, place: TopicPartition, next_offset: int) -> bool:
    """Note how far a partition is read; False if another intake reads it by now, from where it was last noted."""
    try:
        await reader.commit({place: next_offset})
    except (CommitFailedError, IllegalStateError) as error:
        log.info("%s/%d is read by another intake now: %r", place.topic, place.partition, error)
        return False
    return True
