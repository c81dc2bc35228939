from __future__ import annotations

import pytest

from tests.region.sound import FILES, STATIONS, examined

HEADER = "upstream,downstream,lag_h,log_sd,events,intercept,slope,residual_sd\n"
GOOD = HEADER + "a/stage,b/stage,4.5,0.4,30,0.1,0.9,0.05\n"
BROKEN = {
    "unknown_series": ("a/stage,b/stagg,4.5,0.4,30,,,", "downstream", 'nearest known one is "b/stage"'),
    "series_on_no_reach": ("a/stage,s/pm25,4.5,0.4,30,,,", "downstream", "stands on no reach"),
    "no_lag": ("a/stage,b/stage,,0.4,30,,,", "lag_h", "is empty"),
    "lag_of_nothing": ("a/stage,b/stage,0,0.4,30,,,", "lag_h", "out of range"),
    "spread_below_zero": ("a/stage,b/stage,4,-0.4,30,,,", "log_sd", "out of range"),
    "no_events": ("a/stage,b/stage,4,0.4,0,,,", "events", "out of range"),
    "half_a_regression": ("a/stage,b/stage,4,0.4,30,0.1,,0.1", "slope", "is empty although intercept is given"),
    "backwards": ("b/stage,a/stage,4,0.4,30,,,", "downstream", "does not lie below"),
    "to_itself": ("b/stage,b/stage,4,0.4,30,,,", "downstream", "does not lie below"),
    "falling_slope": ("a/stage,b/stage,4,0.4,30,0.1,-1,0.1", "slope", "out of range"),
}


def problems(text):
    return examined({**FILES, "lags.csv": text})[1].sorted_problems()


def test_a_region_may_hold_learned_lags():
    region, findings = examined({**FILES, "lags.csv": GOOD})
    assert findings.sorted_problems() == ()
    [lag] = region.regressions["a/stage"]
    assert (lag.upstream, lag.downstream, lag.events, lag.line) == (("r1", 0.0), ("r2", 3.0), 30, 2)


def test_lags_without_a_regression_are_sound():
    region, findings = examined({**FILES, "lags.csv": HEADER + "a/stage,b/stage,4.5,0.4,30,,,\n"})
    assert findings.sorted_problems() == ()
    assert region.regressions == {}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_wrong_lag_is_one_problem_with_line_and_field(rule):
    row, field, words = BROKEN[rule]
    [one] = problems(f"{HEADER}{row}\n")
    assert (one.file, one.line, one.field) == ("lags.csv", 2, field)
    assert words in f"{one.problem}; {one.fix}"


def test_a_pair_stands_once():
    [one] = problems(GOOD + "a/stage,b/stage,5,0.4,30,,,\n")
    assert (one.line, one.field) == (3, "upstream")


def test_a_broken_station_is_not_reported_again_as_a_lag():
    text = STATIONS.replace("r2,3,", "r9,3,", 1)
    found = examined({**FILES, "stations.csv": text, "lags.csv": GOOD})[1].sorted_problems()
    assert {one.file for one in found} == {"stations.csv"}
