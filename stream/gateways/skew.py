"""How wrong a gateway's clock is, as far as what it sends shows: estimated, shown, and never taken out of a measurement.

Of a measurement there are two instants: when the gateway's clock said it took it, and when it was received here. Their difference is the way it
took, which is never negative, less what the clock is ahead. So the least difference of the last samples bounds the error from one side: a clock
is ahead by at least its negative, and behind by at most itself; a slow link and a slow clock look the same and are called that. The least and not
the middle, because a gateway that was cut off delivers hours of old data at once, and its newest sample still tells the truth
(S. B. Moon, P. Skelly, D. Towsley 1999, "Estimation and removal of clock skew from network delay measurements", take the lower hull for the same reason).
"""

from __future__ import annotations

from array import array
from collections import Counter, OrderedDict
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from stream.records.instants import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

SAMPLES_LEAST = 8
"""Fewer tell nothing: one late message would be a slow clock."""
WINDOW = 128
EVERY_MS = 5 * SECOND
"""More often a clock is not looked at: a window is ten minutes at least, and a burst of old data after an outage does not fill it."""
CLOCKS_MOST = 20_000
FORGET_MS = HOUR
"""State must not grow with what somebody calls himself: the clock heard longest ago is forgotten. About a kilobyte each."""
AHEAD_MOST_MS = 5 * SECOND
BEHIND_MOST_MS = 5 * MINUTE


class Clock(StrEnum):
    """What is to be thought of a gateway's clock."""

    UNKNOWN = "unknown"
    """Too few samples."""
    SOUND = "sound"
    AHEAD = "ahead"
    BEHIND_OR_SLOW = "behind_or_slow"
    JUMPED = "jumped"
    """Ahead in one half of the samples, and not, or by something else, in the other."""


class Skew(NamedTuple):
    """Of one gateway's last `samples`: its clock is ahead by at least `ahead_ms`, or behind by at most `behind_ms` (one of them is 0).

    `delay_ms`: the middle of received less sent, what a typical message seems to take.
    """

    clock: Clock
    samples: int
    ahead_ms: int = 0
    behind_ms: int = 0
    delay_ms: int = 0

    @property
    def off_ms(self) -> int:
        """Ahead by at least so much, or if negative behind by at most so much."""
        return self.ahead_ms - self.behind_ms

    @property
    def suspect(self) -> bool:
        """Whether somebody should set the clock."""
        return self.clock not in (Clock.SOUND, Clock.UNKNOWN)


def estimate(delays_ms: Sequence[int]) -> Skew:
    """From received less sent of the last messages, oldest first (ms).

    >>> estimate([400, 300, 90_000, 350, 320, 310, 500, 330])
    Skew(clock=<Clock.SOUND: 'sound'>, samples=8, ahead_ms=0, behind_ms=300, delay_ms=340)
    >>> estimate([-59_600, -59_700, -59_650, 30_000, -59_680, -59_500, -59_690, -59_600]).ahead_ms
    59700
    """
    count = len(delays_ms)
    if count < SAMPLES_LEAST:
        return Skew(Clock.UNKNOWN, count)
    least = min(delays_ms)
    return Skew(_clock(delays_ms, least), count, max(0, -least), max(0, least), round(median(delays_ms)))


def _clock(delays_ms: Sequence[int], least: int) -> Clock:
    middle = len(delays_ms) // 2
    before, after = min(delays_ms[:middle]), min(delays_ms[middle:])
    # Later and earlier are not the same: what takes longer now may be a backlog, but nothing arrives before it was sent.
    if min(before, after) < -AHEAD_MOST_MS and abs(before - after) > AHEAD_MOST_MS:
        return Clock.JUMPED
    if least < -AHEAD_MOST_MS:
        return Clock.AHEAD
    return Clock.BEHIND_OR_SLOW if least > BEHIND_MOST_MS else Clock.SOUND


class Skews:
    """The last delays of every clock (a name, or gateway and station), bounded in both directions."""

    def __init__(self) -> None:
        self._delays: OrderedDict[Hashable, _Delays] = OrderedDict()
        self._count: Counter[Clock] = Counter()

    def is_due(self, name: Hashable, received_at: int) -> bool:
        """Whether a sample is worth taking: a burst must not push out the rest."""
        kept = self._delays.get(name)
        if kept is None:  # where too many are heard, the first are watched and not each a little
            return len(self._delays) < CLOCKS_MOST or received_at - next(iter(self._delays.values())).last_at >= FORGET_MS
        return received_at - kept.last_at >= EVERY_MS

    def take(self, name: Hashable, sent_at: int, received_at: int) -> None:
        """Note one live message (ms; no backfill, whose instants say nothing of a clock)."""
        kept = self._delays.setdefault(name, _Delays())
        self._delays.move_to_end(name)
        if kept.ms:
            self._count[kept.clock] -= 1
        kept.take(received_at - sent_at, received_at)
        self._count[kept.clock] += 1
        if len(self._delays) > CLOCKS_MOST:
            _, gone = self._delays.popitem(last=False)
            self._count[gone.clock] -= 1

    def of(self, name: Hashable) -> Skew:
        """What is known of one clock."""
        kept = self._delays.get(name)
        return estimate(() if kept is None else kept.ms)

    def count(self, clock: Clock) -> int:
        """How many clocks are like this."""
        return self._count[clock]


class _Delays:
    """The delays of one clock (ms), the oldest first; what it seemed to be at the last of them, and when that was received."""

    __slots__ = ("clock", "last_at", "ms")

    def __init__(self) -> None:
        self.ms = array("q")
        self.clock = Clock.UNKNOWN
        self.last_at = 0

    def take(self, delay_ms: int, received_at: int) -> None:
        self.ms.append(delay_ms)
        if len(self.ms) > WINDOW:
            del self.ms[0]
        self.last_at = received_at
        self.clock = _clock(self.ms, min(self.ms)) if len(self.ms) >= SAMPLES_LEAST else Clock.UNKNOWN
