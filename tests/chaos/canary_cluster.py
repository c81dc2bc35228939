"""A broker, a worker, an intake and a canary as processes that a test may stop, freeze and start again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stream.runtime.broker import Broker
from stream.runtime.ports import free_ports
from stream.settings import Settings
from tests.chaos.canary_seen import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
MODULES = {"worker": "tests.chaos.canary_worker", "intake": "stream.cli.main", "canary": "stream.cli.main"}


class Cluster:
    """The processes by name. `unread`: what the worker does not read, as `topic/partition`."""

    def __init__(self, folder: Path, settings: Settings, broker: Broker) -> None:
        self._folder = folder
        self.settings = settings
        self.broker = broker
        self.port = free_ports("127.0.0.1", 1)[0]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._unread = folder / "unread"
        given = {f"TOCSIN_{name.upper()}": str(getattr(settings, name)) for name in Settings.__struct_fields__}
        self._env = {**os.environ, **given, "TOCSIN_UNREAD": str(self._unread), "PYTHONPATH": str(ROOT)}

    def start(self, name: str) -> None:
        more = {"worker": (), "intake": ("intake",), "canary": ("canary", "--metrics-port", str(self.port))}[name]
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                # A session of its own: a process group that loses the shell it was started from gets SIGCONT from the kernel when one in it is frozen.
                [sys.executable, "-m", MODULES[name], *more], cwd=ROOT, env=self._env, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def said(self, name: str) -> str:
        return self.log(name).read_text("utf-8", "replace")

    def unread(self, *partitions: str) -> None:
        self._unread.write_text("\n".join(partitions), "ascii")

    def frozen(self) -> set[str]:
        """Those that stand still, by the kernel's word."""
        return {name for name, process in self.processes.items() if process.poll() is None and _state(process.pid) == "T"}

    def restart_what_ended(self) -> None:
        """As a supervisor would."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.start(name)

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait(10)


def _state(pid: int) -> str:
    """T: stopped."""
    return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]


@contextmanager
def cluster(folder: Path, period_s: float, partitions: int) -> Iterator[tuple[Cluster, Seen]]:
    """Everything running, and what the canary shows from its first second on."""
    with Broker.start(folder / "broker") as broker:
        # The worker's own watchdog would end it while it does not read a partition, and its pulse on a machine that is busy with other tests.
        quick = {"tick_s": 0.5, "checkpoint_s": 0.5, "request_timeout_s": 8.0, "watchdog_s": 600.0, "session_timeout_s": 20.0}
        one = Cluster(folder, Settings(bootstrap=broker.bootstrap, canary_s=period_s, partitions=partitions, **quick), broker)
        try:
            for name in ("worker", "intake", "canary"):
                one.start(name)
            with Seen(one.port) as seen:
                yield one, seen
        finally:
            one.close()


def until(look: Callable[[], bool], limit_s: float, why: Callable[[], str]) -> float:
    """Seconds until it is so; AssertionError with `why` when it is not in time."""
    began = time.monotonic()
    while not look():
        assert time.monotonic() - began < limit_s, why()
        time.sleep(0.05)
    return time.monotonic() - began
