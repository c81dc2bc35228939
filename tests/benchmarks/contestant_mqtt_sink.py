"""The least an MQTT gateway could do: paho-mqtt takes each message and acknowledges it on arrival. Nothing is read, checked or sent on."""

from __future__ import annotations

import sys
import time
from typing import Any

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


def main(port: int, username: str, password: str, expected: int) -> None:
    """Subscribe, keep the session, and say when so many have come."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="sink", protocol=MQTTv5)
    client.username_pw_set(username, password)
    count, began = 0, 0.0

    def on_message(*_: Any) -> None:
        nonlocal count, began
        began = began or time.perf_counter()
        count += 1
        if count == expected:
            print(f"took {time.perf_counter() - began:.3f}", flush=True)

    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe("tocsin/#", qos=1)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval, properties.ReceiveMaximum = 3_600, 2_000
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
