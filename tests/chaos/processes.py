"""Starts, kills and restarts the processes of a chaos run, as a supervisor would: a worker that ends on its own is started again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.runtime.lane import Worker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from subprocess import Popen

    from stream.runtime.broker import Broker
    from stream.settings import Settings

BACK_OFF_S = 0.3


class Supervisor:
    """Workers by instance name; each that should run does, whatever ends it. `env` is given to the first start of each only."""

    def __init__(
        self, settings: Settings, folder: Path, module: str, *, env: Mapping[str, str] | None = None, later: Mapping[str, str] | None = None
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._module = module
        self._env = dict(env or {})
        self._later = dict(later or {})
        self._workers: dict[str, Worker] = {}
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self.ended: Counter[int] = Counter()
        """Exit codes of workers that ended without being told to."""
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def start(self, instance: str) -> None:
        with self._lock:
            log = self._folder / f"{instance}.log"
            env = self._later if log.exists() else self._env
            self._workers[instance] = Worker(self._settings, log, instance=instance, module=self._module, env=env)

    def wait_ready(self, instance: str) -> None:
        """Ready at least once since its latest start; starts in between (a failpoint, the broker away) are waited for too."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with self._lock:
                worker = self._workers[instance]
                if worker.process.poll() is None and worker.is_ready():
                    return
            time.sleep(0.05)
        msg = f"{instance} not ready:\n{worker.tail()}"
        raise AssertionError(msg)

    def kill(self, instance: str) -> None:
        """SIGKILL and start again at once."""
        with self._lock:
            self._workers[instance].kill()
            self.start(instance)

    def leave(self, instance: str, *, gently: bool) -> None:
        with self._lock:
            worker = self._workers.pop(instance)
        if gently:
            worker.stop()
        else:
            worker.kill()

    def process(self, instance: str) -> Popen[bytes]:
        """The one that runs now."""
        with self._lock:
            return self._workers[instance].process

    def stop(self) -> dict[str, int]:
        """Stop all gently; their exit codes."""
        self._ending.set()
        self._thread.join()
        return {name: worker.stop() for name, worker in self._workers.items()}

    def tails(self) -> str:
        return "\n".join(f"--- {name}\n{worker.tail(1500)}" for name, worker in self._workers.items())

    def _watch(self) -> None:
        while not self._ending.wait(BACK_OFF_S):
            with self._lock:
                for instance, worker in list(self._workers.items()):
                    if (code := worker.process.poll()) is not None:
                        self.ended[code] += 1
                        worker.kill()
                        self.start(instance)


def outage(broker: Broker, seconds: float) -> None:
    """SIGKILL the broker, and start it again on its data after some seconds."""
    broker.kill()
    time.sleep(seconds)
    broker.restart()
