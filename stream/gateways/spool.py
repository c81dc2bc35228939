"""Store and forward: what a gateway has acknowledged while Kafka could not be reached, kept on its own disk until it can.

A spool is a folder of segments, each a run of records: magic, length, when it was stored, a checksum over all of it, the payload. A record counts
as stored when `fsync` has returned, and a segment is deleted when Kafka has acknowledged all of it: after a crash a part of one segment is sent
once more, which the fold drops as duplicates. What this cannot survive is the loss of the disk itself.

A torn end (a crash while writing) was never acknowledged and is cut off. A damaged record inside is skipped, counted, and its segment kept
beside the others as `.damaged`: everything else of it is still sent. What Kafka refuses for ever is kept, too: `stream.gateways.aside`.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections import deque
from contextlib import suppress
from hashlib import blake2b
from itertools import accumulate, islice
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from stream.errors import TocsinError
from stream.gateways.aside import Aside
from stream.gateways.disk import make_folder, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MAGIC = b"TSP1"
HEAD = Struct("<4sIq8s")
"""Magic, length of the payload (bytes), when it was stored (ms), checksum."""
SEGMENT_BYTES = 1 << 20
"""So much at most is sent twice after a crash."""
RECORD_BYTES_MAX = 1 << 20


class SpoolFull(TocsinError):
    """Nothing more can be stored: the bound is reached, or the disk is full. Nothing of the refused batch was kept."""


class SpoolInUse(TocsinError):
    """Another process has this folder."""


class SpoolUnusable(TocsinError):
    """The disk does not let this folder be a spool."""


class Stored(NamedTuple):
    """One record of the spool: its segment's number, when it was stored (ms), what was stored."""

    segment: int
    stored_at: int
    payload: bytes


class Scan(NamedTuple):
    """What the bytes of a segment hold: its records, where the last whole one ends, and how many bytes before that are damaged."""

    records: list[tuple[int, bytes]]
    end: int
    damaged: int


def seal(stored_at: int, payload: bytes) -> bytes:
    """One record's bytes.

    >>> scan(seal(5, b"one") + seal(6, b"two")[:-1])
    Scan(records=[(5, b'one')], end=27, damaged=0)
    """
    return HEAD.pack(MAGIC, len(payload), stored_at, _checksum(stored_at, payload)) + payload


def scan(data: bytes) -> Scan:
    """Every whole record of a segment in order; what lies damaged between two whole ones is skipped."""
    records: list[tuple[int, bytes]] = []
    at = end = damaged = 0
    while (at := data.find(MAGIC, at)) >= 0:
        record = _record(data, at)
        if record is None:
            at += 1
            continue
        damaged += at - end
        records.append(record)
        at = end = at + HEAD.size + len(record[1])
    return Scan(records, end, damaged)


def _record(data: bytes, at: int) -> tuple[int, bytes] | None:
    if len(data) < at + HEAD.size:
        return None
    _, length, stored_at, checksum = HEAD.unpack_from(data, at)
    start = at + HEAD.size
    payload = data[start : start + length]
    whole = length <= RECORD_BYTES_MAX and len(payload) == length and checksum == _checksum(stored_at, payload)
    return (stored_at, payload) if whole else None


def _checksum(stored_at: int, payload: bytes) -> bytes:
    return blake2b(stored_at.to_bytes(8, "little", signed=True) + payload, digest_size=8).digest()


class Spool:
    """The records a gateway has still to send, oldest first. One process at a time; not thread-safe.

    `bytes_max` bounds what waits and what is set aside. When it was opened, `torn_bytes` were found after the last record of a segment. Only the
    oldest segment is held in memory. Raises SpoolInUse, SpoolUnusable.
    """

    def __init__(self, folder: Path, *, bytes_max: int = 1 << 30) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._oldest: deque[Stored] = deque()
        self._counts: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self._open: int | None = None
        self._file = -1
        self._damaged: dict[int, int] = {}
        self.torn_bytes = 0
        self.aside = Aside(folder / "aside.jsonl")
        try:
            make_folder(folder)
            self._take()
            self._last = max((self._number(path) for path in self._segments()), default=0)
            for path in self._segments():
                self._recover(path)
        except OSError as error:
            msg = f"{folder} cannot be a spool: {error}; give a folder on a disk that can be written, with room"
            raise SpoolUnusable(msg) from error
        self._load()

    def _take(self) -> None:
        """Have the folder for this process alone."""
        self._lock = os.open(self._folder / "lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            msg = f"{self._folder}: another process has this spool; give every gateway a folder of its own"
            raise SpoolInUse(msg) from error

    def __len__(self) -> int:
        """How many records wait."""
        return sum(self._counts.values())

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(self._sizes.values())

    @property
    def fill(self) -> float:
        """How full it is, 0 to 1; a little more where much was set aside."""
        return (self.size + self.aside.size) / self._bytes_max

    @property
    def damaged_bytes(self) -> int:
        """Bytes that were found unreadable between records, or in a segment that the disk did not give back."""
        return sum(self._damaged.values())

    @property
    def oldest_at(self) -> int | None:
        """When the oldest waiting record was stored (ms); None if none waits."""
        return self._oldest[0].stored_at if self._oldest else None

    def append(self, payloads: Sequence[bytes], stored_at: int) -> None:
        """Store a batch, all of it or nothing; it is on the disk when this returns. Raises SpoolFull, and OSError where the disk fails."""
        data, held = b"".join(seal(stored_at, payload) for payload in payloads), self.size + self.aside.size
        if any(len(payload) > RECORD_BYTES_MAX for payload in payloads) or held + len(data) > self._bytes_max:
            msg = f"{self._folder}: {held} bytes wait or are set aside, {len(data)} more would pass the bound of {self._bytes_max}"
            raise SpoolFull(msg)
        try:
            number = self._segment_for(len(data))
            self._write(data)
        except OSError as error:
            self._abandon()
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                msg = f"{self._folder}: the disk is full"
                raise SpoolFull(msg) from error
            raise
        self._sizes[number] += len(data)
        self._counts[number] += len(payloads)
        if not self._oldest or self._oldest[0].segment == number:
            self._oldest.extend(Stored(number, stored_at, payload) for payload in payloads)

    def head(self, most: int, bytes_most: int = SEGMENT_BYTES) -> list[Stored]:
        """The oldest records, at most so many and of one segment, and not longer together unless it is one; they stay until `sent`."""
        if not self._oldest:  # also when the disk failed while the segment before this one was to be deleted
            self._load()
        sizes = accumulate(len(one.payload) for one in self._oldest)
        return [
            one for place, (one, size) in enumerate(islice(zip(self._oldest, sizes, strict=False), most)) if size <= bytes_most or not place
        ]

    def sent(self, count: int) -> None:
        """The oldest `count` records, of those `head` gave, were acknowledged. A segment of which nothing is left is deleted."""
        for _ in range(count):
            self._counts[self._oldest.popleft().segment] -= 1
        for number in [one for one, left in self._counts.items() if not left]:
            if number == self._open:
                self._close_segment()
            self._path(number).unlink()
            del self._sizes[number], self._counts[number]
        if not self._oldest:
            self._load()

    def close(self) -> None:
        """Let another process have the folder."""
        self._close_segment()
        os.close(self._lock)

    def _segment_for(self, size: int) -> int:
        """The number of the segment to write to, opened."""
        if self._open is not None and self._sizes[self._open] + size > SEGMENT_BYTES and self._sizes[self._open]:
            self._close_segment()
        if self._open is None:
            self._last += 1
            self._file = os.open(self._path(self._last), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._open, self._sizes[self._last], self._counts[self._last] = self._last, 0, 0
            sync_folder(self._folder)
        return self._open

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        os.fsync(self._file)

    def _abandon(self) -> None:
        """After a failed write nothing more goes into this segment, because what `fsync` once failed on is never known to be there."""
        if (number := self._open) is None:
            return
        try:
            os.ftruncate(self._file, self._sizes[number])
        finally:
            self._close_segment()
        if not self._counts[number]:
            self._path(number).unlink()
            del self._sizes[number], self._counts[number]

    def _close_segment(self) -> None:
        if self._open is not None:
            os.close(self._file)
            self._open = None

    def _recover(self, path: Path) -> None:
        data = path.read_bytes()
        found = self._scan(path, data)
        if not found.damaged and found.end < len(data):
            os.truncate(path, found.end)
        self.torn_bytes += len(data) - found.end
        if not found.records:
            path.unlink()
            return
        number = self._number(path)
        self._sizes[number] = len(data) if found.damaged else found.end
        self._counts[number] = len(found.records)

    def _scan(self, path: Path, data: bytes) -> Scan:
        """What a segment holds; a damaged one is kept."""
        found = scan(data)
        if found.damaged:
            kept = path.with_suffix(".damaged")
            if not kept.exists():
                kept.write_bytes(data)
            self._damaged[self._number(path)] = found.damaged
        return found

    def _load(self) -> None:
        """Hold the records of the oldest segment; of one that can no longer be read, what can."""
        while not self._oldest and (number := min((one for one, left in self._counts.items() if left), default=None)) is not None:
            path = self._path(number)
            try:
                data = path.read_bytes()
            except OSError:
                self._give_up(number)
                continue
            self._oldest.extend(Stored(number, *record) for record in self._scan(path, data).records)
            self._counts[number] = len(self._oldest)

    def _give_up(self, number: int) -> None:
        """The disk does not give a segment back: what comes after it must not wait for that."""
        if number == self._open:
            self._close_segment()
        self._damaged[number] = self._sizes.pop(number)
        del self._counts[number]
        with suppress(OSError):  # it is tried again after a restart
            self._path(number).rename(self._path(number).with_suffix(".damaged"))

    def _segments(self) -> Iterator[Path]:
        return iter(sorted(self._folder.glob("*.spool")))

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012d}.spool"

    def _number(self, path: Path) -> int:
        return int(path.stem)
