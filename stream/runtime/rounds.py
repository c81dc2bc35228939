"""What is read of the journal and waits to be decided. Partitions take turns, so that none waits behind what another one has piled up.

Faust has one queue for all partitions of an agent. While that is nearly full it takes partitions out of the fetches, and lets them in again one by
one, at random, once it is nearly empty: a load that keeps it in between leaves some of them unread for minutes. And whoever is read waits behind
all that came before. So the agent only puts here what it is given, and how much is read ahead is bounded for each partition by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stream.runtime.positions import Partition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiokafka import ConsumerRecord

    from stream.runtime.transport import Run

READ_AHEAD = 2_000
"""Records of a partition that wait before no more of it is read: enough to go on with while more is on its way."""

SLICE_S = 0.05
"""Slices take about so long in quiet times; in the first one of a storm every record may take fifty times as long."""
SLICE_FIRST = 32


class Rounds:
    """The partitions of one topic that wait, in the order of their turns.

    >>> from stream.runtime.transport import Run
    >>> rounds = Rounds("journal", most=3)
    >>> rounds.put(7, [Run(0, list("abcd")), Run(1, ["x"])])
    >>> rounds.sated()
    {Partition(topic='journal', partition=0)}
    >>> partition, generation, records = asyncio.run(rounds.turn()); partition, generation, records
    (0, 7, ['a', 'b', 'c', 'd'])
    >>> rounds.took(0, 2); rounds.sated()
    set()
    >>> asyncio.run(rounds.turn()), asyncio.run(rounds.turn())
    ((1, 7, ['x']), (0, 7, ['c', 'd']))
    """

    def __init__(self, topic: str, most: int = READ_AHEAD) -> None:
        self._topic = topic
        self._most = most
        self._waiting: dict[int, deque[tuple[int, Sequence[ConsumerRecord]]]] = {}
        """By partition the generation and the records of each read; the partition whose turn is next is the first."""
        self._came = asyncio.Event()
        self.slice = Slice()

    def put(self, generation: int, runs: Sequence[Run]) -> None:
        """These were read in this generation of the group."""
        for run in runs:
            self._waiting.setdefault(run.partition, deque()).append((generation, run.records))
        self._came.set()

    def sated(self) -> set[Partition]:
        """The partitions of which enough waits here."""
        return {
            Partition(self._topic, partition)
            for partition, reads in self._waiting.items()
            if sum(len(records) for _, records in reads) >= self._most
        }

    async def turn(self) -> tuple[int, int, Sequence[ConsumerRecord]]:
        """The partition whose turn it is, and the first that waits there: its generation, its records. The next turn is another partition's."""
        await asyncio.sleep(0)
        while not self._waiting:
            self._came.clear()
            await self._came.wait()
        partition = next(iter(self._waiting))
        reads = self._waiting[partition] = self._waiting.pop(partition)
        return partition, *reads[0]

    def took(self, partition: int, count: int) -> None:
        """The first records that waited there need not wait any more."""
        reads = self._waiting[partition]
        generation, records = reads.popleft()
        if count < len(records):
            reads.appendleft((generation, records[count:]))
        elif not reads:
            del self._waiting[partition]


class Slice:
    """How many records are decided in one go: a checkpoint, and the next partition, wait for the one that is under way.

    >>> some = Slice()
    >>> some.took(32, 0.001); some.most
    64
    >>> some.took(64, 6.4); some.most  # a storm has come
    1
    """

    def __init__(self) -> None:
        self.most = SLICE_FIRST

    @contextmanager
    def taken(self, count: int) -> Iterator[None]:
        """So many are decided in here."""
        began = time.monotonic()
        yield
        self.took(count, time.monotonic() - began)

    def took(self, count: int, took_s: float) -> None:
        """So many took so long."""
        self.most = max(1, min(2 * self.most, round(count * SLICE_S / max(took_s, 0.001))))
