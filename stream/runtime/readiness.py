"""Whether a worker is ready: its partitions are assigned and restored, the broker answers, and the canary is heard in every one of them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.health.exposing import Health, Trouble
from stream.health.probes import STARTING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.runtime.deciding import Deciding
    from stream.runtime.marks import Marks
    from stream.runtime.parts import Parts

LOOK_S = 1.0
ANSWERS_S = 10.0
"""A broker that has not answered for so long is away."""
CANARY_PERIODS = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """How a worker stands. `assigned`: its journal partitions, None while the group has not said; `canary_s`: 0 = none is expected.

    `heard_s`: by restored partition, how long ago the canary was heard there, or it was restored. `silent_s`: since when the broker has not
    answered.
    """

    assigned: frozenset[int] | None
    heard_s: Mapping[int, float] = field(default_factory=dict)
    silent_s: float = 0.0
    canary_s: float = 0.0


def judge(found: Standing) -> Health:
    """Whether a worker that stands so is ready, and if not, why.

    >>> judge(Standing(frozenset({1, 2}), {1: 0.0, 2: 95.0}, canary_s=30.0)).troubles[0].wrong
    'the canary was not heard in journal partition 2 for 95 s, and is sent every 30 s'
    >>> judge(Standing(frozenset({1, 2}), {1: 0.0, 2: 95.0})).ok, judge(Standing(frozenset())).ok
    (True, True)
    """
    troubles = []
    if found.silent_s > ANSWERS_S:
        fix = "see whether the brokers run and can be reached from here: `tocsin doctor`"
        troubles.append(Trouble(f"the broker has not answered for {found.silent_s:.0f} s", fix))
    if found.assigned is None:
        fix = "wait; if it lasts, see in the log whether another process has the same --instance, and whether the brokers run"
        return Health((*troubles, Trouble("the group has not said which partitions are this worker's", fix)))
    if missing := found.assigned - found.heard_s.keys():
        fix = "wait: that takes seconds; if it lasts, its log says what it waits for"
        troubles.append(Trouble(f"{_named(missing)} not restored", fix))
    stale = {one for one, heard_s in found.heard_s.items() if found.canary_s > 0 and heard_s > CANARY_PERIODS * found.canary_s}
    if stale:
        oldest_s = max(found.heard_s[one] for one in stale)
        wrong = f"the canary was not heard in {_named(stale)} for {oldest_s:.0f} s, and is sent every {found.canary_s:g} s"
        fix = "see whether `tocsin canary` runs; if it does, warnings do not go through here: see lag and log, restart this worker"
        troubles.append(Trouble(wrong, fix))
    return Health(tuple(troubles))


def _named(partitions: set[int] | frozenset[int]) -> str:
    """Some partitions, in words.

    >>> _named({3}), _named({3, 1})
    ('journal partition 3', 'journal partitions 1, 3')
    """
    return f"journal partition{'s' if len(partitions) > 1 else ''} {', '.join(map(str, sorted(partitions)))}"


class Readiness:
    """Looks every second. `ready` and `started` are whole answers, for other threads to read."""

    def __init__(self) -> None:
        self.ready = STARTING
        self.started = STARTING
        self._since: dict[tuple[int, int], float] = {}
        """When a partition was first seen restored, in a generation of the group."""

    async def run(self, parts: Parts, deciding: Deciding, marks: Marks) -> None:
        """Look for ever."""
        while True:
            found = self._look(parts, deciding, time.monotonic() - marks.answered_at)
            self.ready = judge(found)
            if found.assigned is not None and found.assigned <= found.heard_s.keys():
                self.started = Health()
            await asyncio.sleep(LOOK_S)

    def _look(self, parts: Parts, deciding: Deciding, silent_s: float) -> Standing:
        now, generation = time.monotonic(), parts.generation()
        known = not parts.app.rebalancing and generation >= 0
        held = {one.partition for one in deciding.held.values() if one.generation == generation}
        self._since = {(one, generation): self._since.get((one, generation), now) for one in held}
        for gone in parts.canary_seen.keys() - held:
            del parts.canary_seen[gone]  # what was heard there is no proof of the next time
        heard_s = {one: now - max(parts.canary_seen.get(one, 0.0), self._since[one, generation]) for one in held}
        assigned = frozenset(one.partition for one in parts.assigned() if one.topic == parts.topics.journal) if known else None
        return Standing(assigned, heard_s, silent_s, parts.settings.canary_s)
