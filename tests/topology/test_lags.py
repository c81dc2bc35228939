from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.base import Expected, Lag, Reach, TopologyError
from topology.lags import chance_above, expected_crest, learned_clock, regressions
from topology.network import build_network

THREE = build_network([Reach("a", "b", 10.0), Reach("b", "c", 20.0), Reach("c", "", 30.0), Reach("side", "b", 5.0)])


def lag(upstream, downstream, lag_h, events=30, log_sd=0.3):
    return Lag(upstream, downstream, lag_h, log_sd, events, line=2)


def reach_hours(network, clock, reach):
    at = network.index[reach]
    return float(clock.hours_per_km[at]) * network.length_km[at]


def test_a_stretch_over_several_reaches_shares_its_hours_by_their_kilometres():
    clock = learned_clock(THREE, [lag(("a", 0.0), ("c", 15.0), 9.0)])
    assert [reach_hours(THREE, clock, one) for one in "ab"] == [pytest.approx(2.0), pytest.approx(4.0)]
    assert reach_hours(THREE, clock, "c") == pytest.approx(6.0), "the rest of a reach runs at the pace of its learned part"
    assert math.isnan(clock.hours_per_km[THREE.index["side"]])
    assert math.isnan(clock.log_sd[THREE.index["side"]])
    assert clock.log_sd[THREE.index["b"]] == pytest.approx(0.3)


def test_two_stretches_over_one_reach_weigh_by_their_kilometres_on_it_and_their_events():
    clock = learned_clock(THREE, [lag(("c", 0.0), ("c", 10.0), 1.0, events=10), lag(("c", 10.0), ("c", 30.0), 6.0, events=20)])
    assert clock.hours_per_km[THREE.index["c"]] == pytest.approx((0.1 * 100 + 0.3 * 400) / 500)


@pytest.mark.parametrize("downstream", [("a", 0.0), ("side", 0.0), ("b", 3.0)])
def test_a_lag_to_a_gauge_that_is_not_below_is_refused_with_its_line(downstream):
    with pytest.raises(TopologyError) as raised:
        learned_clock(THREE, [lag(("b", 3.0), downstream, 1.0), lag(("b", 99.0), ("c", 0.0), 1.0)])
    assert [(fault.table, fault.line) for fault in raised.value.faults] == [("lags.csv", 2), ("lags.csv", 2)]


@given(st.lists(st.tuples(st.floats(0.1, 50.0), st.integers(1, 100)), min_size=1, max_size=5))
def test_the_learned_pace_lies_between_the_slowest_and_the_quickest_stretch(stretches):
    clock = learned_clock(THREE, [lag(("b", 0.0), ("b", 20.0), hours, events) for hours, events in stretches])
    hours = reach_hours(THREE, clock, "b")
    assert min(one for one, _ in stretches) * (1 - 1e-9) <= hours <= max(one for one, _ in stretches) * (1 + 1e-9)


def chained(*steps):
    return regressions(
        Lag(("a", 0.0), ("a", 1.0), 1.0, 0.3, 30, f"s{n}", f"s{n + 1}", intercept, slope, sd)
        for n, (intercept, slope, sd) in enumerate(steps)
    )


def test_a_chain_of_regressions_is_what_drawn_errors_come_to():
    steps = ((0.5, 0.9, 0.1), (-0.2, 1.2, 0.05), (1.0, 0.7, 0.2))
    found = expected_crest(chained(*steps), "s0", 80.0, {"s3"})
    rng, value = np.random.default_rng(1), np.full(200_000, math.log(80.0))
    for intercept, slope, sd in steps:
        value = intercept + slope * value + rng.normal(size=len(value)) * sd
    assert [found.p10, found.p50, found.p90] == pytest.approx(np.exp(np.quantile(value, (0.1, 0.5, 0.9))), rel=0.01)
    assert chance_above(found, 150.0) == pytest.approx((np.exp(value) >= 150.0).mean(), abs=0.005)


def test_the_first_wanted_gauge_down_the_chain_answers():
    below = chained((0.0, 1.0, 0.1), (1.0, 1.0, 0.1))
    assert expected_crest(below, "s0", 10.0, {"s1", "s2"}).series == "s1"
    assert expected_crest(below, "s0", 10.0, {"elsewhere"}) is None
    assert expected_crest(below, "s2", 10.0, {"s2"}) is None, "what is measured at the gauge itself needs no regression"


@pytest.mark.parametrize("value", [0.0, -3.0, math.nan, math.inf])
def test_a_value_without_a_logarithm_foretells_nothing(value):
    assert expected_crest(chained((0.0, 1.0, 0.1)), "s0", value, {"s1"}) is None


def test_lags_whose_crests_were_not_learned_are_no_regressions():
    assert regressions([lag(("a", 0.0), ("b", 0.0), 1.0)]) == {}


@given(st.floats(1.0, 100.0), st.floats(0.0, 1.0), st.floats(0.1, 1000.0), st.floats(0.1, 1000.0))
def test_a_higher_limit_is_never_more_likely_to_be_reached(middle, spread, one, other):
    expected = Expected("s", middle * math.exp(-spread), middle, middle * math.exp(spread))
    low, high = sorted((one, other))
    assert 0.0 <= chance_above(expected, high) <= chance_above(expected, low) <= 1.0
