"""What every process tells its supervisor, over a real socket: started when it is, alive while it is, stopping when it was told to."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.cli.region import activated
from stream.health import notifying
from stream.health.exposing import LIVE, READY, STARTED, Health
from stream.health.probes import STARTING
from stream.runtime import watchdog
from stream.runtime.ports import free_ports
from stream.settings import load
from tests.decide.conftest import FILES
from tests.gateways.mosquitto import USERS, Mosquitto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stream.runtime.broker import Broker

ROOT = Path(__file__).parents[2]
WAIT_S = 60.0


class Supervisor:
    """A socket that hears."""

    def __init__(self, path: Path) -> None:
        self.path, self.heard = path, list[str]()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def listen(self) -> list[str]:
        """Everything so far, the first words of each message."""
        while True:
            try:
                self.heard.append(self._socket.recv(4096).decode().partition("\n")[0])
            except BlockingIOError:
                return self.heard

    def hears(self, said: str, timeout_s: float = WAIT_S) -> bool:
        """Whether this is said from now on."""
        before = len(self.listen())
        return until(lambda: said in self.listen()[before:], timeout_s)

    def close(self) -> None:
        self._socket.close()


def until(look: Callable[[], bool], timeout_s: float = WAIT_S) -> bool:
    end = time.monotonic() + timeout_s
    while not look():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "notify")
    yield made
    made.close()


def test_a_process_is_alive_while_its_loop_turns_and_started_when_it_says_so(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(notifying.ADDRESS, str(supervisor.path))
    monkeypatch.setattr(notifying, "LOOK_S", 0.05)
    monkeypatch.setattr(watchdog, "LIVE_S", 0.6)
    told, dog = [STARTING], watchdog.Watchdog(60.0)

    async def live() -> None:
        beating = asyncio.create_task(dog.run())
        dog.start()
        notifying.tell({LIVE: dog.health, STARTED: lambda: told[0], READY: Health})
        await asyncio.to_thread(supervisor.hears, "EXTEND_TIMEOUT_USEC=60000000")
        assert "READY=1" not in supervisor.listen()
        told[0] = Health()
        assert await asyncio.to_thread(supervisor.hears, "READY=1")
        assert await asyncio.to_thread(supervisor.hears, "WATCHDOG=1")
        time.sleep(2.0)  # noqa: ASYNC251  the loop hangs
        supervisor.listen()
        assert not supervisor.hears("WATCHDOG=1", 0.5)
        beating.cancel()

    asyncio.run(live())
    assert supervisor.listen().count("READY=1") == 1


def test_nothing_is_told_where_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(notifying.ADDRESS, raising=False)
    notifying.tell({})
    notifying.stopping()


@pytest.mark.kafka
@pytest.mark.slow
def test_every_process_says_that_it_has_started_lives_and_stops(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / "rill" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rill" / name).write_text(text, "utf-8")
    file = tmp_path / "settings.toml"
    file.write_text(
        f'bootstrap = "{broker.bootstrap}"\nprefix = "{fresh_prefix}"\nlane = "test"\npartitions = 2\nsession_timeout_s = 40.0\n', "utf-8"
    )

    asyncio.run(activated(load(file, {}), tmp_path / "rill"))
    mosquitto = Mosquitto(tmp_path / "mosquitto")
    processes = {
        "worker": ["worker"],
        "intake": ["intake"],
        "http": ["gateway", "http", "--port", str(free_ports("127.0.0.1")[0])],
        "mqtt": ["gateway", "mqtt", "--broker", f"127.0.0.1:{mosquitto.port}", "--client-id", "one", "--username", "gateway"],
        "canary": ["canary"],
    }
    supervisors = {name: Supervisor(tmp_path / f"{name}.socket") for name in processes}
    running = {}
    try:
        for name, words in processes.items():
            env = {**os.environ, notifying.ADDRESS: str(supervisors[name].path), "TOCSIN_MQTT_PASSWORD": USERS["gateway"]}
            command = [sys.executable, "-m", "stream.cli.main", *words, "--settings", str(file)]
            with (tmp_path / f"{name}.log").open("wb") as log:
                running[name] = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        for name, one in supervisors.items():
            assert until(lambda one=one: "WATCHDOG=1" in one.listen()), (name, (tmp_path / f"{name}.log").read_text("utf-8")[-1500:])
            first = [said for said in one.heard if not said.startswith("EXTEND")]
            assert first[:2] == ["READY=1", "WATCHDOG=1"], name
        assert "ready generation=" in (tmp_path / "worker.log").read_text("utf-8")
        worker = running["worker"]
        worker.send_signal(signal.SIGSTOP)
        supervisors["worker"].listen()
        assert not supervisors["worker"].hears("WATCHDOG=1", 2.5)
        worker.send_signal(signal.SIGCONT)
        assert supervisors["worker"].hears("WATCHDOG=1")
        for name, process in running.items():
            process.terminate()
            assert supervisors[name].hears("STOPPING=1"), name
        assert {name: process.wait(30) for name, process in running.items()} == dict.fromkeys(running, 0)
    finally:
        for process in running.values():
            process.kill()
            process.wait(10)
        for one in supervisors.values():
            one.close()
        mosquitto.stop()
