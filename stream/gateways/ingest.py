"""The doors of single principals (`ingest.<principal>`), read by `tocsin intake` into the journal.

A consumer cannot see who wrote a record, but the broker lets only its owner write to such a door: whatever comes through it is that
principal's, and only what he is bound to is taken. The same ACCEPT as at the shared doors judges it. Two intakes may run at once; the fold drops
what both write. How far each has read each door is noted on `marks`, and up to when all of them are in the journal, for which every tick waits.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from aiokafka import TopicPartition

from stream.accept.door import Accept, DoorRecord
from stream.gateways.to_journal import write
from stream.health.tracing import carried, span
from stream.region.canary import with_canary
from stream.region.principals import own_doors
from stream.runtime.clocks import wall_ms
from stream.runtime.compacted import latest
from stream.runtime.follow import consumer
from stream.runtime.journey import came_at
from stream.runtime.marks import INGEST_WRITTEN_AT, mark
from stream.runtime.topic_admin import create
from stream.runtime.topics import Topics, plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

    from stream.gateways.intake_metrics import IntakeMetrics
    from stream.runtime.regions_feed import RegionsFeed
    from stream.settings import Settings

POLL_MS = 200
RECORDS_MOST = 200
_POSITION = "ingest/"
_TAKEN_AT = "taken_at/ingest"
KIND = "ingest"
"""In metrics."""


class Place(NamedTuple):
    """How far one door is read: the next offset, and when the last record read here was appended."""

    next_offset: int
    last_at: int | None


class Ingest:
    """All doors of single principals of one lane. Set `changed` when the active regions change."""

    def __init__(self, settings: Settings, sender: AIOKafkaProducer, feed: RegionsFeed, metrics: IntakeMetrics) -> None:
        self._settings = settings
        self._topics = Topics.of(settings)
        self._sender = sender
        self._feed = feed
        self._metrics = metrics
        self._principal_of: dict[str, str] = {}
        self._places: dict[str, Place] = {}
        self._taken_at: int | None = None
        self._accept: Accept | None = None
        self.changed = asyncio.Event()

    async def run(self) -> None:
        """Read, write, note how far, for ever."""
        async with consumer(self._settings.cluster) as reader:
            await self._remember()
            self.changed.set()
            marked_at = 0.0
            while True:
                if self.changed.is_set():
                    self.changed.clear()
                    await self._assign(reader)
                if not self._principal_of:
                    await asyncio.sleep(POLL_MS / 1000)
                    continue
                await self._read(reader)
                if time.monotonic() - marked_at >= self._settings.tick_s / 2:
                    marked_at = time.monotonic()
                    await self._mark(reader)

    async def _remember(self) -> None:
        """Where reading ended last time: of several intakes', what was noted last, as everything before it is in the journal."""
        noted = (await latest(self._settings.cluster, self._topics.marks, [0]))[0]
        for key, kept in sorted(noted.items(), key=lambda one: one[1].timestamp):
            text = (kept.value or b"").decode("ascii", "replace")
            if key.startswith(_POSITION.encode()) and text.isdecimal():
                self._places[key.decode().rpartition("/")[2]] = Place(int(text), None)

    async def _assign(self, reader: AIOKafkaConsumer) -> None:
        """Read the doors of everybody who has one of his own, and judge by the regions that are active now."""
        regions = with_canary(self._feed.regions(), self._settings.journal_width)
        self._accept = await asyncio.to_thread(Accept, regions, self._settings, self._settings.journal_width)
        found = sorted({one for region in regions for one in own_doors(region.principals)})
        await asyncio.to_thread(create, self._settings.cluster, plan(self._settings, (), found))
        self._principal_of = {self._topics.ingest(one): one for one in found}
        assigned = [TopicPartition(topic, 0) for topic in self._principal_of]
        reader.assign(assigned)
        begins, ends = (await reader.beginning_offsets(assigned), await reader.end_offsets(assigned)) if assigned else ({}, {})
        for one in assigned:
            place = self._places.get(one.topic, Place(0, None))
            if not begins[one] <= place.next_offset <= ends[one]:  # expired, or the topic was made anew
                place = Place(begins[one], None)
            self._places[one.topic] = place
            reader.seek(one, place.next_offset)

    async def _read(self, reader: AIOKafkaConsumer) -> None:
        found = await reader.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MOST)
        for one, batch in found.items():
            if one.topic in self._principal_of and batch:
                await self._write(one.topic, batch)
                await self._note(f"{_POSITION}{self._settings.instance}/{one.topic}", batch[-1].offset + 1)
                self._places[one.topic] = Place(batch[-1].offset + 1, batch[-1].timestamp)

    async def _write(self, topic: str, batch: Sequence[ConsumerRecord]) -> None:
        """Everything into the journal, to `rejected` and `audit`; returns when the broker has acknowledged all of it."""
        accept = self._accept
        if accept is None:
            return
        records = [DoorRecord(0, one.offset, one.timestamp, one.value) for one in batch]
        accepted = accept.accept(topic, records, wall_ms(), self._principal_of[topic])
        self._metrics.read.labels(KIND).inc(len(batch))
        for refusal in accepted.refused:
            self._metrics.refused.labels(KIND, refusal.reason).inc()
        with span("intake", batch, topic=topic, offset=batch[0].offset, records=len(batch)):
            came = (*came_at(batch[0].timestamp), *carried())
            await write(self._settings, self._sender, accepted, batch[-1].timestamp, came)

    async def _mark(self, reader: AIOKafkaConsumer) -> None:
        """Note up to when everything of these doors is in the journal (the law of `stream.runtime.marks`)."""
        taken_at = self._taken_at
        found = await reader.end_offsets([TopicPartition(topic, 0) for topic in self._principal_of])
        self._metrics.lag.labels(KIND).set(sum(max(0, end - self._places[one.topic].next_offset) for one, end in found.items()))
        if taken_at is not None:
            marks = [
                mark(taken_at=taken_at, position=place.next_offset, end=end, last_at=place.last_at)
                for one, end in found.items()
                for place in [self._places[one.topic]]
            ]
            known = [one for one in marks if one is not None]
            if len(known) == len(marks):
                await self._note(INGEST_WRITTEN_AT, min(known))
                self._metrics.written_at.labels(KIND).set(min(known) / 1000)
        await self._note(_TAKEN_AT, wall_ms())

    async def _note(self, key: str, value: int) -> None:
        meta = await self._sender.send_and_wait(self._topics.marks, str(value).encode(), key=key.encode(), partition=0)
        self._taken_at = meta.timestamp
