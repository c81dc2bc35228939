"""Our processes as an SRE runs them, with settings in a file and everything they write in one folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.decide.conftest import FILES

ROOT = Path(__file__).parents[2]
WAIT_S = 90.0
QUICK = {"lane": "test", "partitions": 2, "session_timeout_s": 20.0}


def ask(url: str, body: bytes | None = None, token: str = "", **headers: str) -> str:
    """Status, headers and body of an answer."""
    sent = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {}), **headers}
    try:
        with urlopen(Request(url, body, sent), timeout=20) as got:  # noqa: S310
            return f"{got.status} {got.headers} {got.read().decode()}"
    except HTTPError as error:
        return f"{error.code} {error.headers} {error.read().decode()}"


def measurement() -> bytes:
    """A level at the upper gauge, just now."""
    return json.dumps([{"station": "upper", "quantity": "stage", "observed_at": datetime.now(UTC).isoformat(), "value": 4.5}]).encode()


class Processes:
    """`said.txt` holds what commands said, `<command>.log` what a process did."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder, self.said = folder, folder / "said.txt"
        self._options = ["--settings", str(folder / "lane.toml")]
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in {**QUICK, **settings}.items()]
        (folder / "lane.toml").write_text("".join(lines), "utf-8")
        self._running: list[subprocess.Popen[bytes]] = []

    def activate(self, **files: str) -> None:
        """Make the small river active, with these files more (`/` and `.` in their names)."""
        folder = self.folder / "rill"
        for name, text in {**FILES, **files}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        assert self.run("region", "activate", str(folder)) == 0, self.said.read_text("utf-8")

    def run(self, *words: str, **env: str) -> int:
        """A command's exit code."""
        with self.said.open("ab") as out:
            command = [sys.executable, "-m", "stream.cli.main", *words, *self._options]
            return subprocess.run(
                command, stdout=out, stderr=out, cwd=ROOT, timeout=WAIT_S, check=False, env={**os.environ, **env}
            ).returncode

    def start(self, *words: str) -> None:
        """A process."""
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            command = [sys.executable, "-m", "stream.cli.main", *words, *self._options]
            self._running.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT))

    def until(self, name: str, said: str) -> None:
        """Wait until a process's log says this."""
        until = time.monotonic() + WAIT_S
        while said not in (text := (self.folder / f"{name}.log").read_text("utf-8")):
            assert time.monotonic() < until, text[-3000:]
            time.sleep(0.1)

    def stop(self) -> None:
        for one in self._running:
            one.terminate()
        for one in self._running:
            one.wait(30)
