"""A gateway as a program for chaos runs: `http PORT SPOOL`, `mqtt PORT SPOOL`, or `aiomqtt PORT`, one as it is usually written."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from stream.gateways.sending import Sender
from stream.gateways.spool import SpoolFull
from stream.gateways.verdict import ToDoor
from stream.settings import Settings, load

CLIENT_ID, USER, PASSWORD = "killed", "gateway", "listens"


def http(settings: Settings, port: int, spool: Path) -> int:
    from stream.gateways.http_process import Listening, run_http

    return run_http(settings, Listening(port=port, spool=spool))


def mqtt(settings: Settings, port: int, spool: Path) -> int:
    from stream.gateways.mapping import Mapping
    from stream.gateways.mqtt_broker import MqttBroker
    from stream.gateways.mqtt_process import MqttOptions, run_mqtt

    return run_mqtt(settings, MqttOptions(MqttBroker("127.0.0.1", port, CLIENT_ID, USER, PASSWORD), Mapping(), spool))


async def aiomqtt(settings: Settings, port: int) -> None:
    """The same sender behind aiomqtt: a persistent session, QoS 1, and each message is awaited. Yet aiomqtt has acknowledged it when it arrived."""
    from aiomqtt import Client

    sender = Sender(settings, None)
    await sender.start()
    async with Client("127.0.0.1", port, identifier="usual", clean_session=False, username=USER, password=PASSWORD) as client:
        await client.subscribe("tocsin/#", qos=1)
        print("ready", flush=True)
        async for message in client.messages:
            while True:
                try:
                    await sender.send([ToDoor("water", bytes(message.payload), (0,))])
                except SpoolFull:  # Kafka is not there yet: only a kill may lose something here
                    await asyncio.sleep(0.2)
                else:
                    break


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    kind, where = sys.argv[1], int(sys.argv[2])
    if kind == "aiomqtt":
        asyncio.run(aiomqtt(load(), where))
    else:
        sys.exit({"http": http, "mqtt": mqtt}[kind](load(), where, Path(sys.argv[3])))
