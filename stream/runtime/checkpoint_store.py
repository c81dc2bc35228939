"""Reads and writes checkpoints on the compacted topic `checkpoints`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient

from stream.runtime.checkpoint import (
    Checkpoint,
    Manifest,
    Wanted,
    chunk_key,
    cut,
    digest,
    instance_of,
    manifest_bytes,
    manifest_key,
    manifests,
    next_slot,
    valid,
)  # fmt: skip
from stream.runtime.compacted import latest
from stream.runtime.failpoints import failpoint
from stream.runtime.follow import consumer
from stream.runtime.producer import Outbox, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stream.cluster import Cluster
    from stream.runtime.compacted import Kept

DEPARTED_MS = 86_400_000
"""Checkpoints of an instance that has written none for a day are removed."""
READS = 3
"""A reader that is overtaken by a writer may see neither slot whole; it reads again."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state as bytes, the first journal offset that is not in it, and the active regions it was made with."""

    data: bytes
    next_offset: int
    regions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """What a partition's checkpoints say. `departed`: keys of instances that are gone for a day."""

    best: Checkpoint | None
    own_slot: int
    departed: tuple[bytes, ...]


async def topic_id(cluster: Cluster, topic: str) -> str:
    """Kafka's id of a topic: a topic that was deleted and made again has another, and its offsets mean something else."""
    admin = AdminClient(cluster.librdkafka())
    described = await asyncio.to_thread(lambda: admin.describe_topics(TopicCollection([topic]))[topic].result(30))
    return str(described.topic_id)


class CheckpointReader:
    """Finds the checkpoint to start from."""

    def __init__(self, cluster: Cluster, checkpoints: str, journal: str, *, instance: str, fold_version: str) -> None:
        self._cluster = cluster
        self._checkpoints = checkpoints
        self._journal = journal
        self._instance = instance
        self._version = fold_version

    async def find(self, partitions: Iterable[int]) -> dict[int, Found]:
        """For each partition the valid checkpoint with the largest next_offset, whoever wrote it."""
        wanted_of = await self._wanted(partitions)
        found: dict[int, Found] = {}
        for _ in range(READS):
            missing = wanted_of.keys() - found.keys()
            kept = await latest(self._cluster, self._checkpoints, missing)
            for partition in missing:
                one = self._judge(kept[partition], wanted_of[partition])
                if one.best is not None or not any(True for _ in manifests(_values(kept[partition]))):
                    found[partition] = one
        return {partition: found.get(partition, Found(None, 0, ())) for partition in wanted_of}

    def _judge(self, kept: Mapping[bytes, Kept], wanted: Wanted) -> Found:
        usable = valid(_values(kept), wanted)
        own = [one for one in usable if one.manifest.instance == self._instance]
        return Found(usable[0] if usable else None, next_slot(own), _departed(kept, self._instance))

    async def _wanted(self, partitions: Iterable[int]) -> dict[int, Wanted]:
        identity = await topic_id(self._cluster, self._journal)
        assigned = [TopicPartition(self._journal, number) for number in partitions]
        async with consumer(self._cluster) as reader:
            ends = await reader.end_offsets(assigned)
        return {tp.partition: Wanted(self._version, identity, ends[tp]) for tp in assigned}


class CheckpointWriter:
    """Writes the two slots of one worker for one partition, in turn. One at a time: `write` waits for the one before."""

    def __init__(self, outbox: Outbox, topic: str, partition: int, *, instance: str) -> None:
        self._outbox = outbox
        self._topic = topic
        self._partition = partition
        self._instance = instance
        self._slot = 0
        self._chunks = {0: 0, 1: 0}
        self._lock = asyncio.Lock()
        self._departed: tuple[bytes, ...] = ()

    async def start(self, found: Found) -> None:
        """Begin with the slot that does not hold the newest own checkpoint, once a write that is under way has ended."""
        async with self._lock:
            self._slot = found.own_slot
            self._departed = found.departed

    async def write(self, snapshot: Snapshot, *, fold_version: str, identity: str) -> Manifest:
        """Write chunks, await them, write the manifest, await it; PublishFailed if any was not acknowledged."""
        async with self._lock:
            chunks = cut(snapshot.data)
            manifest = Manifest(
                identity, snapshot.next_offset, fold_version, self._instance, self._slot, len(chunks), len(snapshot.data),
                digest(snapshot.data), dict(snapshot.regions),
            )  # fmt: skip
            for number, chunk in enumerate(chunks):
                await self._send(chunk_key(manifest, number), chunk)
            for number in range(len(chunks), self._chunks[self._slot]):
                await self._send(chunk_key(manifest, number), None)
            await self._outbox.settle()
            await failpoint("before_manifest")
            await self._send(manifest_key(manifest), manifest_bytes(manifest))
            await self._outbox.settle()
            self._chunks[self._slot] = len(chunks)
            self._slot = 1 - self._slot
            for key in self._departed:
                await self._send(key, None)
            self._departed = ()
            return manifest

    async def _send(self, key: bytes, value: bytes | None) -> None:
        await self._outbox.send(Record(self._topic, value, key, self._partition))


def _values(kept: Mapping[bytes, Kept]) -> dict[bytes, bytes | None]:
    return {key: one.value for key, one in kept.items()}


def _departed(kept: Mapping[bytes, Kept], own: str) -> tuple[bytes, ...]:
    """Keys of other instances whose newest record is a day older than the newest of the partition (the broker's times)."""
    newest: dict[str, int] = {}
    for key, one in kept.items():
        if one.value is not None:
            newest[instance_of(key)] = max(one.timestamp, newest.get(instance_of(key), 0))
    limit = max(newest.values(), default=0) - DEPARTED_MS
    gone = {instance for instance, at in newest.items() if at < limit and instance != own}
    return tuple(key for key, one in kept.items() if one.value is not None and instance_of(key) in gone)
