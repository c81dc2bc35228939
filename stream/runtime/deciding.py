"""DECIDE: the Faust agent on the journal. For each partition it holds a state of the fold, restored from a checkpoint at every assignment."""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_left
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from stream.errors import UnknownRegion
from stream.records.journal import Entry
from stream.runtime import collector, failpoints
from stream.runtime.checkpoint_store import CheckpointReader, CheckpointWriter, Snapshot, topic_id
from stream.runtime.compacted import latest
from stream.runtime.edge import Edge
from stream.runtime.edge_rules import standing
from stream.runtime.failpoints import failpoint
from stream.runtime.fold_versions import together
from stream.runtime.held import Held
from stream.runtime.journey import came_first, raises
from stream.runtime.positions import Partition
from stream.runtime.producer import Errand
from stream.runtime.seeking import seek
from stream.runtime.tracked import tracked
from stream.runtime.transport import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from aiokafka import ConsumerRecord

    from stream.decide.census import Census
    from stream.records.output import Output
    from stream.runtime.fold_like import FoldLike
    from stream.runtime.fold_versions import Turns
    from stream.runtime.parts import Parts

log = logging.getLogger(__name__)
Done = TypeVar("Done")
ASIDE_BYTES = 65_536
"""More than this is decided in a thread: some 3,000 measurements, which are 2 ms of work where each is another station's, and a second or
more where a gateway was away and they are one station's."""


class Deciding:
    """All journal partitions of this process."""

    def __init__(self, parts: Parts, fold: FoldLike, census: Callable[[Any], Census], turns: Turns) -> None:
        self._parts = parts
        self._fold = fold
        self._census = census
        self._turns = turns
        self._journal = parts.topics.journal
        self._reader = CheckpointReader(
            parts.settings.cluster, parts.topics, instance=parts.settings.instance, fold_version=fold.VERSION, migrates=fold.MIGRATES
        )
        self._writers: dict[int, CheckpointWriter] = {}
        self._held: dict[int, Held] = {}
        self._written_at: dict[int, Mapping[str, int]] = {}
        self._restoring: dict[int, asyncio.Task[None]] = {}
        self._identity = ""

    @property
    def held(self) -> Mapping[int, Held]:
        """The restored partitions of the current generation."""
        return self._held

    def active(self, held: Held) -> Mapping[str, str]:
        """The regions active in a held partition."""
        return self._fold.active(held.state)

    def awaits_tick(self, held: Held) -> bool:
        """Whether records of a held partition wait for a tick."""
        return self._fold.awaits_tick(held.state)

    def written_at(self, partition: int, version: str) -> int:
        """When a fold version wrote its newest checkpoint of the partition (the broker's time, ms), as of the assignment; 0 = never."""
        return self._written_at.get(partition, {}).get(version, 0)

    def over(self) -> bool:
        """Whether other processes decide from here on in every partition that is held."""
        return bool(self._held) and all(held.over for held in self._held.values())

    def awaited(self, held: Held) -> frozenset[str]:
        """The regions that records of a held partition wait for."""
        return self._fold.awaited(held.state)

    def assigned(self, partitions: Iterable[int], generation: int) -> asyncio.Task[None]:
        """A new assignment: forget what was held, restore what is ours now. The task ends when all of it is restored."""
        self._held.clear()
        task = asyncio.create_task(self._restore(sorted(partitions), generation))
        self._restoring = dict.fromkeys(partitions, task)
        task.add_done_callback(self._parts.watch)
        return task

    async def _restore(self, partitions: Sequence[int], generation: int) -> None:
        began = time.monotonic()
        settings, topics = self._parts.settings, self._parts.topics
        self._identity = await topic_id(settings.cluster, self._journal)
        found, turn = await self._reader.find(partitions), await self._turns.granted()
        said = standing(await latest(settings.cluster, topics.warnings, range(settings.partitions)), topics.lane)
        clock = self._parts.clock if settings.clock == "broker" else None
        for partition in partitions:
            best, self._written_at[partition] = found[partition].best, found[partition].written_at
            writer = self._writers.get(partition)
            if writer is None:
                writer = self._writers[partition] = CheckpointWriter(self._parts.outbox(Errand.ASIDE), topics, partition, settings)
            await writer.start(found[partition], self._fold.VERSION)
            state = self._fold.initial(partition) if best is None else await self._aside(partition, turn.restored, best)
            census = await self._aside(partition, self._census, state)
            if self._parts.generation() != generation:
                return  # a newer assignment restores for itself
            offset = 0 if best is None else best.manifest.next_offset
            edge = Edge(partition, topics, self._parts.outbox(Errand.CITIES), self._parts.metrics, clock=clock, standing=said)
            edge.canary_seen = self._parts.canary_seen
            held = Held(
                partition, generation, state, offset, edge, turn, saved_offset=-1 if best is None else offset, over=turn.over(state)
            )
            held.other_lane, held.census, self._held[partition] = self._fold.other_lane(state), census, held
        self._parts.metrics.restore_s.observe(time.monotonic() - began)
        self._parts.metrics.partitions.set(len(self._held))
        collector.settle()
        log.info("restored %s", {p: held.next_offset for p, held in self._held.items()})
        await failpoint("after_assign")

    async def run(self) -> None:
        """Apply what was read, and publish what follows from it, for ever; partition after partition a slice."""
        rounds = self._parts.rounds
        while True:
            partition, generation, records = await rounds.turn()
            # As for a queue of Faust's own: nothing more is said while partitions are dealt out anew, nor after the end.
            await self._parts.app.flow_control.acquire()
            with tracked("decide", self._journal, [Run(partition, records[: rounds.slice.most])]):
                rounds.took(partition, await self._on_turn(partition, generation, records))

    async def _on_turn(self, partition: int, generation: int, records: Sequence[ConsumerRecord]) -> int:
        """Decide a slice of these records; how many of them need not be looked at again."""
        if (task := self._restoring.get(partition)) is not None:
            await asyncio.wait([task])
        held = self._held.get(partition)
        if held is None or held.over or held.generation != generation or not self._ours(held):
            return len(records)  # of an assignment that is over: they are read again by whoever owns them now
        if not records[0].offset <= held.next_offset <= records[-1].offset + 1:
            await seek(self._parts, held, records[0].offset)
            return len(records)
        if known := bisect_left(records, held.next_offset, key=lambda one: one.offset):
            return known
        if failpoints.planted(failpoints.FIRST_RECORD_AFTER_REBALANCE_DROPPED) and held.sought_at >= 0:
            held.sought_at, held.next_offset = -1.0, records[0].offset + 1
            return 1
        most = self._parts.rounds.slice.most
        most = most if self._fold.heavy(held.state) else min(most, self._fold.at_once(held.state))
        some = [Entry(one.offset, one.timestamp, one.value) for one in records[:most]]
        some = some[: together(some, most)]
        if held.turn.ends(some[0].value, self._turns.in_force):
            log.info("journal %d: another fold version decides from %d on", partition, some[0].offset)
            held.over = True
            return len(records)
        with self._parts.rounds.slice.taken(len(some)):
            await self._apply(held, some, records)
        return len(some)

    async def _apply(self, held: Held, entries: Sequence[Entry], records: Sequence[ConsumerRecord]) -> None:
        async with held.lock:
            with self._whole(held):
                outputs = await self._outputs(held, entries)
                if outputs is None:
                    return
                held.next_offset, held.at = entries[-1].offset + 1, entries[-1].timestamp
                if failpoints.planted(failpoints.CHECKPOINT_BEFORE_OUTPUTS) and outputs:
                    await self._write(held)
                if outputs:
                    await failpoint("before_outputs")
                door_at = came_first(records, entries) if any(map(raises, outputs)) else None
                await held.edge.publish(outputs, entries[0].timestamp, door_at)
        self._parts.observe("decide", entries[0].timestamp)
        await failpoint("after_outputs")

    @contextmanager
    def _whole(self, held: Held) -> Iterator[None]:
        """Forget the state when what is done to it is broken off: no checkpoint may hold the half of it."""
        try:
            yield
        except BaseException:
            self._forget(held)
            raise

    def _forget(self, held: Held) -> None:
        if self._held.get(held.partition) is held:
            del self._held[held.partition]

    def _ours(self, held: Held) -> bool:
        """Whether this state is still the one to go on with; while partitions are dealt out anew it is not, if another version may get this one."""
        there = self._held.get(held.partition) is held and held.generation == self._parts.generation()
        return there and not (self._turns.superseded and self._parts.app.rebalancing)

    async def _outputs(self, held: Held, entries: Sequence[Entry]) -> list[Output] | None:
        """The fold's outputs; waits while a region it needs is on its way. None when the partition was lost meanwhile.

        A heavy fold runs in a thread, and so does much at once: one record of an alarm storm takes seconds, and so does one that holds the hours
        in which a gateway was away; a loop that stands still may not send any more. For what is light the way there and back would cost more
        than the work.
        """
        much = sum(len(one.value) for one in entries) > ASIDE_BYTES
        while self._ours(held):
            try:
                if much or self._fold.heavy(held.state):
                    outputs = await self._aside(held.partition, self._fold.apply, held.state, entries)
                else:
                    outputs = self._fold.apply(held.state, entries)
            except UnknownRegion as missing:
                log.warning("journal %d waits for region %s", held.partition, missing.region_hash)
                await self._parts.region_change()
                continue
            if self._ours(held):
                outputs = [] if held.turn.quiet(held.state) else outputs
                if more := self._fold.other_lane(held.state) - held.other_lane:
                    held.other_lane += more
                    self._parts.note_other_lane(held.partition, more)
                if (suspect := self._fold.time_suspect(held.state)) != held.time_suspect:
                    held.time_suspect = suspect
                    self._parts.note_time_suspect(held.partition, suspect=suspect)
                return outputs
        self._forget(held)
        return None

    async def take_census(self, held: Held) -> Census:
        """Count anew what stands in a partition; a large one in a thread."""
        async with held.lock:
            if self._ours(held):
                heavy = self._fold.heavy(held.state) or self._parts.settings.metrics_per_city
                held.census = await self._aside(held.partition, self._census, held.state) if heavy else self._census(held.state)
        return held.census

    async def _aside(self, partition: int, work: Callable[..., Done], *given: Any) -> Done:
        """What `work` makes of what is given, in a thread; the watchdog knows that it runs."""
        with self._parts.watchdog.beside(f"the fold of journal partition {partition}"):
            return await asyncio.to_thread(work, *given)

    async def run_checkpoints(self) -> None:
        """Write checkpoints for ever, each partition as often as its size allows."""
        while True:
            await asyncio.sleep(min(0.1, self._parts.settings.checkpoint_s / 4))
            for held in list(self._held.values()):
                if time.monotonic() - held.saved_at >= self._interval_s():
                    await self.checkpoint(held)

    async def checkpoint(self, held: Held) -> None:
        """Write one checkpoint, unless nothing has changed or the partition is no longer ours."""
        if held.next_offset == held.saved_offset or held.generation != self._parts.generation() or not self._parts.assigned():
            held.saved_at = time.monotonic()
            return
        await self._write(held)

    async def _write(self, held: Held) -> None:
        began = time.monotonic()
        locked = held.lock.locked() and failpoints.planted(failpoints.CHECKPOINT_BEFORE_OUTPUTS)
        if not locked:
            await held.lock.acquire()
        try:
            if not self._ours(held):
                return
            data = await self._aside(held.partition, self._fold.snapshot, held.state)
            taken = Snapshot(data, held.next_offset, dict(self._fold.active(held.state)), held.at)
        finally:
            if not locked:
                held.lock.release()
        if not failpoints.planted(failpoints.OUTPUTS_NOT_AWAITED) and not locked:
            await held.edge.settle()
        await failpoint("before_checkpoint")
        await self._writers[held.partition].write(taken, fold_version=self._fold.VERSION, identity=self._identity)
        await failpoint("after_checkpoint")
        held.saved_offset, held.saved_at, held.size = taken.next_offset, time.monotonic(), len(taken.data)
        self._parts.positions.set(Partition(self._journal, held.partition), taken.next_offset, held.generation)
        metrics, label = self._parts.metrics, str(held.partition)
        metrics.checkpoint_s.observe(time.monotonic() - began)
        metrics.checkpoint_bytes.labels(label).set(len(taken.data))
        metrics.checkpoint_at.labels(label).set_to_current_time()

    async def finish(self) -> None:
        """The last checkpoint of every partition, before a clean stop."""
        for held in list(self._held.values()):
            await self.checkpoint(held)

    def _interval_s(self) -> float:
        """Seconds between checkpoints of a partition: all of them together stay below the allowed bytes a second."""
        total = sum(held.size for held in self._held.values())
        return max(self._parts.settings.checkpoint_s, total / self._parts.settings.checkpoint_bytes_per_s)
