"""A region folder as one value: its files' bytes and the hash that stands in every warning.

Bytes are bytes: line ends are not normalised, so the hash of a checkout with other line ends differs, visibly.
"""

from __future__ import annotations

import gzip
import tomllib
import zlib
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HASH_DIGITS = 16
UNPACKED_BYTES_MAX = 256 * 1024 * 1024
_GZIP = 31  # zlib's wbits for the gzip format
# Beside the configuration a folder may hold input for a demonstration and words for people; they do not change what the region means.
NOT_CONFIGURATION = ("history.csv", "history.jsonl", "observed.csv", "README.md", "LICENSE")


@dataclass(frozen=True, slots=True)
class Bundle:
    """The configuration files of a region by name relative to the folder (with `/`), and their hash."""

    name: str
    region_hash: str
    files: Mapping[str, bytes]


def region_hash(files: Mapping[str, bytes]) -> str:
    """SHA-256 over (name, length, bytes) of the files in the order of their names, first 16 hex digits.

    >>> region_hash({"a": b"1"}) == region_hash({"a": b"1"}) != region_hash({"a": b"2"})
    True
    """
    digest = sha256()
    for name in sorted(files):
        digest.update(f"{name}\n{len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()[:HASH_DIGITS]


def bundle(folder: Path) -> Bundle:
    """The bundle of a region folder; TocsinError if there is no such folder or it holds no files.

    Hidden files and the ones in NOT_CONFIGURATION are left out. The name is the one in region.toml (the folder's if that cannot be read).
    """
    if not folder.is_dir():
        msg = f"{folder} is no folder; give the path of a region folder (with region.toml in it)"
        raise TocsinError(msg)
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith((".", "__")) for part in parts) and "/".join(parts) not in NOT_CONFIGURATION:
            files["/".join(parts)] = path.read_bytes()
    if not files:
        msg = f"{folder} holds no files; a region folder has at least region.toml, stations.csv, cities.geojson and hazards/*.toml"
        raise TocsinError(msg)
    return Bundle(_name(files, folder.resolve().name), region_hash(files), files)


def _name(files: Mapping[str, bytes], otherwise: str) -> str:
    try:
        name = tomllib.loads(files.get("region.toml", b"").decode()).get("name")
    except ValueError:  # said with its line by the loader
        return otherwise
    return name if isinstance(name, str) and name else otherwise


def pack(bundled: Bundle) -> bytes:
    """The bundle as bytes (gzip of msgpack, the same bytes on every call); see `unpack`."""
    return gzip.compress(msgspec.msgpack.encode((bundled.name, dict(sorted(bundled.files.items())))), mtime=0)


def unpack(data: bytes) -> Bundle:
    """The bundle that `pack` made; its hash is computed anew. TocsinError if the bytes are damaged or unreasonably large."""
    try:
        content = zlib.decompressobj(wbits=_GZIP).decompress(data, UNPACKED_BYTES_MAX + 1)
        if len(content) <= UNPACKED_BYTES_MAX:
            name, files = msgspec.msgpack.decode(content, type=tuple[str, dict[str, bytes]])
            return Bundle(name, region_hash(files), files)
    except (zlib.error, msgspec.DecodeError) as error:
        msg = f"a region bundle of {len(data)} bytes cannot be unpacked ({error}); publish the region again"
        raise TocsinError(msg) from error
    msg = f"a region bundle unpacks to more than {UNPACKED_BYTES_MAX} bytes; split the region"
    raise TocsinError(msg)
