"""Processes of several fold versions that own a partition one after the other: restored, killed, superseded, at any moment; and what became of it.

The fold, the rule of whose turn it is, the set that says what stands and the edge's rule are the product's own. What a broker and a group would do
(who owns the partition, which checkpoint is found) is done here, at the wish of a test.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from stream.decide.fold import Fold
from stream.records.instants import HOUR, MINUTE, SECOND, from_text
from stream.records.journal import Columns, Command, Entry, Tick, encode, measurements
from stream.records.output import Kind
from stream.records.switching import FoldVersion
from stream.records.warning import Lane
from stream.runtime.checkpoint import Checkpoint, Manifest
from stream.runtime.edge_rules import Verdict, judge, published, read_back
from stream.runtime.fold_versions import InForce, Turn, together
from stream.runtime.published import newest, parts
from stream.runtime.topics import Topics
from tests.chaos.two_versions import FOLDS

if TYPE_CHECKING:
    from stream.records.output import Output

import numpy as np

STEP = 10 * MINUTE
NAMES = ("upper", "middle", "lower")
CITY_OF = dict(zip(("ava", "bor", "cam"), NAMES, strict=True))
RED_M = 5.0
SMALL = 400
"""Bytes of a part of what stands: so few that a set has several parts."""


class Process:
    """One assignment of the partition to a process of a version."""

    def __init__(self, world: World, version: str) -> None:
        self.fold = world.folds[version]
        self.turn = Turn(self.fold, world.in_force, Lane.TEST)
        best = world.best(version)
        self.state = self.fold.initial(0) if best is None else self.turn.restored(best)
        self.offset = 0 if best is None else best.manifest.next_offset
        self.over = self.turn.over(self.state)
        values = {one.key: one.value for one in world.topic if one.kind is Kind.WARNINGS}
        self.said = {key.decode(): entry for key, value in values.items() if (entry := read_back(value, Lane.TEST)) is not None}
        self.kinds: dict = {}


class World:
    """A journal of one partition, its topics, what is in force, and who owns it now."""

    def __init__(self, region, start) -> None:
        self.region, self.at = region, start
        self.folds = {name: one(lambda _: region, lane=Lane.TEST, clock="broker", partitions=1) for name, one in FOLDS.items()}
        self.journal: list[Entry] = []
        self.in_force = InForce(Fold.VERSION)
        self.begun = {Fold.VERSION}
        self.owner: Process | None = None
        self.kept: dict[str, Checkpoint] = {}
        self.topic: list[Output] = []
        self.strange: list[str] = []
        self.levels = dict.fromkeys(NAMES, 1.0)
        self.read: list[tuple[int, dict[str, float]]] = []
        self.append(Command("activate", region.name, region.region_hash))

    def append(self, message) -> None:
        self.journal.append(Entry(len(self.journal), self.at, encode(message)))

    def flow(self, steps, **levels) -> None:
        """So many rounds of measurements, with ticks."""
        self.levels |= levels
        rows = np.array([self.region.series.row_of[f"{name}/stage"] for name in NAMES], "<i4")
        for _ in range(steps):
            self.at += STEP
            self.append(Tick(self.at, STEP / SECOND, self.at, acknowledgements_written_at=self.at))
            values = np.array([self.levels[name] for name in NAMES])
            columns = Columns(rows, np.full(3, self.at, "<i8"), values, np.zeros(3, "u1"))
            self.append(measurements("rill", self.region.region_hash, columns))
            self.read.append((self.at, dict(self.levels)))

    def best(self, version) -> Checkpoint | None:
        """What a reader of checkpoints finds: its own version's, else the newest of those it can go on from."""
        others = [self.kept[one] for one in self.folds[version].MIGRATES if one in self.kept]
        return self.kept.get(version) or max(others, key=lambda one: one.manifest.next_offset, default=None)

    def activate(self, version) -> None:
        """Put a version in force, if it has anything to begin with."""
        if version != self.in_force.version and (self.best(version) is not None or not self.folds[version].MIGRATES):
            self.in_force = InForce(version, self.in_force.version, self.in_force.turn + 1)
            self.begun.add(version)

    def assign(self, version) -> None:
        """The partition goes to a process of this version, which may have been running for long; whoever had it is done with it."""
        if version in self.begun:
            self.owner = Process(self, version)

    def decide(self, most, says=None) -> None:
        """The owner takes so many records; with `says` it dies after as many outputs of the last ones."""
        while self.owner is not None and not self.owner.over and most > 0 and self.owner.offset < len(self.journal):
            one = self.owner
            some = self.journal[one.offset : one.offset + most]
            some = some[: together(some, len(some))]
            if one.turn.ends(some[0].value, self.in_force):
                one.over = True
                return
            made = one.fold.apply(one.state, some)
            one.offset, most = some[-1].offset + 1, most - len(some)
            made = [] if one.turn.quiet(one.state) else made
            if says is not None and made:
                self.owner, made = None, made[:says]
            self.publish(one, made)

    def publish(self, one, made) -> None:
        """What the edge lets pass."""
        for output in made:
            if output.warning_id:
                key = output.kind, output.warning_id
                before = one.kinds.get(key) or one.said.get(output.warning_id)
                verdict = judge(output, before, now=None, followed=False)
                if before is None or output.revision >= before.revision:
                    one.kinds[key] = published(output)
                if verdict is Verdict.DIFFERENT:
                    self.strange.append(f"{verdict}: {output.warning_id} {output.revision}")
                if not verdict.sent:
                    continue
            self.topic.append(output)

    def checkpoint(self) -> None:
        """The owner's state, with everything said before."""
        if (one := self.owner) is not None:
            data, version = one.fold.snapshot(one.state), one.fold.VERSION
            self.kept[version] = Checkpoint(Manifest("t", one.offset, version, "w", 0, 1, len(data), "", {}, 0), data)

    def order(self, lost=0) -> None:
        """The owner writes what is due of a takeover; of the last parts some are lost, and it with them."""
        if (one := self.owner) is None:
            return
        version, taken = one.fold.VERSION, one.turn.taken(one.state)
        ours = self.in_force.version == version and self.in_force.turn == one.turn.granted.turn
        if one.over if not ours else taken:
            return
        self.append(FoldVersion(self.in_force.version, self.in_force.before, self.in_force.turn, lane="test"))
        if ours:
            values = [output.value for output in self.topic if output.kind in (Kind.CITY, Kind.WARNINGS)]
            made = parts(newest(values, Topics("t.")).values(), version, len(self.journal), SMALL, "test")
            for part in made[: len(made) - lost]:
                self.append(msgspec.structs.replace(part, turn=self.in_force.turn, base=one.turn.base(one.state)))
            if lost:
                self.owner = None

    def settle(self) -> None:
        """Whoever is in force comes and does what is left."""
        self.assign(self.in_force.version)
        for _ in range(4):
            self.decide(10_000)
            self.order()
        self.decide(10_000)
        assert self.owner is not None
        assert self.owner.turn.taken(self.owner.state)

    def said(self, kind=Kind.CITY) -> list[dict]:
        return [json.loads(one.value) for one in self.topic if one.kind is kind]

    def level_at(self, city, at) -> float:
        """What the city's gauge had said last before an instant."""
        before = [levels for read_at, levels in self.read if read_at <= at]
        return before[-1][CITY_OF[city]] if before else 0.0

    def doubles(self) -> list[tuple[str, int]]:
        """Revisions with two contents."""
        contents: dict[tuple[str, int], set[bytes]] = {}
        for one in self.topic:
            if one.kind is Kind.CITY and one.warning_id:
                contents.setdefault((one.warning_id, one.revision), set()).add(one.value)
        return [key for key, values in contents.items() if len(values) > 1]

    def against(self) -> list[str]:
        """What lowers, ends or calls clear although the gauge was in danger, by red measurements just before."""
        found = []
        for one in self.said():
            if one["type"] == "warning" and one["reason"] in ("better", "cleared", "left", "cancelled", "expired"):
                at = from_text(one["sent_at"])
            elif one["type"] == "status" and one["state"] in ("clear", "watch"):
                at = from_text(one["as_of_at"])
            else:
                continue
            if self.level_at(one["city_id"], at - SECOND) > RED_M:
                found.append(f"{one['city_id']} {one.get('reason') or one.get('state')} at {(at - self.read[0][0]) / HOUR:.2f} h")
        return found

    def standing(self, city) -> str:
        """The level of the city's warnings by the newest revisions, "none" without one."""
        last = {one["warning_id"]: one for one in self.said() if one["type"] == "warning" and one["city_id"] == city}
        levels = [one["level"] for one in last.values() if one["msg_type"] not in ("all_clear", "cancel") and one["reason"] != "expired"]
        return next((level for level in ("red", "orange", "yellow", "blue") if level in levels), "none")

    def floods(self) -> list[tuple[str, int, int]]:
        """City, first and last instant of each stretch of red measurements."""
        found = []
        for city, name in CITY_OF.items():
            since = None
            for at, levels in self.read:
                if levels[name] > RED_M and since is None:
                    since = at
                elif levels[name] < RED_M and since is not None:
                    found.append((city, since, at - STEP))
                    since = None
            if since is not None:
                found.append((city, since, self.read[-1][0]))
        return found
