"""Reads topics as a city's own program would: a plain consumer, no group, every partition from its beginning."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from stream.errors import BrokerError
from stream.runtime.reach import NOT_ALLOWED, absent, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from stream.cluster import Cluster

POLL_MS = 500
METADATA_TIMEOUT_S = 10.0


class Followed(NamedTuple):
    """One record as it was read. A None value is a tombstone."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes | None


class Read(NamedTuple):
    """Some records, and whether everything that stood on the topics when reading began has now been read."""

    records: list[Followed]
    caught_up: bool


@asynccontextmanager
async def consumer(cluster: Cluster) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer without a group; BrokerError when nothing answers there, BrokerRefused for what is not allowed."""
    reader = AIOKafkaConsumer(**cluster.aiokafka(), enable_auto_commit=False, auto_offset_reset="none", max_partition_fetch_bytes=4_194_304)
    async with started(cluster, reader, reader.stop):
        try:
            yield reader
        finally:
            # aiokafka awaits a task of its own that it has cancelled; one that had no turn yet would cancel us with it.
            await asyncio.sleep(0)


async def partitions(cluster: Cluster, reader: AIOKafkaConsumer, topics: Sequence[str]) -> list[TopicPartition]:
    """All partitions of these topics; BrokerError names the ones that do not exist, or are hidden from us."""
    known = await reader.topics()
    if unknown := set(topics) - set(known):
        raise absent(cluster, unknown)
    # `topics` asks but does not remember; without this the partitions are not known before the first fetch.
    await reader._client.set_topics(topics)  # noqa: SLF001
    return [TopicPartition(topic, number) for topic in topics for number in sorted(reader.partitions_for_topic(topic) or ())]


async def follow(cluster: Cluster, topics: Sequence[str], *, once: bool = False) -> AsyncIterator[Read]:
    """Everything on these topics from the beginning, then what arrives; with `once` only up to the ends seen at the start.

    Something is yielded at least every half second, if need be without records. The records of a partition come in their order.
    """
    async with consumer(cluster) as reader:
        assigned = await partitions(cluster, reader, topics)
        reader.assign(assigned)
        try:
            begins, ends = await asyncio.gather(reader.beginning_offsets(assigned), reader.end_offsets(assigned))
        except NOT_ALLOWED:
            raise
        except KafkaError as error:
            msg = f"the offsets of {', '.join(topics)} cannot be read: {error!r}"
            raise BrokerError(msg) from error
        # An explicit seek: seek_to_beginning just after assign races with the reset policy and may read nothing.
        for partition, offset in begins.items():
            reader.seek(partition, offset)
        waiting = {partition for partition in assigned if begins[partition] < ends[partition]}
        if not waiting:
            yield Read([], True)
        while waiting or not once:
            found = await reader.getmany(timeout_ms=POLL_MS)
            records = [
                Followed(one.topic, one.partition, one.offset, one.timestamp, one.key or b"", one.value)
                for batch in found.values()
                for one in batch
            ]
            for partition in list(waiting):
                if await reader.position(partition) >= ends[partition]:
                    waiting.discard(partition)
            yield Read(records, not waiting)
