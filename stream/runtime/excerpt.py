"""A stretch of a topic by time, for people who look back: not from the beginning, where weeks of records may stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aiokafka.errors import KafkaError

from stream.errors import BrokerError
from stream.runtime.follow import POLL_MS, Followed, consumer, partitions
from stream.runtime.reach import NOT_ALLOWED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiokafka import TopicPartition

    from stream.cluster import Cluster


class Stretch(NamedTuple):
    """Which records: of one partition (None: all), with timestamps from `from_at` to `until_at` (ms; None: to the end)."""

    topic: str
    from_at: int
    until_at: int | None = None
    partition: int | None = None


async def excerpt(cluster: Cluster, stretch: Stretch) -> AsyncIterator[list[Followed]]:
    """The records of the stretch, a partition's in their order; BrokerError when the topic cannot be read.

    Where a topic's timestamps rise (live lanes) no other record is read; elsewhere those before the first one late enough are left out.
    """
    async with consumer(cluster) as reader:
        assigned = await partitions(cluster, reader, [stretch.topic])
        if stretch.partition is not None:
            assigned = [one for one in assigned if one.partition == stretch.partition]
        reader.assign(assigned)
        try:
            starts = await reader.offsets_for_times(dict.fromkeys(assigned, stretch.from_at))
            ends: dict[TopicPartition, int] = await reader.end_offsets(assigned)
            if stretch.until_at is not None:
                later = await reader.offsets_for_times(dict.fromkeys(assigned, stretch.until_at + 1))
                ends |= {partition: found.offset for partition, found in later.items() if found is not None}
        except NOT_ALLOWED:
            raise
        except KafkaError as error:
            msg = f"the offsets of {stretch.topic} cannot be read: {error!r}"
            raise BrokerError(msg) from error
        waiting = {one for one in assigned if starts.get(one) is not None and starts[one].offset < ends[one]}
        reader.assign(sorted(waiting))
        for one in waiting:
            reader.seek(one, starts[one].offset)
        while waiting:
            found = await reader.getmany(*waiting, timeout_ms=POLL_MS)
            yield [
                Followed(one.topic, one.partition, one.offset, one.timestamp, one.key or b"", one.value)
                for partition, batch in found.items()
                for one in batch
                if one.offset < ends[partition]
            ]
            waiting = {one for one in waiting if await reader.position(one) < ends[one]}
