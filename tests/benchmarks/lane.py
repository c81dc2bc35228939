"""A lane of its own on the benchmark's broker: settings, topics, the generated region published, the doors filled, progress awaited."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, Producer, TopicPartition

from stream.cluster import Cluster
from stream.records.warning import Lane
from stream.region.bundle import bundle
from stream.runtime.feeding import await_read
from stream.runtime.region_publish import publish
from stream.runtime.topic_admin import create
from stream.runtime.topics import TopicPlan, Topics, plan
from stream.settings import Settings
from tests.benchmarks.generated import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.benchmarks.generated import Size

HELD_S = 900.0
"""A process under measurement is held while its backlog is written: the group must not think that it is dead."""


def lane(bootstrap: str, prefix: str, **changes: Any) -> Settings:
    """The product's defaults on a topic prefix, except for the session's length."""
    return Settings(bootstrap=bootstrap, prefix=prefix, lane=Lane.TEST, **changes)


def set_up(settings: Settings, region: Path, size: Size) -> None:
    """Topics exist, the region is published and active."""
    create(settings.cluster, plan(settings, size.cities()))
    asyncio.run(publish(settings, bundle(region)))


def plain_topic(bootstrap: str, name: str, partitions: int) -> None:
    create(Cluster(bootstrap), [TopicPlan(name, partitions, 1, {"message.timestamp.type": "LogAppendTime"})])


def fill(bootstrap: str, topic: str, messages: Iterable[tuple[int, bytes]], partitions: int) -> int:
    """Write messages, a series always to the same partition; how many."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000}
    )
    failed: list[Any] = []
    count = 0
    for series, value in messages:
        producer.produce(
            topic, value, partition=partition_of(series, partitions), on_delivery=lambda error, _: failed.append(error) if error else None
        )
        count += 1
        if count % 10_000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0
    assert not failed, failed[0]
    return count


def await_decided(settings: Settings) -> None:
    """Everything that stands in the doors now is journalled, decided, published, acknowledged and in a checkpoint."""
    topics = Topics(settings.prefix)
    asyncio.run(await_read(settings, topics.doors))
    asyncio.run(await_read(settings, (topics.journal,)))


def values(bootstrap: str, topic: str, partitions: int) -> Iterator[Any]:
    """The JSON of every record of a topic up to its end now."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "benchmark-reader", "enable.auto.commit": False})
    try:
        for number in range(partitions):
            low, high = reader.get_watermark_offsets(TopicPartition(topic, number), timeout=20)
            reader.assign([TopicPartition(topic, number, low)])
            last = low - 1
            while last < high - 1:
                record = reader.poll(10)
                assert record is not None, f"{topic}/{number}: nothing after offset {last} of {high}"
                if record.error() is None:
                    last = record.offset()
                    yield json.loads(record.value())
    finally:
        reader.close()
