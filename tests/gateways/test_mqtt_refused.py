"""What is refused on MQTT is kept before it is acknowledged: nobody can be answered there, and the broker would send it again for ever."""

from __future__ import annotations

import dataclasses
import json
from hashlib import sha256
from typing import Any

import pytest

from stream.accept.refusal import DETAIL_CHARS_MAX
from stream.gateways.mapping import Mapping, Source
from stream.gateways.spool import Spool
from stream.region.principals import Principal
from stream.runtime.topics import Topics
from tests.accept.regions import region
from tests.gateways.http_lane import lane_settings, on_door, stage
from tests.gateways.mqtt_lane import NOBODY, TOPIC, gateway, on_rejected, payloads, until
from tests.runtime.lane import read_all

pytestmark = pytest.mark.kafka
SOURCES = Mapping(sources=(Source("tocsin/#", "tocsin_json"), Source("application/+/device/+/event/up", "chirpstack")))
COUNT = {"area": "north", "value": 4, "period_start_at": "2024-04-30T00:00:00Z", "period_end_at": "2024-05-01T00:00:00Z"}


def bound(*families: str) -> Principal:
    return Principal("station-7", "kafka", ("upper", "north"), families, ("test",), "small")


def encoded(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


async def test_each_message_is_kept_with_its_bytes_and_its_reason_and_holds_back_nothing(lane, mosquitto, tmp_path, caplog):
    bad = [b"no json", encoded(**stage(1, station="nowhere")), b"\xff\xfe"]
    async with gateway(lane, mosquitto, tmp_path / "region") as one:
        mosquitto.publish(TOPIC, [*bad, *payloads(1), *payloads(1)])
        await until(lambda: one.done("acknowledged") == 5)
        assert (one.said("rejected"), one.said("duplicate"), one.said("accepted")) == (3, 1, 1)
        assert {sight.station for sight in one.gateway.seen.sights()} >= {"upper", "nowhere"}
    assert "nowhere" in caplog.text
    assert len(on_door(lane)) == 1
    found = {value: (key, said) for key, value, said in on_rejected(lane)}
    assert {value: said["reason"] for value, (_, said) in found.items()} == dict(
        zip(bad, ["not_json", "unknown_series", "not_utf8"], strict=True)
    )
    key, said = found[bad[1]]
    digest = sha256(bad[1]).hexdigest()
    assert key.decode() == f"mqtt/{TOPIC}/{digest}"
    assert {name: said[name] for name in ("topic", "partition", "offset", "index", "sha256", "size")} == {
        "topic": TOPIC, "partition": "", "offset": "", "index": "$", "sha256": digest, "size": str(len(bad[1])),
    }  # fmt: skip
    assert "nowhere/stage" in said["detail"]


async def test_a_message_with_much_that_is_wrong_is_kept_once_and_what_is_good_of_it_goes_on(lane, mosquitto, tmp_path):
    wrong = [stage(1, at + 1, station="nowhere") for at in range(150)] + [stage("high", 1)]
    async with gateway(lane, mosquitto, tmp_path / "region") as one:
        mosquitto.publish(TOPIC, [json.dumps([*wrong, stage(2)]).encode()])
        await until(lambda: one.done("acknowledged") == 1)
        assert (one.said("rejected"), one.said("accepted")) == (151, 1)
    assert [item["value"] for item in on_door(lane)] == [2]
    ((_, value, said),) = on_rejected(lane)
    assert len(json.loads(value)) == 152
    assert (said["reason"], said["index"]) == ("many", "")
    assert "151 refused (150 unknown_series, 1 wrong_type); the first, $[0]" in said["detail"]
    assert len(said["detail"]) <= DETAIL_CHARS_MAX


async def test_while_kafka_is_away_it_waits_on_the_disk_like_everything_else(lane, mosquitto, tmp_path):
    async with gateway(lane_settings(NOBODY, lane.prefix), mosquitto, tmp_path / "region", Spool(tmp_path / "spool")) as one:
        mosquitto.publish(TOPIC, [b"no json", *payloads(1)])
        await until(lambda: one.done("acknowledged") == 2)
        assert one.sender.pending == 2
    async with gateway(lane, mosquitto, tmp_path / "region", Spool(tmp_path / "spool")) as one:
        await until(lambda: one.sender.reachable and not one.sender.pending)
    assert [(value, said["reason"]) for _, value, said in on_rejected(lane)] == [(b"no json", "not_json")]
    assert len(on_door(lane)) == 1


async def test_where_it_cannot_be_kept_it_is_not_acknowledged_and_comes_again(lane, mosquitto, tmp_path):
    async with gateway(lane_settings(NOBODY, lane.prefix), mosquitto, tmp_path / "region") as one:
        mosquitto.publish(TOPIC, [b"no json"])
        await until(lambda: one.done("not_taken"))
        assert one.done("acknowledged") == 0
    async with gateway(lane, mosquitto, tmp_path / "region") as one:
        await until(lambda: one.done("acknowledged") == 1)
    assert [value for _, value, _ in on_rejected(lane)] == [b"no json"]


async def test_of_what_is_or_may_be_case_counts_only_a_hash_is_kept(lane, mosquitto):
    counts = [encoded(**COUNT, patient="Li Wei"), b'{"patient": "Li Wei"']
    async with gateway(lane, mosquitto, region(), mapping=SOURCES) as one:
        mosquitto.publish(TOPIC, [*counts, encoded(**stage("high"))])
        mosquitto.publish("application/1/device/a1/event/up", [b"no json"], user="chirpstack")
        await until(lambda: one.done("acknowledged") == 4)
    found = on_rejected(lane)
    assert sorted((said["reason"], value) for _, value, said in found) == [
        ("not_json", b""), ("not_json", b"no json"), ("unknown_field", b""), ("wrong_type", encoded(**stage("high"))),
    ]  # fmt: skip
    hidden = {said["sha256"]: said for _, value, said in found if not value}
    assert hidden.keys() == {sha256(one).hexdigest() for one in counts}
    assert "Li Wei" not in str(found)
    assert "patient" not in str(found)


async def test_what_a_sender_of_water_levels_writes_is_kept_though_it_cannot_be_read_and_that_of_counts_is_not(lane, mosquitto):
    values: list[bytes] = []
    for families, kept in ((("water",), b"no json"), (("water", "health"), b"")):
        async with gateway(lane, mosquitto, dataclasses.replace(region(), principals=(bound(*families),))) as one:
            mosquitto.publish(TOPIC, [b"no json"])
            await until(lambda: one.done("acknowledged") == 1)
        values.append(kept)
        assert sorted(value for _, value, _ in on_rejected(lane)) == sorted(values)


async def test_who_speaks_for_what_is_not_his_is_noted_on_audit_too(lane, mosquitto):
    def audited() -> list[dict[str, Any]]:
        parts = read_all(lane.bootstrap, Topics(lane.prefix).audit, lane.partitions)
        return [json.loads(one.value()) for part in parts for one in part]

    async with gateway(lane, mosquitto, dataclasses.replace(region(), principals=(bound("water"),))) as one:
        mosquitto.publish(TOPIC, [encoded(**stage(1, station="lower"))] * 2)
        await until(lambda: one.done("acknowledged") == 2 and audited())
    assert {said["reason"] for _, _, said in on_rejected(lane)} == {"not_bound"}
    entries = audited()
    assert {(one["reason"], one["principal"], one["by"]) for one in entries} == {("not_bound", "station-7", "gateway")}
    assert sum(one.get("measurements", 1) for one in entries) == 2
