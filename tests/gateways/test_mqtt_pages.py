"""What the installer of a station sees at the MQTT gateway: when each station was last heard of, whether it works, and its metrics."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from aiohttp import ClientSession

from stream.errors import TocsinError
from stream.gateways import skew
from stream.gateways.metrics import GatewayMetrics
from stream.gateways.mqtt_pages import Pages
from stream.gateways.skew import SAMPLES_LEAST
from stream.records.instants import to_text
from stream.runtime.clocks import wall_ms
from stream.runtime.ports import free_ports
from stream.runtime.watchdog import Watchdog
from tests.gateways.http_lane import lane_settings, stage
from tests.gateways.mqtt_lane import NOBODY, TOPIC, gateway, until

AHEAD_MS = 20_000
pytestmark = pytest.mark.kafka


async def get(port: int, path: str, accept: str = "application/json") -> tuple[int, str]:
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}", headers={"Accept": accept}) as got:
        return got.status, await got.text()


async def test_stations_their_clocks_and_what_was_wrong_are_shown_as_json_and_as_a_page(lane, mosquitto, tmp_path, monkeypatch):
    monkeypatch.setattr(skew, "EVERY_MS", 0)
    settings = msgspec.structs.replace(lane, metrics_port=free_ports("127.0.0.1")[0])
    async with gateway(settings, mosquitto, tmp_path / "region") as one:
        for at in range(SAMPLES_LEAST + 1):
            mosquitto.publish(TOPIC, [json.dumps(stage(1 + at / 10) | {"observed_at": to_text(wall_ms() + AHEAD_MS)}).encode()])
            await until(lambda: one.done("acknowledged") == at + 1)  # noqa: B023
        mosquitto.publish(TOPIC, [b'{"station": "<b>nowhere</b>", "quantity": "stage", "value": 1, "observed_at": 5}'])
        await until(lambda: one.said("rejected") == 1)
        status, text = await get(settings.metrics_port, "/v1/last-seen")
        page = await get(settings.metrics_port, "/v1/last-seen", "text/html")
        metrics = await get(settings.metrics_port, "/metrics")
        for probe in ("/livez", "/readyz", "/startupz"):
            assert await get(settings.metrics_port, probe) == (200, '{"ok":true,"troubles":[]}\n')
    sights = {sight["station"]: sight for sight in json.loads(text)}
    assert status == 200
    assert (sights["upper"]["gateway"], sights["upper"]["taken"], sights["upper"]["clock"]) == ("station-7", SAMPLES_LEAST + 1, "ahead")
    assert (sights["<b>nowhere<"]["taken"], sights["<b>nowhere<"]["rejected"]) == (0, 1)
    assert page[0] == 200
    assert "<b>" not in page[1]
    assert "ahead by" in page[1]
    assert 'tocsin_gateway_mqtt_messages_total{outcome="acknowledged"}' in metrics[1]
    assert 'tocsin_gateway_clocks{clock="ahead"} 1.0' in metrics[1]


async def test_it_is_not_ready_without_kafka_and_disk_nor_without_the_broker(lane, mosquitto, tmp_path):
    settings = msgspec.structs.replace(lane_settings(NOBODY, lane.prefix), metrics_port=free_ports("127.0.0.1")[0])
    async with gateway(settings, mosquitto, tmp_path / "region"):
        status, said = await get(settings.metrics_port, "/readyz")
        assert (status, "neither Kafka nor the disk takes anything" in said) == (503, True)
        mosquitto.stop()
        async with asyncio.timeout(20):
            while "MQTT broker" not in (await get(settings.metrics_port, "/readyz"))[1]:  # noqa: ASYNC110  (only asking tells)
                await asyncio.sleep(0.1)
        mosquitto.start()


async def test_a_port_that_is_taken_is_said():
    port = free_ports("127.0.0.1")[0]
    first, second = (Pages(GatewayMetrics(), *[None] * 3, Watchdog(60.0)) for _ in range(2))
    await first.serve(port)
    try:
        with pytest.raises(TocsinError, match=f"{port} cannot be listened on"):
            await second.serve(port)
    finally:
        await first.stop()
