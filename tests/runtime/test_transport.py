"""The contract with the private parts of Faust and aiokafka that the batch transport is built on: if a new version changes one, this fails first."""

from __future__ import annotations

import inspect
from importlib.metadata import version

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream.runtime.app import DOOR_RUN, JOURNAL_RUN, create_app, group_of
from stream.runtime.positions import Partition, Positions
from stream.runtime.topics import Topics
from stream.runtime.transport import BATCHES_AHEAD, FETCH_WAIT_MS, LOOK_AGAIN_S, BatchConsumer, BatchTransport
from stream.settings import Settings

DOOR = Topics("").doors[0]


def test_the_versions_are_the_ones_this_was_written_for() -> None:
    assert version("faust-streaming") == "0.15.3"
    assert version("aiokafka").startswith("0.14.")


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (BaseConsumer, "getmany", ["self", "timeout"]),
        (BaseConsumer, "_wait_next_records", ["self", "timeout"]),
        (BaseConsumer, "perform_seek", ["self"]),
        (BaseConsumer, "ack", ["self", "message"]),
        (BaseConsumer, "_add_gap", ["self", "tp", "offset_from", "offset_to"]),
        (BaseConsumer, "_filter_committable_offsets", ["self", "tps"]),
        (BaseConsumer, "on_buffer_full", ["self", "tp"]),
        (driver.Consumer, "_getmany", ["self", "active_partitions", "timeout"]),
        (driver.Consumer, "_new_consumer_thread", ["self"]),
        (driver.AIOKafkaConsumerThread, "_create_worker_consumer", ["self", "transport"]),
    ],
)
def test_what_is_overridden_is_still_there(owner: type, name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


def test_faust_still_commits_what_the_filter_gives_and_reads_what_we_reset() -> None:
    assert "_filter_committable_offsets" in inspect.getsource(BaseConsumer._commit_tps)
    drain = inspect.getsource(BaseConsumer._drain_messages)
    assert "r_offset is None or offset >= r_offset" in drain
    assert "self._fetch_max_wait_ms" in inspect.getsource(AIOKafkaConsumer)


@pytest.fixture
def consumer() -> BatchConsumer:
    app = create_app(Settings(bootstrap="127.0.0.1:1"), Positions())
    app.consumer_generation_id = 7
    made = object.__new__(BatchConsumer)
    made.app, made.batched, made.positions, made.sated = app, app.tocsin_batched, app.tocsin_positions, app.tocsin_sated
    made._unacked_messages, made._committed_offset = set(), {}
    return made


def records(tp: TP, count: int, first: int = 0) -> list[ConsumerRecord]:
    return [ConsumerRecord(tp.topic, tp.partition, first + n, 1000 + n, 0, None, b"v", None, -1, 1, ()) for n in range(count)]


async def test_a_message_holds_the_runs_of_several_partitions_up_to_the_limit(consumer: BatchConsumer) -> None:
    zero, one, other = TP(DOOR, 0), TP(DOOR, 1), TP("other", 0)
    found = list(consumer._messages({zero: records(zero, DOOR_RUN + 5), one: records(one, 3, 100), other: records(other, 2)}))
    batches = [message for message in found if message.topic == DOOR]
    assert [[(run.partition, len(run.records)) for run in message.value] for message in batches] == [[(0, DOOR_RUN)], [(0, 5), (1, 3)]]
    assert [(m.partition, m.offset, m.generation_id) for m in batches] == [(0, DOOR_RUN - 1, 7), (1, 102, 7)]
    assert [message.value for message in found if message.topic == "other"] == [b"v", b"v"]


async def test_what_waits_in_plenty_is_not_fetched_and_everything_else_is(consumer: BatchConsumer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[TP]] = []

    async def fetched(_: object, active_partitions: set[TP], timeout: float) -> dict[TP, list[ConsumerRecord]]:  # noqa: ASYNC109  (Faust's)
        asked.append(active_partitions)
        assert timeout == (1.0 if len(active_partitions) == 3 else LOOK_AGAIN_S)
        return {}

    monkeypatch.setattr(driver.Consumer, "_getmany", fetched)
    door, zero, one = TP(DOOR, 0), TP(Topics("").journal, 0), TP(Topics("").journal, 1)
    await consumer._getmany({door, zero, one}, 1.0)
    consumer.sated = lambda: {Partition(*zero)}
    await consumer._getmany({door, zero, one}, 1.0)
    found = {door: records(door, BATCHES_AHEAD * DOOR_RUN)}
    kept = list(consumer._messages(found))
    consumer._unacked_messages.update(kept)
    await consumer._getmany({door, zero, one}, 1.0)
    consumer.sated = lambda: {Partition(*zero), Partition(*one)}
    assert await consumer._getmany({door, zero, one}, 1.0) == {}
    consumer.ack(kept[0])
    await consumer._getmany({door, zero, one}, 1.0)
    assert asked == [{door, zero, one}, {door, one}, {one}, {door}]


async def test_a_full_queue_takes_no_partition_out_of_the_fetches(consumer: BatchConsumer) -> None:
    """Faust lets them in again one by one, at random, when the queue of all is nearly empty: under a steady load some never are."""
    one = TP(Topics("").journal, 1)
    consumer._active_partitions, consumer._buffered_partitions = {one}, set()
    consumer.on_buffer_full(one)
    assert (consumer._active_partitions, consumer._buffered_partitions) == ({one}, set())


async def test_only_positions_are_committed_whatever_was_acknowledged(consumer: BatchConsumer, monkeypatch: pytest.MonkeyPatch) -> None:
    tp = TP(DOOR, 0)
    monkeypatch.setattr(BatchConsumer, "assignment", lambda _: {tp})
    (message,) = consumer._messages({tp: records(tp, 10)})
    consumer._unacked_messages.add(message)
    assert consumer.ack(message)
    assert not consumer.ack(message)
    assert consumer._unacked_messages == set()
    assert consumer._filter_committable_offsets([tp]) == {}
    consumer.positions.start_generation(7)
    consumer.positions.set(Partition(*tp), 4, 7)
    assert consumer._filter_committable_offsets([]) == {tp: 4}
    consumer._committed_offset[tp] = 4
    assert consumer._filter_committable_offsets([tp]) == {}


async def test_the_application_guards_against_loss_and_opens_no_web_server() -> None:
    settings = Settings(bootstrap="127.0.0.1:1,127.0.0.1:2", instance="a")
    app = create_app(settings, Positions())
    assert app.conf.consumer_group_instance_id == f"{group_of(settings)}-a"
    assert (app.conf.web_enabled, app.conf.stream_wait_empty, app.conf.topic_allow_declare) == (False, False, False)
    assert app.conf.consumer_auto_offset_reset == "earliest"
    assert app.tocsin_batched[Topics("").journal] == JOURNAL_RUN
    assert isinstance(app.transport, BatchTransport)
    assert FETCH_WAIT_MS < 50
