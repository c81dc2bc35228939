"""The MQTT gateway between a real mosquitto and a real Kafka: acknowledged to the broker means in Kafka or on the disk."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from stream.errors import TocsinError
from stream.gateways.mapping import Mapping, Source
from stream.gateways.metrics import GatewayMetrics
from stream.gateways.mqtt import MqttGateway, MqttOptions
from stream.gateways.mqtt_link import Link, MqttBroker
from stream.gateways.mqtt_metrics import MqttMetrics
from stream.gateways.sending import Sender
from stream.gateways.spool import Spool
from stream.region.bundle import bundle
from stream.region.load import load
from tests.gateways.http_lane import lane_settings, on_door, set_up, stage
from tests.gateways.mosquitto import USERS, Mosquitto

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from stream.runtime.broker import Broker
    from stream.settings import Settings

pytestmark = pytest.mark.kafka
TOPIC = "tocsin/station-7/stage"
NOBODY = "127.0.0.1:9"
WAIT_S = 30
PRINCIPALS = """
[station-7]
kind = "kafka"
stations = ["upper"]
families = ["water"]
lanes = ["test"]
"""


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    one = Mosquitto(tmp_path / "mosquitto")
    yield one
    one.stop()


@pytest.fixture
async def lane(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Settings:
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "region")
    return settings


class Running:
    """A gateway in this test's loop."""

    def __init__(self, link: Link, gateway: MqttGateway, sender: Sender, metrics: MqttMetrics) -> None:
        self.link, self.gateway, self.sender, self.metrics = link, gateway, sender, metrics

    def said(self, verdict: str) -> float:
        return self.metrics.every.items.labels(verdict)._value.get()

    def done(self, outcome: str) -> float:
        return self.metrics.messages.labels(outcome)._value.get()


@asynccontextmanager
async def gateway(
    settings: Settings, mosquitto: Mosquitto, region: Path, spool: Spool | None = None, mapping: Mapping | None = None
) -> AsyncIterator[Running]:
    options = MqttOptions(MqttBroker("127.0.0.1", mosquitto.port, "one", "gateway", USERS["gateway"]), mapping or Mapping())
    metrics = MqttMetrics(GatewayMetrics())
    sender = Sender(settings, spool, metrics=metrics.every, patience_s=1)
    link = Link(options.broker, options.filters, metrics.note, metrics.dropped)
    one = Running(link, MqttGateway(settings, link, sender, options.mapping, metrics), sender, metrics)
    stopping = asyncio.Event()
    await sender.start()
    await one.gateway.take_regions((load(bundle(region)),))
    tasks = [asyncio.ensure_future(link.run()), asyncio.ensure_future(one.gateway.run(stopping))]
    try:
        await asyncio.wait_for(link.ready(), WAIT_S)
        yield one
    finally:
        stopping.set()
        await tasks[1]
        link.stop()
        await tasks[0]
        await sender.stop()


def payloads(count: int, first: int = 0) -> list[bytes]:
    return [json.dumps(stage(1 + one / 1000, minutes_ago=one + 1)).encode() for one in range(first, first + count)]


async def until(look: Callable[[], Any]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not look():  # noqa: ASYNC110  (other processes' doing)
            await asyncio.sleep(0.05)


async def test_what_a_device_publishes_is_in_its_door_and_acknowledged(lane, mosquitto, tmp_path):
    async with gateway(lane, mosquitto, tmp_path / "region") as one:
        mosquitto.publish(TOPIC, payloads(300))
        mosquitto.publish(TOPIC, [json.dumps([stage(2, 400), stage(2, 401)]).encode()], qos=0)
        await until(lambda: one.done("acknowledged") == 301)
    assert sorted(item["value"] for item in on_door(lane)) == sorted([1 + one / 1000 for one in range(300)] + [2, 2])
    async with gateway(lane, mosquitto, tmp_path / "region") as one:
        await asyncio.sleep(0.5)
        assert one.done("acknowledged") == 0


async def test_what_comes_on_one_topic_keeps_its_order(lane, mosquitto, tmp_path):
    async with gateway(lane, mosquitto, tmp_path / "region") as one:
        for start in range(0, 400, 100):
            mosquitto.publish(TOPIC, payloads(100, start))
            await until(lambda: one.done("acknowledged") == start + 100)  # noqa: B023
    assert [item["value"] for item in on_door(lane)] == [1 + one / 1000 for one in range(400)]


async def test_while_kafka_is_away_it_is_acknowledged_once_on_the_disk_and_goes_on_from_there(lane, mosquitto, tmp_path):
    async with gateway(lane_settings(NOBODY, lane.prefix), mosquitto, tmp_path / "region", Spool(tmp_path / "spool")) as one:
        mosquitto.publish(TOPIC, payloads(50))
        await until(lambda: one.done("acknowledged") == 50)
        assert one.sender.pending
    async with gateway(lane, mosquitto, tmp_path / "region", Spool(tmp_path / "spool")) as one:
        await until(lambda: one.sender.reachable and not one.sender.pending)
        assert one.done("acknowledged") == 0
    assert [item["value"] for item in on_door(lane)] == [1 + one / 1000 for one in range(50)]


async def test_what_neither_kafka_nor_the_disk_takes_stays_with_the_broker(lane, mosquitto, tmp_path):
    async with gateway(lane_settings(NOBODY, lane.prefix), mosquitto, tmp_path / "region") as one:
        mosquitto.publish(TOPIC, payloads(20))
        await until(lambda: one.done("not_taken"))
        assert one.done("acknowledged") == 0
    async with gateway(lane, mosquitto, tmp_path / "region") as one:
        await until(lambda: one.done("acknowledged") == 20)
    assert sorted(item["value"] for item in on_door(lane)) == [1 + one / 1000 for one in range(20)]


async def test_what_is_refused_is_counted_told_and_holds_back_nothing(lane, mosquitto, tmp_path, caplog):
    bad = [b"no json", json.dumps(stage(1, station="nowhere")).encode(), b"\xff\xfe"]
    async with gateway(lane, mosquitto, tmp_path / "region") as one:
        mosquitto.publish(TOPIC, [*bad, *payloads(1), *payloads(1)])
        await until(lambda: one.done("acknowledged") == 5)
        assert (one.said("rejected"), one.said("duplicate"), one.said("accepted")) == (3, 1, 1)
        assert {sight.station for sight in one.gateway.seen.sights()} >= {"upper", "nowhere"}
    assert "nowhere" in caplog.text
    assert len(on_door(lane)) == 1


async def test_topics_are_read_in_the_dialect_of_their_source(lane, mosquitto, tmp_path):
    sources = Mapping(sources=(Source("tocsin/#", "tocsin_json"), Source("application/+/device/+/event/up", "chirpstack")))
    async with gateway(lane, mosquitto, tmp_path / "region", mapping=sources) as one:
        mosquitto.publish("application/1/device/a1/event/up", [b'{"deviceInfo": {"devEui": "unknown"}}'], user="chirpstack")
        mosquitto.publish(TOPIC, payloads(1))
        await until(lambda: one.done("acknowledged") == 2)
        assert (one.said("rejected"), one.said("accepted")) == (1, 1)


async def test_a_user_of_the_broker_speaks_only_for_the_stations_its_principal_is_bound_to(lane, mosquitto, tmp_path):
    (tmp_path / "region" / "gateways.toml").write_text(PRINCIPALS, "utf-8")
    async with gateway(lane, mosquitto, tmp_path / "region") as one:
        mosquitto.publish(TOPIC, payloads(1))
        mosquitto.publish(TOPIC, [json.dumps(stage(9, station="lower")).encode()])
        await until(lambda: one.done("acknowledged") == 2)
        assert (one.said("rejected"), one.said("accepted")) == (1, 1)
    assert [item["station"] for item in on_door(lane)] == ["upper"]


def test_shared_subscriptions_are_refused():
    mapping = Mapping(sources=(Source("$share/all/tocsin/#", "tocsin_json"),))
    with pytest.raises(TocsinError, match="no shared subscriptions"):
        _ = MqttOptions(MqttBroker("h", 1, "c"), mapping).filters
