"""What `tocsin doctor` looks at on this machine: versions, open files, the gateway's disk."""

from __future__ import annotations

import os
import platform
import resource
import shutil
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from stream.health.findings import Group

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from stream.health.findings import Finding

FILES_LEAST = 4_096
"""A gateway holds one for every connection of its senders."""
SPOOL_FREE = 1 << 30
SPOOL_LEAST = 64 << 20
_MB = 1 << 20


def machine(spool: Path | None) -> Iterator[Finding]:
    """Everything that can be told without a broker."""
    yield from versions("tocsin")
    yield open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    if spool is not None:
        yield from disk(spool)


def versions(name: str) -> Iterator[Finding]:
    """Python, and everything this distribution asks for, and what each of those asks for."""
    here = Group("versions")
    try:
        asked = _requirements(name)
        wanted = metadata.metadata(name)["Requires-Python"]
    except metadata.PackageNotFoundError:
        yield here.bad(f"{name} runs from its source tree, not installed: nothing says which versions it needs", "pip install it")
        return
    wrong = [*_wrong(name, asked), *(one for part in asked for one in _wrong(part.name, _requirements(part.name)))]
    for said, fix in dict(wrong).items():
        yield here.bad(said, fix)
    if not wrong:
        yield here.ok(
            f"tocsin {metadata.version(name)}, Python {platform.python_version()} ({wanted}), {len(asked)} dependencies as they must be"
        )


def _requirements(name: str) -> list[Requirement]:
    """What a distribution needs here, without extras; nothing of one that is missing (who asked for it says so)."""
    try:
        found = [Requirement(text) for text in metadata.requires(name) or ()]
    except metadata.PackageNotFoundError:
        if name == "tocsin":
            raise
        return []
    return [one for one in found if one.marker is None or one.marker.evaluate({"extra": ""})]


def _wrong(by: str, asked: Iterable[Requirement]) -> Iterator[tuple[str, str]]:
    for one in asked:
        fix = f"pip install '{one.name}{one.specifier}'"
        try:
            found = metadata.version(one.name)
        except metadata.PackageNotFoundError:
            yield f"{one.name} is missing, {by} needs it", fix
            continue
        if not one.specifier.contains(found, prereleases=True):
            yield f"{one.name} {found}: {by} needs {one.specifier}", fix


def open_files(limit: int) -> Finding:
    """Whether as many files and connections may be open as a gateway needs."""
    here = Group("open files")
    if limit == resource.RLIM_INFINITY or limit >= FILES_LEAST:
        return here.ok("no limit" if limit == resource.RLIM_INFINITY else f"{limit:,} at most")
    fix = "LimitNOFILE=65536 in the systemd unit, or `ulimit -n 65536`: a gateway needs one for each connection"
    return here.note(f"{limit:,} at most (this shell's)", fix)


def disk(spool: Path) -> Iterator[Finding]:
    """A gateway's folder: there, writable for whoever asks, with room; and whether something was set aside in it."""
    here = Group("disk")
    try:
        there = spool.is_dir()
    except PermissionError:
        there = True  # something above it is hidden from whoever asks
    if there and not os.access(spool, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        yield here.unknown(f"{spool} is not open to this user", "look as the gateway's user; if it is he, the folder must be his")
        return
    if not there:
        yield here.bad(f"{spool} is no folder", f"mkdir -p {spool}, owned by the gateway's user; nothing is stored without it")
        return
    free = shutil.disk_usage(spool).free
    fix = f"make room on the disk of {spool}: what Kafka does not take while it is away has nowhere to go (then 503, or no PUBACK)"
    if free < SPOOL_FREE:
        yield (here.note if free >= SPOOL_LEAST else here.bad)(f"{free // _MB:,} MB free for the spool {spool}", fix)
    else:
        yield here.ok(f"{free // _MB:,} MB free for the spool {spool}")
    if waiting := sum(map(_size, spool.rglob("*.spool"))):
        yield here.note(
            f"{waiting / _MB:,.1f} MB wait in {spool} for Kafka",
            "they go on by themselves when Kafka answers; if it does, look at the gateway's log",
        )
    for aside in sorted(spool.rglob("aside.jsonl")):
        lines = aside.read_bytes().count(b"\n")
        if lines:
            yield here.note(
                f"{lines} records that Kafka refused for ever stand in {aside}",
                "each line says why; mend and feed them, then remove the file",
            )


def _size(path: Path) -> int:
    """Bytes of a segment; none where the gateway has sent and removed it meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
