"""A river network as an npz file that is mapped into memory: a million reaches are there at once, shared between processes.

The file is an ordinary uncompressed npz (a zip of npy members; numpy.load reads it), but every member's data begins at a multiple of 64 bytes,
so that arrays can be views of the mapped file. A further member holds the format and the SHA-256 of everything else: a damaged or
half-written network is refused, and equal networks give equal files.
"""

from __future__ import annotations

import hashlib
import io
import json
import mmap
import struct
import zipfile
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from topology.base import Fault, TopologyError
from topology.network_arrays import arrays_of, laid_out

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from topology.network import Network

FORMAT = "tocsin-network-1"
_META = "network.json"
_ALIGNMENT = 64
_LOCAL_HEADER = 30
_EXTRA_ID = 0xD935
"""The padding's tag: the one Android's zipalign uses for the same purpose."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


class _Mapped(mmap.mmap):
    """A mapped file that zipfile can read."""

    def seekable(self) -> bool:
        """Said by every file object except this one before Python 3.13."""
        return True


def network_hash(network: Network) -> str:
    """SHA-256 (64 hex digits) of names, types, shapes and bytes of the network's arrays."""
    return _hash(arrays_of(network))


def save_network(network: Network, path: Path) -> str:
    """Writes the network and returns its hash. The same network always gives the same bytes."""
    arrays = arrays_of(network)
    found = _hash(arrays)
    with path.open("wb") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_META, _EPOCH), json.dumps({"format": FORMAT, "sha256": found}))
        for name in sorted(arrays):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            member = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            # An npy header is itself a multiple of 64 bytes long.
            padding = -(raw.tell() + _LOCAL_HEADER + len(member.filename) + 4) % _ALIGNMENT
            member.extra = struct.pack("<HH", _EXTRA_ID, padding) + bytes(padding)
            archive.writestr(member, buffer.getbuffer())
    return found


def load_network(path: Path, *, check: bool = True) -> Network:
    """The network of a file, its arrays mapped read-only (they keep the file open as long as they live).

    `check` compares the hash, which reads the file once. Raises `TopologyError` if it is no network or does not match its hash.
    """
    with path.open("rb") as file:
        try:
            mapped = _Mapped(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise _refused(path.name, f"is no network file: {error}") from error
        return read_network(mapped, path.name, check=check)


def read_network(data: bytes | _Mapped, name: str, *, check: bool = True) -> Network:
    """The network in the bytes of a file called `name`; its arrays are views of them. As `load_network`."""
    try:
        meta, arrays = _read(data)
    except (ValueError, KeyError, zipfile.BadZipFile, struct.error) as error:
        raise _refused(name, f"is no network file: {error}") from error
    if meta.get("format") != FORMAT:
        raise _refused(name, f"has format {meta.get('format')!r}, not {FORMAT!r}")
    if check and _hash(arrays) != meta.get("sha256"):
        raise _refused(name, "is damaged: its content does not match its hash")
    try:
        return laid_out(arrays)
    except KeyError as error:
        raise _refused(name, f"lacks the array {error}") from error


def _read(data: bytes | _Mapped) -> tuple[Mapping[str, Any], dict[str, NDArray[Any]]]:
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(cast(IO[bytes], data) if isinstance(data, _Mapped) else io.BytesIO(data)) as archive:
        meta = json.loads(archive.read(_META))
        for member in archive.infolist():
            if member.filename == _META:
                continue
            if member.compress_type != zipfile.ZIP_STORED:
                problem = f"{member.filename} is compressed"
                raise ValueError(problem)
            name_size, extra_size = struct.unpack_from("<HH", data, member.header_offset + 26)
            at = member.header_offset + _LOCAL_HEADER + name_size + extra_size
            arrays[member.filename.removesuffix(".npy")] = _array(data, at, member.file_size)
    return meta, arrays


def _array(data: bytes | _Mapped, at: int, size: int) -> NDArray[Any]:
    """The npy member at an offset, as a view."""
    header = io.BytesIO(data[at : at + min(size, 1 << 12)])
    np.lib.format.read_magic(header)
    shape, _, dtype = np.lib.format.read_array_header_1_0(header)
    count = int(np.prod(shape))
    if header.tell() + count * dtype.itemsize != size:
        problem = "an array is cut off"
        raise ValueError(problem)
    return np.frombuffer(data, dtype=dtype, count=count, offset=at + header.tell()).reshape(shape)


def _hash(arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.view(np.uint8).data if array.size else b"")
    return digest.hexdigest()


def _refused(name: str, problem: str) -> TopologyError:
    return TopologyError((Fault(name, 0, "", problem, "write it anew with save_network"),))
