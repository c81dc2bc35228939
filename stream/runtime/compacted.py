"""Reads compacted topics back: the latest record of every key of some partitions, up to their end at the time of asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from stream.errors import BrokerError
from stream.runtime.follow import consumer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.cluster import Cluster

POLL_MS = 200


class Kept(NamedTuple):
    """The latest record of a key; value None is a tombstone."""

    value: bytes | None
    timestamp: int


async def latest(
    cluster: Cluster, topic: str, partitions: Iterable[int], *, last: int | None = None, since: int = 0
) -> dict[int, dict[bytes, Kept]]:
    """Latest records by partition and key; with `last` only among so many offsets at the end, with `since` only from that one on.

    BrokerError when the topic cannot be read.
    """
    assigned = [TopicPartition(topic, number) for number in sorted(partitions)]
    found: dict[int, dict[bytes, Kept]] = {tp.partition: {} for tp in assigned}
    if not assigned:
        return found
    try:
        async with consumer(cluster) as reader:
            reader.assign(assigned)
            begins = await reader.beginning_offsets(assigned)
            ends = await reader.end_offsets(assigned)
            # An explicit seek: seek_to_beginning just after assign races with the reset policy and may read nothing.
            begins = {tp: max(begin, since, 0 if last is None else ends[tp] - last) for tp, begin in begins.items()}
            for tp in assigned:
                reader.seek(tp, begins[tp])
            waiting = {tp for tp in assigned if begins[tp] < ends[tp]}
            while waiting:
                for tp, records in (await reader.getmany(*waiting, timeout_ms=POLL_MS)).items():
                    into = found[tp.partition]
                    for record in records:
                        into[record.key or b""] = Kept(record.value, record.timestamp)
                waiting = {tp for tp in waiting if await reader.position(tp) < ends[tp]}
    except KafkaError as error:
        msg = f"{topic} could not be read back: {error!r}"
        raise BrokerError(msg) from error
    return found
