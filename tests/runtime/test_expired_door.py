from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from stream.records.journal import Tick
from stream.runtime.topics import Topics
from tests.runtime.lane import Worker, door_producer, journal_entries, messages, set_up, toy_settings

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
PATIENCE_S = 60


def test_records_that_expired_before_anybody_read_them_do_not_hold_the_marks_back(
    broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    """Else every city would stay unknown for ever after a long pause of the service."""
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    set_up(settings)
    door = Topics(fresh_prefix).doors[0]
    producer = door_producer(settings)
    producer.produce(door, b"0:1", partition=2)
    assert producer.flush(20) == 0
    admin = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    for future in admin.delete_records([TopicPartition(door, 2, 1)]).values():
        future.result(20)
    began = int(time.time() * 1000)
    worker = Worker(settings, tmp_path / "w1.log")
    worker.wait_ready()

    until, marked = time.monotonic() + PATIENCE_S, 0
    while marked < began and time.monotonic() < until:
        ticks = [
            one for entries in journal_entries(broker.bootstrap, fresh_prefix, 4) for one in messages(entries) if isinstance(one, Tick)
        ]
        marked = max((tick.doors_written_at for tick in ticks), default=0)
    assert worker.stop() == 0, worker.tail()
    assert marked >= began, "the oldest mark has not passed the start of the worker"
