from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.cluster import Cluster
from stream.errors import PublishFailed
from stream.records.warning import Lane
from stream.runtime.checkpoint import Manifest, Wanted, chunk_key, cut, digest, manifest_bytes, manifest_key, next_slot, valid, writer_of
from stream.runtime.checkpoint_store import CheckpointReader, CheckpointWriter, Snapshot, topic_id
from stream.runtime.clocks import BrokerClock, Pulse, wall_ms
from stream.runtime.compacted import latest
from stream.runtime.producer import Outbox, Record, create_producer
from stream.runtime.topic_admin import create
from stream.runtime.topics import Topics, plan
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.runtime.broker import Broker

WANTED = Wanted("1", "topic", 1000)


def written(
    data: bytes, offset: int, *, instance: str = "w1", slot: int = 0, version: str = "1", topic: str = "topic"
) -> dict[bytes, bytes | None]:
    chunks = cut(data)
    manifest = Manifest(topic, offset, version, instance, slot, len(chunks), len(data), digest(data), {"r": "h"})
    return {**{chunk_key(manifest, n): chunk for n, chunk in enumerate(chunks)}, manifest_key(manifest): manifest_bytes(manifest)}


def best(records: dict[bytes, bytes | None]) -> tuple[int, bytes] | None:
    found = valid(records, WANTED)
    return (found[0].manifest.next_offset, found[0].data) if found else None


def test_the_valid_checkpoint_with_the_largest_next_offset_wins_whoever_wrote_it() -> None:
    records = {**written(b"a", 5), **written(b"b", 9, instance="w2"), **written(b"c", 7, slot=1)}
    assert best(records) == (9, b"b")


@pytest.mark.parametrize("damage", ["chunk missing", "chunk torn", "chunk of another snapshot", "manifest torn", "manifest of another key"])
def test_a_damaged_checkpoint_is_passed_over_for_the_other_slot(damage: str) -> None:
    good, bad = written(b"good", 5), written(bytes(1_500_000), 9, slot=1)
    chunk, manifest = next(iter(bad)), list(bad)[-1]
    bad[chunk if "chunk" in damage else manifest] = {
        "chunk missing": None,
        "chunk torn": bytes(10),
        "chunk of another snapshot": b"\1" * 700_000,
        "manifest torn": b"\x99",
        "manifest of another key": good[list(good)[-1]],
    }[damage]
    assert best({**good, **bad}) == (5, b"good")


def test_a_checkpoint_of_another_version_topic_or_future_is_not_taken() -> None:
    records = {**written(b"v", 9, version="2"), **written(b"t", 9, slot=1, topic="older"), **written(b"f", 1001, instance="w2")}
    assert best(records) is None


def test_the_slot_after_a_restart_is_not_that_of_the_newest_checkpoint() -> None:
    assert next_slot(valid({**written(b"a", 5, slot=0), **written(b"b", 9, slot=1)}, WANTED)) == 0
    assert next_slot(valid({**written(b"a", 9, slot=0), **written(b"b", 5, slot=1)}, WANTED)) == 1


@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(1, 9)), min_size=1, max_size=12), st.integers(0, 40))
def test_a_death_at_any_record_leaves_the_one_before_or_the_new_one(snapshots: list[tuple[bytes, int]], death: int) -> None:
    log: list[tuple[bytes, bytes | None, tuple[int, bytes] | None]] = []
    done, offset, slot = None, 0, 0
    for data, step in snapshots:
        offset += step
        records = list(written(data, offset, slot=slot).items())
        for number, (key, value) in enumerate(records):
            done = (offset, data) if number == len(records) - 1 else done
            log.append((key, value, done))
        slot = 1 - slot
    kept = log[: death + 1]
    assert best({key: value for key, value, _ in kept}) == kept[-1][2]


@pytest.fixture
def settings(broker: Broker, fresh_prefix: str) -> Settings:
    made = Settings(bootstrap=broker.bootstrap, prefix=fresh_prefix, lane=Lane.TEST, partitions=2, request_timeout_s=10)
    create(Cluster(broker.bootstrap), plan(made, []))
    return made


def stop(error: BaseException) -> None:
    raise error


@pytest.mark.kafka
async def test_two_instances_write_in_turn_and_the_newest_is_found_again(settings: Settings) -> None:
    topics = Topics(settings.prefix)
    identity = await topic_id(settings.cluster, topics.journal)
    producer = create_producer(settings)
    await producer.start()
    try:
        outbox = Outbox(producer, Pulse(60), BrokerClock(), stop)
        for _ in range(30):
            await outbox.send(Record(topics.journal, b"x", b"", 1))
        await outbox.settle()
        one, two = (CheckpointWriter(outbox, topics, 1, replace(settings, instance=name)) for name in ("w1", "w2"))
        for offset in range(1, 8):
            size = 1_500_000 if offset % 2 else 10
            await one.write(Snapshot(bytes([offset]) * size, offset, {"r": "h"}), fold_version="1", identity=identity)
        await two.write(Snapshot(b"two", 20, {}), fold_version="1", identity=identity)
        await two.write(Snapshot(b"beyond the journal's end", 31, {}), fold_version="1", identity=identity)
        reader = CheckpointReader(settings.cluster, topics, instance="w1", fold_version="1")
        found = await reader.find([0, 1])
        assert found[0].best is None
        assert found[1].best is not None
        assert (found[1].best.manifest.next_offset, found[1].best.data) == (20, b"two")
        # w1 wrote offset 7 to slot 0 (1, 3, 5, 7), so slot 1 is next.
        assert found[1].own_slot == 1
    finally:
        await producer.stop()


@pytest.mark.kafka
async def test_reading_back_starts_at_the_beginning_whatever_the_reset_policy(settings: Settings) -> None:
    topics = Topics(settings.prefix)
    producer = create_producer(settings)
    await producer.start()
    try:
        for number in range(50):
            await producer.send_and_wait(topics.warnings, b"%d" % number, key=b"k%d" % (number % 7), partition=0)
    finally:
        await producer.stop()
    found = await latest(settings.cluster, topics.warnings, [0, 1])
    assert {key: kept.value for key, kept in found[0].items()} == {b"k%d" % (n % 7): b"%d" % n for n in range(50)}
    assert found[1] == {}
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap)
    await consumer.start()
    ends = await consumer.end_offsets([TopicPartition(topics.warnings, 0)])
    await consumer.stop()
    assert list(ends.values()) == [50]


@pytest.mark.kafka
async def test_a_failed_send_fails_the_settling_and_everything_after_it(settings: Settings) -> None:
    failures: list[BaseException] = []
    producer = create_producer(settings)
    await producer.start()
    try:
        outbox = Outbox(producer, Pulse(60), BrokerClock(), failures.append)
        await outbox.send(Record(Topics(settings.prefix).journal, bytes(1_150_000), b"", 0))
        with pytest.raises(PublishFailed, match="not acknowledged"):
            await outbox.settle()
        with pytest.raises(PublishFailed):
            await outbox.send(Record(Topics(settings.prefix).journal, b"small", b"", 0))
        assert len(failures) == 1
    finally:
        await producer.stop()


@pytest.mark.kafka
async def test_the_checkpoints_of_an_instance_that_is_gone_for_a_day_are_removed_and_no_others(settings: Settings) -> None:
    topics = Topics(settings.prefix)
    _let_writers_date(settings.bootstrap, topics.checkpoints)
    identity, now = await topic_id(settings.cluster, topics.journal), wall_ms()
    hour_ms = 3_600_000
    producer = create_producer(settings)
    await producer.start()
    try:
        outbox = Outbox(producer, Pulse(60), BrokerClock(), stop)
        for instance, age_h in (("gone", 25), ("away", 23), ("w1", 30)):
            for key, value in written(instance.encode(), 0, instance=instance, topic=identity).items():
                await outbox.send(Record(topics.checkpoints, value, key, 1, now - age_h * hour_ms))
        await outbox.send(Record(topics.checkpoints, b"fresh", b"1/w2/0/00000", 1, now))
        await outbox.settle()
        reader = CheckpointReader(settings.cluster, topics, instance="w1", fold_version="1")
        writer = CheckpointWriter(outbox, topics, 1, replace(settings, instance="w1"))
        await writer.start((await reader.find([1]))[1])
        await writer.write(Snapshot(b"new", 0, {}), fold_version="1", identity=identity)
        await outbox.settle()
    finally:
        await producer.stop()
    left = (await latest(settings.cluster, topics.checkpoints, [1]))[1]
    assert {writer_of(key) for key, kept in left.items() if kept.value is not None} == {"1/away", "1/w1", "1/w2"}
    assert {key for key, kept in left.items() if kept.value is None} == set(written(b"gone", 0, instance="gone", topic=identity))


def _let_writers_date(bootstrap: str, topic: str) -> None:
    """A day cannot be waited for: records carry the time their writer says."""
    entry = ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.incremental_alter_configs([resource])[resource].result(10)
