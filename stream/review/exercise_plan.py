"""The plan of an exercise: what is played when, who must be warned and must answer by when, and whether it is announced.

A TOML file. `id`, `region` (a folder, seen from the file, or a shipped region), `kind` (`scheduled`: a notice goes out `notice_s` before;
`unannounced`), `lasts_s`, `[title]`; then `[[measurements]]` (after_s, series, value), `[[statements]]` (after_s, city, and the fields of
`tocsin schema statement`: what the staff reports by telephone), and `[[expect]]` (city, level, within_s, acknowledge_within_s).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from stream.accept.index import COUNT
from stream.errors import TocsinError
from stream.records.instants import SECOND, to_text
from stream.records.lanes import Lane
from stream.records.statement import Statement
from stream.region.fields import read_toml
from stream.region.names import IDENTIFIER, IDENTIFIER_FIX, LANGUAGES
from stream.region.problems import Findings, nearest
from stream.review.inputs import DoorMessage, families

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stream.region.fields import Fields
    from stream.region.model import Region

SCHEDULED, UNANNOUNCED = "scheduled", "unannounced"
LEVELS = ("none", "blue", "yellow", "orange", "red")
LONGEST_S = 7 * 86_400.0
_OWN = ("after_s", "city")
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Measured:
    """A value that a station is made to send, `after_s` from the beginning."""

    after_s: float
    series: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Said:
    """What is stated in a city's name; `fields` are those of a `Statement` besides domain, lane and id."""

    after_s: float
    city_id: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What one city must be told: at least `level` (`none`: nothing) within so long of the beginning.

    It must answer within `acknowledge_within_s` of that, None = by the time that its warning names.
    """

    city_id: str
    level: str
    within_s: float
    acknowledge_within_s: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked plan. `measured` and `said` in the order of their time."""

    exercise_id: str
    title: Mapping[str, str]
    region: str
    kind: str
    notice_s: float
    lasts_s: float
    measured: tuple[Measured, ...]
    said: tuple[Said, ...]
    expected: tuple[Expected, ...]


class PlanError(TocsinError):
    """A plan is not usable; the message lists everything that is wrong with it."""


def read_plan(file: Path) -> Plan:
    """The plan in a file, without its region; PlanError with everything that is wrong, `TocsinError` if there is no such file."""
    if not file.is_file():
        msg = f"there is no file {file}"
        raise TocsinError(msg)
    findings = Findings()
    top = read_toml(file.name, file.read_bytes(), findings)
    plan = None if top is None else _plan(top)
    if plan is None or findings.problems:
        raise PlanError("the plan is not usable:\n" + "\n".join(f"  {one}" for one in findings.sorted_problems()))
    return plan


def _plan(top: Fields) -> Plan:
    exercise_id, kind = top.string("id"), top.string("kind")
    if exercise_id and not IDENTIFIER.fullmatch(exercise_id):
        top.problem("id", f"{exercise_id!r} is no exercise id", IDENTIFIER_FIX)
    if kind and kind not in (SCHEDULED, UNANNOUNCED):
        top.problem("kind", f"no such kind {kind!r}", nearest(kind, (SCHEDULED, UNANNOUNCED)))
    notice_s = top.number("notice_s", 0.0, LONGEST_S)
    if kind == UNANNOUNCED and notice_s is not None:
        top.problem("notice_s", "an unannounced exercise gives no notice", 'remove it, or set kind = "scheduled"')
    titles = top.sub("title")
    if titles is None:
        top.problem("title", "is missing", 'add [title] with zh = "..." and en = "..."')
    plan = Plan(
        exercise_id=exercise_id,
        title={language: titles.string(language) for language in LANGUAGES} if titles is not None else {},
        region=top.string("region"),
        kind=kind,
        notice_s=notice_s or 0.0,
        lasts_s=_seconds(top, "lasts_s"),
        measured=tuple(sorted((_measured(one) for one in top.subs("measurements")), key=lambda one: one.after_s)),
        said=tuple(sorted((_said(one) for one in top.subs("statements")), key=lambda one: one.after_s)),
        expected=tuple(_expected(one) for one in top.subs("expect")),
    )
    if not plan.measured and not plan.said:
        top.problem("measurements", "nothing happens in this exercise", "add [[measurements]] or [[statements]]")
    last_s = max((one.after_s for one in plan.measured), default=0.0)
    last_s = max([last_s, *(one.after_s for one in plan.said)])
    if plan.lasts_s <= last_s:
        top.problem("lasts_s", f"the exercise ends before its last step at {last_s:g} s", f"give more than {last_s:g}")
    top.no_more()
    return plan


def _seconds(table: Fields, key: str) -> float:
    value = table.number(key, 0.0, LONGEST_S)
    if value is None and key not in table.table:
        table.problem(key, "is missing", f"add {key} = seconds")
    return value or 0.0


def _measured(table: Fields) -> Measured:
    value = table.number("value", -1e12, 1e12)
    if value is None and "value" not in table.table:
        table.problem("value", "is missing", "add value = ...")
    made = Measured(_seconds(table, "after_s"), table.string("series"), value or 0.0, table.string("unit", otherwise=""))
    table.no_more()
    return made


def _said(table: Fields) -> Said:
    after_s, city_id = _seconds(table, "after_s"), table.string("city")
    fields = {name: value for name, value in table.table.items() if name not in _OWN}
    try:
        msgspec.convert(fields | {"type": "statement", "domain": "any", "id": "any"}, Statement)
    except msgspec.ValidationError as error:
        table.problem("", str(error), "see `tocsin schema statement`")
    return Said(after_s, city_id, fields)


def _expected(table: Fields) -> Expected:
    level = table.string("level")
    if level and level not in LEVELS:
        table.problem("level", f"no such level {level!r}", nearest(level, LEVELS))
    made = Expected(
        table.string("city"), level, _seconds(table, "within_s"), table.number("acknowledge_within_s", 0.0, LONGEST_S)
    )  # fmt: skip
    table.no_more()
    return made


def check(plan: Plan, region: Region) -> None:
    """Everything the plan names must be in its region; PlanError with all that is not."""
    wrong = [
        f"series {one.series!r}: {nearest(one.series, region.series.ids)}"
        for one in plan.measured
        if one.series not in region.series.row_of
    ]
    cities = (*(one.city_id for one in plan.said), *(one.city_id for one in plan.expected))
    wrong += [f"city {city!r}: {nearest(city, region.above)}" for city in cities if city not in region.above]
    domains = [domain.domain_id for domain in region.domains]
    for said in plan.said:
        if (domain := domain_of(said, region)) not in domains:
            wrong.append(f"statement of {said.city_id!r}, domain {domain!r}: {nearest(domain, domains)}")
    if wrong:
        raise PlanError(
            f"region {region.name} does not have what the plan names:\n" + "\n".join(f"  {one}" for one in dict.fromkeys(wrong))
        )


def domain_of(said: Said, region: Region) -> str:
    """The domain a statement is about: as it says, or the only one of the region."""
    return str(said.fields.get("domain") or (region.domains[0].domain_id if len(region.domains) == 1 else ""))


def measurement(plan: Plan, number: int, region: Region, at: int) -> DoorMessage:
    """The door message of step `number` of `plan.measured`, observed at `at` (ms); it says that it is of an exercise."""
    step = plan.measured[number]
    row = region.series.row_of[step.series]
    common = {"series": step.series, "id": f"{plan.exercise_id}/{number}", "lane": Lane.EXERCISE.value}
    if region.series.unit[row] == COUNT:
        start_at = at - round(region.series.interval_s[row] * SECOND)
        value = _encode({**common, "period_start_at": to_text(start_at), "period_end_at": to_text(at), "value": int(step.value)})
    else:
        unit = {"unit": step.unit} if step.unit else {}
        value = _encode({**common, "observed_at": to_text(at), "value": step.value, **unit})
    domain = region.domains[int(region.series.domain[row])].domain_id
    return DoorMessage(at, step.series, domain, families(region)[row], value)


def statement(plan: Plan, number: int, region: Region) -> bytes:
    """The message of step `number` of `plan.said` for its city's topic."""
    said = plan.said[number]
    fields = dict(said.fields) | {"domain": domain_of(said, region), "id": f"{plan.exercise_id}/{number}", "lane": Lane.EXERCISE}
    return _encode(msgspec.convert(fields | {"type": "statement"}, Statement))
