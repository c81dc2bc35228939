"""Sends that are known to have arrived, or end the process.

`flush()` proves nothing (aiokafka's swallows failed batches): every send's own result is collected and awaited. An idempotent producer retries
for ever, so what waits too long is given up here: it would be told, stale, to whoever listens when the broker returns.
"""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from stream.errors import PublishFailed
from stream.runtime.clocks import wall_ms
from stream.runtime.reach import said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from aiokafka.producer.message_accumulator import BatchBuilder

    from stream.runtime.clocks import BrokerClock, Pulse
    from stream.settings import Settings

LINGER_MS = 5
BATCH_BYTES = 262_144
REQUEST_BYTES = 1_200_000
"""Above the largest record of any topic (`rejected`), so that no record can fail for ever for its size."""
PENDING_MOST = 20_000
"""Unacknowledged sends of an outbox before `send` waits: bounded memory while the broker is away."""


class Errand(StrEnum):
    """What a producer is for. aiokafka has one request under way to a broker, so each kind has a producer of its own and waits for no other."""

    JOURNAL = "journal"
    """Into the journal and `rejected`."""
    CITIES = "cities"
    """What leaves for people."""
    ASIDE = "aside"
    """What may be large or is not urgent: checkpoints, marks."""


class Record(NamedTuple):
    """One record to send. Without a timestamp the client's time is sent, which LogAppendTime topics replace."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    partition: int = 0
    timestamp: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Row(Protocol):
    """A record of a run: what ACCEPT makes for the journal."""

    @property
    def partition(self) -> int:
        """Its partition."""

    @property
    def key(self) -> bytes:
        """Its key."""

    @property
    def value(self) -> bytes:
        """Its value."""

    @property
    def timestamp(self) -> int | None:
        """Its time (ms) on replay lanes."""


def create_producer(settings: Settings) -> AIOKafkaProducer:
    """A producer that neither loses nor reorders nor doubles what it was given, within its life."""
    return AIOKafkaProducer(
        **settings.cluster.aiokafka(),
        client_id=f"{settings.group}-{settings.instance}",
        acks="all",
        enable_idempotence=True,
        linger_ms=LINGER_MS,
        max_batch_size=BATCH_BYTES,
        max_request_size=REQUEST_BYTES,
        request_timeout_ms=int(settings.request_timeout_s * 1000),
    )


async def know_topics(producer: AIOKafkaProducer, names: Iterable[str]) -> None:
    """Fetch the metadata of all these topics at once: the first record to each is then as fast as any other."""
    await producer.client.set_topics(sorted({*producer.client._topics, *names}))  # noqa: SLF001  (no public way to add several)


class Outbox:
    """The sends of one stage. A send that fails makes every later call raise, and tells `on_failure` at once."""

    def __init__(self, producer: AIOKafkaProducer, pulse: Pulse, clock: BrokerClock, on_failure: Callable[[BaseException], None]) -> None:
        self._producer = producer
        self._pulse = pulse
        self._clock = clock
        self._on_failure = on_failure
        self._pending: dict[asyncio.Future[object], tuple[str, float]] = {}
        """Topic and monotonic time of each, the oldest first."""
        self._failure: PublishFailed | None = None

    async def send(self, record: Record) -> asyncio.Future[object]:
        """Hand a record to the producer; the future is its result (awaited by `settle` too)."""
        self._check()
        if len(self._pending) >= PENDING_MOST:
            await asyncio.wait(self._pending, return_when=asyncio.FIRST_COMPLETED)
            self._check()
        sent_at = wall_ms()
        try:
            future: asyncio.Future[object] = await self._producer.send(
                record.topic,
                record.value,
                key=record.key,
                partition=record.partition,
                timestamp_ms=record.timestamp,
                headers=list(record.headers),
            )
        except KafkaError as error:
            raise self._fail(record.topic, error) from error
        return self._track(future, record.topic, sent_at)

    async def send_runs(self, topic: str, rows: Iterable[Row], headers: Sequence[tuple[str, bytes]] = ()) -> list[asyncio.Future[object]]:
        """Hand over many records of a topic as ready batches, in order within each partition, at a quarter of the cost of `send`.

        Each gets the same headers. The futures are those of the batches. A batch is sent without lingering.
        """
        self._check()
        by_partition: dict[int, list[Row]] = {}
        for row in rows:
            by_partition.setdefault(row.partition, []).append(row)
        futures = []
        for partition, run in by_partition.items():
            for batch in self._batches(run, list(headers)):
                sent_at = wall_ms()
                try:
                    future: asyncio.Future[object] = await self._producer.send_batch(batch, topic, partition=partition)
                except KafkaError as error:
                    raise self._fail(topic, error) from error
                futures.append(self._track(future, topic, sent_at))
        return futures

    def _batches(self, run: Iterable[Row], headers: list[tuple[str, bytes]]) -> Iterator[BatchBuilder]:
        batch = self._producer.create_batch()
        for row in run:
            if batch.append(key=row.key, value=row.value, timestamp=row.timestamp, headers=headers) is None:
                yield batch
                batch = self._producer.create_batch()
                batch.append(key=row.key, value=row.value, timestamp=row.timestamp, headers=headers)
        yield batch

    def _track(self, future: asyncio.Future[object], topic: str, sent_at: int) -> asyncio.Future[object]:
        self._pending[future] = topic, time.monotonic()
        future.add_done_callback(lambda done: self._on_done(done, topic, sent_at))
        return future

    @property
    def pending(self) -> int:
        """Sends without a result yet."""
        return len(self._pending)

    def give_up(self, limit_s: float) -> None:
        """Fail when the oldest send has waited longer than this: the process ends, and with it everything that is still queued."""
        topic, since = next(iter(self._pending.values()), ("", None))
        if since is not None and (waited_s := time.monotonic() - since) > limit_s:
            self._fail(
                topic,
                f"no answer for {waited_s:.1f} s (limit {limit_s:.1f} s): the broker is away or too slow. "
                "What waits is not sent any more, it is decided again after a restart: start it again",
            )

    async def settle(self) -> None:
        """Wait for the result of every send so far; PublishFailed when any of this outbox failed."""
        if waiting := list(self._pending):
            await asyncio.wait(waiting)
        if self._failure is not None:
            raise self._failure

    def _check(self) -> None:
        self._pulse.check()
        if self._failure is not None:
            raise self._failure

    def _fail(self, topic: str, error: BaseException | str) -> PublishFailed:
        why = error if isinstance(error, str) else said(error)
        self._failure = self._failure or PublishFailed(
            f"a record for {topic} was not acknowledged: {why}; nothing after it is checkpointed"
        )
        self._on_failure(self._failure)
        return self._failure

    def _on_done(self, done: asyncio.Future[object], topic: str, sent_at: int) -> None:
        self._pending.pop(done, None)
        if done.cancelled():
            self._fail(topic, asyncio.CancelledError())
        elif (error := done.exception()) is not None:
            self._fail(topic, error)
        else:
            meta = done.result()
            if getattr(meta, "timestamp_type", 0) == 1:  # LogAppendTime
                self._clock.observe(appended_at=meta.timestamp, sent_at=sent_at, acknowledged_at=wall_ms())  # type: ignore[attr-defined]
