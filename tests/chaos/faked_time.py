"""A clock of processes that can be set while they run (libfaketime, Debian package `faketime`): their wall clock only, monotonic time goes on."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
NAME = "libfaketime.so.1"


def library() -> Path:
    """Where it is; without it the test is skipped, and fails in CI."""
    for folder in FOLDERS:
        for found in (*Path(folder).glob(f"faketime/{NAME}"), *Path(folder).glob(f"*/faketime/{NAME}")):
            return found
    why = f"{NAME} is not in {', '.join(FOLDERS)}: install the package faketime"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


class FakedTime:
    """One clock, for all processes that are started with its environment."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._library = library()
        self.offset_s = 0
        self.set(0)

    def set(self, offset_s: int) -> None:
        """So many seconds ahead of the true time from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset_s:+d}\n", "ascii")
        new.replace(self._file)
        self.offset_s = offset_s

    def now(self) -> float:
        """What it shows (seconds since 1970)."""
        return time.time() + self.offset_s

    @property
    def env(self) -> Mapping[str, str]:
        """What a process needs to go by it."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else a Java process stands still at its first timed wait
        }
