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
    """The broker's clock as seen in the append times of acknowledged records.

    >>> clock = BrokerClock(wall=lambda: 10_000)
    >>> clock.now() is None  # nothing is known yet
    True
    >>> clock.observe(appended_at=12_000, sent_at=9_900, acknowledged_at=9_980); clock.now(), clock.agrees()
    (12020, True)
    """

    def __init__(self, wall: Callable[[], int] = wall_ms) -> None:
        self.wall = wall
        self._ahead_ms: int | None = None

    def observe(self, *, appended_at: int, sent_at: int, acknowledged_at: int) -> None:
        """Note the append time of a record that was sent and acknowledged at these times of our own clock (ms)."""
        if appended_at > 0 and 0 <= acknowledged_at - sent_at <= PROMPT_MS:
            self._ahead_ms = appended_at - acknowledged_at

    def agrees(self) -> bool:
        """Whether both clocks are known to be within a minute of each other."""
        return self._ahead_ms is not None and abs(self._ahead_ms) <= AGREE_MS

    def now(self) -> int | None:
        """The broker's time now (ms); None before the first acknowledgement."""
        return None if self._ahead_ms is None else self.wall() + self._ahead_ms


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
