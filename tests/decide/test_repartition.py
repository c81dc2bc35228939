"""Domains go over to another number of partitions as they are, and go on as if nothing had happened."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from stream.decide.fold import Fold
from stream.decide.repartition import KNOWN, digests, obstacles, repartition
from stream.decide.state import Core
from stream.decide.timekeeping import Held
from stream.records.instants import SECOND
from stream.records.journal import Columns, Command, Entry, Tick, encode, measurements, partition_of
from stream.records.warning import Lane
from stream.region.load import load
from tests.chaos.rivers import GAUGES, RIVERS, rivers

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.records.output import Output
    from stream.region.model import Region

START = 1_700_000_000_000


@pytest.fixture(scope="module")
def region() -> Region:
    return load(rivers())


class Lanes:
    """All partitions of a journal; the same measurements and ticks whatever their number."""

    def __init__(self, region: Region, count: int) -> None:
        self.region = region
        self.fold = Fold(lambda _: region, lane=Lane.TEST, clock="broker", partitions=count)
        self.states: list[Partition] = [self.fold.initial(number) for number in range(count)]

    def activate(self) -> Lanes:
        for state in self.states:
            self._apply(state, START, encode(Command("activate", self.region.name, self.region.region_hash, lane="test")))
        return self

    def play(self, seed: int, steps: range) -> list[Output]:
        rng, outputs = random.Random(seed), []
        for step in steps:
            at = START + step * SECOND
            for river in range(RIVERS):
                rows = np.arange(river * GAUGES, (river + 1) * GAUGES, dtype="<i4")
                values = np.array([rng.choice([1.0, 2.4, 3.3, 4.6, 5.5]) for _ in rows])
                arrays = Columns(rows, np.full(GAUGES, at, "<i8"), values, np.zeros(GAUGES, "u1"))
                made = measurements(f"river{river}", self.region.region_hash, arrays)
                state = self.states[partition_of(made.domain, len(self.states))]
                outputs += self._apply(state, at, encode(made))
            if step % 2:
                for state in self.states:
                    tick = Tick(at + 10, 2.0, at - SECOND, acknowledgements_written_at=at - SECOND, lane="test")
                    outputs += self._apply(state, at + 10, encode(tick))
        return outputs

    def _apply(self, state: Partition, at: int, value: bytes) -> list[Output]:
        return self.fold.apply(state, [Entry(0, at, value)])


def said(outputs: list[Output]) -> list[tuple[str, bytes, bytes | None, int]]:
    return sorted((one.kind.value, one.key, one.value, one.sent_at) for one in outputs)  # type: ignore[type-var]


@pytest.mark.parametrize("count", [1, 3, 4, 6, 13])
def test_every_domain_is_as_it_was_and_says_the_same_afterwards(region: Region, count: int) -> None:
    before = Lanes(region, 4).activate()
    opened = before.play(count, range(40))
    assert any(one.kind == "city" and one.warning_id for one in opened)
    after = Lanes(region, count)
    dealt = repartition(before.states, count)
    after.states = [after.fold.restore(after.fold.snapshot(one)) for one in dealt]
    assert [after.fold.snapshot(one) for one in after.states] == [after.fold.snapshot(one) for one in dealt]
    assert len(digests(before.states)) == RIVERS
    assert digests(after.states) == digests(before.states)
    more, same = before.play(99, range(40, 70)), after.play(99, range(40, 70))
    assert any(one.kind == "city" and one.revision > 1 for one in more), "numbering goes on"
    assert said(same) == said(more)
    assert digests(after.states) == digests(before.states)


def test_a_digest_tells_domains_apart_that_differ_in_anything(region: Region) -> None:
    lanes = Lanes(region, 4).activate()
    lanes.play(1, range(20))
    before = digests(lanes.states)
    lanes.play(2, range(20, 21))
    assert set(before.items()) & set(digests(lanes.states).items()) == set()


def test_what_is_half_done_is_an_obstacle(region: Region) -> None:
    lanes = Lanes(region, 4).activate()
    lanes.play(1, range(20))
    assert list(obstacles(lanes.states)) == []
    lanes.states[2].core.held.append(Held(1, b"x"))
    lanes.states[3].core.active = {"rivers": "another"}
    found = list(obstacles(lanes.states))
    assert len(found) == 2
    assert "journal partition 2: 1 records wait" in found[0]
    assert "an activation is under way" in found[1]


def test_whoever_adds_to_a_partitions_state_has_to_say_what_becomes_of_it() -> None:
    assert set(Core.__struct_fields__) == KNOWN
