"""The embedded broker with access control: who gets in, by which way, and what nobody gets."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from stream.errors import BrokerError
from stream.runtime.broker import Broker
from stream.runtime.broker_security import INSTALLER, NODE, Security
from stream.runtime.ports import answers_metadata

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.kafka
WRONG = "wrong"
QUIET = {"log_level": 0, "reconnect.backoff.max.ms": 200}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory):
    with Broker.start(tmp_path_factory.mktemp("closed"), secured=True) as broker:
        yield broker


def by_password(broker: Broker, user: str, protocol: str = "SASL_SSL", password: str | None = None) -> AdminClient:
    return AdminClient(
        {
            "bootstrap.servers": broker.address(protocol),
            "security.protocol": protocol,
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": broker.security.password_file(user).read_text() if password is None else password,
            "ssl.ca.location": str(broker.security.ca_file),
            **QUIET,
        }
    )


def by_certificate(broker: Broker, common_name: str, address: str) -> AdminClient:
    issued = broker.security.certificate(common_name)
    return AdminClient(
        {
            "bootstrap.servers": address,
            "security.protocol": "SSL",
            "ssl.ca.location": str(broker.security.ca_file),
            "ssl.certificate.location": str(issued.certificate),
            "ssl.key.location": str(issued.key),
            **QUIET,
        }
    )


def answers(admin: AdminClient, timeout_s: float) -> bool:
    try:
        return bool(admin.list_topics(timeout=timeout_s).brokers)
    except KafkaException:
        return False


@pytest.mark.parametrize("protocol", ["SASL_SSL", "SASL_PLAINTEXT"])
def test_the_first_user_gets_in_with_the_password_in_the_file_and_may_make_topics(closed, protocol):
    admin = by_password(closed, INSTALLER, protocol)
    name = f"made-{protocol.lower()}"
    assert admin.create_topics([NewTopic(name, 1, 1)])[name].result(10) is None
    assert name in admin.list_topics(timeout=10).topics


def test_a_wrong_password_and_an_unknown_user_do_not_get_in(closed):
    assert not answers(by_password(closed, INSTALLER, password=WRONG), 2)
    assert not answers(by_password(closed, "nobody", password=WRONG), 2)


def test_a_user_without_permissions_sees_no_topic_and_makes_none(closed):
    closed.set_password("new")
    admin = by_password(closed, "new")
    assert answers(admin, 10)
    assert admin.list_topics(timeout=10).topics == {}
    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        admin.create_topics([NewTopic("mine", 1, 1)])["mine"].result(10)
    assert "Principal = User:new is Denied" in closed.log.read_text("utf-8")


def test_a_certificate_gets_in_and_its_name_is_the_principal(closed):
    admin = by_certificate(closed, "somebody", closed.address("SSL"))
    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        admin.create_topics([NewTopic("mine", 1, 1)])["mine"].result(10)
    assert "Principal = User:CN=somebody is Denied" in closed.log.read_text("utf-8")


def test_a_certificate_that_another_authority_signed_does_not_get_in(closed, tmp_path):
    foreign = Security(tmp_path / "foreign").certificate("worker")
    shown = {"ssl.certificate.location": str(foreign.certificate), "ssl.key.location": str(foreign.key)}
    trusted = {"security.protocol": "SSL", "ssl.ca.location": str(closed.security.ca_file)}
    assert not answers(AdminClient({"bootstrap.servers": closed.address("SSL"), **trusted, **shown, **QUIET}), 2)


def test_nobody_gets_a_certificate_in_the_name_of_the_node(closed):
    with pytest.raises(BrokerError, match="take another one"):
        closed.security.certificate(NODE)


def test_the_way_for_certificates_is_closed_without_one_and_the_ways_for_passwords_without_any(closed):
    without = {"bootstrap.servers": closed.address("SSL"), "security.protocol": "SSL", "ssl.ca.location": str(closed.security.ca_file)}
    assert not answers(AdminClient({**without, **QUIET}), 2)
    for protocol in ("SASL_PLAINTEXT", "SASL_SSL", "SSL"):
        assert not answers_metadata("127.0.0.1", int(closed.address(protocol).split(":")[1]), 1)


def test_the_controllers_door_is_closed_to_clients(closed):
    assert not answers(by_certificate(closed, "somebody", closed.address("CONTROLLER")), 2)
    assert not answers_metadata("127.0.0.1", int(closed.address("CONTROLLER").split(":")[1]), 1)


def test_only_the_owner_reads_the_secrets(closed):
    folder = closed.security.ca_file.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert closed.security.password_file(INSTALLER).read_text() not in closed.log.read_text("utf-8")


@pytest.mark.slow
def test_users_are_still_there_after_a_restart_and_the_folder_is_never_opened_without_access_control(tmp_path: Path):
    with Broker.start(tmp_path, secured=True) as broker:
        address = broker.bootstrap
        broker.restart()
        assert answers(by_password(broker, INSTALLER), 10)
    with pytest.raises(BrokerError, match="was made with access control"):
        Broker.start(tmp_path)
    with Broker.start(tmp_path, secured=True) as broker:
        assert broker.bootstrap == address
        assert answers(by_password(broker, INSTALLER), 10)
