"""What the canary puts where, what has come back, and what it means that something has not. No clock and no broker: both are told here.

A measurement must be back before the next round goes out, else it is missed. Each round puts one into every door partition, for another journal
partition than the round before: a journal partition that does not answer is then not mistaken for the doors that led to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.health.exposing import Trouble
from stream.records.canary import DOORS, INGEST, Put
from stream.records.instants import to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stream.records.canary import CanaryAnswer

JOURNAL = "journal"
"""The label of journal partitions, whatever the topic is called."""
LATE_PERIODS = 2.5
"""What has not answered for longer is in trouble: two rounds have missed it, and the third is under way."""


class Sent(NamedTuple):
    """One measurement of a round: where it was put, and the journal partition it is for."""

    put: Put
    journal_partition: int


class Target(NamedTuple):
    """Something that has to answer: a partition of a door (by its topic) or of the journal."""

    topic: str
    partition: int


class Widths(NamedTuple):
    """How many partitions there are; `intake`: whether somebody is to read the canary's own door."""

    doors: int
    journal: int
    intake: bool


def round_of(number: int, widths: Widths) -> list[Sent]:
    """What round `number` sends: through every door something for every door partition and for every journal partition.

    >>> [(one.put.partition, one.journal_partition) for one in round_of(1, Widths(3, 3, False)) if one.put.door == "water"]
    [(0, 1), (1, 2), (2, 0)]
    """
    shared = DOORS[:-1]
    shift = widths.journal // len(shared) + 1  # the doors differ: one partition of each may belong to the same worker
    sent = [
        Sent(Put(door, one % widths.doors), (one + number + at * shift) % widths.journal)
        for at, door in enumerate(shared)
        for one in range(max(widths.doors, widths.journal))
    ]
    return [*sent, Sent(Put(INGEST, 0), number % widths.journal)] if widths.intake else sent


class Heard(NamedTuple):
    """An answer that was waited for: how long it took (s), and the two that it speaks for."""

    took_s: float
    door: Target
    journal: Target


class Book:
    """The round under way, and when each target last answered. `topic_of`: the topic of each door. Instants of the wall clock are ms."""

    def __init__(self, widths: Widths, topic_of: Mapping[str, str], started_at: int) -> None:
        self._topic_of = topic_of
        self._round_at = started_at
        self._waiting: dict[Sent, float] = {}
        doors = [Target(topic_of[door], number) for door in DOORS[:-1] for number in range(widths.doors)]
        own = [Target(topic_of[INGEST], 0)] if widths.intake else []
        self.last_at = dict.fromkeys([*doors, *own, *(Target(JOURNAL, number) for number in range(widths.journal))], started_at)
        """When the last measurement was sent that came back; the start, where none has."""
        self.answered: set[Target] = set()
        """What has ever answered."""

    def begin(self, round_at: int, sent: Iterable[Sent], now_s: float) -> None:
        """A round goes out; `now_s`: monotonic seconds. What was waited for until now is forgotten."""
        self._round_at = round_at
        self._waiting = dict.fromkeys(sent, now_s)

    def missed(self) -> list[Sent]:
        """What has not come back of the round under way."""
        return list(self._waiting)

    def take(self, answer: CanaryAnswer, now_s: float) -> Heard | None:
        """An answer; None when nobody waits for it: of another round (it came too late, or is a repetition), or of another canary."""
        sent = Sent(Put(answer.door, answer.door_partition), answer.journal_partition)
        if answer.round_at != to_text(self._round_at) or sent not in self._waiting:
            return None
        took_s = now_s - self._waiting.pop(sent)
        heard = Heard(took_s, Target(self._topic_of[answer.door], answer.door_partition), Target(JOURNAL, answer.journal_partition))
        for target in heard[1:]:
            self.last_at[target] = self._round_at
            self.answered.add(target)
        return heard

    def late(self, now: int, period_ms: float) -> dict[Target, int]:
        """What is in trouble at `now` (ms), with when its last success was."""
        return {target: at for target, at in self.last_at.items() if now - at > LATE_PERIODS * period_ms}


def explain(late: Mapping[Target, int], every: Iterable[Target], refused: str = "") -> list[Trouble]:
    """What is in trouble, in words, one for each topic, and what to do about it. `refused`: why the broker took nothing of the last round, "" = it did.

    >>> explain({Target("journal", 7): 0}, [Target("journal", 6), Target("journal", 7)])[0].wrong
    'journal partition 7 has not answered since 1970-01-01T00:00:00Z: the worker that owns it hangs, or nobody owns it'
    """
    known = list(every)
    if late and len(late) == len(known):
        since = to_text(max(late.values()))
        why = (
            f"the broker does not take it ({refused})"
            if refused
            else "no worker runs, or all hang, or the topic warnings.canary is not read"
        )
        return [Trouble(f"nothing has come back since {since}: {why}", "no city would be warned: look at the broker, then at the workers")]
    return [_one(topic, late, [one for one in known if one.topic == topic], refused) for topic in sorted({one.topic for one in late})]


def _one(topic: str, late: Mapping[Target, int], known: list[Target], refused: str) -> Trouble:
    here = {target.partition: at for target, at in late.items() if target.topic == topic}
    since = to_text(max(here.values()))
    numbers = ", ".join(map(str, sorted(here)))
    who = f"{topic} partition {numbers} has" if len(here) == 1 else f"{topic} partitions {numbers} have"
    if topic.endswith(f"{INGEST}.canary"):
        why, fix = "`tocsin intake` does not run, or hangs", "start it; what cities answer is read by the same process"
    elif topic == JOURNAL:
        why = (
            "the worker that owns it hangs, or nobody owns it" if len(here) == 1 else "the workers that own them hang, or nobody owns them"
        )
        fix = "restart that worker (its log says `ready ... journal=[...]`); warnings of the domains in it do not go out"
    elif len(here) == len(known) > 1:
        why, fix = "no worker reads that door, or what is sent is refused", "look at `rejected` for the reason, then at the workers"
    else:
        why, fix = "the worker that it is assigned to hangs, or nobody reads it", "restart that worker; what waits there is not lost"
    if refused:
        why = f"{why}, or the broker does not take it ({refused})"
    return Trouble(f"{who} not answered since {since}: {why}", fix)
