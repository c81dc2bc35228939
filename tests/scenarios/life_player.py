"""Plays golden scenarios through the fold, without a broker: the steps into the journal, ticks in between, and what everybody heard."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from stream.decide.fold import Fold
from stream.errors import UnknownRegion
from stream.records.instants import MINUTE, SECOND
from stream.records.journal import Command, Entry, Tick, encode
from stream.records.output import Kind, Output
from stream.records.warning import Lane
from stream.region.bundle import Bundle, bundle, region_hash
from stream.region.load import load
from tests.region.shared import REGIONS
from tests.scenarios.life_pushes import ACTS
from tests.scenarios.life_scenario import LIFE, START, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.decide.partition import Partition
    from stream.region.model import Region


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
    ticked: int | None = None
    given_at: int = 0
    broker: int = 0
    wall: int = 0
    doors: int | None = None
    answers: int | None = None

    def give(self, timestamp: int, message: Any) -> None:
        """Append a message to the journal and apply it, and then what the domains pass on to each other because of it.

        In a journal there are ticks all the time: one stands before whatever comes after a pause.
        """
        paused = self.entries and timestamp > self.given_at + MINUTE
        if isinstance(message, Tick):
            self.ticked = timestamp
        elif paused and self.ticked is not None and self.clock == "broker":
            tick(self, timestamp, timestamp - 2 * SECOND)
        self._append(timestamp, encode(self.laned(message)))

    def laned(self, message: Any) -> Any:
        """The message as the doors of the scenario's lane write it; one that says its lane already stays as it is."""
        return message if message.lane or self.scenario.lane == "live" else msgspec.structs.replace(message, lane=self.scenario.lane)

    def _append(self, timestamp: int, value: bytes) -> None:
        self.given_at = timestamp
        entry = Entry(len(self.entries), timestamp + self.broker, value)
        self.entries.append(entry)
        made = self.fold.apply(self.state, [entry])
        self.outputs += made
        known = {(one.output.warning_id, one.output.revision) for one in self.heard if one.output.kind is Kind.CITY}
        for output in made:
            if output.value is None or output.kind is Kind.JOURNAL:
                continue
            one = Heard(json.loads(output.value))
            one.output, one.at, one.given_at = output, output.sent_at - START, timestamp - START
            mark = (output.warning_id, output.revision)
            again = output.kind is Kind.CITY and bool(output.warning_id) and mark in known
            one.repeat = dict(output.headers).get("ce_escalation", output.reason.encode()).decode() if again else ""
            known |= {mark} if output.kind is Kind.CITY else set()
            self.heard.append(one)
        for output in made:
            if output.kind is Kind.JOURNAL and output.value is not None:
                self._append(timestamp, output.value)

    def later(self, version: str) -> Region:
        """A later version of the region, known from now on."""
        self.region = region_of(self.scenario, version)
        self.regions[self.region.region_hash] = self.region
        return self.region

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
            ACTS[step.act](played, START + at, step)
    if not live:
        played.give(START + scenario.ends, Tick(START + scenario.ends, 0.0, START + scenario.ends, closing=True))
    return played


def tick(played: Played, at: int, read_to: int | None = None) -> None:
    """A tick whose marks (as far as everything is read, by default to now) stand still while something is stuck."""
    read_to = at if read_to is None else read_to
    doors = read_to if played.doors is None else min(read_to, played.doors)
    answers = read_to if played.answers is None else min(read_to, played.answers)
    elapsed_s = 0.0 if played.ticked is None else (at - played.ticked) / SECOND
    off = played.broker
    played.give(at, Tick(at + played.wall, elapsed_s, doors + off, acknowledgements_written_at=answers + off))
