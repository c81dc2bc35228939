"""How wrong a gateway's clock is, as far as what it sends shows: estimated, shown, and never taken out of a measurement.

Of a measurement there are two instants: when the gateway's clock said it took it, and when it was received here. Their difference is the way it
took, which is never negative, less what the clock is ahead. So the least difference of the last samples bounds the error from one side: a clock
is ahead by at least its negative, and behind by at most itself; a slow link and a slow clock look the same and are called that. The least and not
the middle, because a gateway that was cut off delivers hours of old data at once, and its newest sample still tells the truth
(S. B. Moon, P. Skelly, D. Towsley 1999, "Estimation and removal of clock skew from network delay measurements", take the lower hull for the same reason).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from stream.records.instants import MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLES_LEAST = 8
"""Fewer tell nothing: one late message would be a slow clock."""
WINDOW = 256
GATEWAYS_MOST = 4096
"""State must not grow with what somebody calls himself: the gateway heard longest ago is forgotten."""
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
    """The last delays of every gateway, bounded in both directions."""

    def __init__(self) -> None:
        self._delays: OrderedDict[str, deque[int]] = OrderedDict()

    def take(self, gateway: str, sent_at: int, received_at: int) -> None:
        """Note one live message (ms; no backfill, whose instants say nothing of a clock)."""
        self._delays.setdefault(gateway, deque(maxlen=WINDOW)).append(received_at - sent_at)
        self._delays.move_to_end(gateway)
        if len(self._delays) > GATEWAYS_MOST:
            self._delays.popitem(last=False)

    def of(self, gateway: str) -> Skew:
        """What is known of one gateway."""
        return estimate(tuple(self._delays.get(gateway, ())))

    def suspects(self) -> dict[str, Skew]:
        """The gateways whose clocks somebody should look at, the worst first."""
        found = {gateway: skew for gateway, delays in self._delays.items() if (skew := estimate(tuple(delays))).suspect}
        return dict(sorted(found.items(), key=lambda one: (-max(one[1].ahead_ms, one[1].behind_ms), one[0])))
