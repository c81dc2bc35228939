"""An MQTT gateway in the test's own loop, between a real mosquitto and a real Kafka."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.gateways.denials import Denials
from stream.gateways.mapping import Mapping
from stream.gateways.metrics import GatewayMetrics
from stream.gateways.mqtt import MqttGateway, Senders
from stream.gateways.mqtt_broker import MqttBroker
from stream.gateways.mqtt_link import Link
from stream.gateways.mqtt_metrics import MqttMetrics
from stream.gateways.mqtt_pages import Pages
from stream.gateways.mqtt_process import MqttOptions, ways_of
from stream.gateways.sending import Sender
from stream.region.bundle import bundle
from stream.region.load import load
from stream.runtime.topics import REJECTED_PARTITIONS, Topics
from stream.runtime.watchdog import Watchdog
from tests.gateways.http_lane import stage
from tests.gateways.mosquitto import USERS
from tests.runtime.lane import read_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from stream.gateways.spool import Spool
    from stream.region.model import Region
    from stream.settings import Settings
    from tests.gateways.mosquitto import Mosquitto

TOPIC = "tocsin/station-7/stage"
NOBODY = "127.0.0.1:9"
WAIT_S = 30


class Running:
    """A gateway in this test's loop."""

    def __init__(self, gateway: MqttGateway, sender: Sender, pages: Pages, metrics: MqttMetrics) -> None:
        self.gateway, self.sender, self.pages, self.metrics = gateway, sender, pages, metrics

    def said(self, verdict: str) -> float:
        return self.metrics.every.items.labels(verdict)._value.get()

    def done(self, outcome: str) -> float:
        return self.metrics.messages.labels(outcome)._value.get()


@asynccontextmanager
async def gateway(
    settings: Settings,
    mosquitto: Mosquitto,
    region: Path | Region,
    spool: Spool | None = None,
    mapping: Mapping | None = None,
    client_id: str = "one",
) -> AsyncIterator[Running]:
    options = MqttOptions(MqttBroker("127.0.0.1", mosquitto.port, client_id, "gateway", USERS["gateway"]), mapping or Mapping())
    metrics = MqttMetrics(GatewayMetrics())
    sender = Sender(settings, spool, doors=ways_of(settings), metrics=metrics.every, patience_s=1)
    denials = Denials(settings, metrics.every, period_s=0.3)
    link = Link(options.broker, options.filters, metrics.note, metrics.dropped)
    made = MqttGateway(settings, link, Senders(sender, denials), options.mapping, metrics)
    pages = Pages(metrics.every, made, link, sender, Watchdog(settings.watchdog_s))
    stopping = asyncio.Event()
    await pages.serve(settings.metrics_port)
    await sender.start()
    await made.take_regions((load(bundle(region)) if isinstance(region, Path) else region,))
    tasks = [asyncio.ensure_future(one) for one in (link.run(), made.run(stopping), denials.run())]
    try:
        await asyncio.wait_for(link.ready(), WAIT_S)
        # Stopped in the middle of connecting, aiokafka leaves a socket to Python, which warns of it.
        await asyncio.wait_for(denials._sender._tried.wait(), WAIT_S)
        yield Running(made, sender, pages, metrics)
    finally:
        stopping.set()
        await tasks[1]
        link.stop()
        await tasks[0]
        tasks[2].cancel()
        await asyncio.wait([tasks[2]])
        await sender.stop()
        await pages.stop()


def payloads(count: int, first: int = 0) -> list[bytes]:
    return [json.dumps(stage(1 + one / 1000, minutes_ago=one + 1)).encode() for one in range(first, first + count)]


async def until(look: Callable[[], Any]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not look():  # noqa: ASYNC110  (other processes' doing)
            await asyncio.sleep(0.05)


def on_rejected(settings: Settings) -> list[tuple[bytes, bytes, dict[str, str]]]:
    """Key, value and headers of every record there."""
    parts = read_all(settings.bootstrap, Topics(settings.prefix).rejected, REJECTED_PARTITIONS)
    return [(one.key(), one.value(), {name: text.decode() for name, text in one.headers()}) for part in parts for one in part]
