"""`tocsin intake`: what cities answer and state, from their topics into the journal of its domain; doors of principals and of history.

A plain consumer with manual assignment: these topics come and go with regions, and must not rebalance the workers. It keeps its positions
on `marks`, written after what it read is acknowledged, so that it loses nothing and at worst writes an answer twice, which the fold ignores.
The mark `acknowledgements_written_at` says up to when every answer is in the journal; escalation waits for it (`stream/decide/advance.py`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from aiokafka import TopicPartition

from stream.accept import statements
from stream.accept.answers import Known, judge
from stream.accept.refusal import Fault, Refusal, digest, to_record
from stream.accept.statements import read
from stream.gateways.backfill import Backfill
from stream.gateways.ingest import Ingest
from stream.health.tracing import carried, span
from stream.records.acknowledgement import Acknowledgement
from stream.records.instants import from_text
from stream.records.journal import encode, partition_of
from stream.records.statement import Statement
from stream.region.administrations import recipients
from stream.runtime import generations
from stream.runtime.clocks import wall_ms
from stream.runtime.compacted import latest
from stream.runtime.ending import end_if_failed
from stream.runtime.follow import follow
from stream.runtime.marks import ANSWERS_WRITTEN_AT, mark
from stream.runtime.regions_feed import RegionsFeed, load_packed
from stream.runtime.topic_admin import create
from stream.runtime.topics import MESSAGE_BYTES, REJECTED_PARTITIONS, Topics, plan

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

    from stream.gateways.intake_metrics import IntakeMetrics
    from stream.gateways.readiness import IntakeStanding
    from stream.records.journal import Acknowledgement as Answer
    from stream.records.journal import Statement as Stated
    from stream.settings import Settings

log = logging.getLogger(__name__)
POLL_MS = 200
RECORDS_MOST = 500
WARNING_WAIT_S = 5.0
"""So long an answer may be ahead of the record on `warnings` of what it answers: that is written after the city's own."""
TAKEN_AT = "taken_at/intake"
ANSWERS = "acknowledgements"
"""The kind of what cities answer and state, in metrics."""


class Place(NamedTuple):
    """How far one city's topic is read: the next offset, and when the last record read here was appended."""

    next_offset: int
    last_at: int | None


class Intake:
    """All answer topics of one lane. `run` makes it go until it is told to stop."""

    def __init__(
        self, settings: Settings, clients: tuple[AIOKafkaProducer, AIOKafkaConsumer], metrics: IntakeMetrics, standing: IntakeStanding
    ) -> None:
        self._settings = settings
        self._topics = Topics.of(settings)
        self._sender, self._reader = clients
        self._metrics = metrics
        self._standing = standing
        self._feed = RegionsFeed(settings.cluster, self._topics.regions, load_packed)
        self._changed = asyncio.Event()
        self._ingest = Ingest(settings, self._sender, self._feed, metrics)
        self._backfill = Backfill(settings, self._feed, metrics.backfill)
        self._warnings: dict[str, Known] = {}
        self._answered: dict[str, int] = {}
        """By warning, the newest revision that was answered."""
        self._warnings_read = asyncio.Event()
        self._city_of: dict[str, str] = {}
        self._places: dict[str, Place] = {}
        self._taken_at: int | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Read, write, note how far, until `stopping`."""
        background = [_start(self._feed.run(self._on_regions)), _start(self._follow_warnings())]
        try:
            await asyncio.gather(self._feed.ready.wait(), self._warnings_read.wait())
            generations.require(self._settings, self._feed.generation)
            await self._remember()
            self._changed.set()
            background += [_start(self._ingest.run()), _start(self._backfill.run())]
            marked_at, ready = 0.0, False
            while not stopping.is_set():
                if self._changed.is_set():
                    self._changed.clear()
                    await self._assign()
                await self._read()
                if time.monotonic() - marked_at >= self._settings.tick_s / 2:
                    marked_at = time.monotonic()
                    await self._mark()
                self._standing.noted_at = marked_at
                if not ready:
                    ready = True
                    print(f"ready topics={len(self._places)}", flush=True)  # noqa: T201
        finally:
            for task in background:
                task.cancel()
            await asyncio.wait(background)

    def _on_regions(self) -> None:
        if self._feed.ready.is_set():
            generations.require(self._settings, self._feed.generation)
        self._changed.set()
        self._ingest.changed.set()
        self._backfill.changed.set()

    async def _follow_warnings(self) -> None:
        """Keep the newest revision of every warning there is."""
        decoder = msgspec.json.Decoder(Known)
        async for one in follow(self._settings.cluster, [self._topics.warnings]):
            for record in one.records:
                if record.value is None:
                    self._warnings.pop(key := record.key.decode("utf-8", "replace"), None)
                    self._answered.pop(key, None)
                    continue
                known = decoder.decode(record.value)
                if known.lane is not self._settings.lane:
                    log.error("%s of lane %s on %s: not read", known.warning_id, known.lane, record.topic)
                    continue
                before = self._warnings.get(known.warning_id)
                if before is None or known.revision >= before.revision:
                    self._warnings[known.warning_id] = known
            if one.caught_up:
                self._warnings_read.set()

    async def _remember(self) -> None:
        """Where reading ended last time."""
        noted = (await latest(self._settings.cluster, self._topics.marks, [0]))[0]
        for key, kept in noted.items():
            text = (kept.value or b"").decode("ascii", "replace")
            if key.startswith(b"intake/") and text.isdecimal():
                self._places[key.decode().removeprefix("intake/")] = Place(int(text), None)

    async def _assign(self) -> None:
        """Read the topics of everybody the active regions name."""
        cities = sorted({one for region in self._feed.regions() for one in recipients(region)})
        await asyncio.to_thread(create, self._settings.cluster, plan(self._settings, cities))
        self._city_of = {self._topics.acknowledgements(city_id): city_id for city_id in cities}
        assigned = [TopicPartition(topic, 0) for topic in self._city_of]
        self._reader.assign(assigned)
        begins, ends = (await self._reader.beginning_offsets(assigned), await self._reader.end_offsets(assigned)) if assigned else ({}, {})
        for one in assigned:
            place = self._places.get(one.topic, Place(0, None))
            if not begins[one] <= place.next_offset <= ends[one]:  # expired, or the topic was made anew
                place = Place(begins[one], None)
            self._places[one.topic] = place
            self._reader.seek(one, place.next_offset)

    async def _read(self) -> None:
        if not self._city_of:
            await asyncio.sleep(POLL_MS / 1000)
            return
        found = await self._reader.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MOST)
        # A word about another city's word comes after it, as far as one reading can tell.
        records = sorted((record for batch in found.values() for record in batch), key=lambda one: (one.timestamp, one.topic, one.offset))
        if records:
            with span("intake", records, topic=records[0].topic, offset=records[0].offset, records=len(records)):
                await self._write(records)
            for one, batch in found.items():
                await self._note(f"intake/{one.topic}", batch[-1].offset + 1)
                self._places[one.topic] = Place(batch[-1].offset + 1, batch[-1].timestamp)

    async def _write(self, records: Sequence[ConsumerRecord]) -> None:
        """Every record into the journal or to `rejected`; returns when the broker has acknowledged all of them."""
        made = [(record, read(record.value, self._settings.door_bytes_max)) for record in records]
        self._metrics.read.labels(ANSWERS).inc(len(records))
        await self._await_warnings([one for _, one in made if isinstance(one, Acknowledgement)])
        partitions = {
            domain.domain_id: partition_of(domain.domain_id, self._settings.journal_width, domain.pin)
            for region in self._feed.regions()
            for domain in region.domains
        }
        sends = []
        for record, one in made:
            answer = self._judged(record, one)
            if isinstance(answer, Fault):
                sends.append(await self._refuse(record, answer))
                continue
            if isinstance(one, Acknowledgement):
                self._time(one, record.timestamp)
            partition = partitions.get(answer.domain, partition_of(answer.domain, self._settings.journal_width))
            key = answer.domain.encode()
            sends.append(
                await self._sender.send(self._topics.journal, encode(answer), key=key, partition=partition, headers=list(carried()))
            )
        await asyncio.gather(*sends)

    def _time(self, answer: Acknowledgement, received_at: int) -> None:
        """Note how long the newest revision of a warning waited for its first answer; when older ones were sent is not known any more."""
        known = self._warnings[answer.warning_id]
        if answer.revision == known.revision != self._answered.get(known.warning_id) and known.sent_at:
            self._answered[known.warning_id] = known.revision
            waited_s = max(0, received_at - from_text(known.sent_at)) / 1000
            self._metrics.acknowledgement_s.labels(known.level).observe(waited_s)

    def _judged(self, record: ConsumerRecord, one: Acknowledgement | Statement | Fault) -> Answer | Stated | Fault:
        """The journal's message of what came on a city's topic; it is that city's, whatever stands in it."""
        city_id, lane = self._city_of[record.topic], self._settings.lane
        if isinstance(one, Acknowledgement):
            return judge(one, city_id, record.timestamp, self._warnings, lane)
        if isinstance(one, Statement):
            return statements.judge(statements.Stated(one, city_id, record.timestamp, lane, wall_ms()), self._feed.regions())
        return one

    async def _await_warnings(self, answers: Sequence[Acknowledgement]) -> None:
        """Give what is answered a moment to arrive on `warnings`."""
        until = time.monotonic() + WARNING_WAIT_S
        while time.monotonic() < until:
            known = (self._warnings.get(one.warning_id) for one in answers)
            if all(one is not None and one.revision >= answer.revision for one, answer in zip(known, answers, strict=True)):
                return
            await asyncio.sleep(0.1)

    async def _refuse(self, record: ConsumerRecord, fault: Fault) -> asyncio.Future[object]:
        payload = record.value
        log.warning("%s offset %d refused: %s", record.topic, record.offset, fault.detail)
        self._metrics.refused.labels(ANSWERS, fault.reason).inc()
        refusal = Refusal(
            fault.reason, fault.detail, record.topic, 0, record.offset, None, payload, digest(payload or b""), len(payload or b"")
        )
        made = to_record(refusal)
        value = made.value if made.value is None else made.value[:MESSAGE_BYTES]
        future: asyncio.Future[object] = await self._sender.send(
            self._topics.rejected, value, key=made.key, partition=record.offset % REJECTED_PARTITIONS, headers=made.headers
        )
        return future

    async def _mark(self) -> None:
        """Note up to when every answer is in the journal (the law of `stream.runtime.marks`), and when that was noted."""
        taken_at = self._taken_at
        found = await self._reader.end_offsets([TopicPartition(topic, 0) for topic in self._city_of]) if self._city_of else {}
        self._metrics.lag.labels(ANSWERS).set(sum(max(0, end - self._places[one.topic].next_offset) for one, end in found.items()))
        if taken_at is not None:
            marks = []
            for one, end in found.items():
                place = self._places[one.topic]
                marks.append(mark(taken_at=taken_at, position=place.next_offset, end=end, last_at=place.last_at))
            known = [one for one in (*marks, mark(taken_at=taken_at, position=0, end=0, last_at=None)) if one is not None]
            if len(known) == len(marks) + 1:
                await self._note(ANSWERS_WRITTEN_AT, min(known))
                self._metrics.written_at.labels(ANSWERS).set(min(known) / 1000)
        await self._note(TAKEN_AT, wall_ms())

    async def _note(self, key: str, value: int) -> None:
        meta = await self._sender.send_and_wait(self._topics.marks, str(value).encode(), key=key.encode(), partition=0)
        self._taken_at = meta.timestamp


def _start(work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    """Something that runs beside the reading: if it fails, the process ends."""
    task = asyncio.create_task(work)
    task.add_done_callback(end_if_failed)
    return task
