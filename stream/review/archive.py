"""An archive: a folder that holds journals for years, with the snapshots and regions that replaying them needs.

`manifest.jsonl` says what there is: a line about the lane, then a line for each file, in the order in which they were written, with its SHA-256 and
its range of offsets. Each line holds the SHA-256 of the line before it, so that a file that was removed, altered or put between is noticed; whoever
keeps the newest of these sums elsewhere notices also that the end was cut off. Journal files are recorded journals (`journal_file`) of one
partition, compressed with gzip; a line may also say which offsets had expired before they could be archived.
"""

from __future__ import annotations

import gzip
import zlib
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

import msgspec

from stream.errors import TocsinError
from stream.records.warning import Lane
from stream.review.journal_file import Recorded, read_from
from stream.review.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FORMAT = "tocsin archive 1"
MANIFEST = "manifest.jsonl"
_BLOCK = 1 << 20


class What(StrEnum):
    """What a line of the manifest is about."""

    JOURNAL = "journal"
    SNAPSHOT = "snapshot"
    REGION = "region"
    EXPIRED = "expired"
    """Offsets that Kafka had deleted before they were archived: no file."""


class About(msgspec.Struct, frozen=True):
    """The first line: what is archived here."""

    format: str
    prefix: str
    lane: Lane
    clock: Literal["broker", "observed"]


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file. `before`: the SHA-256 of the line before.

    Of a journal: offsets from `first_offset` up to below `next_offset`, instants of its first and last record (ms), SHA-256 of the last
    record's bytes, by which the next run knows that it goes on with the same journal. Of a snapshot: the state before `next_offset`, at the instant
    `last_at`. `name`: of a snapshot its fold version, of a region its name. `partitions`: of the journal, whose Kafka id is `topic_id`.
    """

    before: str
    what: What
    file: str = ""
    bytes: int = 0
    sha256: str = ""
    topic: str = ""
    topic_id: str = ""
    partitions: int = 0
    partition: int = 0
    first_offset: int = 0
    next_offset: int = 0
    first_at: int = 0
    last_at: int = 0
    last_sha256: str = ""
    name: str = ""
    region_hash: str = ""


class State(msgspec.Struct, frozen=True, array_like=True):
    """A snapshot's file: the fold version that can read `data`."""

    fold_version: str
    data: bytes


_lines = msgspec.json.Decoder(Line)
_about = msgspec.json.Decoder(About)
_states = msgspec.msgpack.Decoder(State)


def sum_of(text: bytes) -> str:
    """SHA-256 as hex."""
    return sha256(text).hexdigest()


class Archive:
    """What the manifest of a folder says; nothing else is read before it is asked for."""

    def __init__(self, folder: Path, about: About, lines: Sequence[bytes] = ()) -> None:
        self.folder = folder
        self.about = about
        self._texts = [msgspec.json.encode(about), *lines]
        self.lines = [_lines.decode(text) for text in lines]

    @property
    def head(self) -> str:
        """The sum of the newest line: it stands for everything before it."""
        return sum_of(self._texts[-1])

    def knows(self, head: str) -> bool:
        """Whether this sum was the newest one at some time."""
        return any(sum_of(text) == head for text in self._texts)

    def add(self, line: Line) -> None:
        """Note a file that stands on the disk, and write the manifest anew."""
        line = msgspec.structs.replace(line, before=self.head)
        self._texts.append(msgspec.json.encode(line))
        self.lines.append(line)
        with whole_file(self.folder / MANIFEST) as file:
            file.write(b"".join(text + b"\n" for text in self._texts))

    def broken(self) -> Iterator[str]:
        """What is wrong with the chain of lines."""
        before = sum_of(self._texts[0])
        for number, (line, text) in enumerate(zip(self.lines, self._texts[1:], strict=True), 2):
            if line.before != before:
                yield f"{MANIFEST} line {number} ({line.file or line.what}) does not follow the line before: one was altered, removed or put between"
            before = sum_of(text)

    def content(self, line: Line) -> bytes:
        """The bytes of a file as they were archived; TocsinError when they are not."""
        path = self.folder / line.file
        if (fault := fault_of(path, line)) is not None:
            raise TocsinError(fault)
        return path.read_bytes()

    def records(self, line: Line) -> Iterator[Recorded]:
        """The records of a journal file; TocsinError when it is not as it was archived."""
        path = self.folder / line.file
        if (fault := fault_of(path, line)) is not None:
            raise TocsinError(fault)
        try:
            with gzip.open(path, "rb") as file:
                yield from read_from(file, path)  # type: ignore[arg-type]
        except (OSError, EOFError, zlib.error) as error:
            msg = f"{path} cannot be unpacked: {error}"
            raise TocsinError(msg) from error

    def state(self, line: Line) -> State:
        """The state of a snapshot's file."""
        return _states.decode(gzip.decompress(self.content(line)))

    def of(self, what: What) -> list[Line]:
        """The lines of a kind, the oldest first."""
        return [one for one in self.lines if one.what is what]


def fault_of(path: Path, line: Line) -> str | None:
    """Why a file is not the one that was archived."""
    if not path.is_file():
        return f"{path} is missing"
    total = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total.update(block)
    if total.hexdigest() != line.sha256:
        return f"{path} is not what was archived: its SHA-256 is {total.hexdigest()[:12]}..., archived was {line.sha256[:12]}..."
    return None


def opened(folder: Path) -> Archive:
    """The archive in a folder; TocsinError when there is none, or its manifest cannot be read."""
    path = folder / MANIFEST
    if not path.is_file():
        msg = f"{folder} holds no archive ({MANIFEST} is missing); `tocsin archive --out FOLDER` makes one"
        raise TocsinError(msg)
    texts = path.read_bytes().splitlines()
    try:
        about = _about.decode(texts[0] if texts else b"")
        archive = Archive(folder, about, texts[1:])
    except msgspec.DecodeError as error:
        msg = f"{path} cannot be read: {error}"
        raise TocsinError(msg) from error
    if about.format != FORMAT:
        msg = f"{path} is of format {about.format!r}, known here is {FORMAT!r}"
        raise TocsinError(msg)
    return archive


def problems(archive: Archive) -> Iterator[str]:
    """Everything that is wrong with an archive: its chain, its files, what stands in them, and offsets that are missing between them."""
    yield from archive.broken()
    reached: dict[tuple[str, int], int] = {}
    for line in archive.lines:
        if line.what in (What.JOURNAL, What.EXPIRED):
            key = (line.topic_id, line.partition)
            if (before := reached.get(key, line.first_offset)) != line.first_offset:
                yield f"{line.topic} partition {line.partition}: after offset {before} comes {line.first_offset}"
            reached[key] = line.next_offset
        if line.what is not What.EXPIRED and (fault := fault_of(archive.folder / line.file, line)) is not None:
            yield fault
        elif line.what is What.JOURNAL:
            yield from _uneven(archive, line)


def _uneven(archive: Archive, line: Line) -> Iterator[str]:
    """What of a journal file's content is not as its line says."""
    offset, last = line.first_offset, b""
    try:
        for record in archive.records(line):
            if (record.partition, record.offset) != (line.partition, offset):
                yield f"{line.file}: record {record.partition}/{record.offset} stands where {line.partition}/{offset} must"
                return
            offset, last = offset + 1, record.value
    except TocsinError as error:
        yield str(error)
        return
    if offset != line.next_offset or sum_of(last) != line.last_sha256:
        yield f"{line.file} ends with offset {offset - 1}, and not as {MANIFEST} says"
