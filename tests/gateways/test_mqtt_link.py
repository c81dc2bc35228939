"""The link to an MQTT broker, with a real mosquitto and the configuration that is shipped: what is not acknowledged is not gone."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from stream.gateways import mqtt_link
from stream.gateways.mqtt_broker import MqttBroker, MqttRefused
from stream.gateways.mqtt_link import Event, Link
from stream.runtime.ports import free_ports
from tests.gateways.mosquitto import USERS, Mosquitto, needed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from stream.gateways.mqtt_link import Delivery

TOPIC = "tocsin/station-7/stage"
WAIT_S = 20
ACCOUNT = ("gateway", USERS["gateway"])


def broker(mosquitto: Mosquitto, client_id: str = "first", account: tuple[str, str] = ACCOUNT) -> MqttBroker:
    return MqttBroker("127.0.0.1", mosquitto.port, client_id, *account)


@asynccontextmanager
async def linked(mosquitto: Mosquitto, client_id: str = "first", filters: tuple[str, ...] = ("tocsin/#",)) -> AsyncIterator[Link]:
    link = Link(broker(mosquitto, client_id), filters)
    running = asyncio.ensure_future(link.run())
    await asyncio.wait_for(link.ready(), WAIT_S)
    try:
        yield link
    finally:
        link.stop()
        await running


async def taken(link: Link, count: int) -> list[Delivery]:
    found: list[Delivery] = []
    async with asyncio.timeout(WAIT_S):
        while len(found) < count:
            found += await link.take(1_000)
    return found


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not look():  # noqa: ASYNC110  (another thread's doing)
            await asyncio.sleep(0.02)


async def nothing_comes(link: Link) -> bool:
    try:
        await asyncio.wait_for(link.take(10), 0.7)
    except TimeoutError:
        return True
    return False


@asynccontextmanager
async def listening(answers: list[bytes]) -> AsyncIterator[int]:
    """A port that is no mosquitto's: it answers so, a little later each, to whatever is said, and leaves it to the client to go."""
    busy: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        busy.add(writer)
        await reader.read(200)
        for one in answers:
            writer.write(one)
            await asyncio.sleep(0.3)
        await reader.read()
        writer.close()
        await writer.wait_closed()
        busy.remove(writer)

    port = free_ports("127.0.0.1")[0]
    async with await asyncio.start_server(serve, "127.0.0.1", port):
        yield port
        await until(lambda: not busy)


def texts(deliveries: list[Delivery]) -> list[str]:
    return [one.payload.decode() for one in deliveries]


def numbered(count: int) -> list[bytes]:
    return [str(one).encode() for one in range(count)]


async def test_only_what_was_not_acknowledged_comes_again_after_a_restart_of_the_gateway(mosquitto):
    async with linked(mosquitto):
        pass
    mosquitto.publish(TOPIC, numbered(5))
    async with linked(mosquitto) as link:
        found = await taken(link, 5)
        link.acknowledge(found[:2])
    async with linked(mosquitto) as link:
        assert texts(await taken(link, 3)) == ["2", "3", "4"]


async def test_an_acknowledgement_for_an_earlier_connection_acknowledges_nothing(mosquitto):
    async with linked(mosquitto) as link:
        mosquitto.publish(TOPIC, numbered(3))
        before = await taken(link, 3)
        mosquitto.stop()
        mosquitto.start()
        again = await taken(link, 3)
        assert [one.number for one in again] == [one.number for one in before]
        assert not any(link.is_current(one) for one in before)
        link.acknowledge(before)
    async with linked(mosquitto) as link:
        assert texts(await taken(link, 3)) == ["0", "1", "2"]


async def test_what_was_left_over_from_a_lost_connection_is_not_taken_twice(mosquitto):
    async with linked(mosquitto) as link:
        mosquitto.publish(TOPIC, numbered(3))
        await until(lambda: len(link._waiting) == 3)
        mosquitto.stop()
        mosquitto.start()
        assert texts(await taken(link, 3)) == ["0", "1", "2"]
        assert await nothing_comes(link)


async def test_a_burst_while_the_gateway_is_away_waits_also_through_a_restart_of_the_broker(mosquitto):
    async with linked(mosquitto):
        pass
    mosquitto.publish(TOPIC, numbered(4_000))
    mosquitto.stop()
    mosquitto.start()
    async with linked(mosquitto) as link:
        found: list[Delivery] = []
        while len(found) < 4_000:
            found += (new := await taken(link, 1))
            link.acknowledge(new)
    assert texts(found) == [str(one) for one in range(4_000)]


async def test_with_mosquittos_own_limits_the_same_burst_would_be_lost_and_the_counter_says_so(tmp_path):
    # The defaults of these three settings; everything else as it is shipped.
    limits = {"max_queued_messages": "1000", "max_queued_bytes": "0", "max_inflight_messages": "20"}
    one = Mosquitto(tmp_path / "mosquitto", limits)
    dropped: list[int] = []
    try:
        async with linked(one):
            pass
        one.publish(TOPIC, numbered(4_000))
        link = Link(broker(one), ["tocsin/#"], on_dropped=dropped.append)
        running = asyncio.ensure_future(link.run())
        try:
            await until(lambda: any(dropped))
            found = await taken(link, 1)
        finally:
            link.stop()
            await running
        assert 2_000 < dropped[-1] < 4_000
        assert len(found) + dropped[-1] <= 4_000
    finally:
        one.stop()


async def test_what_was_sent_without_asking_for_an_acknowledgement_waits_like_everything_else(mosquitto):
    async with linked(mosquitto):
        pass
    mosquitto.publish(TOPIC, [b"as most tools do it"], qos=0)
    async with linked(mosquitto) as link:
        (one,) = await taken(link, 1)
    assert (one.payload, one.qos) == (b"as most tools do it", 1)


async def test_two_gateways_with_all_topics_both_get_everything_and_with_disjoint_filters_each_its_own(mosquitto):
    async with (
        linked(mosquitto, "first") as first,
        linked(mosquitto, "second") as second,
        linked(mosquitto, "water", ("tocsin/+/stage",)) as water,
        linked(mosquitto, "air", ("tocsin/+/pm25",)) as air,
    ):
        mosquitto.publish(TOPIC, [b"stage"])
        mosquitto.publish("tocsin/station-7/pm25", [b"air"])
        assert [sorted(texts(await taken(one, 2))) for one in (first, second)] == [["air", "stage"]] * 2
        assert [texts(await taken(one, 1)) for one in (water, air)] == [["stage"], ["air"]]


async def test_nobody_writes_below_anothers_name(mosquitto):
    async with linked(mosquitto) as link:
        mosquitto.publish("tocsin/station-8/stage", [b"forged"])
        mosquitto.publish(TOPIC, [b"own"])
        assert texts(await taken(link, 1)) == ["own"]


async def test_a_wrong_password_is_said_and_not_tried_for_ever(mosquitto):
    with pytest.raises(MqttRefused, match="refuses the connection"):
        await asyncio.wait_for(Link(broker(mosquitto, account=("gateway", "guessed")), ["tocsin/#"]).run(), WAIT_S)


async def test_two_gateways_with_one_client_id_are_told_so_and_back_off(mosquitto, caplog):
    async with linked(mosquitto), linked(mosquitto):
        await until(lambda: "another client have this client id" in caplog.text)


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        # CONNACK, then DISCONNECT with the reason "session taken over": as brokers that keep to the standard do, mosquitto 2.0.11 only closes.
        ([b"\x20\x03\x00\x00\x00", b"\xe0\x02\x8e\x00"], "another client has connected with this client id"),
        ([b"\x20\x02\x00\x01"], "a broker that speaks MQTT 5 is needed"),
    ],
)
async def test_a_broker_that_says_it_will_not_have_us_ends_it_with_the_reason(answers, word):
    async with listening(answers) as port:
        with pytest.raises(MqttRefused, match=word):
            await asyncio.wait_for(Link(MqttBroker("127.0.0.1", port, "one"), ["tocsin/#"]).run(), WAIT_S)


@pytest.mark.parametrize("noise", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x20\xff\xff\xff\xff\xff", b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
async def test_a_port_that_is_no_brokers_is_said_and_ends_nothing(noise, caplog, monkeypatch):
    monkeypatch.setattr(mqtt_link, "ANSWER_S", 0.2)

    async with listening([noise]) as port:
        link = Link(MqttBroker("127.0.0.1", port, "one"), ["tocsin/#"])
        running = asyncio.ensure_future(link.run())
        await until(lambda: caplog.text.count("takes the connection and gives no answer: is this the port of an MQTT broker") > 1)
        link.stop()
        await asyncio.wait_for(running, WAIT_S)


async def test_a_broker_that_forgot_the_session_is_told_of(tmp_path):
    one = Mosquitto(tmp_path / "mosquitto", {"persistence": "false"})
    events: list[Event] = []
    link = Link(broker(one), ["tocsin/#"], on_event=events.append)
    running = asyncio.ensure_future(link.run())
    try:
        await asyncio.wait_for(link.ready(), WAIT_S)
        one.stop()
        one.start()
        await until(lambda: Event.SESSION_LOST in events)
    finally:
        link.stop()
        await running
        one.stop()
    assert events[:2] == [Event.CONNECTED, Event.LOST]


async def test_without_a_broker_it_keeps_trying_and_can_be_stopped():
    link = Link(MqttBroker("127.0.0.1", free_ports("127.0.0.1")[0], "first"), ["tocsin/#"])
    running = asyncio.ensure_future(link.run())
    await asyncio.sleep(0.3)
    link.stop()
    await asyncio.wait_for(running, WAIT_S)
    assert not link._subscribed.is_set()


def test_the_shipped_configuration_has_nothing_that_mosquitto_warns_of(mosquitto):
    needed()
    said = [line for line in mosquitto.log().splitlines() if "root" not in line]
    assert not [line for line in said if "recommended" in line or "deprecated" in line or "Error" in line]
    assert subprocess.run(["mosquitto_pub", "--version"], capture_output=True, check=False).stdout
