"""Daily snapshots: what a worker starts from when no checkpoint is left."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.records.warning import Lane
from stream.runtime.checkpoint import Wanted
from stream.runtime.checkpoint_store import CheckpointReader, CheckpointWriter, Found, Snapshot, topic_id
from stream.runtime.clocks import BrokerClock, Pulse
from stream.runtime.producer import Outbox, Record, create_producer
from stream.runtime.snapshots import TAIL, day_of, newest, newest_manifests
from stream.runtime.topic_admin import create
from stream.runtime.topics import DAY_MS, Topics, plan
from stream.settings import Settings
from tests.runtime.lane import Worker, await_warnings, door_producer, final_states, read_all, set_up, toy_settings

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker


@given(st.integers(0, 2**45), st.integers(1, 24).flatmap(lambda count: st.tuples(st.integers(0, count - 1), st.just(count))))
def test_a_partition_has_one_snapshot_in_a_day_and_partitions_take_turns(at: int, place: tuple[int, int]) -> None:
    partition, count = place
    assert day_of(at + DAY_MS, partition, count) == day_of(at, partition, count) + 1
    begins = day_of(at, partition, count) * DAY_MS + partition * DAY_MS // count
    assert begins <= at < begins + DAY_MS


def stop(error: BaseException) -> None:
    raise error


@pytest.mark.kafka
async def test_one_a_day_is_kept_and_the_newest_is_found_from_the_end_of_the_topic(broker: Broker, fresh_prefix: str) -> None:
    settings = Settings(bootstrap=broker.bootstrap, prefix=fresh_prefix, lane=Lane.TEST, partitions=2, request_timeout_s=10)
    create(settings.cluster, plan(settings, []))
    topics = Topics.of(settings)
    identity = await topic_id(settings.cluster, topics.journal)
    producer = create_producer(settings)
    await producer.start()
    try:
        outbox = Outbox(producer, Pulse(60), BrokerClock(), stop)
        writer = CheckpointWriter(outbox, topics, 1, settings)
        await writer.start(Found(None, 0, ()))
        for offset in range(1, 2 * TAIL):  # four checkpoints a day
            taken = Snapshot(b"%d" % offset, offset, {"r": "h"}, 5 * DAY_MS + DAY_MS // 2 + offset * DAY_MS // 4)
            await writer.write(taken, fold_version="1", identity=identity)
        reader = CheckpointReader(settings.cluster, topics, instance=settings.instance, fold_version="1")
        assert (await reader.find([1]))[1].best is None, "beyond the journal's end: of another journal"
        for _ in range(200):
            await outbox.send(Record(topics.journal, b"x", b"", 1))
        await outbox.settle()
        again = CheckpointWriter(outbox, topics, 1, replace(settings, instance="w2"))
        found = (await reader.find([1]))[1]
        await again.start(found)
        last = 5 * DAY_MS + DAY_MS // 2 + (2 * TAIL - 1) * DAY_MS // 4
        await again.write(Snapshot(b"again", 150, {}, last), fold_version="1", identity=identity)
        last_said = (await newest_manifests(settings.cluster, topics.snapshots, [0, 1]))[1]
        assert last_said is not None
        assert (last_said.slot, last_said.instance) == (20, settings.instance), (
            "whoever owns the partition next writes no second one of a day"
        )
        await again.write(Snapshot(b"other version", 160, {}, last), fold_version="2", identity=identity)
        outbox_only = [Record(topics.snapshots, b"torn", b"2/w9/99/00000", 1), Record(topics.snapshots, b"\x99", b"2/w9/99/manifest", 1)]
        for record in outbox_only:
            await outbox.send(record)
        await outbox.settle()
    finally:
        await producer.stop()
    assert len([one for one in read_all(broker.bootstrap, topics.snapshots, 2)[1] if one.key().endswith(b"manifest")]) == 16 + 2
    usable = await newest(settings.cluster, topics.snapshots, {0: Wanted("1", identity, 0), 1: Wanted("1", identity, 200)})
    assert {number: (one.manifest.next_offset, one.data) for number, one in usable.items()} == {1: (60, b"60")}
    older = await newest(settings.cluster, topics.snapshots, {1: Wanted("1", identity, 9)})
    assert older[1].manifest.next_offset == 8, "it is looked for as far back as it must"
    assert found.best is not None


@pytest.mark.kafka
@pytest.mark.slow
def test_a_worker_whose_checkpoints_are_gone_goes_on_from_the_snapshot_and_the_later_journal(
    broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    topics = Topics(fresh_prefix)
    set_up(settings)
    worker = Worker(settings, tmp_path / "w1.log")
    worker.wait_ready()
    producer = door_producer(settings)

    def send(first: int, last: int) -> None:
        for sequence in range(first, last):
            for series in range(20):
                producer.produce(topics.doors[0], f"{series}:{sequence}".encode(), partition=series % 4)
        assert producer.flush(20) == 0

    send(1, 21)
    await_warnings(broker.bootstrap, topics, {f"{series}:20" for series in range(20)})
    assert worker.stop() == 0, worker.tail()
    manifests = asyncio.run(newest_manifests(settings.cluster, topics.snapshots, range(4)))
    assert all(one is not None for one in manifests.values()), "the first state of a lane is kept"
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for number, records in enumerate(read_all(broker.bootstrap, topics.checkpoints, 4)):
        for key in {one.key() for one in records}:
            producer.produce(topics.checkpoints, None, key=key, partition=number)
    assert producer.flush(20) == 0
    cut = [TopicPartition(topics.journal, number, one.next_offset) for number, one in manifests.items() if one is not None]
    for future in admin.delete_records(cut).values():
        future.result(20)
    worker = Worker(settings, tmp_path / "w1.log")
    worker.wait_ready()
    send(21, 41)
    expected = {f"{series}:{sequence}" for series in range(20) for sequence in range(5, 41, 5)}
    assert await_warnings(broker.bootstrap, topics, expected) == expected
    time.sleep(1)
    assert worker.stop() == 0, worker.tail()
    assert worker.log.read_text("utf-8").count("no valid checkpoint; the snapshot of offset") == 4
    final = final_states(broker.bootstrap, topics)
    assert {series: last for last_of, *_ in final for series, last in last_of} == dict.fromkeys(range(20), 40)
    assert all(gaps == [] for _, gaps, *_ in final)
