"""Through a real broker: doors of single principals and signed batches, two intakes at once, and everything that is not theirs to say."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stream.records.envelope import VERSION, Envelope, seal
from stream.records.instants import to_text
from stream.records.journal import Measurements, SignedMeasurements, Tick, columns, decode
from tests.decide.conftest import FILES
from tests.gateways.conftest import LaneOfAnswers, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stream.runtime.broker import Broker

INTAKES = ("intake-a", "intake-b")
PRIVATE = bytes(range(32))
PUBLIC = base64.b64encode(Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()).decode()
GATEWAYS = f"""
[ava-door]
kind = "kafka"
stations = ["upper"]
families = ["water"]
lanes = ["test"]
[bor-signs]
kind = "ed25519"
stations = ["middle"]
families = ["water"]
lanes = ["test"]
signed_only = true
[bor-signs.keys.k1]
public_key = "{PUBLIC}"
not_after = "{to_text((int(time.time()) + 20 * 86_400) * 1000)}"
"""


@pytest.fixture
def lane(broker: Broker, fresh_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LaneOfAnswers]:
    """The small river, whose upper gauge has a door of its own and whose middle one signs."""
    folder = tmp_path / "rill"
    for name, text in (FILES | {"gateways.toml": GATEWAYS}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    one = LaneOfAnswers(broker.bootstrap, fresh_prefix, tmp_path)
    one.shared = (*one.shared, one.topics.audit)  # type: ignore[assignment]
    run("region", "activate", str(folder), *one.options)
    one.start("worker")
    for name in INTAKES:
        monkeypatch.setenv("TOCSIN_INSTANCE", name)
        one.start("intake")
    monkeypatch.delenv("TOCSIN_INSTANCE")
    try:
        one.until(lambda: "ready generation" in one.log("worker") and one.log("intake").count("ready topics") > 1)
        yield one
    finally:
        one.stop()


def stage(station: str, value: float) -> bytes:
    return json.dumps({"station": station, "quantity": "stage", "observed_at": to_text(int(time.time()) * 1000), "value": value}).encode()


def signed(sequence: int, payload: bytes, private: bytes = PRIVATE) -> bytes:
    at = to_text(int(time.time()) * 1000)
    return seal(Envelope(VERSION, "bor-signs", "k1", sequence, "rill", "test", "water", at, payload, b""), private)


def write(lane: LaneOfAnswers, *sends: tuple[str, bytes], partition: int | None = None) -> None:
    async def send() -> None:
        sender = AIOKafkaProducer(bootstrap_servers=lane.bootstrap)
        await sender.start()
        for topic, value in sends:
            await sender.send_and_wait(topic, value, partition=partition)
        await sender.stop()

    asyncio.run(send())


def journalled(lane: LaneOfAnswers) -> list[Any]:
    return [made for one in lane.on(lane.topics.journal) if isinstance(made := decode(one.value), Measurements)]


def ready(lane: LaneOfAnswers, times: int) -> Callable[[], bool]:
    return lambda: lane.log("worker").count("ready generation") >= times


def audited(lane: LaneOfAnswers) -> dict[str, dict[str, Any]]:
    return {entry["reason"]: entry for one in lane.on(lane.topics.audit) for entry in [json.loads(one.value)]}


@pytest.mark.kafka
@pytest.mark.slow
def test_each_speaks_for_its_own_stations_only_and_everything_else_is_refused_and_audited(lane: LaneOfAnswers) -> None:
    own, shared = lane.topics.ingest("ava-door"), lane.topics.doors[0]
    batch = signed(7, stage("middle", 1.25))
    write(
        lane,
        (own, stage("upper", 1.5)),
        (own, stage("middle", 4.5)),
        (shared, batch),
        (shared, stage("middle", 4.5)),
        (shared, signed(8, stage("middle", 4.5), bytes(32))),
        (shared, signed(9, stage("lower", 4.5))),
        (shared, batch),
    )

    def taken() -> list[Any]:
        found = journalled(lane)
        return found if len(found) >= 4 else []

    lane.until(taken)
    write(lane, (shared, signed(7, stage("middle", 4.75))))
    lane.until(lambda: {"not_bound", "unsigned", "bad_signature", "sequence_reused"} <= audited(lane).keys())
    found = audited(lane)
    assert found["sequence_reused"]["by"] == "fold"
    assert (found["sequence_reused"]["principal"], found["sequence_reused"]["sequence"]) == ("bor-signs", 7)
    assert found["bad_signature"]["proven"] is False
    by = {
        (one["by"], one["principal"])
        for one in (json.loads(record.value) for record in lane.on(lane.topics.audit))
        if one["reason"] == "not_bound"
    }
    assert by == {("intake", "ava-door"), ("accept", "bor-signs")}
    values = Counter(columns(one).value[0] for one in taken())
    assert values.keys() == {1.5, 1.25, 4.75}
    assert values[1.5] == 2
    assert all(isinstance(one, SignedMeasurements) for one in taken() if columns(one).value[0] != 1.5)
    reasons = Counter(dict(one.headers)["reason"] for one in lane.on(lane.topics.rejected))
    assert reasons == {b"not_bound": 3, b"unsigned": 1, b"bad_signature": 1}

    def settled() -> bool:
        ticks = [made for one in lane.on(lane.topics.journal) if isinstance(made := decode(one.value), Tick)]
        return any(one.doors_written_at > (time.time() - 30) * 1000 for one in ticks)

    lane.until(settled)
    assert not lane.on(*[lane.topics.city(city) for city in ("ava", "bor", "cam")]) or not any(
        json.loads(one.value)["type"] == "warning" for one in lane.on(*[lane.topics.city(city) for city in ("ava", "bor", "cam")])
    )
    assert lane.log("worker").count("the last key of bor-signs ends in 20.0 days") == 1
    noted = {one.key.decode(): int(one.value) for one in lane.on(lane.topics.marks) if one.key.startswith(b"ingest/")}
    assert noted == {f"ingest/{name}/{own}": 2 for name in INTAKES}


@pytest.mark.kafka
@pytest.mark.slow
def test_a_revocation_counts_at_once_and_what_was_signed_is_known_through_a_kill_and_at_every_partition(lane: LaneOfAnswers) -> None:
    own, shared = lane.topics.ingest("ava-door"), lane.topics.doors[0]
    before = [signed(number, stage("middle", 1 + number / 100)) for number in (1, 2)]
    write(lane, (own, stage("upper", 1.5)), *((shared, one) for one in before), partition=0)
    lane.until(lambda: len(journalled(lane)) >= 4)
    time.sleep(3)  # a checkpoint is made every second
    worker = lane.running[0]
    worker.kill()
    worker.wait(10)
    lane.running[0] = lane.start("worker")
    lane.running.pop()
    lane.until(ready(lane, 2))
    write(lane, *((shared, one) for one in before), (shared, signed(2, stage("middle", 4.5))), partition=0)
    write(lane, *((shared, one) for one in before), (shared, signed(1, stage("middle", 4.5))), partition=1)
    lane.until(lambda: len(journalled(lane)) >= 10)
    lane.until(lambda: sum(json.loads(one.value)["reason"] == "sequence_reused" for one in lane.on(lane.topics.audit)) == 2)
    assert {json.loads(one.value)["value"] for one in lane.on(lane.topics.evidence)}.isdisjoint({4.5})

    processes = [one.pid for one in lane.running]
    revoked = GATEWAYS.replace("[bor-signs]", "revoked = true\n[bor-signs]", 1) + "revoked = true\n"
    (lane.folder / "rill" / "gateways.toml").write_text(revoked, "utf-8")
    run("region", "activate", str(lane.folder / "rill"), *lane.options)
    number = 2

    def heard_no_more() -> bool:
        nonlocal number
        number += 1
        write(lane, (own, stage("upper", 1.0)), (shared, signed(number, stage("middle", 1.0))))
        found = {
            (one["by"], one["principal"])
            for one in map(json.loads, (one.value for one in lane.on(lane.topics.audit)))
            if one["reason"] == "revoked"
        }
        return found == {("intake", "ava-door"), ("accept", "bor-signs")}

    lane.until(heard_no_more)
    assert all(one.poll() is None for one in lane.running)
    assert processes == [one.pid for one in lane.running]
    count = len(journalled(lane))
    write(lane, (own, stage("upper", 1.0)), (shared, signed(number + 1, stage("middle", 1.0))))
    time.sleep(2)
    assert len(journalled(lane)) == count
