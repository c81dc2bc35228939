"""Processes under measurement: started, held, let go on, and asked by the operating system how much CPU time they used."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from stream.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system seconds of all threads of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class Process:
    """A Python program as a child; its standard output is read line by line, its standard error is kept in a file."""

    def __init__(self, command: list[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self._log = log
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_s(self) -> float:
        return cpu_s(self.pid)

    def expect(self, start: str, timeout_s: float = 120.0) -> str:
        """The next line that begins like this."""
        until = time.monotonic() + timeout_s
        while True:
            try:
                line = self._lines.get(timeout=0.2)
            except queue.Empty:
                if self._process.poll() is not None and not self._reader.is_alive() and self._lines.empty():
                    msg = f"ended with {self._process.returncode}:\n{self.tail()}"
                    raise RuntimeError(msg) from None
                if time.monotonic() > until:
                    msg = f"no line {start!r} within {timeout_s:.0f} s:\n{self.tail()}"
                    raise TimeoutError(msg) from None
                continue
            if line.startswith(start):
                return line

    def say(self, line: str) -> None:
        """A line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hold(self) -> None:
        """Stop it where it stands (SIGSTOP)."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self, timeout_s: float = 30.0) -> int:
        self.go_on()
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait(10)
        self._reader.join(5)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def tail(self) -> str:
        return self._log.read_text("utf-8", "replace")[-3000:]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))


def worker(settings: Settings, log: Path, profile: Path | None = None) -> Process:
    """The product's own worker with these settings. With `profile`, under cProfile (figures are then worthless, shares are not)."""
    env = {f"TOCSIN_{name.upper()}": str(getattr(settings, name)) for name in Settings.__struct_fields__}
    profiled = ["-m", "cProfile", "-o", str(profile)] if profile is not None else []
    return Process([*profiled, "-m", "stream.cli.main", "worker"], log, env)
