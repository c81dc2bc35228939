"""The form of a checkpoint on its topic, and which of several to trust. Pure; reading and writing are in checkpoint_store.py.

A checkpoint is some chunks and a manifest written after all of them are acknowledged. Keys are (fold version, worker instance, slot, chunk); a
worker writes its two slots in turn, so that a death half-way never harms the other one, and never writes another worker's.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CHUNK_BYTES = 700_000
"""Below the message size limit with room for the headers of a batch."""
SLOTS = (0, 1)
_MANIFEST = "manifest"
_encoder = msgspec.msgpack.Encoder()


class Manifest(msgspec.Struct, frozen=True):
    """What a slot holds. `next_offset`: the first journal offset that is not in it; `topic_id`: of the journal, whose offsets these are.

    `at`: the timestamp of the last record that is in it (ms).
    """

    topic_id: str
    next_offset: int
    fold_version: str
    instance: str
    slot: int
    chunks: int
    size: int
    sha256: str
    regions: dict[str, str]
    at: int = 0


_decoder = msgspec.msgpack.Decoder(Manifest)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint whose bytes are what its manifest says."""

    manifest: Manifest
    data: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a checkpoint must belong to: this fold version, this journal, and offsets the journal can have."""

    fold_version: str
    topic_id: str
    end_offset: int


def chunk_key(manifest: Manifest, number: int) -> bytes:
    """Key of a chunk."""
    return _key(manifest.fold_version, manifest.instance, manifest.slot, f"{number:05d}")


def manifest_key(manifest: Manifest) -> bytes:
    """Key of the manifest."""
    return _key(manifest.fold_version, manifest.instance, manifest.slot, _MANIFEST)


def writer(fold_version: str, instance: str) -> str:
    """Who writes slots of its own: an instance with its fold version."""
    return f"{quote(fold_version, safe='')}/{quote(instance, safe='')}"


def writer_of(key: bytes) -> str:
    """Whose a key is.

    >>> writer_of(_key("1", "tocsin/0", 1, "manifest")) == writer("1", "tocsin/0")
    True
    """
    return "/".join(key.decode("ascii").split("/")[:2])


def key_prefix(manifest: Manifest) -> bytes:
    """What the keys of its chunks and its own begin with."""
    return _key(manifest.fold_version, manifest.instance, manifest.slot, "")


def manifest_bytes(manifest: Manifest) -> bytes:
    """Value of the manifest's record."""
    return _encoder.encode(manifest)


def cut(data: bytes) -> list[bytes]:
    """The chunks of a snapshot; an empty one has one empty chunk.

    >>> [len(chunk) for chunk in cut(bytes(1_500_000))], cut(b"")
    ([700000, 700000, 100000], [b''])
    """
    return [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)] or [b""]


def digest(data: bytes) -> str:
    """SHA-256 of a snapshot."""
    return sha256(data).hexdigest()


def valid(records: Mapping[bytes, bytes | None], wanted: Wanted) -> list[Checkpoint]:
    """Every whole checkpoint among the latest records of a partition that fits, the largest next_offset first."""
    found = []
    for manifest in manifests(records):
        fits = manifest.fold_version == wanted.fold_version and manifest.topic_id == wanted.topic_id
        if not fits or manifest.next_offset > wanted.end_offset:
            continue
        data = whole(records, manifest)
        if data is not None:
            found.append(Checkpoint(manifest, data))
    return sorted(found, key=lambda one: (-one.manifest.next_offset, one.manifest.instance, one.manifest.slot))


def manifests(records: Mapping[bytes, bytes | None]) -> Iterable[Manifest]:
    """The manifests that can be read; one that cannot belongs to nothing and is no checkpoint."""
    return (found for key, value in records.items() if (found := manifest_of(key, value)) is not None)


def manifest_of(key: bytes, value: bytes | None) -> Manifest | None:
    """The manifest that a record is; None for anything else."""
    if value is None or not key.endswith(b"/" + _MANIFEST.encode()):
        return None
    try:
        manifest = _decoder.decode(value)
    except msgspec.DecodeError:
        return None
    return manifest if manifest_key(manifest) == key else None


def next_slot(own: Iterable[Checkpoint]) -> int:
    """The slot to write first: not the one of the newest own checkpoint.

    >>> next_slot([])
    0
    """
    newest = max(own, key=lambda one: one.manifest.next_offset, default=None)
    return SLOTS[0] if newest is None else 1 - newest.manifest.slot


def whole(records: Mapping[bytes, bytes | None], manifest: Manifest) -> bytes | None:
    """The bytes that a manifest stands for, None when its chunks are not all there as they must be."""
    chunks = [records.get(chunk_key(manifest, number)) for number in range(manifest.chunks)]
    data = b"".join(chunk for chunk in chunks if chunk is not None)
    sound = None not in chunks and len(data) == manifest.size and digest(data) == manifest.sha256
    return data if sound else None


def _key(version: str, instance: str, slot: int, part: str) -> bytes:
    return f"{quote(version, safe='')}/{quote(instance, safe='')}/{slot}/{part}".encode("ascii")
