"""Reads what has to be kept for years, and hands it to the archive: the journal from where the last run ended, snapshots, regions."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from stream.errors import BrokerError, TocsinError
from stream.region.bundle import unpack
from stream.review import archive_writing
from stream.review.archive import FORMAT, About, State, What, sum_of
from stream.review.archive_writing import Journal
from stream.review.journal_file import Recorded
from stream.runtime.checkpoint_store import topic_id
from stream.runtime.excerpt import Stretch, excerpt
from stream.runtime.follow import consumer, follow, partitions
from stream.runtime.reach import NOT_ALLOWED
from stream.runtime.regions_feed import RegionsFeed, load_packed
from stream.runtime.snapshots import assembled
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiokafka import AIOKafkaConsumer, TopicPartition

    from stream.review.archive import Archive, Line
    from stream.settings import Settings

log = logging.getLogger(__name__)
FILE_BYTES = 32 * 1024 * 1024
"""Of records in one file, before it is compressed; they are held in memory."""
POLL_MS = 500


@dataclass(slots=True)
class Done:
    """What a run did. `expired`: what Kafka had deleted before it was archived; `since_last`: of that, what an earlier run should have had."""

    head: str = ""
    files: int = 0
    records: int = 0
    snapshots: int = 0
    regions: int = 0
    expired: list[str] = field(default_factory=list)
    since_last: bool = False


async def archive(settings: Settings, folder: Path, since_at: int | None = None) -> Done:
    """Add to the archive in the folder all that is not in it yet, up to the journal's end as it is now.

    `since_at`: where nothing is archived yet, begin with records of this instant (ms). BrokerError when a topic cannot be read; TocsinError when the
    folder holds another archive, or what stands in the journal does not continue it.
    """
    topics, done = Topics.of(settings), Done()
    kept = archive_writing.begun(folder, About(FORMAT, settings.prefix, settings.lane, settings.clock))
    if (fault := next(kept.broken(), None)) is not None:
        raise TocsinError(fault)
    async with consumer(settings.cluster) as reader:
        assigned = await partitions(settings.cluster, reader, [topics.journal])
        journal = Journal(topics.journal, await topic_id(settings.cluster, topics.journal), len(assigned))
        try:
            await _Journal(reader, kept, journal, done).run(assigned, since_at)
        except NOT_ALLOWED:
            raise
        except KafkaError as error:
            msg = f"{topics.journal} cannot be read: {error!r}; run the command again, it goes on where it was"
            raise BrokerError(msg) from error
    await _regions(settings, topics, kept, done)  # not before: each that is activated in the journal up to that end stands there by now
    await _snapshots(settings, topics, kept, (journal, done))
    done.head = kept.head
    return done


class _Journal:
    """Archives the partitions of a journal, one after the other."""

    def __init__(self, reader: AIOKafkaConsumer, kept: Archive, journal: Journal, done: Done) -> None:
        self._reader = reader
        self._kept = kept
        self._journal = journal
        self._done = done

    async def run(self, assigned: list[TopicPartition], since_at: int | None) -> None:
        self._reader.assign(assigned)
        begins, ends = await self._reader.beginning_offsets(assigned), await self._reader.end_offsets(assigned)
        for place in assigned:
            last = next((one for one in reversed(self._kept.lines) if _reaches(one, self._journal, place.partition)), None)
            start = await self._start(place, last, since_at, begins[place])
            if last is not None and last.what is What.JOURNAL and start == last.next_offset > begins[place]:
                await self._joins(place, last, ends[place])
            await self._copy(place, start, ends[place])

    async def _start(self, place: TopicPartition, last: Line | None, since_at: int | None, begin: int) -> int:
        """Where to go on; what expired before is noted."""
        start = 0 if last is None else last.next_offset
        if last is None and since_at is not None:
            found = (await self._reader.offsets_for_times({place: since_at}))[place]
            start = found.offset if found is not None else (await self._reader.end_offsets([place]))[place]
        if start < begin:
            archive_writing.add_expired(self._kept, self._journal, place.partition, (start, begin))
            self._done.expired.append(f"{place.topic} partition {place.partition}: offsets {start} to {begin - 1}")
            self._done.since_last |= last is not None
        return max(start, begin)

    async def _joins(self, place: TopicPartition, last: Line, end: int) -> None:
        """The last archived record still stands in the journal as it was archived."""
        if last.next_offset > end:
            msg = (
                f"{place.topic} partition {place.partition} ends at {end}, archived is up to {last.next_offset}: records were lost in Kafka"
            )
            raise TocsinError(msg)
        async for some in self._read(place, last.next_offset - 1, last.next_offset):
            if sum_of(some[0].value) != last.last_sha256:
                msg = f"{place.topic} partition {place.partition}: record {last.next_offset - 1} is not the one that was archived"
                raise TocsinError(msg)

    async def _copy(self, place: TopicPartition, start: int, end: int) -> None:
        waiting: list[Recorded] = []
        size = 0
        async for some in self._read(place, start, end):
            for one in some:
                waiting.append(one)
                size += len(one.value)
                if size >= FILE_BYTES:
                    self._write(waiting)
                    waiting, size = [], 0
        if waiting:
            self._write(waiting)

    def _write(self, records: list[Recorded]) -> None:
        archive_writing.add_journal(self._kept, self._journal, records)
        self._done.files += 1
        self._done.records += len(records)

    async def _read(self, place: TopicPartition, start: int, end: int) -> AsyncIterator[list[Recorded]]:
        self._reader.seek(place, start)
        while start < end:
            found = (await self._reader.getmany(place, timeout_ms=POLL_MS)).get(place, [])
            some = [Recorded(place.partition, one.offset, one.timestamp, one.value or b"") for one in found if one.offset < end]
            if some:
                start = some[-1].offset + 1
                yield some


def _reaches(line: Line, journal: Journal, partition: int) -> bool:
    ours = (line.topic_id, line.partition) == (journal.topic_id, partition)
    return ours and line.what in (What.JOURNAL, What.EXPIRED)


async def _regions(settings: Settings, topics: Topics, kept: Archive, done: Done) -> None:
    known = {one.region_hash for one in kept.of(What.REGION)}
    feed = RegionsFeed(settings.cluster, topics.regions, load_packed)
    async for read in follow(settings.cluster, [topics.regions], once=True):
        feed.take(read.records)
    for region_hash, packed in feed.bundles().items():
        if region_hash in known:
            continue
        try:
            bundle = unpack(packed)
        except TocsinError as error:
            log.warning("region %s is not archived: %s", region_hash, error)
            continue
        archive_writing.add_region(kept, bundle.name, region_hash, packed)
        done.regions += 1


async def _snapshots(settings: Settings, topics: Topics, kept: Archive, about: tuple[Journal, Done]) -> None:
    """Those of this journal that are not archived yet."""
    journal, done = about
    known = {(one.topic_id, one.partition, one.next_offset, one.name) for one in kept.of(What.SNAPSHOT)}
    async for stored in assembled(excerpt(settings.cluster, Stretch(topics.snapshots, 0))):
        manifest, data = stored.snapshot.manifest, stored.snapshot.data
        place = (manifest.topic_id, stored.partition, manifest.next_offset, manifest.fold_version)
        if manifest.topic_id == journal.topic_id and place not in known:
            known.add(place)
            at = (stored.partition, manifest.next_offset, manifest.at)
            archive_writing.add_snapshot(kept, journal, at, State(manifest.fold_version, data))
            done.snapshots += 1
