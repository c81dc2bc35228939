"""The settings for three brokers are settings Kafka knows: a broker started with them, scaled to one node, says it has them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from stream.runtime.broker import Broker
from stream.runtime.broker_security import Security
from stream.runtime.jars import kafka_jars
from stream.runtime.java import find_java
from stream.runtime.topics import plan
from stream.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = Path(__file__).parents[2] / "deploy" / "kafka"
ONE_NODE = {
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "broker.rack": "a",
}
PLACES = {
    "controller.quorum.bootstrap.servers", "listener.security.protocol.map", "listeners", "advertised.listeners", "log.dirs", "node.id", "super.users",
    "ssl.keystore.location", "ssl.truststore.location", "listener.name.controller.ssl.truststore.location",
}  # fmt: skip
"""What another machine has other values for."""


def properties(name: str) -> dict[str, str]:
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def in_force(broker: Broker) -> Mapping[str, str | None]:
    admin = broker.security.admin(broker.address("SSL"))
    (answer,) = admin.describe_configs([ConfigResource(ResourceType.BROKER, "1")]).values()
    return {name: one.value for name, one in answer.result(20).items()}


WANTED = properties("server.properties") | properties("node.properties") | ONE_NODE


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    given = {key: value for key, value in WANTED.items() if key not in PLACES}
    with Broker.start(tmp_path_factory.mktemp("production"), secured=True, properties=given) as broker:
        yield broker


@pytest.mark.kafka
@pytest.mark.slow
def test_a_broker_started_with_the_settings_for_production_has_them(production: Broker) -> None:
    wanted, found = WANTED, in_force(production)
    known = {key for key in wanted if not key.startswith("listener.name.")}
    assert known - found.keys() == set()
    known -= {
        "allow.everyone.if.no.acl.found"
    }  # the authorizer's own: not shown, but seen in what it refuses (tests/runtime/test_role_matrix.py)
    assert {key: found[key] for key in known - PLACES} == {key: wanted[key] for key in known - PLACES}


@pytest.mark.kafka
@pytest.mark.slow
def test_the_first_user_is_made_as_the_settings_say_with_no_password_on_a_command_line(production: Broker, tmp_path: Path) -> None:
    security = production.security.ca_file.parent
    own = properties("node-client.properties") | {
        "ssl.keystore.location": str(security / "node.pem"), "ssl.truststore.location": str(security / "trusted.pem"),
    }  # fmt: skip
    client, password = tmp_path / "node-client.properties", tmp_path / "password.properties"
    client.write_text("".join(f"{key}={value}\n" for key, value in own.items()))
    password.write_text("SCRAM-SHA-512=password=long-enough-for-anybody\n")
    said = " ".join(line.lstrip("# ") for line in (FOLDER / "server.properties").read_text("utf-8").splitlines())
    (command,) = re.findall(r"kafka-configs\.sh (.*? --add-config-file THAT_FILE)", said)
    places = {"kafka-1:9094": production.address("SSL"), "node-client.properties": str(client), "THAT_FILE": str(password)}
    words = [places.get(word, word) for word in command.split()]
    java = [str(find_java()), "-cp", ":".join(map(str, kafka_jars())), "kafka.admin.ConfigCommand"]
    done = subprocess.run([*java, *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    for secret, let_in in (("long-enough-for-anybody", True), ("another", False)):
        user = {"security.protocol": "SASL_SSL", "sasl.mechanisms": "SCRAM-SHA-512", "sasl.username": "installer", "sasl.password": secret}
        admin = AdminClient(
            {
                "bootstrap.servers": production.address("SASL_SSL"),
                "ssl.ca.location": str(production.security.ca_file),
                "log_level": 0,
                **user,
            }
        )
        if let_in:
            assert admin.list_topics(timeout=20).brokers
        else:
            with pytest.raises(KafkaException):
                admin.list_topics(timeout=3)


def test_the_embedded_broker_is_closed_as_the_ones_in_production_are(tmp_path: Path) -> None:
    wanted, embedded = properties("server.properties"), Security(tmp_path / "security").properties()
    assert {key for key in embedded if "sasl_plaintext" not in key} <= wanted.keys()
    assert {key: value for key, value in embedded.items() if key in wanted and key not in PLACES} == {
        key: wanted[key] for key in embedded if key in wanted and key not in PLACES
    }


def test_every_topic_is_on_two_disks_before_it_is_acknowledged() -> None:
    topics = plan(Settings(replication=int(properties("server.properties")["default.replication.factor"])), ["wu"], ["upper"])
    assert {(one.replication, one.configs["min.insync.replicas"]) for one in topics} == {
        (3, properties("server.properties")["min.insync.replicas"])
    }
