"""Partitions take turns at being decided: what is little and new waits for no backlog."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.records.journal import Columns, encode, measurements, partition_of
from stream.runtime.positions import Partition
from stream.runtime.rounds import READ_AHEAD, Rounds
from stream.runtime.topics import Topics
from stream.runtime.transport import Run
from tests.runtime.lane import CITY_IDS, Worker, await_warnings, door_producer, read_all, set_up, toy_settings
from tests.runtime.toy import DOMAINS, TARDY_SERIES

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker

BACKLOG = 900
PROMPT_S = 8.0
"""A third of what the backlog takes."""


@given(st.dictionaries(st.integers(0, 5), st.integers(1, 40), min_size=2), st.integers(1, 7))
def test_between_two_turns_of_a_partition_every_other_that_waits_has_exactly_one(waiting: dict[int, int], most: int) -> None:
    async def all_turns() -> list[tuple[int, tuple[object, ...]]]:
        rounds = Rounds("journal")
        for partition, count in waiting.items():
            rounds.put(1, [Run(partition, range(n, min(n + 10, count))) for n in range(0, count, 10)])
        found: list[tuple[int, tuple[object, ...]]] = []
        while len([one for _, taken in found for one in taken]) < sum(waiting.values()):
            partition, _, records = await rounds.turn()
            found.append((partition, tuple(records[:most])))
            rounds.took(partition, most)
        return found

    turns = asyncio.run(all_turns())
    for partition, count in waiting.items():
        assert [one for number, taken in turns if number == partition for one in taken] == list(range(count)), "in order, each once"
    left = dict(waiting)
    order = [partition for partition, _ in turns]
    for at, (partition, taken) in enumerate(turns):
        left[partition] -= len(taken)
        if partition in order[at + 1 :]:
            between = order[at + 1 : order.index(partition, at + 1)]
            assert sorted(between) == sorted(one for one in left if one != partition and one in order[at + 1 :])


def test_enough_is_what_is_read_ahead_of_one_partition_whatever_waits_of_others() -> None:
    rounds = Rounds("journal")
    rounds.put(1, [Run(0, range(READ_AHEAD - 1)), Run(1, range(READ_AHEAD))])
    assert rounds.sated() == {Partition("journal", 1)}
    rounds.put(1, [Run(0, range(1))])
    assert rounds.sated() == {Partition("journal", 0), Partition("journal", 1)}


@pytest.mark.kafka
@pytest.mark.slow
def test_a_partition_with_little_does_not_wait_for_the_backlog_of_others(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    topics, producer = Topics(fresh_prefix), door_producer(settings)
    set_up(settings)
    tardy = TARDY_SERIES % DOMAINS
    busy = partition_of(f"d{tardy}", settings.partitions)
    quiet = next(one for one in range(DOMAINS) if partition_of(f"d{one}", settings.partitions) != busy)

    def journal(series: int, sequence: int) -> None:
        arrays = Columns(np.array([series]), np.array([sequence]), np.array([1.0]), np.zeros(1, "u1"))
        name = f"d{series % DOMAINS}"
        value = encode(measurements(name, "toy", arrays))
        producer.produce(topics.journal, value, name.encode(), partition=partition_of(name, settings.partitions))

    for sequence in range(1, BACKLOG + 1):
        journal(TARDY_SERIES, sequence)
    assert producer.flush(20) == 0
    worker = Worker(settings, tmp_path / "w1.log")
    try:
        worker.wait_ready()
        for sequence in range(1, 21):
            journal(quiet, sequence)
            assert producer.flush(20) == 0
            if sequence % 5 == 0:
                sent_at, due = time.monotonic(), {f"{quiet}:{sequence}"}
                assert await_warnings(broker.bootstrap, topics, due) >= due
                assert time.monotonic() - sent_at < PROMPT_S
        told = {one.key() for city in CITY_IDS for one in read_all(broker.bootstrap, topics.city(city))[0]}
        assert f"{TARDY_SERIES}:{BACKLOG}".encode() not in told, "the backlog was there all the time"
    finally:
        worker.kill()
