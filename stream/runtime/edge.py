"""Publishes what the fold decided. It stands outside the fold, so it may look at the clock and at what is on the topics already.

Order: a city's own topic first; its acknowledgement is awaited before the compacted `warnings` record, so what stands there was surely said.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from stream.health.tracing import span
from stream.records.journal import partition_of
from stream.records.lanes import belongs
from stream.records.output import Kind
from stream.runtime.edge_rules import Published, Standing, Verdict, ends, followed, judge, published
from stream.runtime.failpoints import failpoint
from stream.runtime.journey import raises
from stream.runtime.producer import Outbox, Record
from stream.runtime.tracked import log_raise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.health.metrics import Metrics
    from stream.records.output import Output
    from stream.runtime.clocks import BrokerClock
    from stream.runtime.topics import Topics

log = logging.getLogger(__name__)
WAITING_MOST = 64
"""Batches whose cities' acknowledgements are still awaited before `publish` waits itself."""

TURN = 256
"""Outputs after which the loop may turn: a storm over a large region has thousands."""


class Edge:
    """The publisher of one journal partition. `standing`: what is on `warnings`.

    The partition of what it says to all is that of the record's key, which the journal's partitions do not change.
    """

    def __init__(
        self, partition: int, topics: Topics, outbox: Outbox, metrics: Metrics, *, clock: BrokerClock | None, standing: Standing
    ) -> None:
        self._partition = partition
        self._topics = topics
        self._outbox = outbox
        self._metrics = metrics
        self._clock = clock
        self._standing = standing
        self._published: dict[tuple[Kind, str], Published] = {}
        self._chain: list[asyncio.Task[None]] = []
        self.canary_seen: dict[int, float] = {}
        """Where to note, by partition, when (monotonic, s) an answer to the canary was last acknowledged."""
        self._of_kind = {
            Kind.WARNINGS: topics.warnings,
            Kind.CITY_STATUS: topics.city_status,
            Kind.INCIDENTS: topics.incidents,
            Kind.EVIDENCE: topics.evidence,
            Kind.POSTURES: topics.postures,
            Kind.DISCREPANCIES: topics.discrepancies,
            Kind.STATION_HEALTH: topics.station_health,
            Kind.AUDIT: topics.audit,
            Kind.CANARY: topics.warnings_canary,
            Kind.JOURNAL: topics.journal,
        }

    async def publish(self, outputs: Sequence[Output], appended_at: int | None = None, door_at: int | None = None) -> None:
        """Hand everything to the producer; returns before it is acknowledged (`settle` waits for that).

        `appended_at`: when the record that they follow from was appended, `door_at`: when a measurement in it came to its door; for the metrics
        of how long a city waits.
        """
        with span("publish", partition=self._partition, outputs=len(outputs)):
            await self._publish(outputs, appended_at, door_at)

    async def _publish(self, outputs: Sequence[Output], appended_at: int | None, door_at: int | None) -> None:
        now = self._now()
        compacted: list[Output] = []
        cities: list[asyncio.Future[object]] = []
        for number, (output, is_followed) in enumerate(zip(outputs, followed(outputs), strict=True)):
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
            self._metrics.outputs.labels(output.kind, output.reason, output.hazard).inc()
            topic = self._destination(output, now, followed_by=is_followed)
            if topic is None:
                continue
            if output.kind is Kind.WARNINGS:
                compacted.append(output)
            elif topic == self._topics.warnings_late:
                cities.append(await self._send(topic, output))
            else:
                future = await self._send(topic, output)
                if output.kind is Kind.CITY:
                    cities.append(future)
                    log_raise(output)
                    if appended_at is not None:
                        came = door_at if raises(output) else None
                        future.add_done_callback(partial(self._on_said, appended_at, came, output.hazard))
                elif output.kind is Kind.CANARY:
                    future.add_done_callback(self._on_answered)
        if compacted:
            await self._after(cities, compacted)

    async def settle(self) -> None:
        """Wait until everything published so far is acknowledged; PublishFailed, or what kept it from being sent, if anything was not."""
        if chain := list(self._chain):
            await asyncio.wait(chain)
            for task in chain:
                task.result()
        await self._outbox.settle()

    def _on_sent(self, task: asyncio.Task[None]) -> None:
        """Forget what is sent; what failed stays, so that nothing is ever settled after it."""
        if not task.cancelled() and task.exception() is None:
            self._chain.remove(task)

    def _on_said(self, appended_at: int, door_at: int | None, hazard: str, said: asyncio.Future[object]) -> None:
        if not said.cancelled() and said.exception() is None and self._clock is not None and (now := self._clock.now()) is not None:
            self._metrics.stage_s.labels("publish").observe(max(0, now - appended_at) / 1000)
            if door_at is not None:
                self._metrics.end_to_end_s.labels(hazard).observe(max(0, now - door_at) / 1000)

    def _on_answered(self, said: asyncio.Future[object]) -> None:
        if not said.cancelled() and said.exception() is None:
            self.canary_seen[self._partition] = time.monotonic()

    def _now(self) -> int | None:
        """The broker's time where lateness may be judged."""
        if self._clock is None or not self._clock.agrees():
            return None
        return self._clock.now()

    def _destination(self, output: Output, now: int | None, *, followed_by: bool) -> str | None:
        """The topic an output goes to, None when it is not sent; keeps the books of revisions."""
        if not belongs(output.lane, self._topics.lane):
            self._metrics.edge.labels(Verdict.OTHER_LANE).inc()
            self._metrics.alarms.labels(Verdict.OTHER_LANE).inc()
            log.error("%s of lane %s is kept off topics of lane %s", output.kind, output.lane or "(none said)", self._topics.lane)
            return None
        if not output.warning_id:
            return self._topic(output)
        key = (output.kind, output.warning_id)
        before = self._published.get(key) or self._standing.published.get(output.warning_id)
        verdict = judge(output, before, now=now, followed=followed_by)
        self._metrics.edge.labels(verdict).inc()
        if before is None or output.revision >= before.revision:
            self._published[key] = published(output)
        if verdict.alarming:
            self._metrics.alarms.labels(verdict).inc()
            log.error(
                "warning %s revision %d of %s: %s than published (%s)", output.warning_id, output.revision, output.city_id, verdict, before
            )
        if verdict.late:
            return self._topics.warnings_late
        return self._topic(output) if verdict.sent else None

    def _topic(self, output: Output) -> str:
        return self._topics.city(output.city_id) if output.kind is Kind.CITY else self._of_kind[output.kind]

    async def _send(self, topic: str, output: Output) -> asyncio.Future[object]:
        single = topic == self._topics.warnings_late or output.kind in (Kind.CITY, Kind.CANARY)
        headers = output.headers
        if topic == self._topics.warnings_late:
            expired = (now := self._now()) is not None and ends(output, now)
            headers = (*headers, ("reason", b"expired" if expired else b"superseded"))
        # On replay lanes the record's time is the fold's now; on live lanes the broker puts its own.
        stamp = output.sent_at if self._clock is None else None
        own = (
            partition_of(output.key.decode("utf-8", "replace"), self._standing.partitions) if output.partition is None else output.partition
        )
        return await self._outbox.send(Record(topic, output.value, output.key, 0 if single else own, stamp, headers))

    async def _after(self, cities: list[asyncio.Future[object]], compacted: list[Output]) -> None:
        """Send the compacted records once the cities' ones are acknowledged and all earlier compacted ones are sent."""
        before = self._chain[-1] if self._chain else None

        async def run() -> None:
            if before is not None:
                await asyncio.wait([before])
            if cities:
                await asyncio.wait(cities)
                if any(city.cancelled() or city.exception() for city in cities):
                    return  # the outbox has ended the process or is about to; what was not said to the city must not stand as said
            await failpoint("between_city_and_warnings")
            for output in compacted:
                await self._send(self._topics.warnings, output)

        task = asyncio.create_task(run())
        self._chain.append(task)
        task.add_done_callback(self._on_sent)
        if len(self._chain) > WAITING_MOST:
            await asyncio.wait([self._chain[0]])
