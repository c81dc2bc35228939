"""`tocsin gateway mqtt` as an installer starts it: what he reads when something is wrong, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.runtime.ports import free_ports
from tests.gateways.http_lane import lane_settings
from tests.gateways.mosquitto import USERS, Mosquitto
from tests.gateways.mqtt_lane import NOBODY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stream.settings import Settings

ROOT = Path(__file__).parents[2]
WAIT_S = 60
NO_KAFKA = lane_settings(NOBODY, "t.")


class Started:
    """The process; what it says is in a file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log

    def text(self) -> str:
        return self._log.read_text("utf-8")

    def until(self, look: Callable[[str], bool]) -> str:
        """What it has said, as soon as that holds."""
        end = time.monotonic() + WAIT_S
        while not look(text := self.text()):
            assert time.monotonic() < end, text
            assert self.process.poll() is None or look(self.text()), self.text()
            time.sleep(0.1)
        return text

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(WAIT_S)


@contextmanager
def started(
    folder: Path, broker: str, *options: str, settings: Settings = NO_KAFKA, client_id: str = "one", password: str = ""
) -> Iterator[Started]:
    """The command, with a password in its environment if there is one."""
    log = folder / f"gateway-{len(list(folder.glob('gateway-*')))}.log"
    words = ["--broker", broker, "--client-id", client_id, "--bootstrap", settings.bootstrap, "--prefix", settings.prefix, *options]
    env = {**os.environ, "TOCSIN_PARTITIONS": str(settings.partitions), "TOCSIN_LANE": "test"}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "stream.cli.main", "gateway", "mqtt", *words],
            cwd=ROOT, stdout=file, stderr=file, env=env | ({"TOCSIN_MQTT_PASSWORD": password} if password else {}),
        )  # fmt: skip
    try:
        yield Started(process, log)
    finally:
        process.kill()
        process.wait(10)


def at(mosquitto: Mosquitto) -> str:
    return f"127.0.0.1:{mosquitto.port}"


@pytest.mark.slow
def test_a_broker_that_is_not_there_is_told_and_tried_again_until_it_is_stopped(tmp_path):
    port = free_ports("127.0.0.1")[0]
    with started(tmp_path, f"127.0.0.1:{port}") as one, started(tmp_path, "no-such-host.invalid") as other:
        one.until(lambda text: text.count(f"no MQTT broker answers at 127.0.0.1:{port} as one") > 1 and "trying again" in text)
        other.until(lambda text: "no MQTT broker answers at no-such-host.invalid:1883" in text)
        assert (one.stop(), other.stop()) == (0, 0)


@pytest.mark.slow
def test_who_is_not_let_in_reads_why_and_what_to_do_and_the_process_ends(tmp_path, mosquitto):
    (tmp_path / "password").write_text("guessed\n", "utf-8")
    wrong = {
        "name a --username": ((), ""),
        "no password was given for 'gateway': set TOCSIN_MQTT_PASSWORD, or name a --password-file": (("--username", "gateway"), ""),
        "look at the password of 'gateway'": (("--username", "gateway", "--password-file", str(tmp_path / "password")), ""),
        "look at the password of 'nobody'": (("--username", "nobody"), "listens"),
    }
    for advice, (options, password) in wrong.items():
        with started(tmp_path, at(mosquitto), *options, password=password) as one:
            assert one.process.wait(WAIT_S) == 1
            last = one.text().splitlines()[-1]
            assert "refuses the connection: Not authorized" in last, one.text()
            assert advice in last
            assert "Traceback" not in one.text()


@pytest.mark.slow
def test_a_client_id_that_another_gateway_has_is_told_to_both(tmp_path, mosquitto):
    options = ("--username", "gateway")
    with started(tmp_path, at(mosquitto), *options, password=USERS["gateway"]) as first:
        with started(tmp_path, at(mosquitto), *options, password=USERS["gateway"]) as second:
            for one in (first, second):
                one.until(
                    lambda text: "as one closes each connection soon after it is made: does another client have this client id?" in text
                )
            assert second.stop() == 0
        assert first.stop() == 0
