"""A record that takes the fold longer than a process may stand still: the worker must live through it, for it would meet it again at every start."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from stream.runtime.topics import Topics
from tests.runtime.lane import CITY_IDS, Worker, await_warnings, door_producer, final_states, read_all, set_up, toy_settings
from tests.runtime.toy import SLOW_S, SLOW_SERIES

if TYPE_CHECKING:
    from pathlib import Path

    from confluent_kafka import Producer

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
SERIES = 20


def send(producer: Producer, topics: Topics, series: int, sequences: range) -> set[str]:
    """Measurements of one series; the warnings that are due."""
    for sequence in sequences:
        producer.produce(topics.doors[0], f"{series}:{sequence}".encode(), partition=series % 4)
    return {f"{series}:{sequence}" for sequence in sequences if sequence % 5 == 0}


def test_a_fold_that_takes_longer_than_the_loop_may_stand_still_costs_neither_worker_nor_membership(
    broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    assert settings.session_timeout_s / 2 < SLOW_S
    topics = Topics(fresh_prefix)
    set_up(settings)
    worker = Worker(settings, tmp_path / "w1.log")
    worker.wait_ready()
    producer = door_producer(settings)
    due = send(producer, topics, SLOW_SERIES, range(1, 3))
    for series in range(SERIES):
        due |= send(producer, topics, series, range(1, 51))
    assert producer.flush(20) == 0
    assert await_warnings(broker.bootstrap, topics, due) == due
    assert worker.stop() == 0, worker.tail()
    assert worker.log.read_text("utf-8").count("ready generation=") == 1, "it never left the group"


def test_a_partition_that_is_lost_while_its_record_is_decided_is_decided_once_more_by_its_new_owner(
    broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    topics = Topics(fresh_prefix)
    set_up(settings)
    first = Worker(settings, tmp_path / "w1.log", instance="w1")
    first.wait_ready()
    producer = door_producer(settings)
    due: set[str] = set()
    for turn in range(3):
        due |= send(producer, topics, SLOW_SERIES, range(turn * 5 + 1, turn * 5 + 6))
        for series in range(SERIES):
            due |= send(producer, topics, series, range(turn * 20 + 1, turn * 20 + 21))
        assert producer.flush(20) == 0
        time.sleep(0.5)
        if turn == 0:
            second = Worker(settings, tmp_path / "w2.log", instance="w2")
    second.wait_ready()
    assert await_warnings(broker.bootstrap, topics, due) == due
    assert [one.stop() for one in (first, second)] == [0, 0], first.tail() + second.tail()
    said = [one.key().decode() for city in CITY_IDS for one in read_all(broker.bootstrap, topics.city(city))[0]]
    assert set(said) == due
    states = final_states(broker.bootstrap, topics)
    assert all(gaps == [] for _, gaps, *_ in states)
    assert {series: last for last_of, *_ in states for series, last in last_of} == {SLOW_SERIES: 15, **dict.fromkeys(range(SERIES), 60)}
