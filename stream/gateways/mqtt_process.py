"""`tocsin gateway mqtt`: the process. It starts without Kafka and without the broker, and ends by itself only where the broker will not have it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from stream.errors import TocsinError
from stream.gateways.denials import Denials, denials_spool
from stream.gateways.known_regions import KnownRegions
from stream.gateways.metrics import LIVE, GatewayMetrics
from stream.gateways.mqtt import MqttGateway, Senders
from stream.gateways.mqtt_broker import MqttRefused
from stream.gateways.mqtt_link import Link
from stream.gateways.mqtt_metrics import MqttMetrics
from stream.gateways.mqtt_pages import Pages
from stream.gateways.mqtt_refused import REJECTED
from stream.gateways.mqtt_speakers import OURS
from stream.gateways.sending import Sender
from stream.gateways.spool import Spool
from stream.gateways.stopping import only_live, run_until_stopped
from stream.runtime.ending import end_now
from stream.runtime.topics import DOORS, Topics
from stream.runtime.watchdog import Watchdog

if TYPE_CHECKING:
    from pathlib import Path

    from stream.gateways.mapping import Mapping
    from stream.gateways.mqtt_broker import MqttBroker
    from stream.settings import Settings

ALL_OF_OURS = (f"{OURS}/#",)


class MqttOptions(NamedTuple):
    """What this gateway needs besides the settings. Without a `spool` folder nothing is acknowledged while Kafka is away."""

    broker: MqttBroker
    mapping: Mapping
    spool: Path | None = None
    spool_bytes: int = 1 << 30

    @property
    def filters(self) -> tuple[str, ...]:
        """The topics to subscribe to: those of the mapping's sources, or all of Tocsin's own.

        Shared subscriptions are refused: the broker would give a message to one gateway and wait for it, however long that is away.
        """
        found = tuple(one.topic for one in self.mapping.sources) or ALL_OF_OURS
        if shared := [one for one in found if one.startswith("$share/")]:
            msg = f"{shared[0]}: no shared subscriptions; give several gateways disjoint filters, or let each take everything"
            raise TocsinError(msg)
        return found


def ways_of(settings: Settings) -> dict[str, str]:
    """Where this gateway's records go, by what they are for: to the doors, and what is refused."""
    topics = Topics(settings.prefix)
    return {**dict(zip(DOORS, topics.doors, strict=True)), REJECTED: topics.rejected}


def run_mqtt(settings: Settings, options: MqttOptions) -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean stop. MqttRefused where the broker will not have it; all else ends the process (`ExitCode`)."""
    only_live(settings, "a gateway is for lanes in the broker's time: nobody measures a replay")
    return run_until_stopped(partial(_run, settings, options))


async def _run(settings: Settings, options: MqttOptions, stopping: asyncio.Event) -> None:
    metrics = MqttMetrics(GatewayMetrics())
    link = Link(options.broker, options.filters, metrics.note, metrics.dropped)
    spool = Spool(options.spool / LIVE, bytes_max=options.spool_bytes) if options.spool else None
    sender = Sender(settings, spool, doors=ways_of(settings), metrics=metrics.every)
    denials = Denials(settings, metrics.every, denials_spool(options.spool) if options.spool else None)
    gateway = MqttGateway(settings, link, Senders(sender, denials), options.mapping, metrics)
    dog = Watchdog(settings.watchdog_s)
    pages = Pages(metrics.every, gateway, link, sender, dog)
    regions = KnownRegions(settings, options.spool, gateway.take_regions)
    await pages.serve(settings.metrics_port, settings.metrics_host)
    dog.start()
    await sender.start()
    parts = [
        asyncio.ensure_future(one)
        for one in (link.run(), gateway.run(stopping), regions.run(), denials.run(), dog.run(), _say_ready(link, gateway))
    ]
    try:
        await asyncio.wait(parts[:-1], return_when=asyncio.FIRST_COMPLETED)
        for one in parts:
            if one.done() and (error := one.exception()) is not None:
                if isinstance(error, MqttRefused):
                    raise error
                end_now(error)  # whatever it is, nothing may be acknowledged after it
        link.stop()
        await parts[0]
        await sender.stop()
    finally:
        for one in parts:
            one.cancel()
        await asyncio.wait(parts)
        await pages.stop()


async def _say_ready(link: Link, gateway: MqttGateway) -> None:
    await gateway.known.wait()
    await link.ready()
    print("ready", flush=True)  # noqa: T201
