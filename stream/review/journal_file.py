"""A recorded journal as one file: what was decided on, kept so that it can be decided again.

Layout (all integers big-endian): the 16 bytes `tocsin journal 1`, then a header, then the
records in offset order per partition. Header and records stand in frames: 4 bytes length, 4 bytes CRC-32 of the body, body. The header
is a map {lane, clock, partitions}; a record is an array [partition, offset, timestamp_ms, value]. A cut or damaged file is
refused with the number of records that were read before the damage.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, TYPE_CHECKING, Literal, NamedTuple

import msgspec

from stream.errors import TocsinError
from stream.records.warning import Lane
from stream.review.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAGIC = b"tocsin journal 1"
_FRAME = struct.Struct(">II")


class Header(msgspec.Struct, frozen=True):
    """How the journal was written: its lane, whose clock its timestamps are (`broker` or `observed`), its number of partitions."""

    lane: Lane
    clock: Literal["broker", "observed"]
    partitions: int


class Recorded(NamedTuple):
    """One journal record: partition, offset, timestamp (ms) and bytes."""

    partition: int
    offset: int
    timestamp: int
    value: bytes


_headers = msgspec.msgpack.Decoder(Header)
_records: msgspec.msgpack.Decoder[Recorded] = msgspec.msgpack.Decoder(Recorded)
_encoder = msgspec.msgpack.Encoder()


def _put(file: IO[bytes], body: bytes) -> None:
    file.write(_FRAME.pack(len(body), zlib.crc32(body)) + body)


def write(path: Path, header: Header, records: Iterable[Recorded]) -> int:
    """Write a journal file and return the number of records; the file appears under its name only when it is complete."""
    with whole_file(path) as file:
        return write_to(file, header, records)


def write_to(file: IO[bytes], header: Header, records: Iterable[Recorded]) -> int:
    """Write magic, header and records to an open file; the number of records."""
    count = 0
    file.write(MAGIC)
    _put(file, _encoder.encode(header))
    for record in records:
        _put(file, _encoder.encode(record))
        count += 1
    return count


def _bodies(file: IO[bytes], path: Path) -> Iterator[bytes]:
    number = 0
    while frame := file.read(_FRAME.size):
        length, checksum = _FRAME.unpack(frame) if len(frame) == _FRAME.size else (0, 1)
        body = file.read(length)
        if len(body) != length or zlib.crc32(body) != checksum:
            msg = f"{path}: cut off or damaged after {number} records; record it again with `tocsin journal save`"
            raise TocsinError(msg)
        number += 1
        yield body


def read_header(path: Path) -> Header:
    """The header of a journal file; TocsinError when it is none."""
    with path.open("rb") as file:
        return _header(file, path)


def read(path: Path) -> Iterator[Recorded]:
    """The records of a journal file, in the order they were written; TocsinError at the first damage."""
    with path.open("rb") as file:
        yield from read_from(file, path)


def read_from(file: IO[bytes], path: Path) -> Iterator[Recorded]:
    """The same from an open file; `path` for messages."""
    _header(file, path)
    for body in _bodies(file, path):
        yield _records.decode(body)


def _header(file: IO[bytes], path: Path) -> Header:
    if file.read(len(MAGIC)) != MAGIC:
        msg = f"{path} is not a recorded journal (of a version known here); record one with `tocsin journal save`"
        raise TocsinError(msg)
    body = next(_bodies(file, path), None)
    if body is None:
        msg = f"{path}: cut off before its header; record it again with `tocsin journal save`"
        raise TocsinError(msg)
    return _headers.decode(body)
