"""From mosquitto_pub until the decided journal, in the payloads of three kinds of senders, through two gateways that both take everything."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from stream.decide.fold import Fold
from stream.region.bundle import bundle
from stream.region.load import load
from tests.gateways.mosquitto import USERS
from tests.gateways.test_independent_clients import in_journal
from tests.gateways.test_mqtt_process import at, started
from tests.runtime.lane import Worker, journal_entries

if TYPE_CHECKING:
    from stream.region.model import Region
    from stream.settings import Settings
    from tests.gateways.mosquitto import Mosquitto

WAIT_S = 60
EACH = 5
MAPPING = """
[[sources]]
topic = "tocsin/#"
dialect = "tocsin_json"
[[sources]]
topic = "application/+/device/+/event/up"
dialect = "chirpstack"
[[sources]]
topic = "v3/+/devices/+/up"
dialect = "things_stack"
[[devices]]
id = "0101010101010101"
station = "middle"
[devices.fields."level.cm"]
quantity = "stage"
unit = "cm"
[[devices]]
id = "dev1"
station = "lower"
[devices.fields.level]
quantity = "stage"
"""


def instant(number: int) -> str:
    return (datetime.now(UTC) - timedelta(minutes=number + 1)).isoformat()


def tocsin_json(number: int) -> dict[str, Any]:
    return {"series": "upper/stage", "observed_at": instant(number), "value": 1 + number / 100}


def chirpstack(number: int) -> dict[str, Any]:
    return {
        "deduplicationId": f"d{number}",
        "time": instant(number),
        "deviceInfo": {"devEui": "0101010101010101", "deviceName": "middle gauge"},
        "fCnt": number,
        "object": {"level": {"cm": 110 + number}},
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "gwTime": instant(number)}],
    }


def things_stack(number: int) -> dict[str, Any]:
    return {
        "end_device_ids": {"device_id": "dev1", "application_ids": {"application_id": "app1"}},
        "received_at": instant(number),
        "uplink_message": {
            "session_key_id": "AXB==",
            "f_cnt": number,
            "decoded_payload": {"level": 1.2 + number / 100},
            "received_at": instant(number),
        },
    }


SENT = {
    ("tocsin/station-7/stage", "station-7"): tocsin_json,
    ("application/17c8/device/0101010101010101/event/up", "chirpstack"): chirpstack,
    ("v3/app1@ttn/devices/dev1/up", "things-stack"): things_stack,
}
EXPECTED = sorted(
    (f"{station}/stage", round(first + number / 100, 6))
    for station, first in (("upper", 1.0), ("middle", 1.1), ("lower", 1.2))
    for number in range(EACH)
)


def decided(settings: Settings, region: Region) -> Counter[str]:
    """What the fold does with the journal as it is."""
    fold = Fold(lambda _: region, lane=settings.lane, clock="broker", partitions=settings.partitions)
    found: Counter[str] = Counter()
    for number, entries in enumerate(journal_entries(settings.bootstrap, settings.prefix, settings.partitions)):
        state = fold.initial(number)
        fold.apply(state, entries)
        found.update({"scored": state.core.counts.scored, "duplicate": state.core.counts.duplicate})
    return found


def publish(mosquitto: Mosquitto) -> None:
    for (topic, user), payload in SENT.items():
        mosquitto.publish(topic, [json.dumps(payload(number)).encode() for number in range(EACH)], user=user)


@pytest.mark.kafka
@pytest.mark.slow
async def test_what_two_gateways_both_take_is_decided_once_and_the_rest_counted_as_duplicates(lane, mosquitto, tmp_path):
    (tmp_path / "gateway.toml").write_text(MAPPING, "utf-8")
    region = load(bundle(tmp_path / "region"))
    options = ("--username", "gateway", "--mapping", str(tmp_path / "gateway.toml"))
    worker = Worker(lane, tmp_path / "worker.log", module="tests.accept.product_worker")
    try:
        worker.wait_ready()
        with (
            started(tmp_path, at(mosquitto), *options, settings=lane, client_id="first", password=USERS["gateway"]) as first,
            started(tmp_path, at(mosquitto), *options, settings=lane, client_id="second", password=USERS["gateway"]) as second,
        ):
            for one in (first, second):
                await asyncio.to_thread(one.until, lambda text: "\nready" in f"\n{text}")
            await asyncio.to_thread(publish, mosquitto)
            async with asyncio.timeout(WAIT_S):
                while len(found := await asyncio.to_thread(in_journal, lane, region)) < 2 * len(EXPECTED):  # noqa: ASYNC110  (only asking tells)
                    await asyncio.sleep(0.3)
            assert (first.stop(), second.stop()) == (0, 0)
    finally:
        worker.stop()
    assert found == sorted(EXPECTED * 2)
    assert decided(lane, region) == {"scored": len(EXPECTED), "duplicate": len(EXPECTED)}
