"""Every process of ours on a broker with access control: what is right works, and what the broker refuses is said and ends it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner

from stream.cli.main import app
from stream.cluster import Cluster
from stream.errors import BrokerError, BrokerRefused
from stream.runtime.broker import Broker
from stream.runtime.broker_security import INSTALLER
from stream.runtime.ports import free_ports
from stream.runtime.reach import reach
from tests.decide.conftest import FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
runner = CliRunner()
ROOT = Path(__file__).parents[2]
WAIT_S = 60.0
NOBODY = "nobody-in-particular"
"""A user who may do nothing."""
ERRORS = 1


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker.start(tmp_path_factory.mktemp("closed"), secured=True) as broker:
        broker.set_password(NOBODY)
        yield broker


@pytest.fixture(scope="module")
def rill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rill")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


class Lane:
    """Processes and commands on one lane of the closed broker, all as one user."""

    def __init__(self, broker: Broker, folder: Path, prefix: str, user: str = INSTALLER) -> None:
        self.folder = folder
        # A copy, for the broker's own is rewritten when a password changes.
        self.password = folder / f"password-{user}"
        self.password.write_bytes(broker.security.password_file(user).read_bytes())
        self.password.chmod(0o600)
        values = {"bootstrap": broker.bootstrap, "prefix": prefix, "lane": "test", **broker.security.login(user)}
        values["sasl_password_file"] = str(self.password)
        file = folder / f"{user}.toml"
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        file.write_text("\n".join([*lines, "partitions = 2", "tick_s = 0.5", "session_timeout_s = 20.0", ""]), "utf-8")
        self.options = ["--settings", str(file)]
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, *words: str) -> str:
        done = runner.invoke(app, [*words, *self.options])
        assert done.exit_code == 0, done.output
        return done.stdout

    def refused(self, *words: str) -> str:
        """What a command says that ends with 1."""
        done = runner.invoke(app, [*words, *self.options])
        assert done.exit_code == ERRORS, (words, done.exit_code, done.output, done.exception)
        assert "Traceback" not in done.output
        return done.output

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        with self.log(words[0]).open("ab") as log:
            one = subprocess.Popen([sys.executable, "-m", "stream.cli.main", *words, *self.options], stdout=log, stderr=log, cwd=ROOT)
        self._running[words[0]] = one
        return one

    def log(self, command: str) -> Path:
        return self.folder / f"{command}.log"

    def until(self, command: str, said: str) -> None:
        until = time.monotonic() + WAIT_S
        while said not in self.log(command).read_text("utf-8"):
            assert time.monotonic() < until, self.log(command).read_text("utf-8")[-3000:]
            time.sleep(0.1)

    def stop(self) -> None:
        for one in self._running.values():
            one.terminate()
        for one in self._running.values():
            one.wait(30)


@pytest.fixture
def lane(closed: Broker, tmp_path: Path, fresh_prefix: str) -> Iterator[Lane]:
    made = Lane(closed, tmp_path, fresh_prefix)
    yield made
    made.stop()


def test_the_whole_service_runs_with_passwords_over_tls(lane: Lane, rill: Path, tmp_path: Path) -> None:
    lane.run("topics", "create")
    lane.run("region", "activate", str(rill))
    port = free_ports("127.0.0.1")[0]
    for words in (["worker"], ["intake"], ["gateway", "http", "--port", str(port)]):
        lane.start(*words)
    for command in ("worker", "intake", "gateway"):
        lane.until(command, "ready")
    lane.run("feed", str(rill), str(measured(tmp_path)))

    def states() -> set[str]:
        return {json.loads(line)["state"] for line in lane.run("tail", "bor", "--once", "--json").splitlines()}

    await_true(lambda: states() == {"warned"})
    assert "bor" in lane.run("status", "--json")


def test_a_process_whose_password_was_changed_says_so_and_works_with_the_new_one(
    closed: Broker, lane: Lane, rill: Path, tmp_path: Path, fresh_prefix: str
) -> None:
    lane.run("topics", "create")
    lane.run("region", "activate", str(rill))
    lane.start("worker")
    lane.until("worker", "ready")
    lane.stop()
    old = lane.password.read_bytes()
    new = closed.set_password(INSTALLER).read_bytes()
    assert old != new
    gateway = ["gateway", "http", "--port", str(free_ports("127.0.0.1")[0]), "--spool", str(tmp_path / "s")]
    started = {words[0]: lane.start(*words) for words in (["worker"], ["intake"], gateway)}
    for command, process in started.items():
        assert process.wait(WAIT_S) == ERRORS
        said = lane.log(command).read_text("utf-8")
        assert f"refused user '{INSTALLER}': no such user, or another password than the one in {lane.password}" in said
        assert old.decode().strip() not in said
    lane.password.write_bytes(new)
    lane.start("worker")
    await_true(lambda: lane.log("worker").read_text("utf-8").count("ready generation") == 2)


def test_a_gateway_that_runs_when_its_password_changes_stores_says_why_and_comes_back_by_itself(
    closed: Broker, lane: Lane, rill: Path, tmp_path: Path
) -> None:
    lane.run("topics", "create")
    lane.run("region", "activate", str(rill))
    port = free_ports("127.0.0.1")[0]
    lane.start("gateway", "http", "--port", str(port), "--spool", str(tmp_path / "spool"))
    lane.until("gateway", "ready")
    new = closed.set_password(INSTALLER).read_bytes()
    closed.restart()
    assert verdict(port) == "stored"
    lane.until("gateway", f"refused user '{INSTALLER}'")
    lane.password.write_bytes(new)
    said = len(lane.log("gateway").read_text("utf-8"))
    await_true(lambda: "Kafka can be used for " in lane.log("gateway").read_text("utf-8")[said:])
    await_true(lambda: verdict(port) == "accepted")


@pytest.mark.parametrize(
    "words", [("tail", "bor", "--once"), ("status",), ("topics", "create"), ("topics", "check"), ("journal", "save", "--out", "j")]
)
def test_a_command_with_the_wrong_password_says_who_was_refused(lane: Lane, words: tuple[str, ...], tmp_path: Path) -> None:
    lane.password.write_text("a-wrong-one", "utf-8")
    words = tuple(str(tmp_path / one) if one == "j" else one for one in words)
    began = time.monotonic()
    said = lane.refused(*words)
    assert f"refused user '{INSTALLER}'" in said
    assert "a-wrong-one" not in said
    assert time.monotonic() - began < 20


def test_who_may_do_nothing_is_told_what_was_not_allowed(closed: Broker, lane: Lane, rill: Path, tmp_path: Path, fresh_prefix: str) -> None:
    lane.run("topics", "create")
    lane.run("region", "activate", str(rill))
    (tmp_path / "none").mkdir()
    nobody = Lane(closed, tmp_path / "none", fresh_prefix, NOBODY)
    for words in (("tail", "bor", "--once"), ("status",), ("feed", str(rill), str(measured(tmp_path))), ("ack", "bor", "wrn-1")):
        said = nobody.refused(*words)
        assert NOBODY in said or "allowed to see it" in said, (words, said)
    started = {command: nobody.start(command) for command in ("worker", "intake")}
    for command, process in started.items():
        assert process.wait(WAIT_S) == ERRORS
        assert f"hidden from user '{NOBODY}'" in nobody.log(command).read_text("utf-8")


async def test_the_wrong_listener_and_an_unknown_authority_are_told_apart(closed: Broker) -> None:
    login = closed.security.login(INSTALLER)
    with pytest.raises(BrokerRefused, match="does not offer SCRAM-SHA-256"):
        await reach(Cluster(closed.bootstrap, **{**login, "sasl_mechanism": "SCRAM-SHA-256"}))
    with pytest.raises(BrokerRefused, match=r"is not trusted.*unable to get local issuer certificate"):
        await reach(Cluster(closed.bootstrap, **{**login, "ssl_ca_file": ""}))
    with pytest.raises(BrokerError, match="security_protocol PLAINTEXT is not what it wants at that port"):
        await reach(Cluster(closed.bootstrap))
    with pytest.raises(BrokerError, match="is it running, is the address right"):
        await reach(Cluster(f"127.0.0.1:{free_ports('127.0.0.1')[0]}"))
    await reach(Cluster(closed.address("SSL"), **closed.security.certificate_login("somebody")))
    with pytest.raises(BrokerError, match="closes the connection of nobody in particular"):
        await reach(Cluster(closed.address("SSL"), security_protocol="SSL", ssl_ca_file=login["ssl_ca_file"]))
    # One of several that lets us in is enough.
    await reach(Cluster(f"127.0.0.1:1,{closed.bootstrap}", **login))


def verdict(port: int) -> str:
    """What a gateway says it has done with a measurement."""
    body = {"station": "upper", "quantity": "stage", "observed_at": datetime.now(UTC).isoformat(), "value": 1.0}
    asked = Request(f"http://127.0.0.1:{port}/v1/measurements", json.dumps([body]).encode(), {"Content-Type": "application/json"})
    with urlopen(asked, timeout=30) as got:  # noqa: S310
        found = json.loads(got.read())
        return next(name for name in ("accepted", "stored") if found[name])


def measured(folder: Path) -> Path:
    """A flood at the upper gauge, just now."""
    file = folder / "now.csv"
    file.write_text(f"series,observed_at,value\nupper/stage,{datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')},4.5\n", "utf-8")
    return file


def await_true(look: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not look():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_asking_why_works_inside_a_running_loop_too() -> None:
    from stream.runtime.reach import reach_now

    async def inside() -> None:
        with pytest.raises(BrokerError, match="no Kafka broker answers"):
            reach_now(Cluster("127.0.0.1:1"))

    asyncio.run(inside())
