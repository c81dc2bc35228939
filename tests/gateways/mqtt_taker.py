"""A program that notes each message in a file and dies in the middle: `link` or `aiomqtt`, PORT, FILE, and after how many (0 = stop when idle)."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from stream.gateways.mqtt_broker import MqttBroker
from stream.gateways.mqtt_link import Link

USER, PASSWORD = "gateway", "listens"
IDLE_S = 1.5


class Notes:
    """The file that stands for Kafka; the process dies when so many are in it."""

    def __init__(self, path: Path, most: int) -> None:
        self._file = path.open("ab")
        self._left = most

    def take(self, payload: bytes) -> None:
        self._file.write(payload + b"\n")
        self._file.flush()
        self._left -= 1
        if self._left == 0:
            os._exit(9)


async def link(port: int, notes: Notes) -> None:
    one = Link(MqttBroker("127.0.0.1", port, "link", USER, PASSWORD), ["tocsin/#"])
    running = asyncio.ensure_future(one.run())
    try:
        while True:
            for delivery in await asyncio.wait_for(one.take(100), IDLE_S):
                await asyncio.sleep(0)
                notes.take(delivery.payload)
                one.acknowledge([delivery])
    except TimeoutError:
        one.stop()
        await running


async def aiomqtt(port: int, notes: Notes) -> None:
    from aiomqtt import Client

    async with Client("127.0.0.1", port, identifier="aiomqtt", clean_session=False, username=USER, password=PASSWORD) as client:
        await client.subscribe("tocsin/#", qos=1)
        messages = aiter(client.messages)
        try:
            while True:
                message = await asyncio.wait_for(anext(messages), IDLE_S)
                await asyncio.sleep(0.01)
                notes.take(bytes(message.payload))
        except TimeoutError:
            return


if __name__ == "__main__":
    asyncio.run({"link": link, "aiomqtt": aiomqtt}[sys.argv[1]](int(sys.argv[2]), Notes(Path(sys.argv[3]), int(sys.argv[4]))))
