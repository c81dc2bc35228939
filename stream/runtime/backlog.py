"""How old what waits is. No record says so before it is read; but everything from before the last time a partition was read to its end is done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.runtime.deciding import Deciding
    from stream.runtime.marks import Marks
    from stream.runtime.parts import Parts
    from stream.runtime.positions import Partition


class Reading(NamedTuple):
    """How far a partition is read: its position, its end when that was asked, and when the last finished record was appended (ms), if known."""

    position: int
    end: int
    finished_at: int | None


class Backlog:
    """Ages of what waits, by topic. Instants are the broker's, in ms.

    >>> from stream.runtime.positions import Partition
    >>> backlog, door = Backlog(), Partition("door", 0)
    >>> backlog.look({door: Reading(5, 5, 1_000)}, asked_at=50_000, now=51_000)  # nothing has come for a while
    {'door': 0.0}
    >>> backlog.look({door: Reading(5, 6, 1_000)}, asked_at=58_000, now=60_000)  # what came since is no older than that
    {'door': 10.0}
    >>> backlog.look({door: Reading(5, 9, 1_000)}, asked_at=89_000, now=90_000), backlog.look({door: Reading(6, 9, 52_000)}, asked_at=90_500, now=91_000)
    ({'door': 40.0}, {'door': 39.0})
    """

    def __init__(self) -> None:
        self._done_at: dict[Partition, int] = {}
        """Everything appended before this is finished, of partitions that were read to their ends."""

    def look(self, found: Mapping[Partition, Reading], *, asked_at: int, now: int) -> dict[str, float]:
        """By topic, how old the oldest unfinished record is at most (s); 0 where none waits. `asked_at`: when the ends were asked for."""
        ages: dict[str, float] = {}
        self._done_at = {one: at for one, at in self._done_at.items() if one in found}
        for partition, reading in found.items():
            age_s = 0.0
            if reading.position >= reading.end:
                self._done_at[partition] = asked_at
            else:
                done_at = max((at for at in (self._done_at.get(partition), reading.finished_at) if at is not None), default=asked_at)
                age_s = max(0, now - done_at) / 1000
            ages[partition.topic] = max(ages.get(partition.topic, 0.0), age_s)
        return ages


class Lag:
    """What waits for this worker, as metrics; of partitions that are another's now nothing is shown."""

    def __init__(self, parts: Parts, deciding: Deciding, marks: Marks) -> None:
        self._parts = parts
        self._deciding = deciding
        self._marks = marks
        self._backlog = Backlog()
        self._shown: set[Partition] = set()

    def look(self) -> dict[Partition, tuple[int, int]]:
        """Show it; the position and the end of every partition, none while the broker does not answer."""
        found = {one: (at, end) for one, end in self._marks.ends.items() if (at := self._position(one)) is not None}
        metrics = self._parts.metrics
        for one, (at, end) in found.items():
            metrics.lag.labels(one.topic, str(one.partition)).set(max(0, end - at))
        self._shown |= found.keys()
        if self._parts.settings.clock == "broker" and (now := self._parts.clock.now()) is not None:
            metrics.clock_skew_s.set((self._parts.clock.wall() - now) / 1000)
            asked_at = now - int(1000 * (time.monotonic() - self._marks.answered_at))
            readings = {one: Reading(at, end, self._finished_at(one)) for one, (at, end) in found.items()}
            for topic, age_s in self._backlog.look(readings, asked_at=asked_at, now=now).items():
                metrics.lag_s.labels(topic).set(age_s)
        if not self._parts.app.rebalancing:
            self._forget(self._shown - self._parts.assigned())
        return found

    def _position(self, partition: Partition) -> int | None:
        if partition.topic != self._parts.topics.journal:
            return self._parts.position(partition)
        held = self._deciding.held.get(partition.partition)
        return None if held is None else held.next_offset

    def _finished_at(self, partition: Partition) -> int | None:
        """When the last record that was finished was appended; of a door what its last owner noted on `marks` counts, too."""
        if partition.topic == self._parts.topics.journal:
            held = self._deciding.held.get(partition.partition)
            return held.at or None if held is not None else None
        return self._parts.positions.last_at(partition) or self._marks.said(f"{partition.topic}/{partition.partition}") or None

    def _forget(self, gone: set[Partition]) -> None:
        metrics = self._parts.metrics
        for one in gone:
            metrics.lag.remove(one.topic, str(one.partition))
            if one.topic == self._parts.topics.journal:
                metrics.checkpoint_at.remove(str(one.partition))
                metrics.checkpoint_bytes.remove(str(one.partition))
        self._shown -= gone
        for topic in {one.topic for one in gone} - {one.topic for one in self._shown}:
            metrics.lag_s.remove(topic)
