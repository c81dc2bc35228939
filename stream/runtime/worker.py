"""A worker: ACCEPT, DECIDE, ticks, marks and the edge in one process, one static member of the group; several share the partitions."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from stream.decide.census import Census
from stream.errors import BrokerError, Stalled
from stream.health import notifying
from stream.health.probes import probes
from stream.region.administrations import recipients
from stream.runtime import generations
from stream.runtime.accepting import Accepting
from stream.runtime.app import create_app, source
from stream.runtime.backlog import Lag
from stream.runtime.census_rounds import run_census
from stream.runtime.deciding import Deciding
from stream.runtime.ending import ExitCode, end_now, or_end, told_to_stop
from stream.runtime.entitlement import begins
from stream.runtime.fold_versions import Turns
from stream.runtime.key_watch import KeyWatch
from stream.runtime.marks import Marks
from stream.runtime.parts import Parts
from stream.runtime.producer import Errand, know_topics
from stream.runtime.readiness import Readiness
from stream.runtime.regions_feed import RegionsFeed, load_packed
from stream.runtime.takeovers import Takeovers
from stream.runtime.ticks import Ticks
from stream.runtime.topic_admin import create
from stream.runtime.topics import plan
from stream.runtime.tracked import tracked
from stream.runtime.watchdog import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence

    from faust.types import TP

    from stream.runtime.accepting import AcceptLike
    from stream.runtime.fold_like import FoldLike
    from stream.settings import Settings

log = logging.getLogger(__name__)
STOP_S = 20.0


class Making(NamedTuple):
    """How a worker's two pure halves are made; the default is the product's, tests bring smaller ones."""

    accept: Callable[[Sequence[Any], Settings], AcceptLike]
    fold: Callable[[Callable[[str], Any], Settings], FoldLike]
    to_rejected: Callable[[Any], Any]
    load: Callable[[bytes, str], Any]
    census: Callable[[Settings], Callable[[Any], Census]] = lambda _: lambda _: Census()


def product() -> Making:
    """The real ACCEPT and fold."""
    from stream.accept.door import Accept
    from stream.accept.refusal import to_record
    from stream.decide.census import CensusTaker
    from stream.decide.fold import Fold
    from stream.region.canary import with_canary

    return Making(
        lambda regions, settings: Accept(with_canary(regions, settings.journal_width), settings, settings.journal_width),
        lambda regions, settings: Fold(regions, lane=settings.lane, clock=settings.clock, partitions=settings.journal_width),
        to_record,
        load_packed,
        lambda settings: CensusTaker(per_city=settings.metrics_per_city).take,
    )


def run_worker(settings: Settings, making: Making | None = None, *, shadow: bool = False) -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean stop. Prints `ready ...` when its partitions are assigned and restored.

    It ends by itself, cleanly, once another fold version is in force. A `shadow` only decides, in a group of its own, until its version is.

    Whatever fails ends the process at once, with one of `ExitCode`: an unwinding event loop would still send what was queued.
    """
    making = making or product()
    if shadow:
        version = making.fold(lambda _: None, settings).VERSION
        names = {"group": f"{settings.group}-shadow-{version}", "instance": f"{settings.instance}-shadow"}
        settings = msgspec.structs.replace(settings, canary_s=0.0, **names)
    worker = _Worker(settings, making, shadow=shadow)
    asyncio.run(or_end(worker.run()))
    return worker.code


class _Worker:
    def __init__(self, settings: Settings, making: Making, *, shadow: bool) -> None:
        self._shadow = shadow
        self._settings = settings
        self._making = making
        self._readiness = Readiness()
        self.code = ExitCode.CLEAN

    async def run(self) -> None:
        """Start everything, wait for the signal to stop, stop cleanly."""
        stopping = told_to_stop()
        parts = self._parts = Parts(self._settings)
        # From the first moment: a start may wait for a broker for longer than a process may stand still.
        parts.start(parts.pulse.run())
        parts.start(parts.bound_sends())
        self._show()
        feed = self._feed = RegionsFeed(self._settings.cluster, parts.topics.regions, self._making.load)
        parts.app = create_app(self._settings, parts.positions, parts.rounds.sated)
        await asyncio.to_thread(_require_topics, self._settings)
        await asyncio.gather(*(producer.start() for producer in parts.producers.values()))
        self._marks = Marks(parts)
        fold = self._making.fold(feed.source, self._settings)
        parts.metrics.process.decides(fold.VERSION)
        turns = Turns(fold, feed, self._settings.lane, shadow=self._shadow)
        self._deciding = Deciding(parts, fold, self._making.census(self._settings), turns)
        self._accepting = Accepting(parts, lambda: self._making.accept(feed.regions(), self._settings), self._making.to_rejected)
        parts.start(feed.run(self._on_regions))
        await self._marks.learn_time()
        await feed.ready.wait()
        generations.require(self._settings, feed.generation)
        mine = await begins(parts, feed, fold, stopping, shadow=self._shadow)
        if mine is None:
            await self._leave()
            return
        turns.mine = mine
        await self._know_cities()
        self._agents()
        await parts.app.start()
        for work in (*self._beside(), *(() if self._shadow else self._writing(fold.VERSION))):
            parts.start(work)
        await self._until(stopping)
        try:
            await asyncio.wait_for(self._stop(), STOP_S)
        except TimeoutError as error:
            msg = f"no clean stop within {STOP_S:.0f} s; what is not checkpointed is decided again at the next start"
            raise Stalled(msg) from error

    def _beside(self) -> Iterator[Coroutine[object, object, None]]:
        """What goes on beside the agents."""
        parts, deciding, marks = self._parts, self._deciding, self._marks
        yield from (marks.follow(), marks.run(), deciding.run(), deciding.run_checkpoints(), run_census(deciding, parts.metrics))
        yield watch(self._settings.watchdog_s, Lag(parts, deciding, marks).look)
        yield self._readiness.run(parts, deciding, marks)

    def _writing(self, version: str) -> Iterator[Coroutine[object, object, None]]:
        """What writes for all, and looks at what all share."""
        parts, feed = self._parts, self._feed
        yield Ticks(parts, self._deciding, self._marks, feed).run()
        yield Takeovers(parts, self._deciding, feed, version).run()
        if self._settings.clock == "broker":  # at the times that are replayed other keys were valid
            yield KeyWatch(parts.metrics, lambda: [one for region in feed.regions() for one in region.principals]).run()

    def _show(self) -> None:
        """Serve metrics and probes from now on, and be looked after."""
        settings, parts = self._settings, self._parts
        parts.watchdog.start()
        parts.start(parts.watchdog.run())
        readiness = self._readiness
        asked = probes(parts.metrics.process, live=parts.watchdog.health, started=lambda: readiness.started, ready=lambda: readiness.ready)
        parts.metrics.serve(settings.metrics_host, settings.metrics_port, asked)
        notifying.tell(asked)

    def _agents(self) -> None:
        parts, app = self._parts, self._parts.app
        accepting = self._accepting

        async def accept(stream: Any) -> None:
            async for event in stream.events():
                message = event.message
                with tracked("accept", message.topic, message.value):
                    await or_end(accepting.on_batch(message.topic, message.generation_id, message.value))

        async def decide(stream: Any) -> None:
            async for event in stream.events():
                parts.rounds.put(event.message.generation_id, event.message.value)

        if not self._shadow:
            app.agent(source(app, parts.topics.doors, self._settings.partitions), name=f"{app.conf.id}-accept", concurrency=1)(accept)
        app.agent(source(app, (parts.topics.journal,), self._settings.journal_width), name=f"{app.conf.id}-decide", concurrency=1)(decide)
        app.on_partitions_assigned.connect(self._on_assigned, weak=False)
        app.on_partitions_revoked.connect(self._on_revoked, weak=False)

    async def _on_assigned(self, app: Any, assigned: Iterable[TP], **_: Any) -> None:
        del app
        generation = self._parts.generation()
        self._parts.positions.start_generation(generation)
        ours = sorted(tp.partition for tp in assigned if tp.topic == self._parts.topics.journal)
        task = self._deciding.assigned(ours, generation)
        task.add_done_callback(lambda _: print(f"ready generation={generation} journal={ours}", file=sys.stdout, flush=True))  # noqa: T201

    async def _on_revoked(self, app: Any, revoked: Iterable[TP], **_: Any) -> None:
        del app, revoked
        await or_end(self._settled())

    async def _settled(self) -> None:
        """Wait until what was said is acknowledged: whoever gets the partitions next, of another version maybe, reads what stands."""
        for held in list(self._deciding.held.values()):
            async with held.lock:
                await held.edge.settle()

    def _on_regions(self) -> None:
        self._parts.metrics.region.clear()
        for name, region_hash in self._feed.active.items():
            self._parts.metrics.region.labels(name, region_hash).set(1)
        self._parts.regions_changed.set()
        if self._feed.ready.is_set():
            generations.require(self._settings, self._feed.generation)
            self._accepting.regions_changed()
            self._parts.start(self._know_cities())

    async def _know_cities(self) -> None:
        """Make the cities' topics that are missing, and fetch the metadata of all topics at once."""
        cities = sorted({one for region in self._feed.regions() for one in recipients(region)})
        topics = plan(self._settings, cities)
        await asyncio.to_thread(create, self._settings.cluster, topics)
        await know_topics(self._parts.producers[Errand.CITIES], [topic.name for topic in topics])
        self._accepting.regions_changed()

    async def _until(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            if self._parts.app.crashed:
                reason = self._parts.app.crash_reason
                end_now(BrokerError(f"the Kafka consumer failed: {reason!r}"))
            if self._deciding.over():
                self.code = ExitCode.CLEAN if self._shadow else ExitCode.SUPERSEDED
                log.warning("%s, so this process ends", "its version decides now" if self._shadow else "another fold version is in force")
                return
            try:
                await asyncio.wait_for(stopping.wait(), 0.2)
            except TimeoutError:
                continue

    async def _stop(self) -> None:
        """Take no more, finish what was taken, checkpoint, commit, leave."""
        log.info("stopping")
        app = self._parts.app
        app.consumer.stop_flow()
        app.flow_control.suspend()
        await self._accepting.settle()
        await self._deciding.finish()
        await app.consumer.commit()
        await self._leave()

    async def _leave(self) -> None:
        await self._parts.stop_tasks()
        if self._parts.app.started:
            await self._parts.app.stop()
        for producer in self._parts.producers.values():
            await producer.stop()
        self._parts.metrics.stop()


def _require_topics(settings: Settings) -> None:
    """Create what is missing of the lane's own topics (cities' topics come with their regions)."""
    create(settings.cluster, plan(settings, ()))
