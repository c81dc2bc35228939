"""Compares what was heard with what a scenario wants: what is missing, what nobody wanted, and how it all went, to be read by people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from stream.records.instants import from_text
from stream.records.output import Kind
from stream.records.warning import CityStatus, CityWarning
from stream.warnings.reading import CityView, Watched, expected, reading, told
from tests.scenarios.life_scenario import START, Want, duration, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.scenarios.life_player import Heard, Played

OPERATORS = frozenset({"has", "lacks", "within", "at", "count"})


def problems(played: Played) -> list[str]:
    """Everything that is not as the scenario wants it."""
    scenario = played.scenario
    found = matched(scenario.want, [(one.output.city_id, said(one), one) for one in played.told()])
    for kind in sorted({want.who for want in scenario.records}):
        wanted = [want for want in scenario.records if want.who == kind]
        found += matched(wanted, [(kind, "", one) for one in played.heard if one.output.kind.value == kind])
    return found + statuses(played) + incidents(played)


def said(one: Heard) -> str:
    """A message's type, level and reason in a line."""
    if one["type"] != "warning":
        return str(one["type"])
    return f"{one['msg_type']} {one['level']} {one['reason']}"


def matched(wanted: Iterable[Want], heard: list[tuple[str, str, Heard]]) -> list[str]:
    """Each message is wanted by one line only; a line that still wants more is tried in the order they stand in."""
    left = [[want, 0] for want in wanted]
    unexpected = []
    for who, says, one in heard:
        for entry in left:
            want, times = entry
            if times < want.most and want.who == who and says.startswith(want.says) and not mismatch(want, one):
                entry[1] += 1
                break
        else:
            near = [
                f"{want}: {reason}"
                for want, _ in left
                if want.who == who and says.startswith(want.says) and (reason := mismatch(want, one))
            ]
            unexpected.append(
                f"unexpected: {who} {spoken(one.at)} {says} {one.repeat or brief(one)}" + "".join(f"\n      not {each}" for each in near)
            )
    return [f"missing: {want} (came {times} times)" for want, times in left if times < want.least] + unexpected


def brief(one: Heard) -> str:
    """What helps to write a want down."""
    keys = ("path", "certainty", "role", "reasons", "state", "series", "probability", "muted_by")
    return ", ".join(f"{key}={one[key]}" for key in keys if one.get(key) not in (None, "", []))


def mismatch(want: Want, one: Heard) -> str:
    """Why a record is not what is wanted; "" if it is."""
    at = one.given_at if one.repeat else one.at
    if not want.window.first <= at <= want.window.last:
        return f"it came at {spoken(at)}"
    if want.fields.get("repeat", "") != one.repeat:
        return f"it repeats ({one.repeat})" if one.repeat else "it repeats nothing"
    return differs({key: value for key, value in want.fields.items() if key != "repeat"}, one)


def clock_of(text: str) -> int:
    """A record's time in ms after the start."""
    return from_text(text) - START


def differs(fields: dict[str, Any], record: dict[str, Any]) -> str:
    """The first field that is not as wanted; "" if all are."""
    for key, wanted in fields.items():
        name, _, operator = key.rpartition(".")
        name, operator = (name, operator) if operator in OPERATORS else (key, "")
        value = lookup(record, name)
        if not holds(operator, value, wanted):
            return f"{name} is {value!r}, wanted {operator} {wanted!r}"
    return ""


def lookup(record: Any, name: str) -> Any:
    """A value by its dotted path; numbers index lists."""
    for part in name.split("."):
        if isinstance(record, list):
            record = record[int(part)] if -len(record) <= int(part) < len(record) else None
        else:
            record = record.get(part) if record is not None else None
    return record


def holds(operator: str, value: Any, wanted: Any) -> bool:
    """Whether a value is as wanted.

    >>> holds("", 1, 1), holds("has", ["a"], "a"), holds("within", 0.5, [0.4, 0.6]), holds("count", [1, 2], 2)
    (True, True, True, True)
    """
    if operator in ("has", "lacks"):
        inside = [one in (value or ()) for one in (wanted if isinstance(wanted, list) else [wanted])]
        return all(inside) if operator == "has" else not any(inside)
    if operator == "count":
        return len(value or ()) == wanted
    if operator == "at":
        return value is not None and clock_of(value) == duration(wanted)
    if operator == "within":
        low, high = (duration(one) if isinstance(one, str) else one for one in wanted)
        return value is not None and bool(low <= (clock_of(value) if isinstance(value, str) else value) <= high)
    return bool(value == wanted) or (value is None and wanted == "none")


def statuses(played: Played) -> list[str]:
    """What a reader of the city's topic makes of it at that time, for one hazard."""
    found = []
    for want in played.scenario.status:
        view = CityView(want.who)
        for one in played.heard:
            if (
                one.output.kind is Kind.CITY
                and one.output.city_id == want.who
                and one.at <= want.window.last
                and one["type"] != "link_test"
            ):
                view = told(view, msgspec.convert(dict(one), CityStatus if one["type"] == "status" else CityWarning))
        hazard = want.fields.get("hazard", played.region.hazards[0].hazard)
        read = reading(view, expected(played.region, want.who), START + want.window.last)
        states = {watched: state.value for watched, state in read.states.items() if watched.hazard == hazard}
        if set(states.values()) != {want.says}:
            found.append(f"status: {want.who} at {spoken(want.window.last)} reads {sorted(set(states.values()))}, wanted {want.says}")
        fields = {key: value for key, value in want.fields.items() if key != "hazard"}
        if fields and (reason := differs(fields, status_of(view, hazard))):
            found.append(f"status: {want.who} at {spoken(want.window.last)}: {reason}")
    return found


def status_of(view: CityView, hazard: str) -> dict[str, Any]:
    """The newest status of a hazard as it stands in JSON."""
    for watched, status in view.statuses.items():
        if isinstance(watched, Watched) and watched.hazard == hazard:
            return dict(json.loads(msgspec.json.encode(status)))
    return {}


def incidents(played: Played) -> list[str]:
    """The newest record of each incident at a time, in the order in which they were opened."""
    records = [one for one in played.heard if one.output.kind is Kind.INCIDENTS]
    names = list(dict.fromkeys(one["incident_id"] for one in records))
    found = []
    if played.scenario.opened is not None and len(names) != played.scenario.opened:
        found.append(f"incidents: {len(names)} were opened, wanted {played.scenario.opened}")
    for want in played.scenario.incidents:
        fields = dict(want.fields)
        which = fields.pop("which", 0)
        mine = [one for one in records if which < len(names) and one["incident_id"] == names[which] and one.at <= want.window.last]
        if not mine:
            found.append(f"incident {which} is not known at {spoken(want.window.last)}")
        elif reason := differs(fields, mine[-1]):
            found.append(f"incident {which} at {spoken(want.window.last)}: {reason}")
    return found


def story(played: Played) -> str:
    """Everything that was told, a line each: what one looks at when something is not as wanted."""
    return "\n".join(
        f"  {spoken(one.given_at if one.repeat else one.at):>8} {one.output.city_id:8} {said(one)} {one.repeat} {brief(one)}"
        for one in played.told()
    )
