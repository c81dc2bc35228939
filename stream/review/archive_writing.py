"""Adds files to an archive: each is complete and on the disk before the manifest names it, so a run that is broken off leaves nothing torn."""

from __future__ import annotations

import gzip
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.errors import TocsinError
from stream.review.archive import MANIFEST, About, Archive, Line, State, What, opened, sum_of
from stream.review.journal_file import Header, write_to
from stream.review.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stream.review.journal_file import Recorded

LEVEL = 6
"""Of gzip: arrays of measurements shrink to about a third, and a higher level only takes longer."""


class Journal(NamedTuple):
    """Which journal: its topic, Kafka's id of it, and its number of partitions."""

    topic: str
    topic_id: str
    partitions: int


def begun(folder: Path, about: About) -> Archive:
    """The archive in the folder, a new one where there is none; TocsinError when it is of another lane."""
    if not (folder / MANIFEST).exists():
        folder.mkdir(parents=True, exist_ok=True)
        return Archive(folder, about)
    archive = opened(folder)
    if archive.about != about:
        kept = archive.about
        msg = f"{folder} is the archive of lane {kept.lane}, prefix {kept.prefix!r}, clock {kept.clock}; give another folder for this one"
        raise TocsinError(msg)
    return archive


def add_journal(archive: Archive, journal: Journal, records: Sequence[Recorded]) -> Line:
    """Write records of one partition, which follow each other, as a file."""
    first, last = records[0], records[-1]
    name = f"journal/{journal.topic}-{journal.topic_id}/{first.partition:04d}-{first.offset:015d}.gz"
    header = Header(archive.about.lane, archive.about.clock, journal.partitions)
    path = archive.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file, gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed:
        write_to(packed, header, records)  # type: ignore[arg-type]
    line = Line(
        "", What.JOURNAL, name, topic=journal.topic, topic_id=journal.topic_id, partitions=journal.partitions, partition=first.partition,
        first_offset=first.offset, next_offset=last.offset + 1, first_at=first.timestamp, last_at=last.timestamp,
        last_sha256=sum_of(last.value),
    )  # fmt: skip
    return _note(archive, line)


def add_expired(archive: Archive, journal: Journal, partition: int, offsets: tuple[int, int]) -> Line:
    """Note that the records from the first offset up to below the second are gone for ever."""
    line = Line(
        "", What.EXPIRED, topic=journal.topic, topic_id=journal.topic_id, partitions=journal.partitions, partition=partition,
        first_offset=offsets[0], next_offset=offsets[1],
    )  # fmt: skip
    archive.add(line)
    return line


def add_snapshot(archive: Archive, journal: Journal, place: tuple[int, int, int], state: State) -> Line:
    """Write a state. `place`: partition, next offset, and the instant of the last record in it (ms)."""
    partition, next_offset, at = place
    name = f"snapshots/{journal.topic}-{journal.topic_id}/{partition:04d}-{next_offset:015d}-{state.fold_version}.gz"
    _write(archive, name, gzip.compress(msgspec.msgpack.encode(state), LEVEL, mtime=0))
    line = Line(
        "", What.SNAPSHOT, name, topic=journal.topic, topic_id=journal.topic_id, partitions=journal.partitions, partition=partition,
        next_offset=next_offset, last_at=at, name=state.fold_version,
    )  # fmt: skip
    return _note(archive, line)


def add_region(archive: Archive, name: str, region_hash: str, packed: bytes) -> Line:
    """Write a region's bundle, as it was published."""
    file = f"regions/{name}-{region_hash}.bundle"
    _write(archive, file, packed)
    return _note(archive, Line("", What.REGION, file, name=name, region_hash=region_hash))


def _write(archive: Archive, name: str, content: bytes) -> None:
    path = archive.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(content)


def _note(archive: Archive, line: Line) -> Line:
    content = (archive.folder / line.file).read_bytes()
    line = msgspec.structs.replace(line, bytes=len(content), sha256=sha256(content).hexdigest())
    archive.add(line)
    return line
