"""A lane of its own on the test broker: topics, a toy region, workers as processes, a producer for the doors, and readers of every topic."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, Producer, TopicPartition

from stream.records.journal import Entry, decode
from stream.records.warning import Lane
from stream.runtime.topic_admin import create
from stream.runtime.topics import Topics, plan
from stream.settings import Settings
from tests.runtime.toy import CITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
CITY_IDS = [f"c{number}" for number in range(CITIES)]


def toy_settings(bootstrap: str, prefix: str, **changes: Any) -> Settings:
    quick = {"tick_s": 0.5, "checkpoint_s": 0.5, "partitions": 4, "session_timeout_s": 6.0, "request_timeout_s": 8.0}
    return Settings(**{"bootstrap": bootstrap, "prefix": prefix, "lane": Lane.TEST, **quick, **changes})


def set_up(settings: Settings) -> None:
    """Topics of the lane, and the toy region published and active."""
    create(settings.cluster, plan(settings, CITY_IDS))
    producer = door_producer(settings)
    topics = Topics(settings.prefix)
    producer.produce(topics.regions, ",".join(CITY_IDS).encode(), key=b"bundle/toy/h1/0", partition=0, headers=[("chunks", b"1")])
    producer.flush(10)
    producer.produce(topics.regions, b"h1", key=b"active/toy", partition=0)
    assert producer.flush(10) == 0


def door_producer(settings: Settings) -> Producer:
    return Producer(
        {"bootstrap.servers": settings.bootstrap, "enable.idempotence": True, "linger.ms": 5, "log_level": 0, "message.timeout.ms": 120_000}
    )


class Worker:
    """A worker process on the lane; its log is kept in a file."""

    def __init__(
        self,
        settings: Settings,
        log: Path,
        *,
        instance: str = "w1",
        module: str = "tests.runtime.toy",
        env: Mapping[str, str] | None = None,
    ) -> None:
        names = [name for name in Settings.__struct_fields__ if name != "instance"]
        given = {f"TOCSIN_{name.upper()}": str(getattr(settings, name)) for name in names}
        self.log = log
        self._out = log.open("ab")
        self._from = log.stat().st_size
        self.process = subprocess.Popen(
            [sys.executable, "-m", module], cwd=ROOT, stdout=self._out, stderr=subprocess.STDOUT,
            env={**os.environ, **given, "TOCSIN_INSTANCE": instance, **(env or {})},
        )  # fmt: skip

    def wait_ready(self, timeout_s: float = 40.0) -> None:
        until = time.monotonic() + timeout_s
        while not self.is_ready():
            assert self.process.poll() is None, f"worker ended with {self.process.returncode}:\n{self.tail()}"
            assert time.monotonic() < until, f"worker not ready:\n{self.tail()}"
            time.sleep(0.05)

    def is_ready(self) -> bool:
        return b"ready generation=" in self.log.read_bytes()[self._from :]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._out.close()

    def stop(self, timeout_s: float = 30.0) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout_s)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait(10)
            self._out.close()
        return code

    def tail(self, count: int = 3000) -> str:
        return self.log.read_text("utf-8", "replace")[-count:]


def read_all(bootstrap: str, topic: str, partitions: int = 1) -> list[list[Any]]:
    """Every record of a topic by partition, up to the ends seen at the start."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False, "enable.partition.eof": False})
    try:
        limits = [consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=20) for number in range(partitions)]
        found: list[list[Any]] = [[] for _ in limits]
        missing = {number for number, (low, high) in enumerate(limits) if high > low}
        consumer.assign([TopicPartition(topic, number, limits[number][0]) for number in missing])
        until = time.monotonic() + 30 * partitions
        while missing:
            assert time.monotonic() < until, f"{topic}: {[(number, len(found[number]), limits[number]) for number in missing]}"
            # Each call waits for as many as it asks for, and a compacted topic holds fewer than its offsets say.
            for one in (record for record in consumer.consume(1000, timeout=0.02) if record.error() is None):
                number, end = one.partition(), limits[one.partition()][1]
                if one.offset() < end:
                    found[number].append(one)
                if one.offset() >= end - 1:
                    missing.discard(number)
        return found
    finally:
        consumer.close()


def journal_entries(bootstrap: str, prefix: str, partitions: int) -> list[list[Entry]]:
    return [
        [Entry(one.offset(), one.timestamp()[1], one.value()) for one in records]
        for records in read_all(bootstrap, Topics(prefix).journal, partitions)
    ]


def messages(entries: list[Entry]) -> list[Any]:
    return [decode(entry.value) for entry in entries]


def await_warnings(bootstrap: str, topics: Topics, expected: set[str]) -> set[str]:
    """What the cities were told (`series:sequence`), as soon as it holds all that is expected."""
    until = time.monotonic() + 60
    while True:
        got = {r.key().decode() for city in CITY_IDS for r in read_all(bootstrap, topics.city(city))[0]}
        if got >= expected or time.monotonic() > until:
            return got
        time.sleep(0.5)


def final_states(bootstrap: str, topics: Topics) -> list[list[Any]]:
    """The toy fold's newest checkpoint of each partition: last sequences, gaps, active regions, count."""
    states = []
    for records in read_all(bootstrap, topics.checkpoints, 4):
        latest = {r.key(): r.value() for r in records}
        chunks = [json.loads(value) for key, value in latest.items() if key.endswith(b"/00000")]
        states.append(max(chunks, key=lambda state: state[3]))
    return states
