"""An exercise begins, is told as one, ends, and leaves nothing behind; on other lanes its commands do nothing."""

from __future__ import annotations

import json

import msgspec
import pytest

from stream.decide.fold import Fold
from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Command
from stream.records.lanes import Lane
from stream.records.output import Kind
from tests.decide.conftest import CALM, FILES, START, Story


class Exercise(Story):
    """The small river on another lane: what it is given says its lane, unless told otherwise."""

    lane = Lane.EXERCISE

    def __post_init__(self):
        super().__post_init__()
        self.outputs, self.entries = [], []
        self.fold = Fold(self.lookup, lane=self.lane, clock="broker", partitions=1)
        self.state = self.fold.initial(0)
        self.activate(START)

    def give(self, timestamp, message, said=None):
        message = msgspec.structs.replace(message, lane=self.lane.value if said is None else said)
        return super().give(timestamp, message)


@pytest.fixture
def drill(tmp_path):
    def begin(lane=Lane.EXERCISE):
        return type("Laned", (Exercise,), {"lane": lane})(dict(FILES), tmp_path)

    return begin


def flood(tale, start):
    tale.measure(start + MINUTE, CALM)
    tale.measure(start + 11 * MINUTE, CALM | {"upper": 4.5})
    tale.tick(start + 11 * MINUTE + SECOND)


def test_every_text_of_an_exercise_begins_by_saying_so_and_every_warning_names_it(drill, start):
    tale = drill()
    tale.give(start, Command("exercise", "spring"))
    flood(tale, start)
    said = [json.loads(output.value) for output in tale.outputs if output.kind is Kind.CITY]
    assert {one["type"] for one in said} == {"warning", "status"}
    assert all(one["text"]["zh"].startswith("演习") and one["text"]["en"].startswith("EXERCISE") for one in said)
    assert {one["exercise_id"] for one in said if one["type"] == "warning"} == {"spring"}
    assert {one["lane"] for one in said} == {output.lane for output in tale.outputs} == {"exercise"}


def test_at_the_end_of_an_exercise_everything_is_withdrawn_and_forgotten(drill, start):
    tale = drill()
    tale.give(start, Command("exercise", "spring"))
    flood(tale, start)
    since = len(tale.outputs)
    assert tale.told("bor")[-1][0] == "alert"
    tale.give(start + 20 * MINUTE, Command("exercise_over", "spring"))
    for city in ("ava", "bor", "cam"):
        last = tale.messages(city, since=since)[-1]
        assert (last["msg_type"], last["revision"], last["reasons"]) == ("cancel", 2, ["exercise_over"])
        assert "the exercise is over" in last["text"]["en"]
        assert tale.status(city) == "unknown"
    assert not any(one.incidents for one in tale.state.core.domains["rill"].hazards.values())
    closed = [json.loads(output.value) for output in tale.outputs[since:] if output.kind is Kind.INCIDENTS]
    assert [one["state"] for one in closed] == ["closed"]
    alert = [json.loads(output.value) for output in tale.outputs if output.kind is Kind.POSTURES]
    assert [(one["posture"], one["reason"]) for one in alert] == [("emergency", "confirmed_danger"), ("normal", "exercise_over")]
    flood(tale, start + HOUR)
    tale.give(start + HOUR, Command("exercise", "autumn"))
    assert tale.told("bor")[-1] == ("alert", "orange", "first"), "the next one begins from nothing"


def test_a_restored_exercise_goes_on_as_the_same(drill, start):
    tale = drill()
    tale.give(start, Command("exercise", "spring"))
    tale.state = tale.fold.restore(tale.fold.snapshot(tale.state))
    flood(tale, start)
    assert {one["exercise_id"] for one in tale.messages("bor")} == {"spring"}


def test_on_the_live_lane_the_commands_of_exercises_do_nothing(drill, start):
    tale = drill(Lane.LIVE)
    tale.give(start, Command("exercise", "spring"))
    flood(tale, start)
    assert tale.give(start + 20 * MINUTE, Command("exercise_over", "spring")) == []
    last = tale.messages("bor")[-1]
    assert (last["msg_type"], last["exercise_id"]) == ("alert", "")
    assert not last["text"]["en"].startswith("EXERCISE")


@pytest.mark.parametrize(("lane", "said"), [(Lane.LIVE, "exercise"), (Lane.EXERCISE, "live"), (Lane.EXERCISE, ""), (Lane.TEST, "exercise")])
def test_a_fold_counts_another_lanes_records_and_changes_nothing(drill, start, lane, said):
    tale = drill(lane)
    before = tale.fold.snapshot(tale.state)
    for message in (Command("exercise", "spring"), Command("link_test", at=start)):
        assert tale.give(start, message, said) == []
    assert tale.state.core.counts.other_lane == 2
    tale.state.core.counts.other_lane = 0
    assert tale.fold.snapshot(tale.state) == before
