"""The life of one city's warning: given what it was told and what the evidence wants now, what is to be said, and why.

Raising is immediate. Lowering and clearing need the evidence to stay below for the hold time, up to an instant at which nothing waits in
the doors any more (`settled`). Missing evidence never lowers: it extends the warning, blind, up to a limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.records.warning import Reason

if TYPE_CHECKING:
    from stream.decide.state import Told
    from stream.decide.wanted import Wanted
    from stream.region.model import Rules

SURER_BY = 0.25
"""A probability that grows by this much, or another way by which the danger comes (in the city itself, too), is worth telling."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to say (`reason`), and the marks to remember in any case. Only `SPOKEN` reasons make a new revision."""

    reason: Reason
    below_since: int | None = None
    blind_since: int | None = None


SPOKEN = frozenset(
    {
        Reason.FIRST,
        Reason.WORSE,
        Reason.BETTER,
        Reason.EARLIER,
        Reason.LATER,
        Reason.SURER,
        Reason.EXTENDED,
        Reason.BLIND,
        Reason.SIGHTED,
        Reason.CLEARED,
        Reason.LEFT,
        Reason.EXPIRED,
        Reason.CANCELLED,
        Reason.MERGED,
        Reason.SPLIT,
    }
)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a judgement is made: `at` stamps it; `settled` is how far the doors are known to be read (<= `at` while they lag).

    `withdrawn`: a measurement that had raised a source was corrected just now, and the source is none any more. `grid`: a grid instant of the
    domain, at which everything may be said; on replay lanes (`Scene.observed`) every instant is one. `corrected`: a source that a person corrected.
    `time_suspect`: the clocks contradict each other.
    """

    at: int
    settled: int
    withdrawn: bool = False
    grid: bool = False
    corrected: str = ""
    time_suspect: bool = False


def seconds(duration_s: float) -> int:
    """A duration of the rules in ms."""
    return round(duration_s * 1_000)


def judge(told: Told | None, wanted: Wanted | None, moment: Moment, rules: Rules, *, fresh: bool) -> Verdict:
    """What one city is to be told now.

    `fresh`: some series behind the warning still reports. The result is a function of its arguments only.
    """
    if told is None or told.ended:
        # What expired for want of evidence does not come back without any.
        stale = told is not None and told.reason is Reason.EXPIRED and not fresh
        return Verdict(Reason.NOTHING_NEW if wanted is None or stale else Reason.FIRST)
    blind_since = None if fresh else (told.blind_since if told.blind_since is not None else moment.at)
    if moment.settled >= told.expires_at:
        return Verdict(Reason.EXPIRED)
    if wanted is not None and wanted.level >= told.level:
        reason = _change(told, wanted, moment, rules)
        if reason is Reason.NOTHING_NEW:
            reason = _prolonged(told, blind_since, moment, rules)
        return Verdict(reason, None, blind_since)
    if wanted is None and moment.withdrawn and told.below_since is None:
        return Verdict(Reason.CANCELLED)  # it was not over: it was wrong
    below_since = told.below_since if told.below_since is not None else moment.at
    if fresh and moment.settled >= below_since + seconds(rules.hold_s):
        return Verdict(Reason.CLEARED if wanted is None else Reason.BETTER, None, None)
    # The level is held, but that the danger now comes another way, or is here, is no less worth telling.
    reason = Reason.SURER if wanted is not None and _another_way(told, wanted) else _prolonged(told, blind_since, moment, rules)
    return Verdict(Reason.HELD if reason is Reason.NOTHING_NEW else reason, below_since if fresh else None, blind_since)


def _change(told: Told, wanted: Wanted, moment: Moment, rules: Rules) -> Reason:
    if wanted.level > told.level:
        return Reason.WORSE
    confirmed_now = wanted.confirmed and not told.confirmed
    if confirmed_now or _another_way(told, wanted) or wanted.probability >= told.probability + SURER_BY:
        return Reason.SURER
    if wanted.arrival is None or told.arrives_at_p50 is None:
        known_now = wanted.arrival is not None
        return Reason.SURER if known_now and told.arrives_at_p50 is None else Reason.NOTHING_NEW
    moved = wanted.arrival.p50_at - told.arrives_at_p50
    lead = max(0, told.arrives_at_p50 - moment.at)
    # Once the danger is there, a better estimate of when it came helps nobody.
    if lead > 0 and abs(moved) > max(seconds(rules.arrival_change_s), lead * rules.arrival_change):
        return Reason.EARLIER if moved < 0 else Reason.LATER
    return Reason.NOTHING_NEW


def _another_way(told: Told, wanted: Wanted) -> bool:
    return not set(wanted.paths) <= set(told.paths)


def _prolonged(told: Told, blind_since: int | None, moment: Moment, rules: Rules) -> Reason:
    """Whether an unchanged warning needs a new end (less than half of its validity is left), and on what grounds."""
    if blind_since is None and told.reason is Reason.BLIND:
        return Reason.SIGHTED
    if moment.at < told.expires_at - seconds(rules.validity_s) // 2:
        return Reason.NOTHING_NEW
    if blind_since is None:
        return Reason.EXTENDED
    # For how long nothing was seen is not known while the clocks disagree, and nothing may lapse meanwhile.
    return Reason.BLIND if moment.time_suspect or moment.at < blind_since + seconds(rules.blind_limit_s) else Reason.NOTHING_NEW


def due(told: Told, rules: Rules) -> tuple[int, ...]:
    """The instants at which `judge` may say something new about an unchanged situation."""
    if told.ended:
        return ()
    instants = [told.expires_at, told.expires_at - seconds(rules.validity_s) // 2]
    if told.blind_since is not None:
        instants.append(told.blind_since + seconds(rules.blind_limit_s))
    if told.below_since is not None:
        instants.append(told.below_since + seconds(rules.hold_s))
    if rules.reassert_s:
        instants.append(max(told.sent_at, told.repeated_at) + seconds(rules.reassert_s))
    return tuple(instants)
