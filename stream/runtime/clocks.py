"""What the edge and the doors need to know about clocks: how far ours is from the broker's, and whether this process stood still."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from stream.errors import Stalled

if TYPE_CHECKING:
    from collections.abc import Callable

AGREE_MS = 60_000
"""Clocks further apart than this prove that one of them is wrong."""
PROMPT_MS = 1_000
"""Only sends acknowledged this soon say when the broker appended them."""
BEAT_S = 0.1


def wall_ms() -> int:
    """Milliseconds since 1970 by the clock of this machine."""
    return time.time_ns() // 1_000_000


class BrokerClock:
    """The broker's clock as seen in the append times of acknowledged records, carried on by the monotonic clock: our own may be set meanwhile.

    >>> wall, passed = [10_000], [0.0]
    >>> clock = BrokerClock(wall=lambda: wall[0], monotonic=lambda: passed[0])
    >>> clock.now() is None  # nothing is known yet
    True
    >>> clock.observe(appended_at=12_000, sent_at=9_900, acknowledged_at=9_980); clock.now(), clock.agrees()
    (12000, True)
    >>> wall[0], passed[0] = 86_410_000, 1.5; clock.now(), clock.agrees()  # ours was set a day ahead
    (13500, False)
    """

    def __init__(self, wall: Callable[[], int] = wall_ms, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.wall = wall
        self._monotonic = monotonic
        self._seen: tuple[int, float] | None = None
        """The broker's time of the last prompt acknowledgement, and when that was (monotonic)."""

    def observe(self, *, appended_at: int, sent_at: int, acknowledged_at: int) -> None:
        """Note the append time of a record that was sent at this time of our own clock and acknowledged at this one, just now (ms)."""
        if appended_at > 0 and 0 <= acknowledged_at - sent_at <= PROMPT_MS:
            self._seen = appended_at, self._monotonic()

    @property
    def ahead_ms(self) -> int | None:
        """How far the broker's clock is ahead of ours (ms); None before the first acknowledgement."""
        now = self.now()
        return None if now is None else now - self.wall()

    def agrees(self) -> bool:
        """Whether both clocks are known to be within a minute of each other."""
        ahead_ms = self.ahead_ms
        return ahead_ms is not None and abs(ahead_ms) <= AGREE_MS

    def now(self) -> int | None:
        """The broker's time now (ms); None before the first acknowledgement."""
        if self._seen is None:
            return None
        at, since = self._seen
        return at + round((self._monotonic() - since) * 1000)


class Pulse:
    """Notices that the event loop stood still (a suspended machine, a blocked process): whoever was away too long may be replaced already."""

    def __init__(self, limit_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._monotonic = monotonic
        self._beat_at = monotonic()

    def beat(self) -> None:
        """The loop runs."""
        self.check()
        self._beat_at = self._monotonic()

    def check(self) -> None:
        """Stalled when the loop has not run for longer than the limit. Called before every send."""
        if (still_s := self._monotonic() - self._beat_at) > self._limit_s:
            msg = f"this process stood still for {still_s:.1f} s (limit {self._limit_s:.1f} s): another may own its partitions; start it again"
            raise Stalled(msg)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self.beat()
            await asyncio.sleep(BEAT_S)
