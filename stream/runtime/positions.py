"""How far each source partition is finished: the only thing that is ever committed.

Faust's own acknowledgements are not used for commits: an agent that is cancelled or fails acknowledges what it held.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class _Run(NamedTuple):
    next_offset: int
    last_at: int
    finished: asyncio.Event


class Positions:
    """Next offset to read of each partition below which everything is finished. Runs may finish in any order; positions advance in theirs."""

    def __init__(self) -> None:
        self._generation = -1
        self._next: dict[Partition, int] = {}
        self._last_at: dict[Partition, int] = {}
        self._running: defaultdict[Partition, deque[_Run]] = defaultdict(deque)

    def start_generation(self, generation: int) -> None:
        """After an assignment nothing of before counts: partitions may have been others' in between."""
        if generation != self._generation:
            self._generation = generation
            self._next.clear()
            self._last_at.clear()
            self._running.clear()

    def begin(self, partition: Partition, next_offset: int, last_at: int, generation: int) -> asyncio.Event:
        """A run of records up to next_offset is being worked on; set the event and call `advance` when it is finished.

        `last_at`: the append time (ms) of its last record.
        """
        run = _Run(next_offset, last_at, asyncio.Event())
        if generation == self._generation:
            self._running[partition].append(run)
        return run.finished

    def advance(self, partition: Partition) -> None:
        """Move the position over all finished runs at the head."""
        runs = self._running[partition]
        while runs and runs[0].finished.is_set():
            run = runs.popleft()
            if run.next_offset > self._next.get(partition, 0):
                self._next[partition], self._last_at[partition] = run.next_offset, run.last_at

    def set(self, partition: Partition, next_offset: int, generation: int) -> None:
        """Everything below next_offset is finished (a checkpoint holds it)."""
        if generation == self._generation:
            self._next[partition] = max(next_offset, self._next.get(partition, 0))

    def of(self, partition: Partition) -> int | None:
        """The position, or None when nothing was finished in this generation."""
        return self._next.get(partition)

    def last_at(self, partition: Partition) -> int | None:
        """Append time (ms) of the last finished record of this generation."""
        return self._last_at.get(partition)

    def beyond(self, committed: Mapping[Partition, int | None], assigned: Iterable[Partition]) -> dict[Partition, int]:
        """What to commit: positions of assigned partitions that are beyond what is committed."""
        return {p: self._next[p] for p in assigned if p in self._next and self._next[p] > (committed.get(p) or 0)}
