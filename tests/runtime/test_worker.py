from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from stream.records.journal import Command, Tick
from stream.runtime.topics import Topics
from tests.runtime.lane import (
    Worker,
    await_warnings,
    door_producer,
    final_states,
    journal_entries,
    messages,
    read_all,
    set_up,
    toy_settings,
)

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
SERIES = 40


def test_a_worker_that_is_killed_loses_nothing_and_its_state_stays_exact(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    topics = Topics(fresh_prefix)
    set_up(settings)
    worker = Worker(settings, tmp_path / "w1.log")
    worker.wait_ready()
    producer = door_producer(settings)
    for sequence in range(1, 251):
        for series in range(SERIES):
            producer.produce(topics.doors[0], f"{series}:{sequence}".encode(), partition=series % 4)
        producer.poll(0)
        time.sleep(0.01)
        if sequence in {80, 160}:
            worker.kill()
            worker = Worker(settings, tmp_path / "w1.log")
    producer.produce(topics.doors[0], b"junk", partition=2)
    assert producer.flush(20) == 0
    expected = {f"{series}:{sequence}" for series in range(SERIES) for sequence in range(5, 251, 5)}
    got = await_warnings(broker.bootstrap, topics, expected)
    assert worker.stop() == 0, worker.tail()
    assert got == expected
    on_compacted = {r.key().decode() for records in read_all(broker.bootstrap, topics.warnings, 4) for r in records}
    assert on_compacted == expected
    assert [r.value() for records in read_all(broker.bootstrap, topics.rejected, 4) for r in records] == [b"junk"]
    final = final_states(broker.bootstrap, topics)
    assert {series: last for last_of, *_ in final for series, last in last_of} == dict.fromkeys(range(SERIES), 250)
    assert all(gaps == [] for _, gaps, *_ in final)
    journal = [messages(entries) for entries in journal_entries(broker.bootstrap, fresh_prefix, 4)]
    assert all(any(isinstance(one, Command) and one.region_hash == "h1" for one in partition) for partition in journal)
    ticks = [one for partition in journal for one in partition if isinstance(one, Tick)]
    assert max(tick.doors_written_at for tick in ticks) > time.time() * 1000 - 60_000
    assert all(tick.doors_written_at <= tick.written_at for tick in ticks)
