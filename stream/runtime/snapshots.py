"""Daily snapshots: of each journal partition one state a day that stays, on the topic `snapshots`, for as long as the journal that follows it.

They are written like checkpoints and by the same rules; where a checkpoint has its slot, a snapshot has its day. Days begin one after the other
over the partitions, so that the states of a large country are not all written at midnight. When a record of the next day was decided, a snapshot
is due: the journal says so, and no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.runtime.checkpoint import (
    Checkpoint,
    Manifest,
    Wanted,
    chunk_key,
    cut,
    digest,
    key_prefix,
    manifest_bytes,
    manifest_key,
    manifest_of,
    valid,
    whole,
)  # fmt: skip
from stream.runtime.compacted import latest
from stream.runtime.failpoints import failpoint
from stream.runtime.producer import Outbox, Record
from stream.runtime.topics import DAY_MS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from stream.cluster import Cluster
    from stream.runtime.checkpoint_store import Snapshot
    from stream.runtime.follow import Followed
    from stream.settings import Settings

TAIL = 32
"""Records looked at first for the newest snapshot: one of 20 MB ends within them."""


def day_of(at: int, partition: int, partitions: int) -> int:
    """The day (since 1970) of an instant (ms) in a partition; days of partition p begin p parts of a day after midnight UTC.

    >>> day_of(86_400_000, 0, 4), day_of(86_400_000, 1, 4), day_of(86_400_000 + 21_600_000, 1, 4)
    (1, 0, 1)
    """
    return (at - partition * DAY_MS // partitions) // DAY_MS


class Stored(NamedTuple):
    """A snapshot as it stands on its topic: its partition there, the offset of its manifest, and itself."""

    partition: int
    offset: int
    snapshot: Checkpoint


class Daily:
    """Writes the snapshots of one partition. `last`: the manifest of its newest one."""

    def __init__(self, outbox: Outbox, topic: str, partition: int, settings: Settings) -> None:
        self._outbox = outbox
        self._topic = topic
        self._partition = partition
        self._settings = settings
        self.last: Manifest | None = None

    async def offer(self, taken: Snapshot, *, fold_version: str, identity: str) -> None:
        """Write the state if it is the first of its day (or fold version, or journal); PublishFailed if it was not acknowledged."""
        day = day_of(taken.at, self._partition, self._settings.journal_width)
        last = self.last
        written = last is not None and (last.slot, last.fold_version, last.topic_id) == (day, fold_version, identity)
        if written or taken.at <= 0 or self._settings.clock != "broker":  # a replay's years are played in minutes
            return
        self.last = await write(
            Slot(self._outbox, self._topic, self._partition, self._settings.instance, day), taken, fold_version, identity
        )

    async def keep(self, one: Checkpoint) -> None:
        """Write a state of another fold version as it is, unless it stands there; PublishFailed if it was not acknowledged."""
        from stream.runtime.checkpoint_store import Snapshot

        manifest, last = one.manifest, self.last
        there = last is not None and (last.topic_id, last.fold_version, last.sha256) == (
            manifest.topic_id,
            manifest.fold_version,
            manifest.sha256,
        )
        if there or self._settings.clock != "broker":
            return
        day = day_of(manifest.at, self._partition, self._settings.journal_width)
        taken = Snapshot(one.data, manifest.next_offset, manifest.regions, manifest.at)
        slot = Slot(self._outbox, self._topic, self._partition, self._settings.instance, day)
        self.last = await write(slot, taken, manifest.fold_version, manifest.topic_id)


class Slot(NamedTuple):
    """Where a snapshot goes: whose, and of which day."""

    outbox: Outbox
    topic: str
    partition: int
    instance: str
    day: int


async def write(slot: Slot, taken: Snapshot, fold_version: str, identity: str) -> Manifest:
    """Write chunks, await them, write the manifest, await it; PublishFailed if any was not acknowledged."""
    chunks = cut(taken.data)
    manifest = Manifest(
        identity, taken.next_offset, fold_version, slot.instance, slot.day, len(chunks), len(taken.data), digest(taken.data),
        dict(taken.regions), taken.at,
    )  # fmt: skip
    for number, chunk in enumerate(chunks):
        await slot.outbox.send(Record(slot.topic, chunk, chunk_key(manifest, number), slot.partition))
    await slot.outbox.settle()
    await failpoint("before_snapshot_manifest")
    await slot.outbox.send(Record(slot.topic, manifest_bytes(manifest), manifest_key(manifest), slot.partition))
    await slot.outbox.settle()
    return manifest


async def newest_manifests(cluster: Cluster, topic: str, partitions: Iterable[int]) -> dict[int, Manifest | None]:
    """What the last record of each partition says: the manifest of the newest snapshot; None where there is none, or one that was broken off."""
    return {
        partition: next((found for key, one in kept.items() if (found := manifest_of(key, one.value)) is not None), None)
        for partition, kept in (await latest(cluster, topic, partitions, last=1)).items()
    }


async def newest(cluster: Cluster, topic: str, wanted: Mapping[int, Wanted]) -> dict[int, Checkpoint]:
    """The valid snapshot with the largest next_offset of each partition that has one; the topic is read from its end."""
    found: dict[int, Checkpoint] = {}
    seen: dict[int, int] = {}
    missing, last = set(wanted), TAIL
    while missing:
        for partition, kept in (await latest(cluster, topic, missing, last=last)).items():
            usable = valid({key: one.value for key, one in kept.items()}, wanted[partition])
            if usable:
                found[partition] = usable[0]
            if usable or seen.get(partition) == len(kept):  # nothing more stands there
                missing.discard(partition)
            seen[partition] = len(kept)
        last *= 4
    return found


async def assembled(records: AsyncIterator[list[Followed]]) -> AsyncIterator[Stored]:
    """The whole snapshots among records of the topic, each as soon as its manifest is read; only chunks without their manifest are held."""
    chunks: dict[int, dict[bytes, bytes | None]] = {}
    async for some in records:
        for one in some:
            waiting = chunks.setdefault(one.partition, {})
            manifest = manifest_of(one.key, one.value)
            if manifest is None:
                waiting[one.key] = one.value
                continue
            data = whole(waiting, manifest)
            for key in [key for key in waiting if key.startswith(key_prefix(manifest))]:
                del waiting[key]
            if data is not None:
                yield Stored(one.partition, one.offset, Checkpoint(manifest, data))
