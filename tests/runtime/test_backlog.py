"""What a worker shows of its backlog is of the partitions that it has: an age that nobody measures any more is not shown as if it were measured."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from stream.health.metrics import Metrics
from stream.runtime.backlog import Lag
from stream.runtime.positions import Partition
from stream.runtime.topics import Topics
from stream.settings import Settings

NOW = 1_800_000_000_000
DOOR, OTHER, JOURNAL = Partition("measurements.water", 0), Partition("measurements.air", 0), Partition("journal", 3)


class Stood:
    """A worker that reads these partitions, and has finished none of the ten records that wait in each."""

    def __init__(self, *partitions: Partition) -> None:
        self.app = SimpleNamespace(rebalancing=False)
        self.settings, self.topics, self.metrics = Settings(), Topics(""), Metrics()
        self.clock = SimpleNamespace(now=lambda: NOW, wall=lambda: NOW)
        self.positions = SimpleNamespace(last_at=lambda _: NOW - 90_000)
        self.held: dict[int, Any] = {}
        self.ends: dict[Partition, int] = {}
        self.answered_at = time.monotonic()
        self.have(*partitions)

    def have(self, *partitions: Partition) -> None:
        self.ends = dict.fromkeys(partitions, 10)
        self.held = {one.partition: SimpleNamespace(next_offset=0, at=NOW - 90_000) for one in partitions if one.topic == "journal"}

    def assigned(self) -> set[Partition]:
        return set() if self.app.rebalancing else set(self.ends)

    def position(self, _: Partition) -> int:
        return 0

    def said(self, _: str) -> int:
        return 0

    def shown(self) -> set[tuple[str, str]]:
        found = [sample for metric in (self.metrics.lag, self.metrics.lag_s) for family in metric.collect() for sample in family.samples]
        return {(sample.name, sample.labels["topic"]) for sample in found}


def test_the_backlog_of_partitions_that_are_anothers_now_is_not_shown_also_when_none_is_left() -> None:
    stood = Stood(DOOR, OTHER, JOURNAL)
    lag = Lag(stood, stood, stood)  # type: ignore[arg-type]
    lag.look()
    both = ("tocsin_lag_records", "tocsin_lag_seconds")
    every = {(name, one.topic) for name in both for one in (DOOR, OTHER, JOURNAL)}
    assert stood.shown() == every
    stood.have(DOOR)
    lag.look()
    assert stood.shown() == {(name, DOOR.topic) for name in both}
    stood.app.rebalancing = True
    lag.look()
    assert stood.shown() == {(name, DOOR.topic) for name in both}, "while the group deals out nothing is known to be gone"
    stood.app.rebalancing = False
    stood.have()
    lag.look()
    assert stood.shown() == set()
