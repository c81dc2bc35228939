"""Ends a process that makes no progress while records wait, and one that hangs: Faust's own watchdogs only write to the log.

What hangs cannot end itself, and a hung event loop keeps its partitions for ever: the Kafka client answers for it from a thread of its own. So a
thread looks whether the loop turns, and whether what runs beside it in threads comes back. It counts only time in which it ran itself: a process
that was suspended as a whole has not hung (`stream.runtime.clocks.Pulse` judges that). Code that never lets go of the interpreter stops this
thread, too: for that supervisors ask /livez.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import contextmanager
from threading import Event, Thread, Timer
from typing import TYPE_CHECKING

from stream.errors import Stalled
from stream.health.exposing import Health, Trouble
from stream.runtime.ending import ExitCode, end_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stream.runtime.positions import Partition

log = logging.getLogger(__name__)
BEAT_S = 0.1
LOOK_S = 0.5
LIVE_S = 10.0
"""A loop that has not turned for so long is not live; the limit of the watchdog itself is longer."""
RECENT_S = 30.0
LAST_WORD_S = 5.0
"""So long the last line may take to be written: whoever reads the log may be what hangs."""


class Watchdog:
    """Looks after one event loop and the calls beside it. `end`: what to do when one has hung for `limit_s`; it must not return.

    >>> dog = Watchdog(10.0, monotonic=lambda: 0.0)
    >>> dog.beat(); [dog.look(at / 2) for at in range(20)][-1], dog.health().ok
    (None, True)
    >>> dog.look(3_600.0)  # suspended for an hour, of which it only sees a second
    Traceback (most recent call last):
    stream.errors.Stalled: the event loop has not turned for 10.5 s (limit 10 s); ending so that a supervisor starts a fresh process
    """

    def __init__(
        self, limit_s: float, end: Callable[[BaseException], object] = end_now, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit_s = limit_s
        self._end = end
        self._monotonic = monotonic
        self._looked_at = monotonic()
        self._over = Event()
        self._awake_s = 0.0
        """For how long this process ran, as seen by the thread that looks."""
        self._beat_at = 0.0
        self._beside: dict[object, tuple[str, float]] = {}
        self._late: tuple[float, float, float] = (0.0, 0.0, self._looked_at)
        """The longest a beat was late in the time before, in this one, and when this one began."""

    def start(self) -> None:
        """Look from now on, in a thread."""
        Thread(target=self._run, name="watchdog", daemon=True).start()

    async def run(self) -> None:
        """Beat until cancelled; whoever stops beating of his own will is looked after no more."""
        try:
            while True:
                self.beat()
                began = self._monotonic()
                await asyncio.sleep(BEAT_S)
                self._note_late(self._monotonic() - began - BEAT_S)
        finally:
            self._over.set()

    def beat(self) -> None:
        """The loop turns."""
        self._beat_at = self._awake_s

    @contextmanager
    def beside(self, what: str) -> Iterator[None]:
        """Something that runs in a thread, or is waited for: it, too, has `limit_s`."""
        key = object()
        self._beside[key] = what, self._awake_s
        try:
            yield
        finally:
            del self._beside[key]

    def look(self, now: float) -> None:
        """Stalled when something has hung for too long."""
        self._awake_s += min(now - self._looked_at, 2 * LOOK_S)
        self._looked_at = now
        for what, still_s in self._standing():
            if still_s > self._limit_s:
                msg = f"{what} for {still_s:.1f} s (limit {self._limit_s:.0f} s); ending so that a supervisor starts a fresh process"
                raise Stalled(msg)

    def lag_s(self) -> float:
        """The longest a timer of the loop was late in the last half minute or so."""
        before, present, _ = self._late
        return max(before, present, self._awake_s - self._beat_at - LOOK_S)

    def health(self) -> Health:
        """Whether the loop turns and what runs beside it comes back; read from any thread."""
        limits = (min(LIVE_S, self._limit_s), *(self._limit_s for _ in self._beside))
        fix = "it is ended by its own watchdog soon; if it is not, kill it and let it start again, and keep the last lines of its log"
        hung = [
            f"{what} for {still_s:.1f} s" for (what, still_s), limit_s in zip(self._standing(), limits, strict=False) if still_s > limit_s
        ]
        return Health(tuple(Trouble(one, fix) for one in hung))

    def _standing(self) -> list[tuple[str, float]]:
        beside = [(f"{what} has not come back", self._awake_s - since) for what, since in list(self._beside.values())]
        return [("the event loop has not turned", self._awake_s - self._beat_at), *beside]

    def _note_late(self, late_s: float) -> None:
        before, present, since = self._late
        now = self._monotonic()
        if now - since > RECENT_S / 2:
            before, present, since = present, 0.0, now
        self._late = before, max(present, late_s), since

    def _run(self) -> None:
        while not self._over.wait(LOOK_S):
            try:
                self.look(self._monotonic())
            except Stalled as error:
                last = Timer(LAST_WORD_S, os._exit, (ExitCode.RESTART,))
                last.daemon = True
                last.start()
                self._end(error)
                return


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


async def watch(limit_s: float, found: Callable[[], Mapping[Partition, tuple[int, int]]]) -> None:
    """Look at what `found` gives every second, for ever."""
    progress = Progress(limit_s)
    while True:
        await asyncio.sleep(1.0)
        progress.look(found(), time.monotonic())
