"""Journal records that are deleted before they were decided (a worker that was off for longer than the retention): told, not passed over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from stream.records.journal import Tick, encode
from stream.runtime.ports import free_ports
from stream.runtime.topics import Topics
from tests.runtime.lane import Worker, door_producer, final_states, set_up, toy_settings

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_records_that_are_gone_before_they_were_decided_raise_an_alarm_and_work_goes_on_behind_them(
    broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    port = free_ports("127.0.0.1")[0]
    settings = toy_settings(broker.bootstrap, fresh_prefix, metrics_port=port)
    topics = Topics(fresh_prefix)
    set_up(settings)
    worker = Worker(settings, tmp_path / "w1.log")
    worker.wait_ready()
    assert 'alarm="journal_gap"' not in metrics(port)
    assert worker.stop() == 0, worker.tail()
    producer = door_producer(settings)
    for _ in range(40):
        producer.produce(topics.journal, encode(Tick(1, 0.0, 0)), key=b"", partition=2)
    assert producer.flush(20) == 0
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    cut = TopicPartition(topics.journal, 2, -1)  # all there is
    admin.delete_records([cut])[cut].result(20)
    worker = Worker(settings, tmp_path / "w1.log")
    worker.wait_ready()
    until = time.monotonic() + 30
    while 'tocsin_alarms_total{alarm="journal_gap"} 1.0' not in metrics(port):
        assert time.monotonic() < until, worker.tail()
        time.sleep(0.2)
    for sequence in range(1, 11):
        for series in range(20):
            producer.produce(topics.doors[0], f"{series}:{sequence}".encode(), partition=series % 4)
    assert producer.flush(20) == 0
    until = time.monotonic() + 30
    while f'accepted_measurements_total{{door="water"}} {200.0}' not in metrics(port):
        assert time.monotonic() < until, worker.tail()
        time.sleep(0.2)
    assert worker.stop() == 0, worker.tail()
    assert "are gone before they were decided" in worker.log.read_text("utf-8")
    last = {series: at for last_of, *_ in final_states(broker.bootstrap, topics) for series, at in last_of}
    assert last == dict.fromkeys(range(20), 10)


def metrics(port: int) -> str:
    try:
        return str(urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode("utf-8"))
    except URLError:
        return ""
