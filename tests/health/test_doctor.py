"""`tocsin doctor` on a real broker: what is well is ok, and each fault that was planted is found and comes with what to do about it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from typer.testing import CliRunner

from stream.cli.main import app
from stream.runtime import acl_admin
from stream.runtime.acls import wanted
from stream.runtime.broker import Broker
from stream.runtime.broker_security import INSTALLER
from stream.runtime.holders import Holding, Served
from stream.runtime.roles import Role
from stream.settings import load
from tests.decide.conftest import FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
runner = CliRunner()
ROOT = Path(__file__).parents[2]
WAIT_S = 90.0


class Lane:
    """A lane on some broker, and what the doctor says of it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.file = folder, folder / "lane.toml"
        self.options = ["--settings", str(self.file)]
        self._running: list[subprocess.Popen[bytes]] = []
        quick = {"lane": "test", "partitions": 2, "tick_s": 1.0, "session_timeout_s": 20.0, "canary_s": 5.0}
        self.change(**{**quick, **settings})

    def change(self, **settings: Any) -> None:
        before = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        kept = [line for line in before if line.split(" = ")[0] not in settings]
        self.file.write_text("\n".join([*kept, *(f"{name} = {json.dumps(value)}" for name, value in settings.items())]) + "\n", "utf-8")

    def activate(self) -> None:
        for name, text in FILES.items():
            (self.folder / "rill" / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / "rill" / name).write_text(text, "utf-8")
        done = runner.invoke(app, ["region", "activate", str(self.folder / "rill"), *self.options])
        assert done.exit_code == 0, done.output

    def start(self, command: str) -> None:
        with (self.folder / f"{command}.log").open("wb") as log:
            one = subprocess.Popen([sys.executable, "-m", "stream.cli.main", command, *self.options], stdout=log, stderr=log, cwd=ROOT)
        self._running.append(one)

    def doctor(self, *words: str, code: int) -> list[dict[str, str]]:
        """Its findings; all that are not well have a fix."""
        done = runner.invoke(app, ["doctor", "--json", *words, *self.options])
        assert done.exit_code == code, done.output
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert all(bool(one["fix"]) == (one["verdict"] != "ok") for one in found)
        return found

    def stop(self) -> None:
        for one in self._running:
            one.terminate()
        for one in self._running:
            one.wait(30)


def of(found: list[dict[str, str]], group: str, *, wrong: bool = True) -> list[tuple[str, str, str]]:
    return [(one["verdict"], one["said"], one["fix"]) for one in found if one["group"] == group and (one["verdict"] != "ok") is wrong]


@pytest.fixture
def lane(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Iterator[Lane]:
    made = Lane(tmp_path / "lane", bootstrap=broker.bootstrap, prefix=fresh_prefix)
    yield made
    made.stop()


def test_a_healthy_service_is_ok_line_by_line(lane: Lane) -> None:
    lane.activate()
    for command in ("worker", "intake", "canary"):
        lane.start(command)
    until = time.monotonic() + WAIT_S
    found = runner.invoke(app, ["doctor", "--json", *lane.options])
    while found.exit_code and time.monotonic() < until:
        found = runner.invoke(app, ["doctor", "--json", *lane.options])
    found = lane.doctor(code=0)
    said = {(one["verdict"], one["group"]) for one in found}
    # What a test's broker is: one node, open to all.
    assert {one for one in said if one[0] != "ok"} == {("!", "broker"), ("!", "permissions")}
    groups = ["versions", "open files", "broker", "regions", "topics", "permissions", "workers", "clock", "freshness", "canary"]
    assert list(dict.fromkeys(one["group"] for one in found)) == groups
    assert "tocsin-0 (stable)" in of(found, "workers", wrong=False)[0][1]
    shown = runner.invoke(app, ["doctor", *lane.options]).output
    assert "nothing is broken: 2 to look at, " in shown
    assert "\n             !  1 broker, 1 copy of every topic (replication)\n                -> " in shown


def test_a_service_where_nothing_runs_is_told_part_by_part(lane: Lane) -> None:
    found = lane.doctor(code=1)
    assert "create the topics" in of(found, "regions")[0][2]
    ((verdict, said, fix),) = of(found, "topics")
    assert (verdict, fix) == ("x", "tocsin topics create")
    assert "are missing: " in said
    assert said.endswith(" more")
    lane.activate()
    found = lane.doctor(code=1)
    assert of(found, "topics") == []
    assert of(found, "workers")[0][1].startswith("none is in the group")
    assert of(found, "clock")[0][1].endswith("the journal is empty")
    assert of(found, "freshness")[0][1].startswith("nothing was written to journal partitions 0, 1 for ")
    assert of(found, "canary") == [("x", "it never came back", of(found, "canary")[0][2])]
    lane.change(canary_s=0.0)
    assert "canary_s = 30" in of(lane.doctor(code=1), "canary")[0][2]


def test_a_topic_that_was_changed_by_hand_is_named_with_the_command_that_mends_it(lane: Lane, broker: Broker, fresh_prefix: str) -> None:
    lane.activate()
    name = f"{fresh_prefix}warnings.bor"
    change = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[change])
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.incremental_alter_configs([resource])[resource].result(10)
    assert of(lane.doctor(code=1), "topics") == [
        (
            "x",
            f"{name}: retention.ms is 1000, must be 31536000000",
            f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config retention.ms=31536000000",
        )
    ]


def test_a_broker_that_is_set_so_that_something_can_be_lost_is_told(tmp_path: Path) -> None:
    with Broker.start(
        tmp_path / "broker", properties={"unclean.leader.election.enable": "true", "group.max.session.timeout.ms": 7_000}
    ) as broker:
        lane = Lane(tmp_path / "lane", bootstrap=broker.bootstrap, prefix="t.")
        found = of(lane.doctor(code=1), "broker")
    bad = [(said, fix) for verdict, said, fix in found if verdict == "x"]
    assert [said for said, _ in bad] == [
        "broker 1: unclean.leader.election.enable is true: a broker that lags may lead, and what it lacks is lost",
        "broker 1: group.max.session.timeout.ms is 7000: session_timeout_s 20.0 is refused, no worker starts",
    ]
    assert bad[0][1].startswith("unclean.leader.election.enable=false (kafka-configs.sh ")
    assert lane.doctor(code=1)[-1]["said"].startswith("no Kafka broker answers at ")


def test_of_several_addresses_the_one_that_is_away_is_told_and_the_rest_is_looked_at_all_the_same(lane: Lane) -> None:
    lane.activate()
    lane.change(bootstrap=f"127.0.0.1:1,{load(lane.file).bootstrap}")
    found = lane.doctor(code=1)
    (away, *_) = of(found, "broker")
    assert (away[0], away[1].startswith("no Kafka broker answers at 127.0.0.1:1 ")) == ("x", True)
    assert {"topics", "workers", "freshness", "canary"} <= {one["group"] for one in found}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker.start(tmp_path_factory.mktemp("closed"), secured=True) as broker:
        yield broker


def test_what_a_principal_may_do_is_compared_with_what_its_role_needs(closed: Broker, tmp_path: Path) -> None:
    def lane_of(user: str) -> Lane:
        if user != INSTALLER:
            closed.set_password(user)
        return Lane(tmp_path / user, bootstrap=closed.bootstrap, prefix="t.", **closed.security.login(user))

    installer, worker, sre = lane_of(INSTALLER), lane_of("w0"), lane_of("night")
    installer.activate()
    settings = load(installer.file)
    acl_admin.add(settings.cluster, wanted(settings, [Holding(Role.SRE, "", "User:night")], Served({}, ())))
    found = of(worker.doctor("--role", "worker", code=1), "permissions")
    assert found[0][0] == "x"
    assert found[0][1].startswith("user 'w0' may not Describe group t.tocsin, ")
    assert found[0][1].endswith(" more, which worker needs")
    assert 'worker = ["User:w0"]: write it into principals.toml, then `tocsin topics acl' in found[0][2]
    own = [Holding(Role.WORKER, "", "User:w0")]
    acl_admin.add(settings.cluster, wanted(settings, own, Served({}, ())))
    found = worker.doctor("--role", "worker", code=1)
    assert of(found, "permissions") == []
    assert of(found, "permissions", wrong=False)[0][1].startswith("user 'w0' may do exactly what worker needs, on ")
    assert of(found, "topics")[0][1].startswith("cannot be looked at: the broker does not allow user 'w0'")
    more = of(worker.doctor("--role", "gateway", code=1), "permissions")
    assert any(verdict == "!" and "which gateway does not need" in said for verdict, said, _ in more)
    # Who is on duty at night may look at everything but what is in it.
    night = sre.doctor("--role", "sre", code=1)
    assert of(night, "permissions") == of(night, "topics") == of(night, "regions") == []
    assert {one["group"] for one in night if one["verdict"] == "x"} == {"workers", "freshness", "canary"}


def test_a_broker_that_refuses_us_is_told_and_nothing_else_is_guessed(closed: Broker, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not-the-password", "utf-8")
    wrong.chmod(0o600)
    login = {**closed.security.login(INSTALLER), "sasl_password_file": str(wrong)}
    found = Lane(tmp_path / "lane", bootstrap=closed.bootstrap, prefix="t.", **login).doctor("--spool", str(tmp_path / "none"), code=1)
    assert [one["group"] for one in found] == ["versions", "open files", "disk", "broker"]
    assert found[-1]["said"].startswith(f"the broker at {closed.bootstrap} refused user 'installer'")
    assert "not-the-password" not in json.dumps(found)
