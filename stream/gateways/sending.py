"""The one way from a gateway to the doors: Kafka first, the gateway's own disk when Kafka cannot be reached, and from there on in order.

What goes on is either acknowledged by all replicas (`accepted`) or on this disk (`stored`) before anybody is told so. What lies on the disk goes to
Kafka in its order. What is new goes behind it as long as that is a matter of seconds, so that what was handed in first arrives first; after a long
outage it goes to Kafka at once, beside what waits: the newest level of a river matters more than the order, which the fold does not need. What was
under way when Kafka was lost is sent once more: the fold drops what it knows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from stream.errors import BrokerError, BrokerRefused, TocsinError
from stream.gateways.draining import Drain
from stream.gateways.kept import Kept, encode
from stream.gateways.link import connect, let_go
from stream.gateways.metrics import LIVE, GatewayMetrics
from stream.gateways.shelf import Shelf, SpoolFailed
from stream.gateways.spool import SpoolFull
from stream.gateways.verdict import Verdict
from stream.gateways.waiting import Waiting
from stream.health.tracing import carried
from stream.runtime.ending import end_if_failed
from stream.runtime.failpoints import failpoint
from stream.runtime.reach import words
from stream.runtime.topics import DOORS, Topics

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from aiokafka import AIOKafkaProducer

    from stream.gateways.spool import Spool
    from stream.gateways.verdict import ToDoor
    from stream.settings import Settings

log = logging.getLogger(__name__)
PATIENCE_S = 3.0
"""Kafka counts as out of reach when it has not acknowledged something for so long."""
RETRY_S = 1.0
BUSY_BYTES = 32 << 20
"""So much may be under way before callers should hold back."""
UNREACHABLE = (KafkaError, BrokerError, TimeoutError, OSError)


class Sender:
    """Sends records to the doors. `doors`: the topic of each family; of the families of the lane where none are given.

    Without a spool, what Kafka does not take is refused. `stop` closes the spool. `way`: what its metrics are labelled with.
    """

    def __init__(
        self,
        settings: Settings,
        spool: Spool | None,
        *,
        doors: Mapping[str, str] | None = None,
        metrics: GatewayMetrics | None = None,
        way: str = LIVE,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._settings = settings
        self._doors = dict(doors or zip(DOORS, Topics(settings.prefix).doors, strict=True))
        self._metrics = metrics or GatewayMetrics()
        self._way = way
        self._patience_s = patience_s
        self._spool = spool
        self._shelf: Shelf | None = None
        self._drain: Drain | None = None
        self._producer: AIOKafkaProducer | None = None
        self._direct = False
        """Whether what comes goes to Kafka at once: it answers, and on the disk waits nothing, or too much to wait for."""
        self._why = "it was not tried yet"
        self._refused: BrokerRefused | None = None
        self._broken = asyncio.Event()
        self._tried = asyncio.Event()
        self._flying: dict[Waiting, None] = {}
        """Handed to the producer and not acknowledged, the oldest first."""
        self._records = self._bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._link: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; returns when what is new goes to Kafka, or does not for `patience_s`. BrokerRefused when Kafka does not let us in: later it is tried again."""
        if self._spool is not None:
            self._shelf = Shelf(self._spool, self._metrics, self._way)
            self._drain = Drain(self._shelf, self._doors, self._settings.drain_bytes_per_s, self._patience_s)
        self._link = self._run(self._keep_link())
        try:
            async with asyncio.timeout(self._patience_s):
                await self._tried.wait()
        except TimeoutError:
            why = self.why or "what was stored goes first"
            log.warning("not ready to send to Kafka at %s yet: %s", self._settings.bootstrap, why)
        if self._refused is not None:
            raise self._refused

    async def stop(self) -> None:
        """Wait for what is under way (what Kafka does not take within `patience_s` is stored), then let go of Kafka and the spool."""
        while self._flying:
            await asyncio.wait([one.outcome for one in self._flying])
        if self._link is not None:
            self._link.cancel()
            await asyncio.wait([self._link])
        producer, self._producer, self._direct = self._producer, None, False
        if producer is not None:
            await let_go(producer, self._patience_s)
        if self._shelf is not None:
            await self._shelf.close()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def send(self, records: Sequence[ToDoor], key: bytes | None = None) -> Verdict:
        """ACCEPTED when all replicas have all of these records, STORED when the disk has. What has the same `key` stays in order.

        Raises SpoolFull when neither can be (nothing was promised then), TocsinError for a record that no door would take.
        """
        if not records:
            return Verdict.ACCEPTED
        for one in records:
            if len(one.value) > self._settings.door_bytes_max or one.family not in self._doors:
                msg = f"a record of {len(one.value)} bytes for {one.family!r}: doors {sorted(self._doors)} take {self._settings.door_bytes_max}"
                raise TocsinError(msg)
        trace = carried()
        waiting = Waiting([Kept(one.family, one.key or key, one.value, (*one.headers, *trace)) for one in records])
        self._under_way(len(records), waiting.size)
        try:
            await failpoint("gateway_before_send")
            if self._direct and self._producer is not None:
                await self._hand_over(self._producer, waiting)
            else:
                self._store(waiting)
            verdict = await waiting.outcome
        except SpoolFull:
            self._metrics.records.labels(self._way, "refused").inc(len(records))
            raise
        finally:
            self._flying.pop(waiting, None)
            self._under_way(-len(records), -waiting.size)
        self._metrics.records.labels(self._way, verdict).inc(len(records))
        self._metrics.send_s.observe(time.monotonic() - waiting.since)
        await failpoint(f"gateway_{verdict}")
        return verdict

    @property
    def pending(self) -> int:
        """Records that Kafka has not acknowledged: under way, or on the disk."""
        return self._records + (self._shelf.records if self._shelf is not None else 0)

    @property
    def oldest_at(self) -> int | None:
        """When the oldest record on the disk was stored (ms)."""
        return self._shelf.oldest_at if self._shelf is not None else None

    @property
    def busy(self) -> bool:
        """Whether callers should hold back: too much is under way. A full disk is another matter: then `send` refuses."""
        return self._bytes > BUSY_BYTES

    @property
    def reachable(self) -> bool:
        """Whether Kafka answers."""
        return self._producer is not None

    @property
    def ready(self) -> bool:
        """Whether what is handed in now will be taken, as far as one can tell."""
        return self._direct or (self._shelf is not None and self._shelf.fill < 1)

    @property
    def why(self) -> str:
        """Why Kafka cannot be reached; empty while it can."""
        return "" if self.reachable else self._why

    async def _hand_over(self, producer: AIOKafkaProducer, waiting: Waiting) -> None:
        """Give records to the producer; what comes of it settles their outcome."""
        self._flying[waiting] = None
        sent: list[asyncio.Future[object]] = []
        try:
            async with asyncio.timeout(self._patience_s):
                for one in waiting.records:
                    sent.append(await one.give(producer, self._doors[one.family]))  # noqa: PERF401
        except UNREACHABLE as error:
            self._break(producer, error)
        await failpoint("gateway_handed_over")
        asyncio.gather(*sent).add_done_callback(partial(self._on_acknowledged, producer, waiting, len(sent)))

    def _on_acknowledged(self, producer: AIOKafkaProducer, waiting: Waiting, count: int, done: asyncio.Future[list[object]]) -> None:
        if done.cancelled():
            return
        if (error := done.exception()) is not None:
            self._break(producer, error)
        elif count == len(waiting.records):
            self._flying.pop(waiting, None)
            waiting.settle(Verdict.ACCEPTED)

    def _store(self, waiting: Waiting) -> None:
        if self._shelf is not None:
            self._shelf.put([encode(one) for one in waiting.records], waiting.outcome)
        elif not waiting.outcome.done():
            waiting.outcome.set_exception(SpoolFull(f"Kafka cannot be reached ({self._why}), and there is no spool"))

    def _break(self, producer: AIOKafkaProducer, why: BaseException | str) -> None:
        """Kafka is lost: what was under way goes to the disk at once, in its order, before anything that comes after."""
        if producer is not self._producer:
            return  # said already
        self._producer, self._direct, self._why = None, False, why if isinstance(why, str) else repr(why)
        log.warning("Kafka at %s is lost: %s; %d sends were under way", self._settings.bootstrap, self._why, len(self._flying))
        self._metrics.link_breaks.labels(self._way).inc()
        self._metrics.link_up.labels(self._way).set(0)
        flying, self._flying = self._flying, {}
        for waiting in flying:
            self._store(waiting)
        self._broken.set()
        self._tried.set()
        self._run(let_go(producer, self._patience_s))

    async def _keep_link(self) -> None:
        """Connect, send what waits on the disk, watch; and again whenever Kafka was lost."""
        while True:
            try:
                producer = await connect(self._settings, self._doors.values(), self._patience_s)
            except UNREACHABLE as error:
                self._on_unreachable(error)
            else:
                self._producer = producer
                self._broken.clear()
                self._metrics.link_up.labels(self._way).set(1)
                log.info("Kafka can be used for %s", ", ".join(self._doors.values()))
                await self._use(producer)
            await asyncio.sleep(RETRY_S)

    def _on_unreachable(self, error: BaseException) -> None:
        self._refused = error if isinstance(error, BrokerRefused) else None
        if (why := words(error)) != self._why:
            self._why = why
            log.warning("Kafka cannot be used, trying again every %g s: %s", RETRY_S, why)
        self._tried.set()

    async def _use(self, producer: AIOKafkaProducer) -> None:
        """Until this producer fails."""
        catching_up = self._run(self._catch_up(producer))
        try:
            while not self._broken.is_set():
                oldest = next(iter(self._flying), None)
                if oldest is not None and (waited_s := time.monotonic() - oldest.since) > self._patience_s:
                    self._break(producer, f"no answer for {waited_s:.1f} s")
                try:
                    async with asyncio.timeout(self._patience_s / 10):
                        await self._broken.wait()
                except TimeoutError:
                    continue
        finally:  # two that take from the disk at once would each say of the other's records that they were sent
            catching_up.cancel()
            await asyncio.wait([catching_up])

    async def _catch_up(self, producer: AIOKafkaProducer) -> None:
        """Send what waits on the disk. What comes goes to Kafka at once when nothing waits, too much does, or the disk fails."""
        drain, more = self._drain, True
        while drain is not None and more:
            try:
                if not drain.soon:
                    self._go_direct(producer)
                more = await drain.some(producer)
            except SpoolFailed as error:
                log.error("what waits on the disk has to wait longer: %s", error)  # noqa: TRY400  (what happened is in the message)
                self._go_direct(producer)
                await asyncio.sleep(RETRY_S)
            except UNREACHABLE as error:
                self._break(producer, error)
                return
        self._go_direct(producer)

    def _go_direct(self, producer: AIOKafkaProducer) -> None:
        """What comes from now on goes to Kafka at once."""
        if producer is self._producer:
            self._direct = True
            self._tried.set()

    def _under_way(self, records: int, size: int) -> None:
        self._records += records
        self._bytes += size
        self._metrics.pending_bytes.labels(self._way).set(self._bytes)

    def _run(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Something beside the sending; if it fails in a way nobody foresaw, the process ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(end_if_failed)
        return task
