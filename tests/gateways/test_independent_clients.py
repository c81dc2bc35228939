"""Every door by a client that others wrote, as it comes, until the journal: curl, mosquitto_pub, librdkafka, and Fraunhofer's SensorThings client."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import frost_sta_client as frost
import pytest
from confluent_kafka import Producer
from frost_sta_client.model.ext.data_array_document import DataArrayDocument
from frost_sta_client.model.ext.data_array_value import DataArrayValue

from stream.gateways.mapping_file import load_mapping
from stream.records.journal import Measurements, columns
from stream.region.load import load_folder
from stream.runtime.topics import Topics
from tests.gateways.http_lane import gateway, lane_settings, set_up, stage
from tests.gateways.mosquitto import USERS, Mosquitto
from tests.runtime.lane import Worker, journal_entries, messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.runtime.broker import Broker
    from stream.settings import Settings

ROOT = Path(__file__).parents[2]
WAIT_S = 60
STREAMS = """
[[datastreams]]
id = 17
station = "middle"
quantity = "stage"
unit = "cm"
"""


def in_journal(settings: Settings, region) -> list[tuple[str, float]]:
    """Series and value of every measurement, sorted."""
    found = []
    for entries in journal_entries(settings.bootstrap, settings.prefix, settings.partitions):
        for one in messages(entries):
            if isinstance(one, Measurements):
                arrays = columns(one)
                for row, value in zip(arrays.rows.tolist(), arrays.value.tolist(), strict=True):
                    found.append((region.series.ids[row], round(value, 6)))
    return sorted(found)


@pytest.fixture
def mqtt(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Iterator[tuple[Mosquitto, Path]]:
    """A broker of devices, and the log of the gateway that is started for it by `start_mqtt`."""
    one = Mosquitto(tmp_path / "mosquitto")
    yield one, tmp_path / "mqtt.log"
    one.stop()


def start_mqtt(settings: Settings, mosquitto: Mosquitto, log: Path) -> subprocess.Popen[bytes]:
    options = ["--client-id", "one", "--username", "gateway", "--bootstrap", settings.bootstrap, "--prefix", settings.prefix]
    line = [sys.executable, "-m", "stream.cli.main", "gateway", "mqtt", "--broker", f"127.0.0.1:{mosquitto.port}", *options]
    env = {**os.environ, "TOCSIN_PARTITIONS": str(settings.partitions), "TOCSIN_LANE": "test", "TOCSIN_MQTT_PASSWORD": USERS["gateway"]}
    with log.open("ab") as file:
        process = subprocess.Popen(line, cwd=ROOT, stdout=file, stderr=file, env=env)
    until = time.monotonic() + WAIT_S
    while b"ready" not in log.read_bytes():
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < until, log.read_text("utf-8")
        time.sleep(0.1)
    return process


def curl(url: str) -> None:
    """Two lines, as a shell would send them."""
    lines = "\n".join(json.dumps(stage(value, minutes)) for value, minutes in ((1.1, 3), (1.2, 2)))
    words = ["curl", "-sS", "--fail-with-body", "-H", "Content-Type: application/x-ndjson", "--data-binary", "@-", f"{url}/v1/measurements"]
    done = subprocess.run(words, input=lines.encode(), capture_output=True, timeout=WAIT_S, check=True)
    assert json.loads(done.stdout)["accepted"] == 2


def mosquitto_pub(mosquitto: Mosquitto) -> None:
    """One message with the program's own defaults (QoS 0), one with QoS 1."""
    for value, more in ((3.1, []), (3.2, ["-q", "1"])):
        account = ["-u", "station-7", "-P", USERS["station-7"]]
        said = json.dumps(stage(value, 10 * value, "lower"))
        words = ["mosquitto_pub", "-p", str(mosquitto.port), *account, "-t", "tocsin/station-7/stage", "-m", said, *more]
        subprocess.run(words, capture_output=True, timeout=WAIT_S, check=True)


def librdkafka(settings: Settings) -> None:
    """No key, the client's own partitioner and settings."""
    producer = Producer({"bootstrap.servers": settings.bootstrap})
    for value in (1.3, 1.4):
        producer.produce(Topics(settings.prefix).doors[0], json.dumps(stage(value, 10 * value)).encode())
    assert producer.flush(WAIT_S) == 0


def sensorthings(url: str) -> None:
    """One observation, and an array of two, as the library posts them to a server of its own kind."""
    service = frost.SensorThingsService(f"{url}/v1.1")
    stream = frost.Datastream(id=17)
    at = [(datetime.now(UTC) - timedelta(minutes=number)).isoformat(timespec="seconds") for number in (5, 4, 3)]
    one = frost.Observation(phenomenon_time=at[0], result=201.0, datastream=stream)
    service.create(one)
    assert one.id, "the client names what it created by the Location it was answered"
    array = DataArrayValue()
    array.datastream = stream
    array.components = {array.Property.PHENOMENON_TIME, array.Property.RESULT}
    for when, result in ((at[1], 202.0), (at[2], 203.0)):
        array.add_observation(frost.Observation(phenomenon_time=when, result=result, datastream=stream))
    document = DataArrayDocument()
    document.add_data_array_value(array)
    service.observations().create(document)


@pytest.mark.kafka
@pytest.mark.slow
async def test_what_independent_clients_hand_in_is_in_the_journal(
    broker: Broker, fresh_prefix: str, mqtt: tuple[Mosquitto, Path], tmp_path: Path
) -> None:
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "rill")
    region = load_folder(tmp_path / "rill")
    (tmp_path / "gateway.toml").write_text(STREAMS, "utf-8")
    mosquitto, log = mqtt
    worker = Worker(settings, tmp_path / "worker.log", module="tests.accept.product_worker")
    process = await asyncio.to_thread(start_mqtt, settings, mosquitto, log)
    try:
        async with gateway(settings, mapping=load_mapping(tmp_path / "gateway.toml")) as client:
            await asyncio.to_thread(curl, client.url)
            await asyncio.to_thread(sensorthings, client.url)
        await asyncio.to_thread(mosquitto_pub, mosquitto)
        await asyncio.to_thread(librdkafka, settings)
        handed_in = sorted(
            [(f"{name}/stage", value) for name, values in HANDED_IN.items() for value in values],
        )
        async with asyncio.timeout(WAIT_S):
            while (found := await asyncio.to_thread(in_journal, settings, region)) != handed_in:
                assert set(found) <= set(handed_in)
                await asyncio.sleep(0.3)
    finally:
        process.terminate()
        process.wait(20)
        worker.stop()


HANDED_IN = {"upper": (1.1, 1.2, 1.3, 1.4), "lower": (3.1, 3.2), "middle": (2.01, 2.02, 2.03)}
"""By station; the datastream's centimetres as metres."""
