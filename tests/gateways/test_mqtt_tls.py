"""Encrypted to a real mosquitto, with the lines that are shipped behind comment signs, and certificates of the test's own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from stream.errors import TocsinError
from stream.gateways.mqtt_broker import MqttBroker, MqttRefused
from stream.gateways.mqtt_link import Link
from tests.gateways.certificates import certificate
from tests.gateways.mosquitto import USERS, Mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOPIC = "tocsin/station-7/stage"
ACCOUNT = ("gateway", USERS["gateway"])
WAIT_S = 20
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
"""paho-mqtt leaves the socket of a handshake that failed to Python, which closes it at once."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """ca.pem, and what it signed: server.pem and gateway.pem; another.pem is an authority that signed nothing here."""
    authority = certificate("ca", tmp_path)
    for name in ("server", "gateway"):
        certificate(name, tmp_path, authority)
    certificate("another", tmp_path)
    return tmp_path


def encrypted(folder: Path, **more: str) -> Iterator[Mosquitto]:
    one = Mosquitto(folder / "mosquitto", encrypted={"certfile": str(folder / "server.pem"), "keyfile": str(folder / "server.key"), **more})
    yield one
    one.stop()


@pytest.fixture
def mosquitto(folder: Path) -> Iterator[Mosquitto]:
    """One that asks for a name and a password."""
    yield from encrypted(folder)


@pytest.fixture
def strict(folder: Path) -> Iterator[Mosquitto]:
    """One that asks for a certificate."""
    yield from encrypted(folder, cafile=str(folder / "ca.pem"), require_certificate="true", use_identity_as_username="true")


async def one_message(mosquitto: Mosquitto, broker: MqttBroker) -> bytes:
    """What comes of a message that a station publishes meanwhile."""
    link = Link(broker, ["tocsin/#"])
    running = asyncio.ensure_future(link.run())
    try:
        await asyncio.wait({running, asyncio.ensure_future(link.ready())}, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        mosquitto.publish(TOPIC, [b"encrypted"])
        (found,) = await asyncio.wait_for(link.take(1), WAIT_S)
        link.acknowledge([found])
        return found.payload
    finally:
        link.stop()
        await asyncio.wait({running})


async def test_with_a_name_and_a_password(mosquitto, folder):
    broker = MqttBroker("localhost", mosquitto.tls_port, "one", *ACCOUNT, ca_file=folder / "ca.pem")
    assert await one_message(mosquitto, broker) == b"encrypted"


async def test_with_a_certificate_whose_name_is_the_user(strict, folder):
    broker = MqttBroker(
        "localhost", strict.tls_port, "one", ca_file=folder / "ca.pem", cert_file=folder / "gateway.pem", key_file=folder / "gateway.key"
    )
    assert await one_message(strict, broker) == b"encrypted"


@pytest.mark.parametrize(
    ("host", "ca", "word"), [("localhost", "another", "certificate is not trusted"), ("127.0.0.1", "ca", "IP address mismatch")]
)
async def test_a_broker_that_is_not_who_it_should_be_gets_nothing(mosquitto, folder, host, ca, word):
    with pytest.raises(MqttRefused, match=word):
        await one_message(mosquitto, MqttBroker(host, mosquitto.tls_port, "one", *ACCOUNT, ca_file=folder / f"{ca}.pem"))


async def said(broker: MqttBroker, caplog: pytest.LogCaptureFixture, word: str) -> bool:
    """Whether this is logged, and tried again."""
    link = Link(broker, ["tocsin/#"])
    running = asyncio.ensure_future(link.run())
    try:
        async with asyncio.timeout(WAIT_S):
            while caplog.text.count(word) < 2:  # noqa: ASYNC110  (another thread's doing)
                await asyncio.sleep(0.05)
        return not running.done()
    finally:
        link.stop()
        await running


async def test_what_was_left_out_is_asked_for(mosquitto, folder, caplog):
    assert await said(MqttBroker("localhost", mosquitto.tls_port, "one", *ACCOUNT), caplog, "does it want TLS (--ca-file)?")
    plain = MqttBroker("localhost", mosquitto.port, "one", *ACCOUNT, ca_file=folder / "ca.pem")
    assert await said(plain, caplog, "does it speak TLS at this port?")


async def test_a_certificate_that_was_left_out_is_asked_for(strict, folder, caplog):
    broker = MqttBroker("localhost", strict.tls_port, "one", ca_file=folder / "ca.pem")
    assert await said(broker, caplog, "does it want a certificate from its clients (--cert-file, --key-file)?")


def test_files_that_do_not_belong_together_are_named(folder):
    broker = MqttBroker("localhost", 1, "one", ca_file=folder / "ca.pem", cert_file=folder / "gateway.pem", key_file=folder / "server.key")
    with pytest.raises(TocsinError, match=r"gateway\.pem.*give PEM files that belong together"):
        broker.client(manual_ack=True)
