"""Ends a process that makes no progress while records wait: Faust's own watchdogs only write to the log."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from stream.errors import Stalled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stream.runtime.parts import Parts
    from stream.runtime.positions import Partition


class Progress:
    """When each partition last moved or had nothing to do.

    >>> seen = Progress(10.0)
    >>> seen.look({"p": (5, 9)}, 0.0); seen.look({"p": (5, 9)}, 9.0)
    >>> seen.look({"p": (5, 9)}, 10.5)
    Traceback (most recent call last):
    stream.errors.Stalled: no progress for 10 s at offset 5 of p while 4 records wait; ending so that a supervisor starts a fresh process
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._last: dict[object, tuple[int, float]] = {}

    def look(self, found: Mapping[Partition, tuple[int, int]], now: float) -> None:
        """`found`: position and end of each partition. Stalled when one stood still for too long."""
        for partition in self._last.keys() - found.keys():
            del self._last[partition]
        for partition, (position, end) in found.items():
            before, since = self._last.get(partition, (-1, now))
            if position >= end or position != before:
                self._last[partition] = (position, now)
            elif now - since >= self._limit_s:
                msg = (
                    f"no progress for {now - since:.0f} s at offset {position} of {partition} while {end - position} records wait; "
                    "ending so that a supervisor starts a fresh process"
                )
                raise Stalled(msg)


async def watch(parts: Parts, position: Callable[[Partition], int | None], ends: Callable[[], Mapping[Partition, int]]) -> None:
    """Look every second, for ever; the end offsets are unknown (and nothing is judged) while the broker does not answer."""
    progress = Progress(parts.settings.watchdog_s)
    while True:
        await asyncio.sleep(1.0)
        found = {one: (at, end) for one, end in ends().items() if (at := position(one)) is not None}
        for one, (at, end) in found.items():
            parts.metrics.lag.labels(one.topic, str(one.partition)).set(max(0, end - at))
        progress.look(found, time.monotonic())
