"""A secured broker with one region, every process of ours on it as a principal of its own, and nobody with more than his role."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
from confluent_kafka import KafkaException, Producer
from typer.testing import CliRunner

from stream.cli.main import app
from stream.gateways.keys import new_token
from stream.runtime.broker_security import INSTALLER
from stream.runtime.follow import follow
from stream.runtime.ports import free_ports
from stream.settings import Settings
from tests.decide.conftest import FILES
from tests.gateways.mosquitto import USERS, Mosquitto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stream.runtime.broker import Broker

ROOT = Path(__file__).parents[2]
WAIT_S = 60.0
PRINCIPALS = """
installer = ["User:setup"]
worker = ["User:worker-0"]
intake = ["User:CN=intake"]
gateway = ["User:gateway"]
canary = ["User:canary"]
operator = ["User:operator"]
auditor = ["User:auditor"]
sre = ["User:sre"]
[centre]
ava = ["User:centre-ava"]
bor = ["User:CN=centre-bor"]
[door]
upper = ["User:upper"]
"""
TOKEN = new_token()
SPEAKER = "station-7"
"""A user of the MQTT broker."""
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
[{SPEAKER}]
kind = "kafka"
stations = ["lower"]
families = ["water"]
lanes = ["live"]
audience = "rill"
"""


class Installation:
    """The broker, a settings file for each principal, and what runs on it."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker, self.folder = broker, folder
        self.region, self.principals = folder / "rill", folder / "principals.toml"
        self.http, self.canary = free_ports("127.0.0.1")[0], free_ports("127.0.0.1")[0]
        self.mosquitto = Mosquitto(folder / "mosquitto")
        self.warning_id = ""
        self._running: list[subprocess.Popen[bytes]] = []

    def set_up(self) -> None:
        """Topics, lists and the region: the first two by the first user there is, the region by whoever has only the role."""
        for name, text in (FILES | {"gateways.toml": GATEWAYS}).items():
            (self.region / name).parent.mkdir(parents=True, exist_ok=True)
            (self.region / name).write_text(text, "utf-8")
        self.principals.write_text(PRINCIPALS, "utf-8")
        self.run(INSTALLER, "topics", "create")
        self.run(INSTALLER, "topics", "acl", str(self.principals), str(self.region), "--apply")
        self.run("setup", "region", "activate", str(self.region))

    def serve(self) -> None:
        """Start everything, and let a flood come."""
        mqtt = ["--broker", f"127.0.0.1:{self.mosquitto.port}", "--client-id", "one", "--username", "gateway"]
        (self.folder / "mqtt").write_text(USERS["gateway"], "utf-8")
        self.start("worker", "worker-0", "worker")
        self.start("intake", "CN=intake", "intake")
        self.start("http", "gateway", "gateway", "http", "--port", str(self.http))
        self.start("mqtt", "gateway", "gateway", "mqtt", *mqtt, "--password-file", str(self.folder / "mqtt"))
        self.start("canary", "canary", "canary", "--metrics-port", str(self.canary))
        for one in ("worker", "intake", "http", "mqtt"):
            self.until(lambda one=one: "ready" in self.log(one).read_text("utf-8"))
        self.handed_in()
        self.until(lambda: bool(self.active()))
        (self.warning_id,) = self.active()

    def settings(self, principal: str) -> Settings:
        security, name = self.broker.security, principal.removeprefix("CN=")
        if name != principal:
            shown, address = security.certificate_login(name), self.broker.address("SSL")
        else:
            if not security.password_file(name).exists():
                self.broker.set_password(name)
            shown, address = security.login(name), self.broker.bootstrap
        return Settings(bootstrap=address, partitions=2, tick_s=0.5, session_timeout_s=20.0, canary_s=2.0, **shown)

    def options(self, principal: str, **changes: Any) -> list[str]:
        file = self.folder / f"{principal}.toml"
        file.write_bytes(msgspec.toml.encode(msgspec.structs.replace(self.settings(principal), **changes)))
        return ["--settings", str(file)]

    def run(self, principal: str, *words: str, **changes: Any) -> str:
        done = CliRunner().invoke(app, [*words, *self.options(principal, **changes)])
        assert done.exit_code == 0, (words, done.output, done.exception)
        return done.stdout

    def refused(self, principal: str, *words: str) -> str:
        """What a command says that ends with 1, which is what people read."""
        done = CliRunner().invoke(app, [*words, *self.options(principal)])
        assert done.exit_code == 1, (words, done.exit_code, done.output, done.exception)
        assert "Traceback" not in done.output
        return done.output

    def start(self, name: str, principal: str, *words: str) -> None:
        with self.log(name).open("wb") as log:
            command = [sys.executable, "-m", "stream.cli.main", *words, *self.options(principal)]
            self._running.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT))

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def until(self, look: Callable[[], bool]) -> None:
        until = time.monotonic() + WAIT_S
        while not look():
            assert time.monotonic() < until, [f"--- {one.name}\n{one.read_text('utf-8')[-1500:]}" for one in self.folder.glob("*.log")]
            time.sleep(0.2)

    def refusals(self) -> list[str]:
        """What the broker's authorizer has written down."""
        return [line for line in self.broker.log.read_text("utf-8").splitlines() if " is Denied " in line]

    @contextmanager
    def nothing_refused(self) -> Iterator[None]:
        before = len(self.refusals())
        yield
        assert self.refusals()[before:] == []

    def stop(self) -> None:
        for one in self._running:
            one.terminate()
        for one in self._running:
            one.wait(30)
        self.mosquitto.stop()

    def posted(self) -> int:
        """How many measurements the HTTP gateway has taken, one of nothing special."""
        shown = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        body = json.dumps([measured("middle", 1.0)]).encode()
        with urlopen(Request(f"http://127.0.0.1:{self.http}/v1/measurements", body, shown), timeout=30) as got:
            return int(json.loads(got.read())["accepted"])

    def handed_in(self) -> None:
        """A flood, through the door of the one who speaks for the upper gauge."""
        assert self.produced("upper", "ingest.upper", json.dumps(measured("upper", 4.5)).encode()) == ""

    def produced(self, principal: str, topic: str, value: bytes) -> str:
        """Why the broker did not take it; empty: it did."""
        sender = Producer(self.settings(principal).cluster.librdkafka())
        failed: list[str] = []
        try:
            sender.produce(topic, value, on_delivery=lambda error, _: failed.append("" if error is None else error.name()))
        except KafkaException as error:
            return str(error.args[0].name())
        assert sender.flush(10) == 0
        return failed[0]

    def records(self, principal: str, topic: str) -> list[bytes]:
        """The values of what stands on a topic, as this principal reads it."""

        async def everything() -> list[bytes]:
            reading = follow(self.settings(principal).cluster, [topic], once=True)
            return [one.value or b"" async for read in reading for one in read.records]

        return asyncio.run(everything())

    def active(self) -> list[str]:
        """The warnings its city sees."""
        lines = self.run("CN=centre-bor", "tail", "bor", "--once", "--json").splitlines()
        return [one["warning_id"] for line in lines for one in json.loads(line)["active"]]

    def canary_ready(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.canary}/readyz", timeout=5) as got:
                return bool(got.status == 200)
        except HTTPError:
            return False


def measured(station: str, value: float) -> dict[str, object]:
    return {"station": station, "quantity": "stage", "observed_at": datetime.now(UTC).isoformat(), "value": value}
