"""What an event teaches about its river: where it was found, when, and how long before nobody had found it there."""

from __future__ import annotations

import math

from stream.decide.conditions import conditions
from stream.records.instants import HOUR, MINUTE


def passages(tale, now):
    """Reach, instant and gap (h) of the passages that footprints are told."""
    found = conditions(now, tale.region, tale.region.hazards[0], tale.state.core.domains["rill"]).passages
    return [(one.reach, one.front_at, one.gap_h) for one in found]


def test_a_front_lies_between_the_measurement_that_found_it_and_the_one_before(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"upper": 3.5})
    ((_, found_at, first_gap_h),) = passages(tale, start + HOUR)
    assert found_at == start + HOUR
    assert 0.0 < first_gap_h <= 1.0

    tale.measure(start + 9 * HOUR, {"upper": 3.6, "middle": 2.5})
    ((_, _, gap_h),) = [one for one in passages(tale, start + 9 * HOUR) if one[0] == "r2"]
    assert 8.0 <= gap_h <= 9.0
    tale.measure(start + 10 * HOUR, {"upper": 3.7, "middle": 2.6})
    expected = [("r1", start + HOUR, first_gap_h), ("r2", start + 9 * HOUR, gap_h)]
    assert passages(tale, start + 10 * HOUR) == expected, "higher values later change nothing"


def test_a_series_that_was_never_measured_before_gives_only_a_bound(story, start):
    tale = story()
    tale.measure(start, {"upper": 3.5})
    assert passages(tale, start) == [("r1", start, math.inf)]


def test_later_values_do_not_change_what_was_looked_at_before(story, calm, start):
    answers = []
    for steps in ((10,), (1, 4, 10)):
        tale = story()
        tale.quiet(start, start + HOUR, calm)
        tale.measure(start + HOUR, {"upper": 3.5})
        for step in steps:
            tale.measure(start + HOUR + step * MINUTE, {"upper": 3.6})
        answers.append(passages(tale, start + 2 * HOUR))
    assert answers[0] == answers[1]
