"""`tocsin gateway mqtt` as a process, fed by mosquitto_pub as anybody would call it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from stream.cli.main import app
from tests.gateways.http_lane import lane_settings, on_door, set_up, stage
from tests.gateways.mosquitto import USERS, Mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.runtime.broker import Broker

ROOT = Path(__file__).parents[2]
WAIT_S = 40
runner = CliRunner()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    one = Mosquitto(tmp_path / "mosquitto")
    yield one
    one.stop()


def command(mosquitto: Mosquitto, *options: str) -> list[str]:
    return ["gateway", "mqtt", "--broker", f"127.0.0.1:{mosquitto.port}", "--client-id", "one", "--username", "gateway", *options]


@pytest.mark.kafka
async def test_what_mosquitto_pub_sends_with_its_defaults_is_in_the_door_also_when_the_gateway_was_killed(
    broker: Broker, fresh_prefix: str, mosquitto: Mosquitto, tmp_path: Path
):
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "region")
    options = ["--bootstrap", broker.bootstrap, "--prefix", fresh_prefix, "--spool", str(tmp_path / "spool")]
    log = tmp_path / "gateway.log"

    def start(times: int) -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            line = [sys.executable, "-m", "stream.cli.main", *command(mosquitto, *options)]
            env = {**os.environ, "TOCSIN_PARTITIONS": "2", "TOCSIN_MQTT_PASSWORD": USERS["gateway"]}
            process = subprocess.Popen(line, cwd=ROOT, stdout=file, stderr=file, env=env)
        until = time.monotonic() + WAIT_S
        while log.read_bytes().count(b"ready\n") < times:
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < until, log.read_text("utf-8")
            time.sleep(0.1)
        return process

    first = start(1)
    mosquitto.publish("tocsin/station-7/a", [json.dumps(stage(1, 5)).encode()], qos=0)
    first.kill()
    first.wait(10)
    mosquitto.publish("tocsin/station-7/a", [json.dumps(stage(2, 4)).encode()], qos=0)
    second = start(2)
    until = time.monotonic() + WAIT_S
    while {item["value"] for item in on_door(settings)} != {1, 2}:
        assert time.monotonic() < until, log.read_text("utf-8")
        await asyncio.sleep(0.2)
    second.terminate()
    assert second.wait(20) == 0, log.read_text("utf-8")


def test_a_gateway_that_the_broker_refuses_ends_and_says_why(mosquitto, monkeypatch):
    monkeypatch.setenv("TOCSIN_MQTT_PASSWORD", "guessed")
    done = subprocess.run(
        [sys.executable, "-m", "stream.cli.main", *command(mosquitto, "--bootstrap", "127.0.0.1:9")],
        cwd=ROOT,
        capture_output=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"refuses the connection" in done.stderr


@pytest.mark.parametrize("wrong", [["--broker", "host:port"], ["--cert-file", __file__]])
def test_wrong_options_are_said(wrong):
    done = runner.invoke(app, ["gateway", "mqtt", "--client-id", "one", *wrong])
    assert done.exit_code == 1
    assert "error:" in done.output
