"""Sends measurements to the doors: history on a replay lane in its order of observation, or a file on the live lane as it is.

On a replay lane all records of a domain go to one partition of one door, ordered by (observed_at, series), with the time of observation
as timestamp; when ACCEPT has read them all, the closing tick is written to every journal partition, which decides the last instant.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stream.errors import BrokerError, PublishFailed
from stream.records.instants import SECOND
from stream.records.journal import Tick, encode, partition_of
from stream.runtime.pace import Pace, batches
from stream.runtime.producer import create_producer
from stream.runtime.reach import NOT_ALLOWED, started
from stream.runtime.topics import DOORS, Topics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from aiokafka import AIOKafkaProducer

    from stream.region.model import Region
    from stream.review.inputs import DoorMessage
    from stream.settings import Settings

PATIENCE_S = 120.0
"""ACCEPT may make no progress for this long before it counts as gone."""
_LOOK_S = 0.1


@asynccontextmanager
async def producer(settings: Settings, *topics: str) -> AsyncIterator[AIOKafkaProducer]:
    """A started producer that neither loses nor repeats nor reorders; BrokerError when nothing answers.

    `topics`: what it is for, as whoever may write to none at all is told.
    """
    sender = create_producer(settings)
    async with started(settings.cluster, sender, sender.stop, ", ".join(topics)):
        yield sender


async def send(
    settings: Settings,
    region: Region,
    messages: Sequence[DoorMessage],
    pace: Pace,
    on_sent: Callable[[int], None] | None = None,
    *,
    history: bool = False,
) -> None:
    """Send the messages to their doors (`history`: the doors of history) and await the broker's answer to each.

    PublishFailed names the first that failed.
    """
    topics = Topics.of(settings)
    doors = dict(zip(DOORS, topics.backfill if history else topics.doors, strict=True))
    pins = {domain.domain_id: partition_of(domain.domain_id, settings.partitions, domain.pin) for domain in region.domains}
    replay = settings.clock == "observed"
    async with producer(settings, *doors.values()) as sender:
        await sender.client.set_topics(tuple(doors.values()))
        began = time.monotonic()
        for batch in batches(messages, pace):
            if pace.speed is not None:
                due_s = (batch[0].observed_at - messages[0].observed_at) / SECOND / pace.speed
                await asyncio.sleep(max(0.0, began + due_s - time.monotonic()))
            sent = [
                await sender.send(
                    doors[one.family],
                    one.value,
                    key=None if replay else one.series.encode(),
                    partition=pins[one.domain] if replay else None,
                    timestamp_ms=one.observed_at if replay else None,
                )
                for one in batch
            ]
            await _answers(sent, f"a batch of {len(batch)} records from {batch[0].series}")
            if on_sent is not None:
                on_sent(len(batch))


async def _answers(sent: list[asyncio.Future[object]], what: str) -> None:
    failed = [answer for answer in await asyncio.gather(*sent, return_exceptions=True) if isinstance(answer, BaseException)]
    if failed:
        if isinstance(failed[0], NOT_ALLOWED):
            raise failed[0]
        msg = f"{what}: {len(failed)} were not taken by the broker, first {failed[0]!r}; feed again, repetitions do no harm"
        raise PublishFailed(msg) from failed[0]


async def await_accept(settings: Settings, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Wait until the workers' group has read everything that stands in the doors now; BrokerError when it makes no progress.

    `on_progress(read, all)` counts records.
    """
    await await_read(settings, Topics.of(settings).doors, on_progress)


async def await_begun(settings: Settings, at_least: int = 1) -> None:
    """Wait until the journal holds so many records in every partition: the workers own their partitions and have written their activations."""
    from stream.runtime.follow import consumer, partitions

    until = time.monotonic() + PATIENCE_S
    async with consumer(settings.cluster) as reader:
        journal = await partitions(settings.cluster, reader, [Topics.of(settings).journal])
        while min((await reader.end_offsets(journal)).values()) < at_least:
            if time.monotonic() > until:
                msg = f"no worker has taken up the journal within {PATIENCE_S:.0f} s; is one running for prefix {settings.prefix!r}?"
                raise BrokerError(msg)
            await asyncio.sleep(_LOOK_S)


async def await_read(settings: Settings, names: Sequence[str], on_progress: Callable[[int, int], None] | None = None) -> None:
    """Wait until the workers' committed offsets reach what are the ends of these topics now."""
    from stream.runtime.follow import consumer, partitions

    async with consumer(settings.cluster) as reader:
        ends = await reader.end_offsets(await partitions(settings.cluster, reader, names))
    waiting = {partition: end for partition, end in ends.items() if end}
    total, best, until = sum(waiting.values()), -1, time.monotonic() + PATIENCE_S
    async with admin_of(settings) as admin:
        while True:
            found = await committed(admin, settings, list(waiting)) or {}
            done = sum(min(found.get(partition, 0), end) for partition, end in waiting.items())
            if on_progress is not None:
                on_progress(done, total)
            if done >= total:
                return
            if done > best:
                best, until = done, time.monotonic() + PATIENCE_S
            elif time.monotonic() > until:
                msg = f"the workers have read {done} of {total} records and stand still for {PATIENCE_S:.0f} s; is a `tocsin worker` of this lane running?"
                raise BrokerError(msg)
            await asyncio.sleep(_LOOK_S)


async def await_coordinator(settings: Settings) -> None:
    """Wait until the broker can look after consumer groups: a broker that has just been made cannot for a moment."""
    until = time.monotonic() + PATIENCE_S
    first = TopicPartition(Topics.of(settings).journal, 0)
    async with admin_of(settings) as admin:
        while await committed(admin, settings, [first]) is None:
            if time.monotonic() > until:
                msg = f"the broker at {settings.bootstrap} has no group coordinator after {PATIENCE_S:.0f} s; look at its log"
                raise BrokerError(msg)
            await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def admin_of(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started client for the broker's administration."""
    # Not confluent-kafka: its list_consumer_group_offsets crashes the process while a coordinator moves (librdkafka 2.16).
    admin = AIOKafkaAdminClient(**settings.cluster.aiokafka())
    async with started(settings.cluster, admin, admin.close):
        yield admin


async def committed(admin: AIOKafkaAdminClient, settings: Settings, wanted: Sequence[TopicPartition]) -> dict[TopicPartition, int] | None:
    """The group's committed offsets; None when nobody can say (the group's coordinator moves, or is not there yet)."""
    from stream.runtime.app import group_of

    try:
        found = await admin.list_consumer_group_offsets(group_of(settings), partitions=list(wanted))
    except NOT_ALLOWED:
        raise
    except KafkaError:
        return None
    return {partition: max(one.offset, 0) for partition, one in found.items()} or None


async def close(settings: Settings, at: int) -> None:
    """Write the closing tick of a replay, stamped `at` (ms), to every partition of the journal."""
    tick = encode(Tick(at, 0.0, at, closing=True, lane=settings.lane.value))
    async with producer(settings) as sender:
        journal = Topics.of(settings).journal
        try:
            sent = [await sender.send(journal, tick, partition=number, timestamp_ms=at) for number in range(settings.journal_width)]
        except KafkaError as error:
            msg = f"the closing tick could not be sent to {journal}: {error!r}"
            raise PublishFailed(msg) from error
        await _answers(sent, "the closing tick")
