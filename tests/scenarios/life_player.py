"""Plays golden scenarios through the fold, without a broker, and compares what everybody heard with what the scenario wants."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from stream.decide.fold import Fold
from stream.errors import UnknownRegion
from stream.records.instants import HOUR, SECOND
from stream.records.journal import Acknowledgement, Columns, Command, Entry, Report, Tick, encode, measurements
from stream.records.output import Kind, Output
from stream.records.warning import Lane
from stream.region.bundle import Bundle, bundle, region_hash
from stream.region.load import load
from tests.region.shared import REGIONS
from tests.scenarios.life_scenario import LIFE, Scenario, Step, duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.decide.partition import Partition
    from stream.region.model import Region

START = 1_790_000_000_000 // HOUR * HOUR


class Heard(dict[str, Any]):
    """One record's body. `output` it came with, `at` what it is stamped with, `given_at` when it was made (ms after the start)."""

    output: Output
    at: int
    given_at: int
    repeat: str


@dataclass
class Played:
    """A scenario after it was played: everything that went into the journal and everything that came of it, in order."""

    scenario: Scenario
    clock: str
    region: Region
    regions: dict[str, Region]
    fold: Fold
    state: Partition
    entries: list[Entry] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    doors: int | None = None
    answers: int | None = None

    def give(self, timestamp: int, message: Any) -> None:
        """Append a message to the journal and apply it."""
        entry = Entry(len(self.entries), timestamp, encode(message))
        self.entries.append(entry)
        made = self.fold.apply(self.state, [entry])
        self.outputs += made
        known = {(one.output.warning_id, one.output.revision) for one in self.heard if one.output.kind is Kind.CITY}
        for output in made:
            if output.value is None:
                continue
            one = Heard(json.loads(output.value))
            one.output, one.at, one.given_at = output, output.sent_at - START, timestamp - START
            mark = (output.warning_id, output.revision)
            again = output.kind is Kind.CITY and bool(output.warning_id) and mark in known
            one.repeat = dict(output.headers).get("ce_escalation", output.reason.encode()).decode() if again else ""
            known |= {mark} if output.kind is Kind.CITY else set()
            self.heard.append(one)

    def told(self, city: str = "") -> list[Heard]:
        """Every message on a city's topic (on all of them) that is not a status."""
        return [
            one for one in self.heard if one.output.kind is Kind.CITY and one.get("type") != "status" and city in ("", one.output.city_id)
        ]


@cache
def files_of(name: str) -> dict[str, bytes]:
    """The files of a region folder."""
    folder = REGIONS / name.removeprefix("deploy/") if name.startswith("deploy/") else LIFE / "regions" / name
    return dict(bundle(folder).files)


def edited(files: dict[str, bytes], edits: Iterable[dict[str, str]]) -> dict[str, bytes]:
    """These files after the edits; ValueError when an edit finds nothing to change."""
    changed = dict(files)
    for edit in edits:
        before = changed.get(edit["file"], b"").decode()
        after = edit.get("text", before.replace(edit["old"], edit["new"]) if "old" in edit else before + edit.get("append", ""))
        if after == before:
            msg = f"an edit of {edit['file']} changes nothing: {edit}"
            raise ValueError(msg)
        changed[edit["file"]] = after.encode()
    return {name: data for name, data in changed.items() if data}


def region_of(scenario: Scenario, later: str = "") -> Region:
    """The scenario's region as it is at first, or with the edits of a later version on top."""
    files = edited(files_of(scenario.region), [one for one in scenario.edits if not one.get("later")])
    if later:
        files = edited(files, [one for one in scenario.edits if one.get("later") == later])
    return load(Bundle("", region_hash(files), files))


def begin(scenario: Scenario, clock: str) -> Played:
    """The scenario's region, active in an empty partition."""
    region = region_of(scenario)
    regions = {region.region_hash: region}

    def known(hash_: str) -> Region:
        if hash_ not in regions:
            raise UnknownRegion(hash_)
        return regions[hash_]

    fold = Fold(known, lane=Lane(scenario.lane), clock=cast("Literal['broker', 'observed']", clock), partitions=1)
    played = Played(scenario, clock, region, regions, fold, fold.initial(0))
    played.give(START if clock == "broker" else 0, Command("activate", region.name, region.region_hash))
    return played


@cache
def play(scenario: Scenario, clock: str) -> Played:
    """Push everything, with ticks in between (on a replay lane only the closing one)."""
    played = begin(scenario, clock)
    live = clock == "broker"
    ticks = range(0, scenario.ends + 1, scenario.ticks) if live else ()
    due = [(step.at, 0, step.order, step) for step in scenario.steps] + [(at + SECOND, 1, 0, None) for at in ticks]
    for at, _, _, step in sorted(due, key=lambda one: one[:3]):
        if step is None:
            tick(played, START + at)
        else:
            push(played, step)
    if not live:
        played.give(START + scenario.ends, Tick(START + scenario.ends, 0.0, START + scenario.ends, closing=True))
    return played


def tick(played: Played, at: int) -> None:
    """A tick whose marks stand still while something is stuck."""
    doors = at if played.doors is None else min(at, played.doors)
    answers = at if played.answers is None else min(at, played.answers)
    played.give(at, Tick(at, played.scenario.ticks / 1_000, doors, acknowledgements_written_at=answers))


def push(played: Played, step: Step) -> None:
    """Do one step."""
    at = START + step.at
    match step.act:
        case "measure":
            measure(played, at, step)
        case "answer":
            answer(played, at, step)
        case "report":
            told = {
                "region_hash": played.region.region_hash,
                "kind": "intervention",
                "km": 0.0,
                "ends_at": None,
                "hours": 0.0,
                "factor": 1.0,
            }
            times = {name: START + duration(step.content[name]) for name in ("starts_at", "ends_at") if name in step.content}
            domain = step.content.get("domain", played.region.domains[0].domain_id)
            plain = {"domain": domain, "by": "gate", "note": "", "starts_at": at, "reported_at": at}
            played.give(at, Report(**{**told, **plain, **step.content, **times}))
        case "stuck":
            played.doors = at if "doors" in step.content else None
            played.answers = at if "answers" in step.content else None
        case "activate":
            later = region_of(played.scenario, step.content)
            played.regions[later.region_hash] = played.region = later
            played.give(at, Command("activate", later.name, later.region_hash))
        case other:
            msg = f"nobody knows how to do {other}"
            raise NotImplementedError(msg)


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
        played.give(at, measurements(played.region.domains[domain].domain_id, played.region.region_hash, columns))


def answer(played: Played, at: int, step: Step) -> None:
    """A city answers the last warning it was told, or the revision of it that the step names."""
    given = step.content
    mine = [one for one in played.told(given["city"]) if one.get("hazard") == given.get("hazard", one.get("hazard"))]
    if not mine:
        msg = f"{given['city']} was told nothing yet that it could answer"
        raise ValueError(msg)
    last = mine[-1]
    received_at = START + duration(given["received"]) if "received" in given else at
    played.give(
        at,
        Acknowledgement(
            last["domain"], played.region.region_hash, given["city"], last["warning_id"], given.get("revision", last["revision"]),
            given.get("action", "seen"), given.get("by", "duty"), given.get("note", ""), received_at,
        ),
    )  # fmt: skip
