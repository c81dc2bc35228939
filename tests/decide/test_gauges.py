"""Where history taught what crests become below, a city's own limits decide."""

from __future__ import annotations

import math

import pytest

from stream.decide.conditions import conditions
from stream.records.instants import HOUR, MINUTE
from tests.decide.reached import reached

HEADER = "upstream,downstream,lag_h,log_sd,events,intercept,slope,residual_sd\n"
HALVED = (
    HEADER + f"upper/stage,middle/stage,10,0.2,40,{math.log(0.5):.6f},1,0.1\nmiddle/stage,lower/stage,10,0.2,40,{math.log(1.2):.6f},1,0.1\n"
)


def wanted(tale, at):
    domain = tale.state.core.domains["rill"]
    sources = list(domain.hazards["flood"].sources.values())
    hazard = tale.region.hazards[0]
    return reached(tale.region, hazard, sources, conditions(at, tale.region, hazard, domain))


@pytest.fixture
def tale(story, calm, start):
    tale = story({"lags.csv": HALVED})
    tale.quiet(start, start + HOUR, calm)
    return tale


def test_a_crest_that_is_expected_to_be_lower_below_warns_at_the_level_of_the_gauge_there(tale, start):
    tale.measure(start + HOUR, {"upper": 5.5})
    assert tale.told("ava") == [("alert", "red", "first")]
    assert tale.told("bor") == [("alert", "blue", "first")], "2.75 m is above blue (2 m) and below yellow (3 m)"
    assert tale.told("cam") == [("alert", "yellow", "first")], "3.3 m"
    reasons = tale.messages("bor")[0]["reasons"]
    assert "gauge_regression" in reasons
    assert [word for word in reasons if word.startswith("expects:middle/stage=2.75[")]


def test_the_expected_value_and_its_chance_stand_in_the_answer(tale, start):
    tale.measure(start + HOUR, {"upper": 4.0})
    found = wanted(tale, start + HOUR).wanted
    bor, cam = found["bor"], found["cam"]
    assert (bor.expected.series, bor.expected.p50) == ("middle/stage", pytest.approx(2.0, rel=1e-3))
    assert bor.probability == pytest.approx(0.5, abs=0.01), "as likely as not to reach its blue level of 2 m"
    assert (cam.expected.series, cam.expected.p50) == ("lower/stage", pytest.approx(2.4, rel=1e-3))
    assert cam.expected.p90 / cam.expected.p50 == pytest.approx(math.exp(1.2816 * math.hypot(0.1, 0.1)), rel=1e-3)


def test_a_crest_that_will_not_reach_any_limit_below_warns_nobody_there(tale, start):
    tale.measure(start + HOUR, {"upper": 2.2})
    assert tale.told("ava") == [("alert", "blue", "first")]
    assert tale.told("bor") == tale.told("cam") == []


def test_a_higher_crest_is_worse_below_and_a_falling_river_above_takes_nothing_back(tale, start):
    tale.measure(start + HOUR, {"upper": 5.5})
    tale.measure(start + 2 * HOUR, {"upper": 6.5})
    tale.tick(start + 2 * HOUR + 11 * MINUTE)
    assert tale.told("bor")[-1] == ("update", "yellow", "worse")
    tale.measure(start + 2 * HOUR + 20 * MINUTE, {"upper": 5.1})
    assert wanted(tale, start + 2 * HOUR + 20 * MINUTE).wanted["bor"].level == 2, "the crest of 6.5 m is still on its way"


def test_without_a_regression_the_level_is_that_of_the_source(story, calm, start):
    tale = story({"lags.csv": HEADER + "upper/stage,middle/stage,10,0.2,40,,,\n"})
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"upper": 5.5})
    assert [tale.told(city) for city in ("bor", "cam")] == [[("alert", "red", "first")]] * 2
    assert wanted(tale, start + HOUR).wanted["bor"].expected is None
