"""A gateway as a process that a chaos run kills and starts again, and the stages of its work at which it may kill itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stream.settings import Settings

STAGES = ("gateway_before_send", "gateway_handed_over", "gateway_accepted")
"""Before Kafka has anything; when it may have; when it has, and nobody was told."""
AWAY = ("gateway_storing", "gateway_stored", "gateway_drained")
"""Only reached when Kafka was away: before the disk has it; when it has, and nobody was told; when Kafka has it, and the disk still does."""
KILLED = -9
WAIT_S = 90


class Gateway:
    """One gateway that is started again whenever it died. `kills`: how often and at which stage."""

    def __init__(self, kind: str, settings: Settings, folder: Path, arguments: Sequence[str]) -> None:
        self.kind, self._arguments, self._log = kind, arguments, folder / f"{kind}.log"
        self._env = {f"TOCSIN_{name.upper()}": str(getattr(settings, name)) for name in settings.__struct_fields__}
        self.kills: Counter[str] = Counter()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, failpoint: str = "") -> None:
        self._end()
        with self._log.open("ab") as log:
            self._from = log.tell()
            command = [sys.executable, "-m", "tests.chaos.gateway_process", self.kind, *self._arguments]
            env = {**os.environ, **self._env, "TOCSIN_INSTANCE": self.kind, "TOCSIN_FAILPOINT": failpoint}
            self._process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=Path(__file__).parents[2])

    def wait_ready(self) -> None:
        wait(lambda: re.search(rb"(?m)^ready", self._log.read_bytes()[self._from :]), self.tail)

    def die_at(self, stage: str) -> None:
        """Wait until it has killed itself there."""
        assert self._process is not None
        try:
            code = self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            code = None
        assert code == KILLED, f"{self.kind} at {stage}: {code}\n{self.tail()}"
        self.kills[stage] += 1

    def kill(self, when: str) -> None:
        assert self._process is not None
        assert self._process.poll() is None, f"{self.kind} ended by itself\n{self.tail()}"
        self._end()
        self.kills[when] += 1

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(WAIT_S)

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def tail(self) -> str:
        return self._log.read_text("utf-8", "replace")[-3_000:]

    def close(self) -> None:
        self._end()


def wait(look: Callable[[], object], why: Callable[[], str]) -> None:
    until = time.monotonic() + WAIT_S
    while not look():
        assert time.monotonic() < until, why()
        time.sleep(0.1)
