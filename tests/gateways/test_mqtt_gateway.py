"""The MQTT gateway between a real mosquitto and a real Kafka: acknowledged to the broker means in Kafka or on the disk."""

from __future__ import annotations

import asyncio
import json

import pytest

from stream.errors import TocsinError
from stream.gateways.mapping import Mapping, Source
from stream.gateways.mqtt_broker import MqttBroker
from stream.gateways.mqtt_process import MqttOptions
from stream.gateways.spool import Spool
from tests.gateways.http_lane import lane_settings, on_door, stage
from tests.gateways.mqtt_lane import NOBODY, TOPIC, gateway, payloads, until

pytestmark = pytest.mark.kafka
PRINCIPALS = """
[station-7]
kind = "kafka"
stations = ["upper"]
families = ["water"]
lanes = ["test"]
"""


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
