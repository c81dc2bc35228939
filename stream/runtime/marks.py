"""Door marks: up to which instant everything that was appended to a door is in the journal. Deadlines must not overtake what still waits there.

The law, for one door partition: take T, the broker's append time of our own latest record on `marks`; *then* ask for the door's end offset. If
ACCEPT's position (all sends acknowledged) has reached it, everything appended before T is in the journal, and the mark is T less a margin for
brokers whose clocks differ a little. Otherwise it is the append time of the last journalled record less 1 ms.

Marks are in the broker's time. When its clock was ahead and is set back, the marks of before lie in the future: they are replaced, not waited for.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from stream.runtime.clocks import AGREE_MS
from stream.runtime.follow import consumer, follow
from stream.runtime.positions import Partition
from stream.runtime.producer import Errand, Record
from stream.runtime.reach import NOT_ALLOWED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import AIOKafkaConsumer

    from stream.runtime.follow import Followed
    from stream.runtime.parts import Parts

MARGIN_MS = 2_000
ANSWERS_WRITTEN_AT = "acknowledgements_written_at"
"""The key under which `tocsin intake` notes up to when every answer of a city is in the journal."""
INGEST_WRITTEN_AT = "ingest_written_at"
"""The key under which `tocsin intake` notes up to when everything from doors of single principals is in the journal."""
TIME_TRIES = 5
"""A broker that answers no record promptly tells nothing about its clock; then nothing is judged late."""


def mark(*, taken_at: int, position: int, end: int, last_at: int | None) -> int | None:
    """The mark of one door partition, None when nothing can be said.

    `taken_at`: T above; `position`: next offset not finished; `end`: the door's end offset, asked after T; `last_at`: append time of the last
    finished record.

    >>> mark(taken_at=50_000, position=7, end=7, last_at=10), mark(taken_at=50_000, position=6, end=7, last_at=10_000)
    (48000, 9999)
    >>> mark(taken_at=50_000, position=0, end=7, last_at=None) is None
    True
    >>> mark(taken_at=50_000, position=6, end=7, last_at=86_400_000) is None  # of a broker's clock that was ahead
    True
    """
    if position >= end:
        return max(taken_at - MARGIN_MS, 0)
    return None if last_at is None or last_at > taken_at + AGREE_MS else last_at - 1


def oldest(marks: Mapping[str, int], wanted: Iterable[str]) -> int:
    """The instant up to which every wanted door partition is in the journal; 0 while any has said nothing.

    >>> oldest({"a/0": 5, "a/1": 3}, ["a/0", "a/1"]), oldest({"a/0": 5}, ["a/0", "a/1"])
    (3, 0)
    """
    return min((marks.get(key, 0) for key in wanted), default=0)


class Marks:
    """Writes the marks of the doors this process reads, and follows all there are. Other instants may be noted under keys of their own."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._outbox = parts.outbox(Errand.ASIDE)
        self._said: dict[str, int] = {}
        self._taken_at: int | None = None
        settings, topics = parts.settings, parts.topics
        self._keys = [f"{door}/{number}" for door in topics.doors for number in range(settings.partitions)]
        self.ends: dict[Partition, int] = {}
        """End offsets of our sources, as last asked."""
        self.answered_at = time.monotonic()
        """When (monotonic, s) the broker last said where topics end."""
        self.ready = asyncio.Event()
        """Everything that was noted before this process started is known."""

    def doors_written_at(self) -> int:
        """The instant up to which all doors are in the journal (ms); 0 while that is not known."""
        return oldest(self._said, self._keys)

    def said(self, key: str) -> int:
        """A noted instant; 0 without one."""
        return self._said.get(key, 0)

    def heard(self, key: str, at: int) -> None:
        """Take an instant as noted before it comes back from the topic."""
        self._said[key] = at

    async def note(self, key: str, at: int) -> None:
        """Write an instant under a key, and remember the append time of that record as T."""
        future = await self._outbox.send(Record(self._parts.topics.marks, str(at).encode(), key.encode()))
        # Shielded: a clean stop that cancels the waiting must not cancel the send.
        self._taken_at = (await asyncio.shield(future)).timestamp  # type: ignore[attr-defined]

    async def learn_time(self) -> None:
        """Write until the broker's time is known: what is decided again after an outage must be seen to be late from the first record on."""
        for _ in range(TIME_TRIES):
            if self._parts.clock.now() is None:
                await self.note(f"taken_at/{self._parts.settings.instance}", self._parts.clock.wall())

    async def follow(self) -> None:
        """Follow the topic for ever."""
        async for read in follow(self._parts.settings.cluster, [self._parts.topics.marks]):
            self.take(read.records)
            if read.caught_up:
                self.ready.set()

    def take(self, records: Iterable[Followed]) -> None:
        """Note some records. A mark stays true, so of several the largest counts, unless it is of a time that the broker has not reached."""
        for record in records:
            key, text = record.key.decode("utf-8", "replace"), (record.value or b"").decode("ascii", "replace")
            if text.isdecimal():
                before = self._said.get(key, 0)
                self._said[key] = int(text) if before > record.timestamp + AGREE_MS else max(int(text), before)

    async def run(self) -> None:
        """Ask for ends and write marks for ever, twice a tick."""
        async with consumer(self._parts.settings.cluster) as reader:
            while True:
                await self._round(reader)
                await asyncio.sleep(self._parts.settings.tick_s / 2)

    async def _round(self, reader: AIOKafkaConsumer) -> None:
        assigned = self._parts.assigned()
        taken_at = self._taken_at
        try:
            found = await reader.end_offsets([TopicPartition(*one) for one in assigned]) if assigned else {}
            starts = await self._starts(reader, {one for one in assigned if (self._parts.position(one) or 0) < found[TopicPartition(*one)]})
        except NOT_ALLOWED:
            raise
        except KafkaError:
            self.ends = {}  # nothing is known while the broker is away; marks and lag simply stay as they are
            return
        self.answered_at = time.monotonic()
        self.ends = {one: found[TopicPartition(*one)] for one in assigned}
        if self._parts.settings.clock == "broker":
            await self._write(taken_at, starts)

    async def _starts(self, reader: AIOKafkaConsumer, lagging: Iterable[Partition]) -> Mapping[Partition, int]:
        """The first offsets that still exist in doors not read to their end: records that have expired do not wait any more."""
        doors = [TopicPartition(*one) for one in lagging if one.topic in self._parts.topics.doors]
        found = await reader.beginning_offsets(doors) if doors else {}
        return {Partition(one.topic, one.partition): start for one, start in found.items()}

    async def _write(self, taken_at: int | None, starts: Mapping[Partition, int]) -> None:
        doors = [one for one in self.ends if one.topic in self._parts.topics.doors]
        for one in doors:
            key = f"{one.topic}/{one.partition}"
            position = max(self._parts.position(one) or 0, starts.get(one, 0))
            value = None
            if taken_at is not None:
                value = mark(taken_at=taken_at, position=position, end=self.ends[one], last_at=self._parts.positions.last_at(one))
            said = self._said.get(key, 0)
            if value is not None and (value > said or (taken_at is not None and said > taken_at + AGREE_MS)):
                await self._outbox.send(Record(self._parts.topics.marks, str(value).encode(), key.encode()))
        if doors:
            await self.note(f"taken_at/{self._parts.settings.instance}", self._parts.clock.wall())
