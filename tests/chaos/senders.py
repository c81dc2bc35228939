"""Devices that send measurements to gateways through every fault, and the ledger of those that were answered for."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from stream.records.instants import to_text
from tests.gateways.mosquitto import USERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.gateways.mosquitto import Mosquitto

STEP_MS = 20
POST_PAUSE_S, PUBLISH_PAUSE_S = 0.05, 0.02
USER = "station-7"
Item = tuple[str, int]
"""Series and time of observation (ms), unique."""


@dataclass
class Ledger:
    """`sent`: all that may arrive. `acknowledged`: what was answered for. `answers`: how often each answer was given."""

    sent: set[Item] = field(default_factory=set)
    acknowledged: set[Item] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    ending: threading.Event = field(default_factory=threading.Event)


def measurements(stations: Sequence[str], begins_at: int) -> Iterator[tuple[Item, dict[str, object]]]:
    """Levels of each station in turn, without an end."""
    step = 0
    while True:
        step += 1
        for station in stations:
            at = begins_at + step * STEP_MS
            yield (
                (f"{station}/stage", at),
                {"station": station, "quantity": "stage", "observed_at": to_text(at), "value": 1 + step % 100 / 100},
            )


def post(port: int, stations: Sequence[str], begins_at: int, ledger: Ledger) -> None:
    """Arrays by HTTP, one after the other; each again until it is taken, as a device has to."""
    source = measurements(stations, begins_at)
    while not ledger.ending.is_set():
        some = [next(source) for _ in range(20)]
        body = json.dumps([one for _, one in some])
        ledger.sent.update(item for item, _ in some)
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request("POST", "/v1/measurements", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                ledger.answers[type(error).__name__] += 1
            else:
                if answer.status == http.client.ACCEPTED:
                    found = json.loads(text)
                    assert not found["rejected"], found
                    ledger.answers.update({name: found[name] for name in ("accepted", "stored", "duplicate")})
                    ledger.acknowledged.update(item for item, _ in some)
                    break
                assert answer.status >= http.client.INTERNAL_SERVER_ERROR, text
                ledger.answers[str(answer.status)] += 1
            finally:
                connection.close()
            if ledger.ending.wait(0.1):
                return
        ledger.ending.wait(POST_PAUSE_S)


def publish(mosquitto: Mosquitto, stations: Sequence[str], begins_at: int, ledger: Ledger) -> None:
    """Messages of QoS 1 by MQTT; answered for when the broker has acknowledged them."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="devices", protocol=MQTTv5)
    client.username_pw_set(USER, USERS[USER])
    waiting: dict[int, Item] = {}
    # A queue, because paho holds a lock of its own during the callback, which `publish` needs, too.
    acknowledged: SimpleQueue[int] = SimpleQueue()
    client.on_publish = lambda _client, _data, number, *_more: acknowledged.put(number)
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    source = measurements(stations, begins_at)
    while waiting or not ledger.ending.is_set():
        if not ledger.ending.is_set():
            item, body = next(source)
            ledger.sent.add(item)
            waiting[client.publish(f"tocsin/{USER}/stage", json.dumps(body), qos=1).mid] = item
        time.sleep(PUBLISH_PAUSE_S)
        while not acknowledged.empty():
            ledger.acknowledged.add(waiting.pop(acknowledged.get()))
            ledger.answers["acknowledged"] += 1
    client.disconnect()
    client.loop_stop()
