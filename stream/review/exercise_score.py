"""How an exercise went: for every city, was it warned in time, who answered and when, and how far up it had to go.

A function of the plan and of what stands on the exercise's topics, so a score can be made again as long as they are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from stream.decide.escalation import STOPS, Rung
from stream.records.instants import SECOND, from_text, to_text
from stream.records.warning import CityWarning, MsgType
from stream.review.exercise_plan import LEVELS, Expected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.records.acknowledgement import Acknowledgement
    from stream.records.incident import Incident
    from stream.review.exercise_plan import Plan

_OVER = frozenset({MsgType.CANCEL, MsgType.ALL_CLEAR})


class Told(NamedTuple):
    """A warning as it came on a city's topic, at the broker's time (ms)."""

    at: int
    warning: CityWarning


class Answered(NamedTuple):
    """An answer as it came on a city's topic, at the broker's time (ms)."""

    at: int
    city_id: str
    answer: Acknowledgement


@dataclass(frozen=True, slots=True)
class CityScore:
    """One city (or administration). Seconds count from the beginning of the exercise; None = it did not happen, or nothing was asked.

    `expected`: the level planned, "" = the plan says nothing of it. `warned_after_s`: first told at least that level. `in_time` and
    `acknowledged_in_time`: None where nothing was asked, or the exercise was over before an answer was due. `rung`: how far its warning went up for want of an answer.
    """

    city_id: str
    expected: str
    level: str
    warned_after_s: float | None
    in_time: bool | None
    acknowledged_after_s: float | None
    acknowledged_by: str
    acknowledged_in_time: bool | None
    rung: str

    @property
    def passed(self) -> bool:
        """Nothing that was planned was missed."""
        return not self.expected or (self.in_time is not False and self.acknowledged_in_time is not False)


@dataclass(frozen=True, slots=True)
class Score:
    """The exercise as a whole; `passed`: every city did, and the plan expected something."""

    exercise_id: str
    kind: str
    began_at: str
    over_at: str | None
    cities: tuple[CityScore, ...]
    passed: bool


class Heard(NamedTuple):
    """What stands on the topics: when the exercise began and ended (ms), and what was said in it."""

    began_at: int
    over_at: int | None
    told: Sequence[Told]
    answers: Sequence[Answered]
    incidents: Sequence[Incident]


def score(plan: Plan, heard: Heard) -> Score:
    """The score of an exercise. Warnings of other exercises and of other lanes' topics do not count, whoever hands them in."""
    told = [one for one in heard.told if one.warning.exercise_id == plan.exercise_id]
    ids = {one.warning.warning_id for one in told}
    answers = [one for one in heard.answers if one.answer.warning_id in ids]
    rungs = _rungs(heard.incidents, {one.warning.incident_id for one in told})
    expected = {one.city_id: one for one in plan.expected}
    cities = tuple(
        _city(
            city_id,
            expected.get(city_id),
            heard,
            [one for one in told if one.warning.city_id == city_id],
            ([one for one in answers if one.city_id == city_id], rungs.get(city_id, Rung.CITY)),
        )
        for city_id in sorted({*expected, *(one.warning.city_id for one in told)})
    )
    over_at = None if heard.over_at is None else to_text(heard.over_at)
    return Score(
        plan.exercise_id, plan.kind, to_text(heard.began_at), over_at, cities, bool(expected) and all(one.passed for one in cities)
    )  # fmt: skip


def _city(
    city_id: str, expected: Expected | None, heard: Heard, told: list[Told], after: tuple[list[Answered], Rung]
) -> CityScore:  # fmt: skip
    began_at, (answers, rung) = heard.began_at, after
    standing = [one for one in told if one.warning.msg_type not in _OVER]
    worst = max((LEVELS.index(one.warning.level) for one in standing), default=0)
    asked = LEVELS.index(expected.level) if expected is not None else 1
    first = min((one for one in standing if LEVELS.index(one.warning.level) >= max(asked, 1)), default=None, key=lambda one: one.at)
    answer = min((one for one in answers if one.answer.action in STOPS), default=None, key=lambda one: one.at)
    by_at = _answer_by(expected, first, standing)
    in_time = None
    if expected is not None:
        in_time = not standing if expected.level == "none" else first is not None and first.at - began_at <= expected.within_s * SECOND
    return CityScore(
        city_id=city_id,
        expected=expected.level if expected is not None else "",
        level=LEVELS[worst],
        warned_after_s=None if first is None else (first.at - began_at) / SECOND,
        in_time=in_time,
        acknowledged_after_s=None if answer is None else (answer.at - began_at) / SECOND,
        acknowledged_by="" if answer is None else answer.answer.by,
        acknowledged_in_time=_in_time(answer, by_at, heard.over_at),
        rung=rung.name.lower(),
    )


def _in_time(answer: Answered | None, by_at: int | None, over_at: int | None) -> bool | None:
    """Whether the answer came in time; None where none was asked, or it was not due before the end."""
    if by_at is None or (answer is None and over_at is not None and over_at < by_at):
        return None
    return answer is not None and answer.at <= by_at


def _answer_by(expected: Expected | None, first: Told | None, standing: list[Told]) -> int | None:
    """Until when the city had to answer (ms): as planned, else as its first warning that asked for it says."""
    if first is not None and expected is not None and expected.acknowledge_within_s is not None:
        return first.at + round(expected.acknowledge_within_s * SECOND)
    asks = (one.warning.acknowledge_by_at for one in sorted(standing, key=lambda one: one.at))
    return next((from_text(one) for one in asks if one is not None), None)


def _rungs(incidents: Iterable[Incident], ids: set[str]) -> dict[str, Rung]:
    """The highest rung that each city's warning reached."""
    found: dict[str, Rung] = {}
    for one in incidents:
        for up in one.escalated if one.incident_id in ids else ():
            found[up.city_id] = max(found.get(up.city_id, Rung.CITY), Rung[up.to.upper()])
    return found


def as_fields(scored: Score) -> dict[str, Any]:
    """The score for scripts."""
    made: dict[str, Any] = msgspec.to_builtins(scored)
    for one, city in zip(made["cities"], scored.cities, strict=True):
        one["passed"] = city.passed
    return made


def as_table(scored: Score) -> str:
    """The score for people, a line a city."""
    rows = [("city", "expected", "told", "after", "in time", "answered", "by", "in time", "went up to")]
    rows += [
        (
            one.city_id, one.expected or "-", one.level, _after(one.warned_after_s), _yes(one.in_time),
            _after(one.acknowledged_after_s), one.acknowledged_by or "-", _yes(one.acknowledged_in_time), one.rung,
        )
        for one in scored.cities
    ]  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    verdict = "passed" if scored.passed else "NOT passed"
    return "\n".join([f"EXERCISE {scored.exercise_id} ({scored.kind}), begun {scored.began_at}: {verdict}", *lines])


def _after(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f} s"


def _yes(flag: bool | None) -> str:
    return "-" if flag is None else "yes" if flag else "NO"
