"""What a scenario's steps put into the journal: each kind of step as the service itself would write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from stream.accept.refusal import Fault
from stream.accept.statements import Stated, judge
from stream.records.journal import Acknowledgement, Columns, Command, Report, measurements
from stream.records.lanes import Lane
from stream.records.output import Kind
from stream.records.statement import Statement, statement_id
from tests.scenarios.life_scenario import START, duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.scenarios.life_player import Played
    from tests.scenarios.life_scenario import Step


def measure(played: Played, at: int, step: Step) -> None:
    """One journal message a domain, rows in the region's order."""
    series = played.region.series
    found: dict[int, list[tuple[int, float]]] = {}
    for name, value in step.content.items():
        ids = [one for one in series.ids if one == name or one.partition("/")[0] == name]
        if len(ids) != 1:
            msg = f"{name!r} is {len(ids)} series"
            raise ValueError(msg)
        row = series.row_of[ids[0]]
        found.setdefault(int(series.domain[row]), []).append((row, float(value)))
    observed_at = START + duration(step.fields["observed"]) if "observed" in step.fields else at
    flags = int(bool(step.fields.get("late"))) + 2 * int(bool(step.fields.get("suspect")))
    for domain, rows in sorted(found.items()):
        rows.sort()
        columns = Columns(
            np.array([row for row, _ in rows], "<i4"),
            np.full(len(rows), observed_at, "<i8"),
            np.array([value for _, value in rows], "<f8"),
            np.full(len(rows), flags, "u1"),
        )
        message = measurements(played.region.domains[domain].domain_id, played.region.region_hash, columns)
        played.give(at, msgspec.structs.replace(message, lane=step.fields.get("lane", "")))


def answer(played: Played, at: int, step: Step) -> None:
    """A city answers the last warning it was told, or the revision of it that the step names."""
    given = step.content
    mine = [one for one in played.told(given["city"]) if one.get("hazard") == given.get("hazard", one.get("hazard"))]
    if not mine:
        msg = f"{given['city']} was told nothing yet that it could answer"
        raise ValueError(msg)
    last = mine[-1]
    received_at = START + duration(given["received"]) if "received" in given else at
    message = Acknowledgement(
        last["domain"], played.region.region_hash, given["city"], last["warning_id"], given.get("revision", last["revision"]),
        given.get("action", "seen"), given.get("by", "duty"), given.get("note", ""), received_at,
    )  # fmt: skip
    played.give(at, msgspec.structs.replace(message, lane=step.fields.get("lane", "")))


def report(played: Played, at: int, step: Step) -> None:
    """Somebody reports what was done to a river."""
    plain = {"domain": played.region.domains[0].domain_id, "km": 0.0, "hours": 0.0, "factor": 1.0, "by": "gate", "note": ""}
    times = {name: START + duration(step.content[name]) for name in ("starts_at", "ends_at") if name in step.content}
    kept = {"region_hash": played.region.region_hash, "kind": "intervention", "starts_at": at, "ends_at": None, "reported_at": at}
    played.give(at, Report(**{**plain, **kept, **step.content, **times}))


def statement(played: Played, at: int, step: Step) -> None:
    """A city states something by hand; it is judged as intake judges it, and goes into the journal unless it is refused (`refused` says why)."""
    given = dict(step.content)
    city = given.pop("city")
    for name in {"starts_at", "ends_at"} & set(given):
        given[name] = (START + duration(given[name])) / 1_000
    if "about" in given:
        given["about"] = about(played, city, given["about"])
    if "in_city" in given:
        given["city"] = given.pop("in_city")
    sent = {"type": "statement", "domain": played.region.domains[0].domain_id, "by": "duty", "id": f"{city}-{step.order}-{at}", **given}
    made = msgspec.json.decode(msgspec.json.encode(sent), type=Statement)
    found = judge(Stated(made, city, at, Lane(played.scenario.lane)), [played.region])
    refused = found.reason.value if isinstance(found, Fault) else ""
    if refused != step.fields.get("refused", ""):
        msg = f"{sent} was {found if refused else 'not refused'}, wanted {step.fields.get('refused', 'it to be taken')}"
        raise ValueError(msg)
    if not isinstance(found, Fault):
        played.give(at, found)


def about(played: Played, city: str, named: str) -> str:
    """The id of what a statement is about: `warning` (the last the city heard), `incident` (the newest), `<city>/<id>` of a statement."""
    if named == "warning":
        return str(played.told(city)[-1]["warning_id"])
    if named == "incident":
        return str([one["incident_id"] for one in played.heard if one.output.kind is Kind.INCIDENTS][-1])
    whose, _, sent = named.partition("/")
    return statement_id(whose, sent) if whose in played.region.above else named


def stuck(played: Played, at: int, step: Step) -> None:
    """From now on the doors, or the cities' answers, are not read any more; those that are not named are."""
    played.doors = at if "doors" in step.content else None
    played.answers = at if "answers" in step.content else None


def wrong(played: Played, at: int, step: Step) -> None:
    """From now on the broker's clock, or the worker's, is off by so much ("24h", "-24h"); one that is not named is right."""
    off = {name: -duration(text[1:]) if text.startswith("-") else duration(text) for name, text in step.content.items()}
    played.broker, played.wall = off.get("broker", 0), off.get("worker", 0)


def activate(played: Played, at: int, step: Step) -> None:
    """A later version of the region becomes the active one."""
    later = played.later(step.content)
    played.give(at, Command("activate", later.name, later.region_hash))


def command(played: Played, at: int, step: Step) -> None:
    """Any other command: a link test, the beginning or end of an exercise."""
    fields: dict[str, Any] = dict(step.content)
    played.give(at, Command(fields.pop("do"), at=at, **fields))


ACTS: dict[str, Callable[[Played, int, Step], None]] = {
    "measure": measure, "answer": answer, "report": report, "statement": statement, "stuck": stuck, "activate": activate, "command": command,
    "wrong": wrong,
}  # fmt: skip
