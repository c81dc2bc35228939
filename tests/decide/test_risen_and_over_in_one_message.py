"""After a stall a message may hold a danger's rise and its end: neither is lost for it."""

from __future__ import annotations

import numpy as np
import pytest

from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Columns, measurements
from tests.decide.conftest import FILES

OWN = {"hazards/flood.toml": FILES["hazards/flood.toml"].replace('footprint = "river_wave"\n', "")}


def at_once(tale, at, *values):
    """Measurements of the upper gauge, a minute apart, the last one now."""
    count = len(values)
    rows = np.full(count, tale.region.series.row_of["upper/stage"], "<i4")
    observed_at = at - MINUTE * np.arange(count, dtype="<i8")[::-1]
    arrays = Columns(rows, observed_at, np.array(values), np.zeros(count, "u1"))
    tale.give(at, measurements("rill", tale.region.region_hash, arrays))
    tale.tick(at + SECOND)


def cleared_at(tale):
    return [one["sent_at"] for one in tale.messages("ava") if one["reason"] == "cleared"]


@pytest.mark.parametrize("again", [5.5, 1.0], ids=["risen again", "calm"])
def test_a_danger_that_came_back_in_between_has_to_be_over_for_the_whole_time_again(story, start, calm, again) -> None:
    tale = story(OWN)
    tale.quiet(start, start + HOUR, {**calm, "upper": 5.5})
    tale.quiet(start + HOUR, start + HOUR + 50 * MINUTE, calm)
    at = start + HOUR + 50 * MINUTE
    at_once(tale, at, 1.0, again, again, 1.0, 1.0, 1.0, 1.0, 1.0)
    tale.quiet(at + 10 * MINUTE, at + 40 * MINUTE, calm)
    assert bool(cleared_at(tale)) is (again == 1.0)
    tale.quiet(at + 40 * MINUTE, at + 2 * HOUR, calm)
    assert len(cleared_at(tale)) == 1


def test_a_danger_that_nobody_had_heard_of_is_told_and_then_over(story, start, calm) -> None:
    tale = story(OWN)
    tale.quiet(start, start + HOUR, calm)
    at_once(tale, start + HOUR, 1.0, 5.5, 5.5, 1.0, 1.0, 1.0, 1.0, 1.0)
    assert [one[1:] for one in tale.told("ava")] == [("red", "first")]
    tale.quiet(start + HOUR + 10 * MINUTE, start + 3 * HOUR, calm)
    assert [one[2] for one in tale.told("ava")] == ["first", "cleared"]
