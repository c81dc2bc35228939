"""The whole service on a secured broker, everybody with no more than his role: a warning arrives, is answered, and nothing was refused."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from stream.cli.main import app
from stream.gateways.keys import new_token
from stream.records.journal import Acknowledgement, decode
from stream.runtime import acl_admin
from stream.runtime.acls import Acl, Pattern, Resource
from stream.runtime.broker import Broker
from stream.runtime.broker_security import INSTALLER
from stream.runtime.follow import follow
from stream.runtime.ports import free_ports
from stream.settings import Settings
from tests.decide.conftest import FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
runner = CliRunner()
ROOT = Path(__file__).parents[2]
WAIT_S = 60.0
PRINCIPALS = """
installer = ["User:setup"]
worker = ["User:worker-0"]
intake = ["User:CN=intake"]
gateway = ["User:gateway"]
canary = ["User:canary"]
sre = ["User:sre"]
[centre]
ava = ["User:centre-ava"]
bor = ["User:CN=centre-bor"]
[door]
upper = ["User:upper"]
"""
TOKEN = new_token()
GATEWAYS = f"""
[agency]
kind = "http_token"
stations = ["middle"]
families = ["water"]
lanes = ["live"]
audience = "rill"
[agency.keys.k1]
token_sha256 = "{sha256(TOKEN.encode()).hexdigest()}"
[upper]
kind = "kafka"
stations = ["upper"]
families = ["water"]
lanes = ["live"]
audience = "rill"
"""


class Installation:
    """A secured broker, and a settings file for each principal."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker, self.folder = broker, folder
        self._running: list[subprocess.Popen[bytes]] = []

    def settings(self, principal: str) -> Settings:
        security, name = self.broker.security, principal.removeprefix("CN=")
        if name != principal:
            shown, address = security.certificate_login(name), self.broker.address("SSL")
        else:
            if not security.password_file(name).exists():
                self.broker.set_password(name)
            shown, address = security.login(name), self.broker.bootstrap
        return Settings(bootstrap=address, partitions=2, tick_s=0.5, session_timeout_s=20.0, canary_s=2.0, **shown)

    def options(self, principal: str) -> list[str]:
        file = self.folder / f"{principal}.toml"
        file.write_bytes(msgspec.toml.encode(self.settings(principal)))
        return ["--settings", str(file)]

    def run(self, principal: str, *words: str) -> str:
        done = runner.invoke(app, [*words, *self.options(principal)])
        assert done.exit_code == 0, (words, done.output, done.exception)
        return done.stdout

    def refused(self, principal: str, *words: str) -> bool:
        return runner.invoke(app, [*words, *self.options(principal)]).exit_code == 1

    def start(self, principal: str, *words: str) -> None:
        with self.log(words[0]).open("wb") as log:
            command = [sys.executable, "-m", "stream.cli.main", *words, *self.options(principal)]
            self._running.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT))

    def log(self, command: str) -> Path:
        return self.folder / f"{command}.log"

    def said(self) -> str:
        return "\n".join(f"--- {one.name}\n{one.read_text('utf-8')[-1500:]}" for one in self.folder.glob("*.log"))

    def until(self, look: Callable[[], bool]) -> None:
        until = time.monotonic() + WAIT_S
        while not look():
            assert time.monotonic() < until, self.said()
            time.sleep(0.2)

    def refusals(self) -> list[str]:
        return [line for line in self.broker.log.read_text("utf-8").splitlines() if " is Denied " in line]

    def stop(self) -> None:
        for one in self._running:
            one.terminate()
        for one in self._running:
            one.wait(30)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with Broker.start(tmp_path / "broker", secured=True) as broker:
        made = Installation(broker, tmp_path)
        yield made
        made.stop()


def test_everybody_with_no_more_than_his_role_warns_a_city_and_hears_its_answer(installation: Installation, tmp_path: Path) -> None:
    region, principals, ports = tmp_path / "rill", tmp_path / "principals.toml", free_ports("127.0.0.1")
    for name, text in (FILES | {"gateways.toml": GATEWAYS}).items():
        (region / name).parent.mkdir(parents=True, exist_ok=True)
        (region / name).write_text(text, "utf-8")
    principals.write_text(PRINCIPALS, "utf-8")
    installation.run(INSTALLER, "topics", "create")
    installation.run(INSTALLER, "topics", "acl", str(principals), str(region), "--apply")
    installation.run("setup", "region", "activate", str(region))
    assert "the cluster allows exactly this" in installation.run("setup", "topics", "acl", str(principals), "--check")

    installation.start("worker-0", "worker")
    installation.start("CN=intake", "intake")
    installation.start("gateway", "gateway", "http", "--port", str(ports[0]))
    installation.start("canary", "canary", "--metrics-port", str(ports[1]))
    for command in ("worker", "intake", "gateway"):
        installation.until(lambda command=command: "ready" in installation.log(command).read_text("utf-8"))
    assert posted(ports[0]) == 1
    handed_in(installation)
    installation.until(lambda: bool(active(installation)))
    (warning_id,) = active(installation)
    installation.run("CN=centre-bor", "accept", "bor", warning_id, "--by", "officer")
    installation.until(lambda: [one.warning_id for one in answers(installation)] == [warning_id])
    installation.until(lambda: ready(ports[1]))
    installation.run("sre", "topics", "check", str(region))
    assert installation.refusals() == []

    # What the log shows when somebody tries more: a neighbour's warnings, an answer in its name, the journal.
    assert installation.refused("centre-ava", "tail", "bor", "--once")
    assert installation.refused("centre-ava", "accept", "bor", warning_id)
    assert installation.refused("sre", "journal", "save", "--out", str(tmp_path / "journal"))
    assert installation.refusals() != []

    # Somebody was let to more than his role by hand.
    acl_admin.add(installation.settings("setup").cluster, [Acl("User:centre-ava", Pattern(Resource.TOPIC, "warnings.bor"), "Read")])
    installation.run("centre-ava", "tail", "bor", "--once")
    checked = runner.invoke(app, ["topics", "acl", str(principals), "--check", *installation.options("setup")])
    assert checked.exit_code == 1
    assert checked.stdout == "superfluous: Allow User:centre-ava Read on topic warnings.bor: --apply --remove takes it away\n"
    installation.run("setup", "topics", "acl", str(principals), "--apply", "--remove")
    assert installation.refused("centre-ava", "tail", "bor", "--once")
    installation.run("setup", "topics", "acl", str(principals), "--check")


def measured(station: str, value: float) -> dict[str, object]:
    return {"station": station, "quantity": "stage", "observed_at": datetime.now(UTC).isoformat(), "value": value}


def posted(port: int) -> int:
    """How many measurements the gateway has taken, one of nothing special."""
    shown = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    with urlopen(
        Request(f"http://127.0.0.1:{port}/v1/measurements", json.dumps([measured("middle", 1.0)]).encode(), shown), timeout=30
    ) as got:
        return int(json.loads(got.read())["accepted"])


def handed_in(installation: Installation) -> None:
    """A flood, through the door of the one who speaks for the upper gauge."""
    sender = Producer(installation.settings("upper").cluster.librdkafka())
    failed: list[object] = []
    sender.produce("ingest.upper", json.dumps(measured("upper", 4.5)).encode(), on_delivery=lambda error, _: failed.append(error))
    assert sender.flush(10) == 0
    assert failed == [None]


def active(installation: Installation) -> list[str]:
    """The warnings its city sees."""
    lines = installation.run("CN=centre-bor", "tail", "bor", "--once", "--json").splitlines()
    return [one["warning_id"] for line in lines for one in json.loads(line)["active"]]


def answers(installation: Installation) -> list[Acknowledgement]:
    """What the journal holds of cities' answers."""

    async def everything() -> list[bytes]:
        settings = installation.settings("worker-0")
        return [one.value or b"" async for read in follow(settings.cluster, ["journal"], once=True) for one in read.records]

    return [one for one in map(decode, asyncio.run(everything())) if isinstance(one, Acknowledgement)]


def ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as got:
            return bool(got.status == 200)
    except HTTPError:
        return False
