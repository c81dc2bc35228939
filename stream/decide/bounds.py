"""When something may be said: what cannot wait at once, everything else at the domain's grid instants, and not too often an hour.

A forecast that moves with every measurement would otherwise reach a city as a stream of revisions. At once go: that a city is warned, that it
gets worse, that it becomes confirmed, that it was wrong, and that it has lapsed. Everything else is looked at again at the next grid instant, as
it stands then. In a storm of revisions (`revisions_per_hour`) even those wait, except what a city must not miss.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stream.decide.life import SPOKEN, Moment, Verdict, seconds
from stream.records.instants import HOUR
from stream.records.warning import Reason

if TYPE_CHECKING:
    from stream.decide.state import Told
    from stream.decide.wanted import Wanted
    from stream.region.model import Rules

AT_ONCE = frozenset({Reason.FIRST, Reason.WORSE, Reason.CANCELLED, Reason.EXPIRED})
LOWERING = frozenset({Reason.BETTER, Reason.CLEARED, Reason.LEFT})
ALWAYS = AT_ONCE | {Reason.CLEARED, Reason.LEFT}
"""What no storm holds back: beginnings, raises and ends."""
PROLONGING = frozenset({Reason.EXTENDED, Reason.BLIND})


def bounded(verdict: Verdict, told: Told | None, wanted: Wanted | None, moment: Moment, rules: Rules) -> Verdict:
    """The verdict, or that it is held back until the next grid instant, or until the storm is over."""
    reason = verdict.reason
    if told is None or reason in AT_ONCE or reason not in SPOKEN:
        return verdict
    needed = reason in PROLONGING and told.expires_at <= next_grid(moment.at, rules)
    if not (moment.grid or needed or confirmed_now(told, wanted)):
        return _held(verdict, told, moment)
    if reason in ALWAYS or needed or not in_storm(told, moment.at, rules):
        return verdict
    return _held(verdict, told, moment)


def confirmed_now(told: Told, wanted: Wanted | None) -> bool:
    """Whether enough stations stand behind the level told, for the first time."""
    return wanted is not None and wanted.level >= told.level and wanted.confirmed and not told.confirmed


def in_storm(told: Told, at: int, rules: Rules) -> bool:
    """Whether the city was told as much in the last hour as it is to be told in one."""
    return len(recent(told, at)) >= rules.revisions_per_hour > 0


def recent(told: Told, at: int) -> tuple[int, ...]:
    """When the city was told something in the last hour."""
    return tuple(one for one in told.recent if one > at - HOUR)


def counted(told: Told | None, at: int, rules: Rules) -> tuple[int, ...]:
    """The same once it was told something at `at`, as many as are needed to know a storm."""
    most = math.ceil(rules.revisions_per_hour)
    return (*(recent(told, at) if told is not None else ()), at)[-most:] if most > 0 else ()


def next_grid(at: int, rules: Rules) -> int:
    """The grid instant after `at`."""
    step = seconds(rules.grid_step_s)
    return (at // step + 1) * step


def _held(verdict: Verdict, told: Told, moment: Moment) -> Verdict:
    """Nothing is said; since when the evidence is below the level, or lost, goes on counting."""
    below_since = verdict.below_since
    if verdict.reason in LOWERING:
        below_since = told.below_since if told.below_since is not None else moment.at
    return Verdict(Reason.HELD, below_since, verdict.blind_since)
