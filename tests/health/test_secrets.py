"""No secret gets out: passwords, tokens and keys are driven through failures, and then every log, answer and metric is searched for them."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError

import pytest

from stream.runtime.broker import Broker
from stream.runtime.broker_security import INSTALLER
from stream.runtime.ports import free_ports
from tests.health.processes import Processes, ask, measurement

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
WAIT_S = 90.0
TOKEN = "tocsin_canary-token-4c1b7e"  # noqa: S105
WRONG_TOKEN = "tocsin_wrong-token-90aa3f"  # noqa: S105
WRONG_PASSWORD = "wrong-password-77d0c2"  # noqa: S105
KEY_PASSWORD = "key-password-5be19d"  # noqa: S105
MQTT_PASSWORD = "mqtt-password-e0f3a1"  # noqa: S105

GATEWAYS = f"""
[up]
kind = "http_token"
stations = ["upper"]
families = ["water"]
lanes = ["test"]
[up.keys.a]
token_sha256 = "{sha256(TOKEN.encode()).hexdigest()}"
"""


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker.start(tmp_path_factory.mktemp("closed"), secured=True) as broker:
        yield broker


def failing(processes: Processes, broker: Broker) -> None:
    """Commands that all fail with some secret in the wrong place, or a wrong one."""
    key_password = processes.folder / "key-password"
    key_password.write_text(KEY_PASSWORD, "utf-8")
    key_password.chmod(0o600)
    assert processes.run("tail", "bor", "--once") == 1
    assert processes.run("worker", "--verbose") == 1
    assert processes.run("doctor", "--json") == 1
    assert processes.run("status", TOCSIN_SASL_PASSWORD=WRONG_PASSWORD) == 1
    assert processes.run("status", TOCSIN_SASL_PASSWORD_FILE=WRONG_PASSWORD) == 1
    certificate = broker.security.certificate("somebody").certificate
    tls = {"TOCSIN_SSL_CERT_FILE": str(certificate), "TOCSIN_SSL_KEY_FILE": "/dev/null", "TOCSIN_SSL_KEY_PASSWORD_FILE": str(key_password)}
    assert processes.run("status", **tls) == 1
    address = f"127.0.0.1:{free_ports('127.0.0.1')[0]}"
    mqtt = ("gateway", "mqtt", "--client-id", "g", "--broker", address, "--username", "g")
    assert processes.run(*mqtt, TOCSIN_MQTT_PASSWORD=MQTT_PASSWORD) == 1


def in_all_shapes(secret: str) -> set[str]:
    """As it is, and as a careless line would hold it."""
    raw = secret.encode()
    return {secret, base64.b64encode(raw).decode().rstrip("="), raw.hex(), repr(raw)[2:-1], json.dumps(secret)[1:-1]}


def test_no_log_answer_or_metric_holds_a_secret_whatever_fails(closed: Broker, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_bytes(closed.security.password_file(INSTALLER).read_bytes())
    password.chmod(0o600)
    login = {**closed.security.login(INSTALLER), "sasl_password_file": str(password)}
    processes = Processes(tmp_path, bootstrap=closed.bootstrap, prefix="t.", log_format="json", **login)
    first = password.read_text("utf-8").strip()
    answers = []
    try:
        processes.activate(**{"gateways.toml": GATEWAYS})
        port, metrics = free_ports("127.0.0.1", 2)
        processes.start("gateway", "http", "--port", str(port), "--spool", str(tmp_path / "spool"))
        processes.start("worker", "--metrics-port", str(metrics))
        processes.until("gateway", "ready")
        processes.until("worker", "ready generation")
        url = f"http://127.0.0.1:{port}/v1/measurements"
        body = measurement()
        answers += [ask(url, body, TOKEN), ask(url, body, WRONG_TOKEN), ask(url, TOKEN.encode(), TOKEN), ask(f"{url}/{TOKEN}")]
        # The password ends while they run, the broker ends their connections, and commands come with the wrong one.
        second = closed.set_password(INSTALLER).read_text("utf-8").strip()
        closed.restart()
        answers.append(ask(url, body, TOKEN))
        processes.until("gateway", "refused user 'installer'")
        password.write_text(WRONG_PASSWORD, "utf-8")
        failing(processes, closed)
        with suppress(URLError):  # the worker may have ended with its broker
            answers.append(ask(f"http://127.0.0.1:{metrics}/metrics"))
    finally:
        processes.stop()
    written = {path: path.read_text("utf-8", "replace") for path in tmp_path.glob("*.log")} | {"answers": "\n".join(answers)}
    written["commands"] = processes.said.read_text("utf-8")
    assert "refused user 'installer'" in written["commands"]
    secrets = {first, second, TOKEN, WRONG_TOKEN, WRONG_PASSWORD, KEY_PASSWORD, MQTT_PASSWORD}
    found = {(str(place), secret) for place, text in written.items() for secret in secrets for one in in_all_shapes(secret) if one in text}
    assert found == set()
    lines = [line for path in tmp_path.glob("*.log") for line in path.read_text("utf-8").splitlines() if not line.startswith("ready ")]
    assert lines
    assert all({"at", "level", "logger", "message", "service", "instance"} <= json.loads(line).keys() for line in lines)
