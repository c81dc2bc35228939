from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.errors import TocsinError
from stream.records.lanes import Lane, belongs
from stream.region.load import load_folder
from stream.review.exercise_plan import PlanError, check, measurement, read_plan, statement

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "deploy" / "exercises").glob("*.toml"))
PLAN = """
id = "spring"
region = "rill"
kind = "scheduled"
notice_s = 5
lasts_s = 60
[title]
zh = "春季"
en = "Spring"
[[measurements]]
after_s = 1
series = "linyuan/stage"
value = 4.5
[[expect]]
city = "linhe"
level = "orange"
within_s = 20
"""


def written(tmp_path, text):
    file = tmp_path / "plan.toml"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("file", SHIPPED, ids=lambda one: one.stem)
def test_every_shipped_plan_is_sound_and_its_region_has_what_it_names(file):
    plan = read_plan(file)
    check(plan, load_folder(ROOT / "deploy" / "regions" / plan.region))
    assert plan.expected


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "scheduled"', 'kind = "sudden"', "no such kind 'sudden'"),
        ('kind = "scheduled"', 'kind = "unannounced"', "an unannounced exercise gives no notice"),
        ("lasts_s = 60", "lasts_s = 1", "ends before its last step"),
        ("lasts_s = 60", "", "lasts_s: is missing"),
        ('level = "orange"', 'level = "purple"', "no such level 'purple'"),
        ("value = 4.5", "valu = 4.5", "no such key"),
        ('id = "spring"', 'id = "Spring!"', "is no exercise id"),
        ("[[expect]]", '[[statements]]\nafter_s = 2\ncity = "linhe"\nact = "shout"\nby = "li"\n[[expect]]', "Invalid enum value"),
        ('[title]\nzh = "春季"\nen = "Spring"', "", "title: is missing"),
    ],
)
def test_a_plan_that_cannot_be_played_says_what_is_wrong(tmp_path, old, new, said):
    assert old in PLAN
    with pytest.raises(PlanError, match=said):
        read_plan(written(tmp_path, PLAN.replace(old, new)))


def test_a_plan_without_steps_or_file_is_refused(tmp_path):
    with pytest.raises(PlanError, match="nothing happens"):
        read_plan(written(tmp_path, PLAN[: PLAN.index("[[measurements]]")]))
    with pytest.raises(TocsinError, match="no file"):
        read_plan(tmp_path / "none.toml")


def test_what_the_region_does_not_have_is_named_all_at_once(tmp_path):
    plan = read_plan(written(tmp_path, PLAN.replace("linyuan/stage", "linyuan/stag").replace('"linhe"', '"linho"')))
    with pytest.raises(PlanError, match=r"(?s)linyuan/stag.*linho"):
        check(plan, load_folder(ROOT / "deploy" / "regions" / "example"))


def test_everything_a_plan_sends_says_that_it_is_of_an_exercise():
    plan = read_plan(ROOT / "deploy" / "exercises" / "lin_flood.toml")
    region = load_folder(ROOT / "deploy" / "regions" / "example")
    sent = [measurement(plan, number, region, 1_790_000_000_000).value for number in range(len(plan.measured))]
    sent += [statement(plan, number, region) for number in range(len(plan.said))]
    assert len(sent) == 4
    for value in sent:
        said = json.loads(value)["lane"]
        assert [belongs(said, lane) for lane in (Lane.EXERCISE, Lane.LIVE, Lane.TEST)] == [True, False, False]
