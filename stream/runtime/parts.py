"""What the stages of a worker share: settings, names, the producer, clocks, positions, metrics, and the little they may ask of Faust."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from weakref import WeakSet

from faust.types import TP

from stream.health.metrics import Metrics
from stream.records.lanes import OTHER_LANE
from stream.runtime.clocks import BrokerClock, Pulse
from stream.runtime.ending import end_if_failed, end_now
from stream.runtime.positions import Partition, Positions
from stream.runtime.producer import Errand, Outbox, create_producer
from stream.runtime.rounds import Rounds
from stream.runtime.topics import Topics
from stream.runtime.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import faust

    from stream.settings import Settings

log = logging.getLogger(__name__)
SENDS_LOOK_S = 0.1


class Parts:
    """Shared parts of one worker process. Make it inside the running event loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.topics = Topics.of(settings)
        self.metrics = Metrics(per_city=settings.metrics_per_city)
        self.canary_seen: dict[int, float] = {}
        """When (monotonic, s) the fold of a journal partition last answered a measurement of the canary."""
        self.positions = Positions()
        self.rounds = Rounds(self.topics.journal)
        self.clock = BrokerClock()
        self.pulse = Pulse(settings.session_timeout_s / 2)
        self.watchdog = Watchdog(settings.watchdog_s)
        self.metrics.process.loop_lag_s.set_function(self.watchdog.lag_s)
        self.producers = {errand: create_producer(settings) for errand in Errand}
        self.app: faust.App = None
        self.regions_changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._outboxes: WeakSet[Outbox] = WeakSet()

    def outbox(self, errand: Errand) -> Outbox:
        """A new outbox on the errand's producer; a failed send ends the process."""
        outbox = Outbox(self.producers[errand], self.pulse, self.clock, end_now)
        self._outboxes.add(outbox)
        return outbox

    async def bound_sends(self) -> None:
        """End the process when any send has waited longer than the request timeout, for ever."""
        while True:
            await asyncio.sleep(SENDS_LOOK_S)
            for outbox in list(self._outboxes):
                outbox.give_up(self.settings.request_timeout_s)

    def generation(self) -> int:
        """The group's generation this process belongs to."""
        return int(self.app.consumer_generation_id)

    def assigned(self) -> set[Partition]:
        """The source partitions of this process now; none while the group rebalances."""
        if self.app.rebalancing:
            return set()
        return {Partition(tp.topic, tp.partition) for tp in self.app.consumer.assignment()}

    def position(self, partition: Partition) -> int | None:
        """Below this offset everything is finished; None when not even the start is known yet."""
        found = self.positions.of(partition)
        if found is not None:
            return found
        start = self.app.consumer.start_offset(partition)
        return None if start is None else int(start)

    async def seek(self, partition: Partition, offset: int) -> None:
        """Read a source partition from this offset."""
        await self.app.consumer.seek_wait({TP(*partition): offset})

    async def earliest(self, partition: Partition) -> int:
        """The first offset that still exists."""
        found = await self.app.consumer.earliest_offsets(TP(*partition))
        return int(next(iter(found.values())))

    async def region_change(self) -> None:
        """Wait until the set of known regions changes, a second at most."""
        try:
            await asyncio.wait_for(self.regions_changed.wait(), 1.0)
        except TimeoutError:
            return
        self.regions_changed.clear()

    def note_other_lane(self, partition: int, records: int) -> None:
        """The fold refused records of another lane: whoever writes them has a wrong prefix, and a person must know."""
        self.metrics.alarms.labels(OTHER_LANE).inc(records)
        log.error(
            "journal %d: %d records say that they are of another lane than %s, and are refused", partition, records, self.settings.lane
        )

    def note_time_suspect(self, partition: int, *, suspect: bool) -> None:
        """The clocks of a partition contradict each other, or agree again: a person must know which is wrong, and set it."""
        ahead_ms = self.clock.ahead_ms
        apart = "unknown" if ahead_ms is None else f"{-ahead_ms / 1000:.1f} s"
        if suspect:
            self.metrics.alarms.labels("time_suspect").inc()
            log.error(
                "journal %d: time suspect: this machine's clock and the broker's contradict each other (own minus broker's: %s); raises go out, "
                "nothing clears, expires, escalates or falls silent until they agree within a minute: set the wrong one (tocsin doctor)",
                partition,
                apart,
            )
        else:
            log.warning("journal %d: clocks agree again (own minus broker's: %s); time goes on", partition, apart)

    def observe(self, stage: str, appended_at: int) -> None:
        """Note how long after a record's append a stage has finished it (live lanes only: replays carry old times)."""
        if self.settings.clock == "broker" and (now := self.clock.now()) is not None:
            self.metrics.stage_s.labels(stage).observe(max(0, now - appended_at) / 1000)

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run something for the life of the process: if it fails, the process ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self.watch)
        return task

    def watch(self, task: asyncio.Task[None]) -> None:
        """End the process when this task has failed."""
        end_if_failed(task)

    async def stop_tasks(self) -> None:
        """Cancel what `start` started."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
