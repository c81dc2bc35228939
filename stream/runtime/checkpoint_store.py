"""Reads and writes checkpoints on the compacted topic `checkpoints`."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
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
    manifest_bytes,
    manifest_key,
    manifests,
    next_slot,
    valid,
    writer,
    writer_of,
)  # fmt: skip
from stream.runtime.compacted import latest
from stream.runtime.failpoints import failpoint
from stream.runtime.follow import consumer
from stream.runtime.producer import Outbox, Record
from stream.runtime.snapshots import Daily, newest, newest_manifests
from stream.runtime.topic_admin import asked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from stream.cluster import Cluster
    from stream.runtime.compacted import Kept
    from stream.runtime.topics import Topics
    from stream.settings import Settings

log = logging.getLogger(__name__)
DEPARTED_MS = 86_400_000
"""Checkpoints of an instance, or of a fold version, that has written none for a day are removed."""
READS = 3
"""A reader that is overtaken by a writer may see neither slot whole; it reads again."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state as bytes, the first journal offset that is not in it, the active regions it was made with, and its last record's timestamp (ms)."""

    data: bytes
    next_offset: int
    regions: Mapping[str, str]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What a partition's checkpoints say. `departed`: keys of instances that are gone for a day; `snapshot`: the newest daily one.

    `written_at`: by fold version, when the newest checkpoint was written (the broker's time, ms).
    """

    best: Checkpoint | None
    own_slot: int
    departed: tuple[bytes, ...]
    snapshot: Manifest | None = None
    written_at: Mapping[str, int] = field(default_factory=dict)


async def topic_id(cluster: Cluster, topic: str) -> str:
    """Kafka's id of a topic: a topic that was deleted and made again has another, and its offsets mean something else."""
    admin = AdminClient(cluster.librdkafka())
    described = await asyncio.to_thread(lambda: asked(cluster, topic, admin.describe_topics(TopicCollection([topic]))[topic]))
    return str(described.topic_id)


class CheckpointReader:
    """Finds the checkpoint to start from. `migrates`: other fold versions whose states can be gone on from."""

    def __init__(self, cluster: Cluster, topics: Topics, *, instance: str, fold_version: str, migrates: Collection[str] = ()) -> None:
        self._cluster = cluster
        self._topics = topics
        self._instance = instance
        self._version = fold_version
        self._migrates = migrates

    async def find(self, partitions: Iterable[int]) -> dict[int, Found]:
        """For each partition the valid checkpoint with the largest next_offset, whoever wrote it; without any the newest daily snapshot.

        One of another fold version, which can be gone on from, is taken where there is none of the own.
        """
        wanted_of = await self._wanted(partitions)
        found: dict[int, Found] = {}
        for _ in range(READS):
            missing = wanted_of.keys() - found.keys()
            kept = await latest(self._cluster, self._topics.checkpoints, missing)
            for partition in missing:
                one = self._judge(kept[partition], wanted_of[partition])
                if one.best is not None or not one.written_at.keys() & {self._version, *self._migrates}:
                    found[partition] = one
        found = {partition: found.get(partition, Found(None, 0, ())) for partition in wanted_of}
        without = {partition: wanted for partition, wanted in wanted_of.items() if found[partition].best is None}
        stored = await newest(self._cluster, self._topics.snapshots, without)
        last = await newest_manifests(self._cluster, self._topics.snapshots, wanted_of)
        for partition, kept_one in stored.items():
            log.warning("journal %d: no valid checkpoint; the snapshot of offset %d is used", partition, kept_one.manifest.next_offset)
        return {
            partition: replace(one, best=one.best or stored.get(partition), snapshot=last[partition]) for partition, one in found.items()
        }

    def _judge(self, kept: Mapping[bytes, Kept], wanted: Wanted) -> Found:
        values = _values(kept)
        usable = valid(values, wanted)
        own = [one for one in usable if one.manifest.instance == self._instance]
        others = [one for version in self._migrates for one in valid(values, replace(wanted, fold_version=version))]
        best = usable[0] if usable else max(others, key=lambda one: one.manifest.next_offset, default=None)
        return Found(
            best, next_slot(own), _departed(kept, writer(self._version, self._instance)), written_at=written_at(kept, wanted.topic_id)
        )

    async def _wanted(self, partitions: Iterable[int]) -> dict[int, Wanted]:
        identity = await topic_id(self._cluster, self._topics.journal)
        assigned = [TopicPartition(self._topics.journal, number) for number in partitions]
        async with consumer(self._cluster) as reader:
            ends = await reader.end_offsets(assigned)
        return {tp.partition: Wanted(self._version, identity, ends[tp]) for tp in assigned}


class CheckpointWriter:
    """Writes the two slots of one worker for one partition, in turn, and where one is due the daily snapshot. `write` waits for the one before."""

    def __init__(self, outbox: Outbox, topics: Topics, partition: int, settings: Settings) -> None:
        self._outbox = outbox
        self._topic = topics.checkpoints
        self._partition = partition
        self._instance = settings.instance
        self._daily = Daily(outbox, topics.snapshots, partition, settings)
        self._slot = 0
        self._chunks = {0: 0, 1: 0}
        self._lock = asyncio.Lock()
        self._departed: tuple[bytes, ...] = ()

    async def start(self, found: Found, version: str = "") -> None:
        """Begin with the slot that does not hold the newest own checkpoint, once a write that is under way has ended.

        Another version's state, from which the fold of `version` (if given) goes on, is kept with the daily snapshots.
        """
        async with self._lock:
            self._slot = found.own_slot
            self._departed = found.departed
            self._daily.last = found.snapshot
            if version and found.best is not None and found.best.manifest.fold_version != version:
                await self._daily.keep(found.best)

    async def write(self, snapshot: Snapshot, *, fold_version: str, identity: str) -> Manifest:
        """Write chunks, await them, write the manifest, await it; PublishFailed if any was not acknowledged."""
        async with self._lock:
            chunks = cut(snapshot.data)
            manifest = Manifest(
                identity, snapshot.next_offset, fold_version, self._instance, self._slot, len(chunks), len(snapshot.data),
                digest(snapshot.data), dict(snapshot.regions), snapshot.at,
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
            await self._daily.offer(snapshot, fold_version=fold_version, identity=identity)
            return manifest

    async def _send(self, key: bytes, value: bytes | None) -> None:
        await self._outbox.send(Record(self._topic, value, key, self._partition))


def _values(kept: Mapping[bytes, Kept]) -> dict[bytes, bytes | None]:
    return {key: one.value for key, one in kept.items()}


def written_at(kept: Mapping[bytes, Kept], topic_id: str) -> dict[str, int]:
    """By fold version when its newest checkpoint of this journal was written (the broker's time, ms)."""
    found: dict[str, int] = {}
    for manifest in manifests(_values(kept)):
        if manifest.topic_id == topic_id:
            at = kept[manifest_key(manifest)].timestamp
            found[manifest.fold_version] = max(at, found.get(manifest.fold_version, 0))
    return found


def _departed(kept: Mapping[bytes, Kept], own: str) -> tuple[bytes, ...]:
    """Keys of other writers whose newest record is a day older than the newest of the partition (the broker's times)."""
    newest: dict[str, int] = {}
    for key, one in kept.items():
        if one.value is not None:
            newest[writer_of(key)] = max(one.timestamp, newest.get(writer_of(key), 0))
    limit = max(newest.values(), default=0) - DEPARTED_MS
    gone = {name for name, at in newest.items() if at < limit and name != own}
    return tuple(key for key, one in kept.items() if one.value is not None and writer_of(key) in gone)
