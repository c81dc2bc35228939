from __future__ import annotations

import json

import pytest

from stream.accept.refusal import Fault, Refused
from stream.gateways.judging import Judge, Seen, series_of
from stream.gateways.verdict import Item, Verdict, Wrong
from stream.settings import Settings
from tests.accept.regions import region

NOW = 1_714_564_800_000


def stage(value: object = 1.5, minute: int = 0, **fields: object) -> dict[str, object]:
    return {"series": "upper/stage", "value": value, "unit": "m", "observed_at": f"2024-05-01T11:{minute:02d}:00Z", **fields}


def pm25() -> dict[str, object]:
    return {"station": "roof", "quantity": "pm25", "value": 80, "observed_at": "2024-05-01T11:00:00Z"}


def cases(**fields: object) -> dict[str, object]:
    period = {"period_start_at": "2024-04-30T00:00:00+08:00", "period_end_at": "2024-05-01T00:00:00+08:00"}
    return {"area": "north", "value": 4, **period, **fields}


@pytest.fixture
def judge() -> Judge:
    return Judge([region()], Settings())


def items(*fields: dict[str, object]) -> list[Item | Wrong]:
    return [Item(f"$[{at}]", one, own=True) for at, one in enumerate(fields)]


def test_each_item_gets_its_own_verdict_and_a_bad_one_costs_no_other_its_place(judge):
    found = [*items(stage(), stage("high"), pm25()), Wrong("$[3]", Fault(Refused.WRONG_TYPE, "Expected object")), *items(cases())]
    judged, records = judge.judge(found, NOW)
    assert [one.verdict.value for one in judged] == ["accepted", "rejected", "accepted", "rejected", "accepted"]
    assert [one.item for one in judged] == [0, 1, 2, 3, 4]
    assert judged[1].path == "$[1].value"
    assert "Expected float, got str" in judged[1].error
    assert judged[3].path == "$[3]"
    assert {one.family: (json.loads(one.value), one.items) for one in records} == {
        "water": (stage(), (0,)),
        "air": (pm25(), (2,)),
        "health": (cases(), (4,)),
    }


def test_what_was_remembered_is_a_duplicate_and_what_was_only_judged_is_not(judge):
    _, records = judge.judge(items(stage()), NOW)
    again, _ = judge.judge(items(stage()), NOW)
    assert again[0].verdict is Verdict.ACCEPTED
    judge.remember(records)
    judged, records = judge.judge(items(stage(), stage(minute=5), stage(minute=5), stage(2.5)), NOW)
    assert [one.verdict.value for one in judged] == ["duplicate", "accepted", "duplicate", "accepted"]
    assert [one.items for one in records] == [(1, 3)]


def test_what_is_remembered_outlives_a_change_of_regions():
    seen = Seen()
    first = Judge([region()], Settings(), seen)
    first.remember(first.judge(items(stage(), stage(minute=1)), NOW)[1])
    assert [one.verdict.value for one in Judge([region()], Settings(), seen).judge(items(stage(), stage(minute=1)), NOW)[0]] == [
        "duplicate"
    ] * 2


def test_records_stay_below_the_limit_of_the_doors_and_hold_every_item_once_in_order():
    judge = Judge([region()], Settings(door_bytes_max=400))
    judged, records = judge.judge(items(*(stage(at / 8, at) for at in range(20))), NOW)
    assert {one.verdict for one in judged} == {Verdict.ACCEPTED}
    assert max(len(one.value) for one in records) <= 400
    assert [at for one in records for at in one.items] == list(range(20))
    sent = [element for one in records for element in json.loads(one.value)]
    assert [one["value"] for one in sent] == [at / 8 for at in range(20)]


def test_nobody_speaks_for_a_series_that_is_not_theirs(judge):
    asked = []

    def may(series: str, family: str) -> bool:
        asked.append((series, family))
        return series.startswith("upper/")

    judged, records = judge.judge(items(stage(), pm25(), cases(), {**stage(), "series": "elsewhere/stage"}), NOW, may)
    assert asked == [("upper/stage", "water"), ("roof/pm25", "air"), ("north/cases", "health"), ("elsewhere/stage", "water")]
    assert [one.verdict.value for one in judged] == ["accepted", "rejected", "rejected", "rejected"]
    assert "roof/pm25" in judged[1].error
    assert "north" not in judged[2].error
    assert [one.items for one in records] == [(0,)]


def test_fields_that_a_door_ignores_stay_behind_but_those_of_case_counts_are_refused(judge):
    judged, records = judge.judge(items(stage(battery_v=3.6, name="x" * 500_000), cases(patient="Li")), NOW)
    assert [json.loads(one.value) for one in records] == [stage()]
    assert judged[1].verdict is Verdict.REJECTED
    assert "Li" not in judged[1].error
    assert "patient" not in judged[1].error


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({**stage(), "observed_at": "2024-05-01T14:00:00Z"}, "after its arrival"),
        (stage(10**5000), "more digits"),
        ({**stage(), "series": "nowhere/stage"}, "no active region"),
        ({**stage(), "unit": "kg"}, "cannot become"),
        ({"value": 1}, "missing required field"),
        ({}, "missing required field"),
    ],
)
def test_a_rejection_says_what_is_wrong(judge, fields, word):
    judged, records = judge.judge(items(fields), NOW)
    assert records == []
    assert judged[0].verdict is Verdict.REJECTED
    assert word in judged[0].error


def test_a_series_is_known_by_its_domain_and_unit(judge):
    assert (series_of(pm25()), judge.domain_of("roof/pm25"), judge.unit_of("roof/pm25")) == ("roof/pm25", "shed", "ug/m3")
    assert (judge.domain_of("nowhere/stage"), judge.unit_of("nowhere/stage"), series_of({})) == ("", "", "")


def test_the_window_of_duplicates_is_bounded():
    seen = Seen(10)
    seen.add(bytes([at]) for at in range(200))
    assert len(seen) == 10
