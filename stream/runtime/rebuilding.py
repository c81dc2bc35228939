"""A new generation of the journal, with another number of partitions. Workers and intake stand still meanwhile; doors and gateways do not.

The old journal is decided to its end, and what follows is said; then every domain goes, as it is, into a partition of the new one
(`stream.decide.repartition`), which begins empty with these states as its checkpoints and first snapshots. What cities read and answer on, the doors and how
far they are read stay as they are. Until the last step nothing of the old generation is changed; run again, it begins anew.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from msgspec.structs import replace

from stream.decide.repartition import digests, obstacles, repartition
from stream.errors import TocsinError
from stream.health.metrics import Metrics
from stream.records.journal import Linked, decode, partition_of
from stream.records.output import Kind
from stream.runtime import generations
from stream.runtime.app import group_of
from stream.runtime.checkpoint_store import CheckpointReader, CheckpointWriter, Found, Snapshot, topic_id
from stream.runtime.clocks import BrokerClock, Pulse
from stream.runtime.compacted import latest
from stream.runtime.edge import Edge
from stream.runtime.edge_rules import standing
from stream.runtime.failpoints import failpoint
from stream.runtime.feeding import producer
from stream.runtime.follow import consumer, partitions
from stream.runtime.generations import Generation
from stream.runtime.producer import Outbox, Record
from stream.runtime.topic_admin import create
from stream.runtime.topics import Topics, plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.decide.fold import Fold
    from stream.decide.partition import Partition
    from stream.records.output import Output
    from stream.runtime.recomputing import Recomputing
    from stream.runtime.regions_feed import RegionsFeed
    from stream.settings import Settings

INSTANCE = "rebuild"
STILL_S = 4.0
"""So long nothing may be written: intake notes how far it is every second."""


class Made(NamedTuple):
    """What was made: the settings from now on, how many domains went over, and how many records were said from the old journal's end."""

    settings: Settings
    domains: int
    decided: int
    said: int


class Rebuilding:
    """Makes the next generation. `fold`: of the old one; `to_fold`: of the new one."""

    def __init__(self, settings: Settings, partitions: int, old: Recomputing, folds: tuple[Fold, Fold], feed: RegionsFeed) -> None:
        self._settings = settings
        self._new = replace(settings, generation=settings.generation + 1, journal_partitions=partitions)
        self._old = old
        self._fold, self._to_fold = folds
        self._feed = feed

    async def run(self) -> Made:
        """Make it; TocsinError while anybody else writes, or something is half done. It counts from the moment this returns."""
        await self._require_stillness()
        await generations.publish(self._settings, Generation(self._new.generation, self._new.journal_width, ready=False))
        newest = await self._old.newest(self._settings.journal_width)
        ends = await self._ends()
        states: list[Partition] = []
        outputs: dict[int, list[Output]] = {}
        for number, checkpoint in sorted(newest.items()):
            state = self._fold.restore(checkpoint.data)
            outputs[number] = await self._old.advance(state, number, (checkpoint.manifest.next_offset, ends[number]))
            states.append(state)
        if (found := next(obstacles(states), None)) is not None:
            await generations.publish(self._settings, Generation(self._settings.generation, self._settings.journal_width))
            msg = f"{found}; nothing was changed: start the workers again, wait until that is over, stop them and repeat this"
            raise TocsinError(msg)
        made = repartition(states, self._new.journal_width)
        await self._write(made, outputs)
        await failpoint("rebuild_written")
        await self._verify(digests(states))
        await generations.publish(self._settings, Generation(self._new.generation, self._new.journal_width))
        decided = sum(ends[number] - one.manifest.next_offset for number, one in newest.items())
        return Made(self._new, len(digests(states)), decided, sum(len(some) for some in outputs.values()))

    async def _require_stillness(self) -> None:
        """Nobody writes to the journal or notes how far it is, and no worker is in the group (one that stopped stays for its session)."""
        before = await self._ends(), await self._marks_end()
        await asyncio.sleep(STILL_S)
        if (await self._ends(), await self._marks_end()) != before:
            who = ", ".join(await self._members()) or "intake"
            msg = f"{who} still run: stop all workers and intake (gateways may go on), then repeat this"
            raise TocsinError(msg)
        until = time.monotonic() + self._settings.session_timeout_s + STILL_S
        while members := await self._members():
            if time.monotonic() > until:
                msg = f"{', '.join(members)} are in the group {group_of(self._settings)}, and do nothing: end them, then repeat this"
                raise TocsinError(msg)
            await asyncio.sleep(0.5)

    async def _members(self) -> list[str]:
        admin, group = AdminClient(self._settings.cluster.librdkafka()), group_of(self._settings)
        try:
            described = await asyncio.to_thread(lambda: admin.describe_consumer_groups([group])[group].result(30))
        except KafkaException as error:
            msg = f"the consumer group {group} cannot be looked at: {error.args[0].str()}"
            raise TocsinError(msg) from error
        return sorted(str(one.group_instance_id or one.client_id) for one in described.members)

    async def _ends(self) -> dict[int, int]:
        async with consumer(self._settings.cluster) as reader:
            found = await reader.end_offsets(await partitions(self._settings.cluster, reader, [Topics.of(self._settings).journal]))
        return {one.partition: end for one, end in found.items()}

    async def _marks_end(self) -> int:
        async with consumer(self._settings.cluster) as reader:
            marks = await partitions(self._settings.cluster, reader, [Topics.of(self._settings).marks])
            return sum((await reader.end_offsets(marks)).values())

    async def _write(self, made: Sequence[Partition], outputs: dict[int, list[Output]]) -> None:
        """Say what follows from the old journal's end, then write the new one's topics, its states, and what domains passed on to each other."""
        topics = Topics.of(self._new)
        await asyncio.to_thread(self._make_topics)
        async with producer(replace(self._settings, instance=INSTANCE)) as sender:
            clock = BrokerClock()
            outbox = Outbox(sender, Pulse(math.inf), clock, lambda _: None)  # what failed is raised when it is settled
            await outbox.send(Record(topics.marks, str(clock.wall()).encode(), f"taken_at/{INSTANCE}".encode()))
            await outbox.settle()  # by now the broker's time is known
            said = standing(await latest(self._settings.cluster, topics.warnings, range(self._settings.partitions)), topics.lane)
            links: list[Output] = []
            metrics = Metrics()
            for number, some in outputs.items():
                edge = Edge(number, Topics.of(self._settings), outbox, metrics, clock=clock, standing=said)
                await edge.publish([one for one in some if one.kind is not Kind.JOURNAL])
                await edge.settle()
                links += [one for one in some if one.kind is Kind.JOURNAL]
            identity = await topic_id(self._settings.cluster, topics.journal)
            for partition in made:
                number = partition.core.partition
                writer = CheckpointWriter(outbox, topics, number, replace(self._new, instance=INSTANCE))
                await writer.start(Found(None, 0, ()))
                taken = Snapshot(self._to_fold.snapshot(partition), 0, dict(partition.core.active), max(partition.core.time.reached_at, 1))
                await writer.write(taken, fold_version=self._to_fold.VERSION, identity=identity)
            for link in links:
                await outbox.send(Record(topics.journal, link.value, link.key, self._place(link)))
            await outbox.settle()

    def _place(self, link: Output) -> int:
        message = decode(link.value or b"")
        domain_id = message.to_domain if isinstance(message, Linked) else ""
        pins = {domain.domain_id: domain.pin for region in self._feed.regions() for domain in region.domains}
        return partition_of(domain_id, self._new.journal_width, pins.get(domain_id))

    def _make_topics(self) -> None:
        """The new generation's own topics, empty: those of a run that was broken off are made anew."""
        topics = Topics.of(self._new)
        own = {topics.journal, topics.checkpoints, topics.snapshots}
        admin = AdminClient(self._settings.cluster.librdkafka())
        if left := own & set(admin.list_topics(timeout=30).topics):
            for future in admin.delete_topics(sorted(left), operation_timeout=30).values():
                future.result(30)
        create(self._settings.cluster, [one for one in plan(self._new, ()) if one.name in own])

    async def _verify(self, expected: dict[str, str]) -> None:
        """What was written is read back, and every domain's state is what it was."""
        reader = CheckpointReader(self._settings.cluster, Topics.of(self._new), instance=INSTANCE, fold_version=self._to_fold.VERSION)
        found = await reader.find(range(self._new.journal_width))
        states = [self._to_fold.restore(one.best.data) for one in found.values() if one.best is not None]
        if digests(states) != expected:
            differ = sorted(expected.items() ^ digests(states).items())
            msg = f"{len(differ)} domains did not go over as they were, first {differ[0][0]}; nothing counts of what was made: `tocsin rebuild --abandon`"
            raise TocsinError(msg)


async def abandon(settings: Settings) -> bool:
    """Let the old generation count again, if a new one was begun and never finished; whether that was so.

    TocsinError when the settings are not those of the old one: with others the half of a journal would count, or one of another width.
    """
    published = await generations.read(settings)
    if published is None or published.ready:
        return False
    if settings.generation != published.generation - 1:
        msg = f"generation {published.generation} was begun, these settings are of generation {settings.generation}: set generation = {published.generation - 1}"
        raise TocsinError(msg)
    async with consumer(settings.cluster) as reader:
        width = len(await partitions(settings.cluster, reader, [Topics.of(settings).journal]))
    if width != settings.journal_width:
        msg = f"the journal has {width} partitions, these settings say {settings.journal_width}: set journal_partitions = {width}"
        raise TocsinError(msg)
    await generations.publish(settings, Generation(settings.generation, settings.journal_width))
    return True
