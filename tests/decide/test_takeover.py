"""One version of the fold takes over from another: it is silent before, knows what was said, and goes on above it."""

from __future__ import annotations

import json

import pytest

from stream.decide.fold import Fold
from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Entry, encode
from stream.records.output import Kind
from stream.records.switching import FoldVersion, Standing
from stream.runtime.published import newest, parts
from stream.runtime.topics import Topics
from tests.chaos.two_versions import NEXT, NextFold

LANE = "test"


class Both:
    """An old version decides a story; the next one follows it in silence, and takes over."""

    def __init__(self, tale, next_fold=NextFold):
        self.tale = tale
        self.fold = next_fold(tale.lookup, lane=tale.fold._lane, clock="broker", partitions=1)
        self.state = self.fold.initial(0)
        self.offset = len(tale.entries)
        self.known = None
        self.silent = self.fold.apply(self.state, tale.entries)

    def follow(self):
        fresh, self.offset = self.tale.entries[self.offset :], len(self.tale.entries)
        made = self.fold.apply(self.state, fresh)
        self.silent += made
        return made

    def published(self):
        """What stands on the compacted topic."""
        values = [one.value for one in self.tale.outputs if one.kind is Kind.WARNINGS]
        return newest(values, Topics("t.")).values()

    def switch(self, at, before=Fold.VERSION):
        self.known = self.published() if self.known is None else self.known  # from here on the old version says nothing
        return self.give(at, FoldVersion(NEXT, before, lane=LANE))

    def stand(self, at, bytes_max=900_000):
        made = []
        for part in parts(self.known, NEXT, at, bytes_max, LANE):
            made += self.give(at, part)
        return made

    def give(self, at, message):
        return self.fold.apply(self.state, [Entry(0, at, encode(message))])


def said(outputs):
    """City, revision, level and reason of what cities hear."""
    found = [json.loads(one.value) for one in outputs if one.kind is Kind.CITY]
    return [(one["city_id"], one["revision"], one["level"], one["reason"]) for one in found if one["type"] == "warning"]


@pytest.fixture
def flooded(story, start, calm):
    """A flood that was told, and an hour of it."""
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.quiet(start + HOUR, start + 2 * HOUR, {**calm, "upper": 4.5})
    return Both(tale), start + 2 * HOUR


def test_where_both_say_the_same_nothing_is_said_again(story, start, calm, monkeypatch):
    monkeypatch.setattr(NextFold, "_measurements", Fold._measurements)
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.quiet(start + HOUR, start + 2 * HOUR, {**calm, "upper": 4.5})
    both = Both(tale)
    assert said(tale.outputs)
    assert said(both.switch(start + 2 * HOUR)) == []
    assert said(both.stand(start + 2 * HOUR)) == []
    assert both.state.core.decided_by == NEXT


def test_numbering_goes_on_above_what_was_published(flooded):
    both, at = flooded
    last = {one.warning_id: one.revision for one in both.published()}
    both.switch(at)
    both.stand(at)
    both.tale.quiet(at, at + HOUR, {"upper": 5.5, "middle": 1.0, "lower": 1.0})
    made = [one for one in both.follow() if one.kind is Kind.CITY and one.warning_id]
    assert made
    assert all(one.revision > last.get(one.warning_id, 0) for one in made)
    assert len({(one.warning_id, one.revision) for one in made}) == len(made)


def test_what_comes_before_it_is_known_what_stands_is_decided_afterwards(flooded):
    both, at = flooded
    both.switch(at)
    for minutes in (1, 11, 21):
        both.tale.measure(at + minutes * MINUTE, {"upper": 5.5, "middle": 1.0, "lower": 1.0})
    assert both.follow() == []
    made = said(both.stand(at + 22 * MINUTE))
    assert any(level == "red" and reason == "worse" for _, _, level, reason in made)


def test_a_danger_that_came_and_went_while_nobody_spoke_is_told_and_holds_before_it_is_over(story, start, calm):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    both = Both(tale)
    both.known = both.published()  # here the old version's last worker is gone
    tale.quiet(start + HOUR, start + HOUR + 30 * MINUTE, {**calm, "upper": 4.5})
    at = start + HOUR + 50 * MINUTE
    tale.quiet(start + HOUR + 30 * MINUTE, at, calm)
    assert said(both.follow())
    both.switch(at)
    made = both.stand(at)
    cities = {one[0] for one in said(made)}
    assert cities
    stood = [json.loads(one.value) for one in made if one.kind is Kind.CITY_STATUS]
    assert {one["city_id"] for one in stood if one["state"] == "warned"} == cities
    tale.quiet(at, at + 3 * HOUR, calm)
    later = said(both.follow())
    assert ("ava", "cleared") in {(one[0], one[3]) for one in later}  # downstream it is still expected
    numbers = {city: [one[1] for one in [*said(made), *later] if one[0] == city] for city in cities}
    assert all(found == sorted(set(found)) for found in numbers.values())


@pytest.mark.parametrize(("lag", "well"), [(2 * SECOND, True), (MINUTE, False)], ids=["doors are read", "doors lag"])
def test_nobody_is_told_anew_that_all_is_well_while_doors_lag(story, start, calm, lag, well):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    both, at = Both(tale), start + HOUR
    both.state.core.doors_written_at = both.state.core.time.reached_at - lag
    both.switch(at)
    stood = [json.loads(one.value) for one in both.stand(at) if one.kind is Kind.CITY_STATUS]
    assert any(one["state"] == "clear" for one in stood) is well


class Lower(NextFold):
    """A version that takes every stage for half a metre lower."""

    higher_m = -0.5


def test_a_lower_level_has_to_hold_before_it_is_told(story, start, calm):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.quiet(start + HOUR, start + 2 * HOUR, {**calm, "upper": 5.2})
    at = start + 2 * HOUR
    both = Both(tale, Lower)
    both.switch(at)
    assert {one[2] for one in said(tale.outputs)} == {"red"}
    assert "better" not in {one[3] for one in said(both.stand(at))}
    tale.quiet(at, at + 40 * MINUTE, {**calm, "upper": 5.2})
    assert said(both.follow()) == []
    tale.quiet(at + 40 * MINUTE, at + 2 * HOUR, {**calm, "upper": 5.2})
    assert {(level, reason) for _, _, level, reason in said(both.follow())} == {("orange", "better")}


def test_a_switch_or_a_set_that_is_repeated_changes_nothing(flooded):
    both, at = flooded
    both.switch(at)
    both.switch(at)
    both.stand(at)
    digest = both.fold.snapshot(both.state)
    assert both.switch(at + MINUTE) == []
    assert both.stand(at + MINUTE) == []
    assert both.fold.snapshot(both.state) == digest


def test_a_set_in_parts_of_which_one_was_broken_off_counts_when_it_is_whole(flooded):
    both, at = flooded
    both.switch(at)
    whole = parts(both.known, NEXT, at, 1, LANE)
    assert len(whole) > 1
    both.give(at, whole[0])
    assert both.state.core.takeover is not None
    restored = both.fold.restore(both.fold.snapshot(both.state))
    both.state = restored
    both.stand(at + 1, 1)
    assert both.state.core.decided_by == NEXT


def test_a_takeover_by_another_version_ends_a_turn(flooded):
    both, at = flooded
    both.switch(at)
    both.stand(at)
    both.give(at, FoldVersion("7", NEXT, 1, lane=LANE))
    assert both.state.core.decided_by == "7"
    assert both.give(at, Standing("7", at, 0, 1, (), turn=1, lane=LANE)) == []


def test_another_lane_s_switch_is_refused(flooded):
    both, at = flooded
    both.give(at, FoldVersion(NEXT, Fold.VERSION, lane="live"))
    assert both.state.core.takeover is None
    assert both.fold.other_lane(both.state) == 1
