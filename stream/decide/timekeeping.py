"""What time it is in a partition, by clocks of which any may be wrong.

There are three witnesses: the broker's stamp on every record, the wall clock of whoever writes the ticks, and the seconds that passed on his
monotonic clock. While the first two are within a minute of each other, the broker's time is the time. What claims to be more than a minute later
than the record before it waits for a tick that says whether to believe it: after a pause of all workers it is true, after a step of the broker's
clock it is not. While the two disagree the partition is *time suspect*: its time goes on by the monotonic seconds alone, what has to be raised is
raised at once, and nothing that rests on an instant (silence, all clear, expiry, escalation) happens until they agree again.

A step of both clocks together cannot be seen when it is made; when it is taken back, both agree on an earlier instant than the partition's
(`rewinding.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from stream.records.instants import MINUTE, SECOND
from stream.records.journal import Acknowledgement, Command, Report, Statement

if TYPE_CHECKING:
    from stream.records.journal import Message, Tick

AGREE_MS = MINUTE
"""Clocks further apart than this prove that one of them is wrong."""
SURE_AFTER = 2
"""So many ticks in a row have to disagree before what waits is decided without knowing the time: a single one may have been under way for long."""
UNSURE_AFTER_MS = 2 * MINUTE
"""After so much time of clocks that disagree, nobody can say that a city is safe."""


class Held(msgspec.Struct, array_like=True):
    """A journal record that is kept for later, with its timestamp (ms)."""

    timestamp: int
    value: bytes


class Time(msgspec.Struct, array_like=True):
    """The time of a partition (ms). `reached_at`: its own, as far as it has come; `stamped_at`: the broker's on the newest record; `written_at`: of its newest tick's writer, -1: none yet.

    `disagreed`: how many ticks in a row had clocks that disagree. `suspect_since`: the partition's time at the first of them. `unsure`: that has lasted so
    long that cities are unknown. `waiting`: records that claim to be later than they can be shown to be.
    """

    reached_at: int = -1
    stamped_at: int = -1
    written_at: int = -1
    disagreed: int = 0
    suspect_since: int | None = None
    unsure: bool = False
    waiting: list[Held] = msgspec.field(default_factory=list)

    @property
    def suspect(self) -> bool:
        """Whether the clocks contradicted each other in the newest tick."""
        return self.disagreed > 0

    def waits(self, timestamp: int) -> bool:
        """Whether a record with this stamp has to wait for the next tick, and so has what follows it. Before the first tick nothing does."""
        doubtful = 0 < self.disagreed < SURE_AFTER or timestamp > self.stamped_at + AGREE_MS
        return self.written_at >= 0 and (doubtful or bool(self.waiting))

    def take(self, timestamp: int) -> int:
        """The instant of a record that does not wait: its own stamp, unless that cannot be believed."""
        self.stamped_at = timestamp
        if self.suspect or timestamp < self.reached_at - AGREE_MS:  # of a clock that was set back the next tick will tell
            return self.reached_at
        self.reached_at = max(self.reached_at, timestamp)
        return timestamp


def agree(timestamp: int, tick: Tick) -> bool:
    """Whether the broker's clock and the writer's are within a minute of each other."""
    return abs(timestamp - tick.written_at) <= AGREE_MS


def note(time: Time, timestamp: int, tick: Tick) -> list[Held]:
    """Take a tick's clocks; the records that need not wait any more, in their order, each with the instant at which it is to be decided.

    >>> from stream.records.journal import Tick
    >>> time = Time(reached_at=0, stamped_at=0, written_at=0)
    >>> note(time, 5_000, Tick(5_000, 5.0, 0)), time.reached_at
    ([], 5000)
    >>> note(time, 86_400_000, Tick(10_000, 5.0, 0)), time.reached_at, time.suspect  # the broker's clock was set a day ahead
    ([], 10000, True)
    >>> note(time, 15_000, Tick(15_000, 5.0, 0)), time.reached_at, time.suspect
    ([], 15000, False)
    """
    before, trusted = time.reached_at, agree(timestamp, tick)
    if not trusted and tick.written_at == time.written_at:
        return []  # the same tick once more, in which no second has passed
    passed = 0 if trusted else _passed(time, timestamp, tick)
    time.stamped_at, time.written_at = timestamp, tick.written_at
    if trusted:
        time.disagreed, time.suspect_since = 0, None
        time.reached_at = timestamp if timestamp < before - AGREE_MS else max(before, timestamp)
    else:
        time.reached_at = time.reached_at + passed if time.reached_at >= 0 else timestamp
        time.disagreed += 1
        if time.suspect_since is None:
            time.suspect_since = time.reached_at
        if time.disagreed < SURE_AFTER:
            return []
    waiting, time.waiting = time.waiting, []
    return [Held(min(max(one.timestamp, before), timestamp) if trusted else time.reached_at, one.value) for one in waiting]


def dated(message: Message, at: int, *, suspect: bool) -> Message:
    """The message with the broker's times in it no later than the instant it is decided at; where clocks disagree, at that instant."""
    if isinstance(message, Acknowledgement):
        return replace(message, received_at=at if suspect else min(message.received_at, at))
    if isinstance(message, Statement):
        received_at = at if suspect else min(message.received_at, at)
        said_now = message.starts_at == message.received_at
        return replace(message, received_at=received_at, starts_at=received_at if said_now else message.starts_at)
    if isinstance(message, Report):
        return replace(message, reported_at=at if suspect else min(message.reported_at, at))
    if isinstance(message, Command) and (suspect or message.at > at):
        return replace(message, at=at)
    return message


def _passed(time: Time, timestamp: int, tick: Tick) -> int:
    """Milliseconds since the last tick: by the writer's monotonic clock, and of a new writer by whichever clock went on by less.

    Neither clock knows what happened while nobody wrote; but one that was set ahead goes on by too much, and one that was set back goes back.
    """
    if tick.elapsed_s > 0:
        return round(tick.elapsed_s * SECOND)
    if time.written_at < 0:
        return 0
    went_on = (timestamp - time.stamped_at, tick.written_at - time.written_at)
    return min((one for one in went_on if one >= 0), default=0)
