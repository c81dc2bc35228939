"""What Kafka will never take: kept in a file with the reason, so that it is lost to nobody and the rest goes on.

A line of JSON each, for people: `jq -r .value aside.jsonl | base64 -d` shows what was to be sent. Nothing reads the file again by itself; whoever
has looked moves it away, even while the gateway runs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from stream.gateways.disk import sync_folder
from stream.gateways.kept import Kept, decode

if TYPE_CHECKING:
    from pathlib import Path

_encode = msgspec.json.Encoder().encode


class Line(msgspec.Struct, frozen=True):
    """One record. `value` is all that lay in the spool (base64) where that could not be read, and `family` is empty then."""

    set_aside_at: int
    why: str
    family: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class Aside:
    """The file beside a spool's segments."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def size(self) -> int:
        """Bytes that lie there."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def keep(self, payload: bytes, why: str, at: int) -> None:
        """Write a record of the spool down; it is on the disk when this returns. Raises OSError."""
        try:
            kept = decode(payload)
        except msgspec.DecodeError:
            kept = Kept("", None, payload)
        line = _encode(Line(at, why, kept.family, kept.key, kept.value, kept.headers)) + b"\n"
        with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab+") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line  # the one before was cut short
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._path.parent)
