"""Ten thousand random runs in which records of the live lane and of an exercise are mixed up: whatever is addressed wrongly changes nothing.

Each run sends records to both lanes, at their doors, as answers and straight into their journals; about half of them say they are of
another lane than the one they go to, or of none. A foreign record leaves the fold's bytes as they are, so the lanes are what they would be
without it, whatever the order. What the folds say goes through the edges of both lanes.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from stream.accept.answers import Known, judge
from stream.accept.door import Accept, DoorRecord
from stream.accept.refusal import Fault, Refused
from stream.decide.fold import Fold
from stream.health.metrics import Metrics
from stream.records.acknowledgement import Acknowledgement
from stream.records.instants import MINUTE, SECOND, to_text
from stream.records.journal import Acknowledgement as Journalled
from stream.records.journal import Command, Entry, Statement, Tick, decode, encode
from stream.records.lanes import Lane, belongs
from stream.records.output import Kind, Output
from stream.region.load import load
from stream.runtime.edge import Edge
from stream.runtime.edge_rules import Standing
from stream.runtime.topics import Topics
from stream.settings import Settings
from tests.decide.conftest import FILES, START, make_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.region.model import Region

RUNS = 10_000
RUNS_A_STATE = 25
"""After so many runs both lanes begin anew."""
RECORDS_MOST = 6
PREFIX = {Lane.LIVE: "", Lane.EXERCISE: "exercise."}
SAID = ("live", "exercise", "")


@dataclass
class OneLane:
    """A lane without a broker: its doors, its fold, its edge."""

    lane: Lane
    region: Region
    now: int = START
    seen: list[Output] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        settings = Settings(prefix=PREFIX[self.lane], lane=self.lane, partitions=1)
        self.topics = Topics(settings.prefix)
        self.accept = Accept([self.region], settings, 1)
        self.fold = Fold(lambda _: self.region, lane=self.lane, clock="broker", partitions=1)
        self.edge = Edge(0, self.topics, None, Metrics(), clock=None, standing=Standing(1, {}))  # type: ignore[arg-type]
        self.begin()

    def begin(self) -> None:
        """An empty journal in which the region is activated, and on the exercise lane the exercise has begun."""
        self.now, self.seen, self.refused = START, [], 0
        self.state = self.fold.initial(0)
        self.take(encode(Command("activate", self.region.name, self.region.region_hash, lane=self.lane.value)))
        if self.lane is Lane.EXERCISE:
            self.take(encode(Command("exercise", "spring", lane=self.lane.value)))

    def take(self, value: bytes) -> list[Output]:
        """One record of the journal, a second or some minutes after the last."""
        made = self.fold.apply(self.state, [Entry(0, self.now, value)])
        self.seen += made
        return made


def door_value(rng: random.Random, lane: OneLane, said: str) -> bytes:
    """A measurement, sometimes of a flood, or a report about the river."""
    body: dict[str, Any] = {"lane": said} if said else {}
    if rng.random() < 0.1:
        body |= {
            "report": "intervention",
            "domain": "rill",
            "act": "delay",
            "reach": "r1",
            "km": 1,
            "starts_at": to_text(lane.now),
            "by": "li",
        }
    else:
        stage = rng.choice([4.6, 5.4]) if rng.random() < 0.12 else 1.0
        series = rng.choice(["upper", "middle", "lower"]) + "/stage"
        body |= {"series": series, "observed_at": to_text(lane.now), "value": stage}
    return json.dumps(body).encode()


def journal_value(rng: random.Random, lane: OneLane, said: str) -> bytes:
    """A record as it would be written straight into a journal: orders, time, answers, statements."""
    told = [output for output in lane.seen if output.kind is Kind.CITY and output.warning_id]
    one = rng.choice(told) if told else None
    about = (one.city_id, one.warning_id, one.revision) if one else ("bor", "wrn-none", 1)
    region = (lane.region.name, lane.region.region_hash)
    made = rng.choice(
        [
            Tick(lane.now, 2.0, lane.now, acknowledgements_written_at=lane.now),
            Command("exercise", "other"),
            Command("activate", region[0], "0" * 16),
            Journalled("rill", region[1], *about, "seen", "li", "", lane.now),
            Statement("rill", region[1], "ava", f"stm-{rng.random()}", "report", "li", lane.now, lane.now, hazard="flood", level="yellow"),
        ]
    )
    return encode(msgspec.structs.replace(made, lane=said))


def send(rng: random.Random, lane: OneLane) -> None:
    """One random record to a lane, in the name of a random lane."""
    lane.now += rng.choice([SECOND, MINUTE, 5 * MINUTE])
    said, how = rng.choice([lane.lane.value, *SAID]), rng.random()
    ours = belongs(said, lane.lane)
    if how < 0.5:
        out = lane.accept.accept("measurements.water", [DoorRecord(0, 0, lane.now, door_value(rng, lane, said))], lane.now)
        assert len(out.entries) == ours
        assert [one.reason for one in out.refused] == ([] if ours else [Refused.OTHER_LANE])
        for entry in out.entries:
            assert decode(entry.value).lane == lane.lane.value
            lane.take(entry.value)
        lane.refused += not ours
    elif how < 0.6:
        known = {"w": Known("w", 1, "bor", "rill", lane.region.region_hash, lane.lane)}
        answer = Acknowledgement("w", 1, "seen", "li", lane=Lane(said) if said else None)
        found = judge(answer, "bor", lane.now, known, lane.lane)
        assert isinstance(found, Fault) == (said not in ("", lane.lane.value))
    elif ours and said:
        value = journal_value(rng, lane, said)
        if decode(value) != Command("activate", lane.region.name, "0" * 16, lane=said):
            lane.take(value)
    else:
        foreign(lane, journal_value(rng, lane, said if not ours else other(lane.lane).value))


def other(lane: Lane) -> Lane:
    return Lane.LIVE if lane is Lane.EXERCISE else Lane.EXERCISE


def foreign(lane: OneLane, value: bytes) -> None:
    """Another lane's record in the journal: nothing is said, and not one byte of the state is another, but the count of such records."""
    counts = lane.state.core.counts
    before, refused = lane.fold.snapshot(lane.state), counts.other_lane
    assert lane.take(value) == []
    assert counts.other_lane == refused + 1
    counts.other_lane = refused
    assert lane.fold.snapshot(lane.state) == before
    lane.refused += 1


def assert_apart(lane: OneLane, fresh: list[Output], across: OneLane) -> None:
    """What a lane said is of that lane in every byte, goes to its topics, and to none of the other lane's."""
    for output in fresh:
        assert output.lane == lane.lane.value
        value = output.value or b""
        assert f'"lane":"{lane.lane.value}"'.encode() in value
        assert f'"lane":"{across.lane.value}"'.encode() not in value
        assert (b"EXERCISE" in value) == (lane.lane is Lane.EXERCISE and b'"text":' in value)
        topic = lane.edge._destination(output, None, followed_by=False)
        assert topic is None or topic.startswith("exercise.") == (lane.lane is Lane.EXERCISE)
        assert across.edge._destination(output, None, followed_by=False) is None


def mixed(folder: Path) -> Iterator[tuple[OneLane, list[Output], OneLane]]:
    """The runs: of each, what either lane said."""
    region = load(make_bundle(FILES, folder))
    lanes = [OneLane(lane, region) for lane in (Lane.LIVE, Lane.EXERCISE)]
    for seed in range(RUNS):
        rng = random.Random(seed)
        if seed % RUNS_A_STATE == 0:
            for lane in lanes:
                lane.begin()
        before = [len(lane.seen) for lane in lanes]
        for _ in range(rng.randint(2, RECORDS_MOST)):
            send(rng, rng.choice(lanes))
        for lane, across, start in zip(lanes, reversed(lanes), before, strict=True):
            yield lane, lane.seen[start:], across


def test_in_ten_thousand_mixed_runs_no_record_of_an_exercise_reaches_the_live_lane_nor_the_other_way_round(tmp_path: Path) -> None:
    warned, refused, ids = {Lane.LIVE: 0, Lane.EXERCISE: 0}, 0, {Lane.LIVE: set(), Lane.EXERCISE: set()}
    logging_off()
    for lane, fresh, across in mixed(tmp_path):
        assert_apart(lane, fresh, across)
        ids[lane.lane] |= {output.warning_id for output in fresh if output.warning_id}
        warned[lane.lane] += sum(1 for output in fresh if output.warning_id and output.kind is Kind.CITY)
        refused += lane.refused
        lane.refused = 0
    assert min(warned.values()) > RUNS / 20, "both lanes had something to say"
    assert refused > RUNS, "and much that was not theirs to hear"
    assert not ids[Lane.LIVE] & ids[Lane.EXERCISE]


def play_all(folder: Path) -> None:
    for lane, fresh, across in mixed(folder):
        assert_apart(lane, fresh, across)


def logging_off() -> None:
    """Every record kept off is an error of its own; here there are tens of thousands."""
    import logging

    logging.getLogger("stream.runtime.edge").setLevel(logging.CRITICAL)


def test_the_gates_are_what_keeps_them_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the fold's gate the same runs fail: the law can see what it looks for."""
    monkeypatch.setattr("stream.decide.fold.belongs", lambda _said, _lane: True)
    logging_off()
    with pytest.raises(AssertionError):
        play_all(tmp_path)
