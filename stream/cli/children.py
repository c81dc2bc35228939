"""Child processes of the demo: their output prefixed, their last lines kept, and none of them left behind, however the parent ends."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from typing import TYPE_CHECKING, Self

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

STOP_TIMEOUT_S = 15.0
LAST_LINES = 20
# Ends the child when the parent is gone, even by SIGKILL: then the pipe's other end closes and `read` returns.
_GUARD = 'read -r _; kill -9 "$1" 2>/dev/null'


class Child:
    """A child process in a session of its own, so that Ctrl-C reaches the parent alone, which then stops its children in order."""

    def __init__(self, name: str, command: Sequence[str], show: Callable[[str, str], None], *, temporary: Path) -> None:
        self.name = name
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # What it puts into the temporary folder goes when the demo goes.
            env={**os.environ, "TMPDIR": str(temporary)},
            start_new_session=True,
        )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "sh", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(show,), name=f"output of {name}", daemon=True)
        self._reader.start()

    def _read(self, show: Callable[[str, str], None]) -> None:
        for line in self._process.stdout or ():
            self._last.append(line.rstrip("\n"))
            show(self.name, line.rstrip("\n"))

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def check(self) -> None:
        """TocsinError with the last lines of its output when the child has ended."""
        if (code := self._process.poll()) is not None:
            self._reader.join(STOP_TIMEOUT_S)
            lines = "\n".join(f"  {line}" for line in self._last)
            msg = f"{self.name} ended unexpectedly (exit code {code}); its last lines:\n{lines}"
            raise TocsinError(msg)

    def stop(self) -> None:
        """End the child: politely, and after a while without asking. Safe to call again."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_TIMEOUT_S)
        self._guard.kill()
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait(STOP_TIMEOUT_S)
        self._reader.join(STOP_TIMEOUT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
