from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.cli.main import app
from tests.gateways.mosquitto import USERS

ROOT = Path(__file__).parents[2]
LINE = b'{"series": "hekou/stage", "observed_at": "2020-01-01T08:00:00+08:00", "value": 312, "unit": "cm"}'


def test_what_comes_from_a_broker_is_shown_by_the_dialect_of_its_topic(tmp_path, mosquitto):
    options = ["--broker", f"127.0.0.1:{mosquitto.port}", "--username", "gateway", "--region", "example", "--json"]
    command = [sys.executable, "-m", "stream.cli.main", "gateway", "try", "--listen", *options]
    secret = {**os.environ, "TOCSIN_MQTT_PASSWORD": USERS["gateway"]}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=secret) as one:
        try:
            assert one.stderr is not None
            assert one.stdout is not None
            said = one.stderr.readline()
            assert f"listening to 127.0.0.1:{mosquitto.port}: tocsin/#" in said, said + one.stderr.read()
            mosquitto.publish("tocsin/station-7/stage", [LINE, b"nothing"])
            first, second = (json.loads(one.stdout.readline()) for _ in range(2))
            assert (first["series"], first["value"], first["domain"], first["verdict"]) == ("hekou/stage", 3.12, "lin-river", "accepted")
            assert second["verdict"] == "rejected"
        finally:
            one.terminate()
            one.wait(20)


@pytest.mark.parametrize(("address", "word"), [("127.0.0.1:1", "cannot be reached"), ("nowhere:x", "write host:port")])
def test_a_broker_that_cannot_be_heard_is_said(address, word):
    done = CliRunner().invoke(app, ["gateway", "try", "--listen", "--broker", address, "--region", "example"])
    assert done.exit_code == 1
    assert word in done.stderr


def test_a_broker_that_refuses_is_said(mosquitto):
    done = CliRunner().invoke(app, ["gateway", "try", "--listen", "--broker", f"127.0.0.1:{mosquitto.port}", "--region", "example"])
    assert done.exit_code == 1
    assert "Not authorized" in done.stderr
