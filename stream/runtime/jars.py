"""The jars of Apache Kafka, fetched once from Maven Central by name, and never used unless their sums are the committed ones."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jgo.maven import MavenContext

KAFKA = "4.3.1"
DOWNLOADS_AT_ONCE = 8


def cache_folder() -> Path:
    """Where jars are kept between runs: `$XDG_CACHE_HOME/tocsin`, else `~/.cache/tocsin`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tocsin"


def pinned() -> dict[str, str]:
    """Maven name (group:artifact:version) to SHA-256, of every jar the broker needs, as committed.

    >>> len(pinned()), "org.apache.kafka:kafka_2.13:4.3.1" in pinned()
    (46, True)
    """
    text = files("stream.runtime").joinpath(f"kafka-{KAFKA}.sha256").read_text("ascii")
    return {name: digest for digest, name in (line.split() for line in text.splitlines() if line)}


def jar_name(name: str) -> str:
    """The file name of a jar.

    >>> jar_name("org.slf4j:slf4j-api:1.7.36")
    'slf4j-api-1.7.36.jar'
    """
    _, artifact, version = name.split(":")
    return f"{artifact}-{version}.jar"


def kafka_jars(on_progress: Callable[[int, int], None] | None = None, *, folder: Path | None = None) -> list[Path]:
    """The verified jars, downloading those that are missing or damaged (43 MB, once).

    `on_progress(done, total)` is called as jars arrive. BrokerError when a download fails or a sum differs.
    """
    return fetched(pinned(), folder or cache_folder() / f"kafka-{KAFKA}", on_progress)


def fetched(wanted: Mapping[str, str], folder: Path, on_progress: Callable[[int, int], None] | None = None) -> list[Path]:
    """These jars (Maven name -> SHA-256) in this folder; BrokerError when a download fails or a sum differs."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = {name: digest for name, digest in wanted.items() if not _is(folder / jar_name(name), digest)}
    if missing:
        _download(missing, folder, on_progress)
    return sorted(folder / jar_name(name) for name in wanted)


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _download(missing: Mapping[str, str], folder: Path, on_progress: Callable[[int, int], None] | None) -> None:
    from jgo.maven import MavenContext, PythonResolver

    # A folder of our own next to the target: a process that dies half-way leaves no broken jar where others look.
    staging = Path(tempfile.mkdtemp(prefix=".download-", dir=folder))
    context = MavenContext(repo_cache=staging, local_repos=[], resolver=PythonResolver(), timeout=60)
    try:
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            running = [pool.submit(_fetch, context, name, digest, folder) for name, digest in missing.items()]
            try:
                for done, future in enumerate(as_completed(running), 1):
                    future.result()
                    if on_progress is not None:
                        on_progress(done, len(running))
            finally:
                pool.shutdown(cancel_futures=True)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _fetch(context: MavenContext, name: str, digest: str, folder: Path) -> None:
    group, artifact, version = name.split(":")
    try:
        path = context.project(group, artifact).at_version(version).artifact().resolve()
    except (OSError, RuntimeError) as error:
        msg = f"could not download {name} from Maven Central: {error}; check the network, or use your own broker with --bootstrap"
        raise BrokerError(msg) from error
    if (found := sha256(path)) != digest:
        msg = f"{name} from Maven Central has SHA-256 {found}, expected {digest}: it is not the file this release was tested with"
        raise BrokerError(msg)
    path.replace(folder / jar_name(name))
