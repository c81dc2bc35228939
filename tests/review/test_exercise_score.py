from __future__ import annotations

import msgspec
import pytest

from stream.records.acknowledgement import Acknowledgement, Escalated
from stream.records.instants import SECOND, to_text
from stream.records.warning import MsgType
from stream.review.exercise_plan import Expected, Plan
from stream.review.exercise_score import Answered, Heard, Told, as_fields, as_table, score
from tests.records.samples import JSON

BEGAN_AT = 1_790_000_000_000


def plan(*expected):
    return Plan("spring", {"zh": "春", "en": "Spring"}, "rill", "scheduled", 0, 60, (), (), expected)


def told(city, after_s, level="orange", **other):
    fields = {
        "city_id": city, "warning_id": f"w-{city}", "incident_id": "i", "level": level, "exercise_id": "spring", "msg_type": MsgType.ALERT,
    } | other  # fmt: skip
    return Told(BEGAN_AT + after_s * SECOND, msgspec.structs.replace(JSON["city_warning"], **fields))


def answer(city, after_s, action="seen", by="li"):
    return Answered(BEGAN_AT + after_s * SECOND, city, Acknowledgement(f"w-{city}", 1, action, by))


def scored(expected, told=(), answers=(), incidents=(), over_after_s=None):
    over_at = None if over_after_s is None else BEGAN_AT + over_after_s * SECOND
    return score(plan(*expected), Heard(BEGAN_AT, over_at, told, answers, incidents))


@pytest.mark.parametrize(
    ("after_s", "level", "in_time"), [(10, "orange", True), (20, "red", True), (21, "orange", False), (10, "yellow", False)]
)
def test_a_city_is_warned_in_time_when_it_was_told_at_least_the_level_by_then(after_s, level, in_time):
    [city] = scored([Expected("bor", "orange", 20, None)], [told("bor", after_s, level)]).cities
    assert (city.in_time, city.passed, city.level) == (in_time, in_time, level)


def test_a_city_that_was_told_nothing_has_missed_it_and_one_that_should_not_be_told_was_told_falsely():
    [bor, cam] = scored([Expected("bor", "blue", 20, None), Expected("cam", "none", 20, None)], [told("cam", 5)]).cities
    assert (bor.in_time, bor.level, bor.warned_after_s) == (False, "none", None)
    assert (cam.in_time, cam.level) == (False, "orange")
    made = scored([Expected("cam", "none", 20, None)])
    assert made.cities[0].in_time is True
    assert made.passed


@pytest.mark.parametrize(("answers", "in_time", "by"), [
    ([], False, ""),
    ([answer("bor", 15)], True, "li"),
    ([answer("bor", 16)], False, "li"),
    ([answer("bor", 12, "rejected"), answer("bor", 14, by="chen")], True, "chen"),
    ([answer("cam", 12)], False, ""),
])  # fmt: skip
def test_an_answer_counts_when_it_is_the_citys_own_says_yes_and_comes_in_time(answers, in_time, by):
    [city] = scored([Expected("bor", "orange", 20, 5)], [told("bor", 10)], answers).cities
    assert (city.acknowledged_in_time, city.acknowledged_by, city.passed) == (in_time, by, in_time)


def test_without_a_plan_for_it_the_answer_is_due_when_the_warning_says():
    asked = told("bor", 10, acknowledge_by_at=to_text(BEGAN_AT + 30 * SECOND))
    for after_s, in_time in ((30, True), (31, False)):
        [city] = scored([Expected("bor", "orange", 20, None)], [asked], [answer("bor", after_s)]).cities
        assert city.acknowledged_in_time is in_time
    [quiet] = scored([Expected("bor", "orange", 20, None)], [told("bor", 10)]).cities
    assert (quiet.acknowledged_in_time, quiet.passed) == (None, True)


def test_an_answer_that_was_not_due_before_the_end_is_not_missed():
    asked = [Expected("bor", "orange", 20, 100)], [told("bor", 10)]
    [city] = scored(*asked, over_after_s=60).cities
    assert (city.acknowledged_in_time, city.passed) == (None, True)
    [city] = scored(*asked, over_after_s=111).cities
    assert (city.acknowledged_in_time, city.passed) == (False, False)


def test_how_far_up_a_warning_went_is_told_also_after_it_was_answered():
    went = [
        msgspec.structs.replace(JSON["incident"], incident_id="i", escalated=(Escalated("bor", rung, "unacknowledged", to_text(BEGAN_AT)),))
        for rung in ("reminded", "joint")
    ]
    back = msgspec.structs.replace(JSON["incident"], incident_id="i", escalated=())
    other = msgspec.structs.replace(went[0], incident_id="another", escalated=(Escalated("bor", "next", "", to_text(BEGAN_AT)),))
    [city] = scored([Expected("bor", "orange", 20, None)], [told("bor", 10)], incidents=[*went, back, other]).cities
    assert city.rung == "joint"


def test_warnings_of_another_exercise_and_withdrawals_do_not_count():
    made = scored([Expected("bor", "none", 20, None)], [told("bor", 5, exercise_id="autumn"), told("bor", 60, msg_type=MsgType.CANCEL)])
    assert made.cities[0].in_time is True


def test_a_city_nothing_was_planned_for_is_shown_and_judged_by_nothing():
    made = scored([Expected("bor", "orange", 20, None)], [told("bor", 5), told("cam", 6)])
    assert [(one.city_id, one.expected, one.in_time) for one in made.cities] == [("bor", "orange", True), ("cam", "", None)]
    assert made.passed
    assert not scored([], [told("bor", 5)]).passed, "a plan that expects nothing proves nothing"


def test_the_score_is_a_table_and_json():
    made = scored([Expected("bor", "orange", 20, 5)], [told("bor", 10)], [answer("bor", 12)])
    lines = as_table(made).splitlines()
    assert lines[0].startswith("EXERCISE spring (scheduled)")
    assert lines[0].endswith("passed")
    assert lines[2].split() == ["bor", "orange", "orange", "10", "s", "yes", "12", "s", "li", "yes", "city"]
    assert as_fields(made)["cities"][0]["passed"] is True
