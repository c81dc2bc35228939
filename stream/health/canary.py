"""`tocsin canary`: every half minute synthetic measurements through every door partition and every journal partition, and back.

It is a process of its own, and tells from outside whether a warning would come: silence of Tocsin reads as trouble here, never as all clear. What
fails is a miss, not the end of it: it goes on measuring while brokers and workers are away, and takes new connections when nothing comes back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from stream.errors import TocsinError
from stream.gateways.stopping import only_live, run_until_stopped
from stream.health import notifying
from stream.health.canary_metrics import CanaryMetrics
from stream.health.canary_rounds import Book, Widths, explain, round_of
from stream.health.exposing import READY, Exposed, Health
from stream.health.probes import STARTING, probes
from stream.health.tracing import carried, span
from stream.records.canary import DOORS, PRINCIPAL, CanaryAnswer, value_of
from stream.records.instants import SECOND, to_text
from stream.region.canary import series_of
from stream.runtime.clocks import wall_ms
from stream.runtime.ending import end_now
from stream.runtime.follow import consumer
from stream.runtime.reach import said, started
from stream.runtime.topics import Topics
from stream.runtime.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aiokafka import AIOKafkaConsumer

    from stream.health.canary_rounds import Sent, Target
    from stream.settings import Settings

log = logging.getLogger(__name__)
PERIOD_S = 30.0
"""Where the settings expect no canary, and one is started all the same."""
POLL_MS = 100
STOP_S = 5.0
NOT_YET = "it is being made"
AGAIN_S = 1.0
"""After so long a connection that failed is tried again."""
SILENT_ROUNDS = 3
"""Nothing came back for so many rounds: it may be these connections that are broken."""
REMIND_ROUNDS = 10
"""So often a trouble that lasts is said again."""
_decoder = msgspec.json.Decoder(CanaryAnswer)


def run_canary(settings: Settings, *, intake: bool = True) -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean stop. `intake`: whether an intake is expected to read `ingest.canary`."""
    only_live(settings, "the canary is for lanes in the broker's time: a replay decides only what it is fed")
    return run_until_stopped(partial(_run, settings, intake))


async def _run(settings: Settings, intake: bool, stopping: asyncio.Event) -> None:
    metrics, dog = CanaryMetrics(), Watchdog(settings.watchdog_s)
    canary = Canary(settings, metrics, intake=intake)
    asked = wired(canary, metrics, dog)
    exposed = Exposed(metrics.registry, settings.metrics_host, settings.metrics_port, asked) if settings.metrics_port else None
    dog.start()
    notifying.tell(asked)
    beating = asyncio.create_task(dog.run())
    try:
        await canary.run(stopping)
    except Exception as error:  # noqa: BLE001  what is not the broker's or a worker's doing is a bug
        end_now(error)
    beating.cancel()
    if exposed is not None:
        exposed.stop()


def wired(canary: Canary, metrics: CanaryMetrics, dog: Watchdog) -> Mapping[str, Callable[[], Health]]:
    """The probes by their paths; and what is asked at each scrape, because a canary that hangs would leave what it said last."""
    metrics.process.loop_lag_s.set_function(dog.lag_s)
    asked = probes(metrics.process, live=dog.health, started=canary.started, ready=canary.ready)
    metrics.healthy.set_function(lambda: float(asked[READY]().ok))
    return asked


class Canary:
    """One canary. `run` makes it go until it is told to stop."""

    def __init__(self, settings: Settings, metrics: CanaryMetrics, *, intake: bool) -> None:
        topics = Topics.of(settings)
        self._settings = settings
        self._metrics = metrics
        self._period_s = settings.canary_s or PERIOD_S
        self._widths = Widths(settings.partitions, settings.journal_width, intake)
        self._topic_of = dict(zip(DOORS, (*topics.doors, topics.ingest(PRINCIPAL)), strict=True))
        self._answers = TopicPartition(topics.warnings_canary, 0)
        self._book = Book(self._widths, self._topic_of, wall_ms())
        self._sender: AIOKafkaProducer | None = None
        self._rounds = 0
        self._refused = ""
        """Why the broker did not take what this round sent; "" = it did."""
        self._lost = NOT_YET
        self._said: frozenset[Target] = frozenset()
        self._health = STARTING
        metrics.period_s.set(self._period_s)
        for target, at in self._book.last_at.items():
            metrics.last_success_at.labels(*target).set(at / SECOND)
        for door in DOORS if intake else DOORS[:-1]:
            for counter in (metrics.sent, metrics.answered, metrics.missed):
                counter.labels(door)

    def started(self) -> Health:
        """Whether a round went out and was judged."""
        return STARTING if self._health is STARTING else Health()

    def ready(self) -> Health:
        """Whether every partition answers."""
        return self._health

    async def run(self, stopping: asyncio.Event) -> None:
        """Send rounds, read what comes back, until `stopping`."""
        connection, leaving = asyncio.create_task(self._connected()), set[asyncio.Task[None]]()
        due_s = time.monotonic()
        while not stopping.is_set():
            sends = self._round()
            due_s = max(due_s + self._period_s, time.monotonic())
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), due_s - time.monotonic())
            self._end(sends)
            if (still_s := time.monotonic() - due_s) > self._period_s:
                log.warning("this process stood still for %.0f s; the round under way is not judged", still_s)
            elif not stopping.is_set() and self._judge():
                log.warning("nothing comes back: new connections are made")
                connection.cancel()
                leaving = {one for one in (*leaving, connection) if not one.done()}
                connection = asyncio.create_task(self._connected())
            if connection.cancelled():  # by aiokafka: it cancels what waits for a connection that it closes
                connection = asyncio.create_task(self._connected())
            elif connection.done():
                connection.result()
        connection.cancel()
        await asyncio.wait({connection, *leaving}, timeout=STOP_S)

    def _end(self, sends: list[asyncio.Task[None]]) -> None:
        """What the broker has not acknowledged by now is given up."""
        if given_up := [one for one in sends if one.cancel()]:
            self._refused = self._refused or f"{len(given_up)} of {len(sends)} sends were not acknowledged"

    def _round(self) -> list[asyncio.Task[None]]:
        round_at, sent = wall_ms(), round_of(self._rounds, self._widths)
        self._rounds += 1
        self._metrics.rounds.inc()
        self._refused = ""
        self._book.begin(round_at, sent, time.monotonic())
        return [asyncio.create_task(self._send(one, round_at)) for one in sent]

    async def _send(self, one: Sent, round_at: int) -> None:
        self._metrics.sent.labels(one.put.door).inc()
        if self._sender is None:
            self._refused = f"no connection: {self._lost}"
            return
        value = measurement(one, round_at, self._settings.lane.value)
        try:
            with span("canary", door=one.put.door, partition=one.put.partition):
                sent = await self._sender.send(self._topic_of[one.put.door], value, partition=one.put.partition, headers=list(carried()))
                await sent
        except (KafkaError, AssertionError) as error:  # it asserts that the partition exists
            self._refused = said(error)

    def _judge(self) -> bool:
        """Count what is missing of the round that ends, say what is in trouble; whether the connections should be made anew."""
        for one in self._book.missed():
            self._metrics.missed.labels(one.put.door).inc()
        late = self._book.late(wall_ms(), self._period_s * SECOND)
        unheard = {one for one in self._book.last_at if one not in self._book.answered}
        troubles = explain(late, self._book.last_at, self._refused)
        self._say(late.keys(), [f"{one.wrong}. {one.fix}" for one in troubles])
        if troubles or not unheard:
            self._health = Health(tuple(troubles))
        return len(late) == len(self._book.last_at) and self._rounds % SILENT_ROUNDS == 0

    def _say(self, late: Iterable[Target], lines: list[str]) -> None:
        now = frozenset(late)
        if now != self._said or (now and self._rounds % REMIND_ROUNDS == 0):
            for line in lines:
                log.error(line)
        if self._said and not now:
            log.warning("every partition answers again")
        self._said = now

    async def _connected(self) -> None:
        """Hold a producer and read answers with a consumer, for ever, whatever fails."""
        cluster, sender = self._settings.cluster, None
        while True:
            try:
                async with consumer(cluster) as reader:
                    await self._to_end(reader)
                    made = self._producer()
                    async with started(cluster, made, made.stop):
                        self._sender = sender = made
                        self._lost = NOT_YET
                        await self._listen(reader)
            except (KafkaError, TocsinError, OSError) as error:
                if self._lost != (lost := str(error) or said(error)):
                    self._lost = lost
                    log.warning("no connection: %s", lost)
            finally:
                if self._sender is sender:
                    self._sender = None
            await asyncio.sleep(AGAIN_S)

    def _producer(self) -> AIOKafkaProducer:
        # Not the workers': what waits too long here is to be given up and forgotten, not to be kept in order.
        limit_ms = int(max(1.0, min(self._period_s, self._settings.request_timeout_s)) * SECOND)
        return AIOKafkaProducer(**self._settings.cluster.aiokafka(), client_id="tocsin-canary", acks="all", request_timeout_ms=limit_ms)

    async def _to_end(self, reader: AIOKafkaConsumer) -> None:
        reader.assign([self._answers])
        end = (await reader.end_offsets([self._answers]))[self._answers]
        reader.seek(self._answers, end)

    async def _listen(self, reader: AIOKafkaConsumer) -> None:
        while True:
            for batch in (await reader.getmany(timeout_ms=POLL_MS)).values():
                for record in batch:
                    self._hear(record.value or b"")

    def _hear(self, value: bytes) -> None:
        try:
            answer = _decoder.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            log.warning("a record on %s is no answer to a canary: %r", self._answers.topic, value[:80])
            return
        heard = self._book.take(answer, time.monotonic())
        if heard is not None:
            self._metrics.answered.labels(answer.door).inc()
            self._metrics.round_trip_s.observe(heard.took_s)
            for target in heard[1:]:
                self._metrics.last_success_at.labels(*target).set(self._book.last_at[target] / SECOND)


def measurement(one: Sent, round_at: int, lane: str) -> bytes:
    """The bytes that a door takes: a measurement, at the health door a case count."""
    at = to_text(round_at)
    when = {"period_start_at": to_text(round_at - 1), "period_end_at": at} if one.put.door == "health" else {"observed_at": at}
    return msgspec.json.encode({"series": series_of(one.put.door, one.journal_partition), **when, "value": value_of(one.put), "lane": lane})
