"""What detections teach: the laws of the correction, and the spread it starts from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.topology.places import HOUR, NOW, QUIET, river_city, source
from topology import river_learning, river_solute, river_wave
from topology.base import Conditions, Passage, Places, Reach
from topology.river_learning import Forecast, Leg, Spread, Stretch, covariance, forecast, learn, prior_forecast

LATER = 10**15
CITIES = tuple(river_city(f"c{km}", ("r", float(km))) for km in (100, 200, 300, 400, 500))
RIVER = (Reach("top", "r", 100.0, celerity_m_per_s=1.0), Reach("r", "", 600.0, celerity_m_per_s=1.0))
GRAPH = river_wave.build(Places(CITIES, RIVER), {"floor_h": 1.0})
PRIOR_H_PER_KM = 1.0 / 3.6


def hours(at: int) -> float:
    return (at - NOW) / HOUR


def asked(*passages: tuple[float, float], graph=GRAPH, **given):
    """The forecasts by city, for a source at the top of r found now, with passages (km on r, hours from now)."""
    known = tuple(Passage("r", km, NOW + round(h * HOUR)) for km, h in passages)
    found = river_wave.forecasts(graph, source(**{"reach": "r", **given}), Conditions(LATER, passages=known))
    return {ahead.reached.city_id: ahead for ahead in found}


def width(ahead) -> float:
    return hours(ahead.arrival().p90_at) - hours(ahead.arrival().p10_at)


stretches = st.builds(
    lambda a, length, share: Stretch(a, a + length, length, share), st.floats(0, 900), st.floats(0.0, 300), st.floats(0, 1)
)


@given(st.lists(stretches, min_size=1, max_size=6), st.floats(1.0, 5000.0))
def test_covariances_of_overlapping_stretches_are_a_covariance(some, correlation_km) -> None:
    matrix = covariance(Spread(0.4, correlation_km, 0.1, 0.2), some, some)
    assert matrix == pytest.approx(matrix.T, abs=1e-7)
    assert np.linalg.eigvalsh(matrix).min() > -1e-6
    assert matrix.diagonal().max() <= 0.4**2 + 0.1**2 + 0.2**2 + 1e-6


@given(stretches, stretches, st.floats(10.0, 2000.0))
def test_the_closed_form_is_the_double_integral(first, second, correlation_km) -> None:
    assume(min(first.to_km - first.from_km, second.to_km - second.from_km) > 1.0)
    x, y = (np.linspace(one.from_km, one.to_km, 801)[:-1] + (one.to_km - one.from_km) / 1600 for one in (first, second))
    by_sum = 0.16 * np.exp(-np.abs(np.subtract.outer(x, y)) / correlation_km).mean()
    assert covariance(Spread(0.4, correlation_km), [first], [second]).item() == pytest.approx(by_sum, rel=2e-3, abs=1e-7)


@given(stretches, stretches, st.floats(1.0, 5000.0))
def test_the_quick_covariance_of_two_stretches_is_the_general_one(first, second, correlation_km) -> None:
    spread = Spread(0.4, correlation_km, 0.1, 0.2)
    assert river_learning._shared(spread, first, second) == pytest.approx(covariance(spread, [first], [second]).item(), rel=1e-5, abs=1e-5)
    assert river_learning._variance(spread, first) == pytest.approx(covariance(spread, [first], [first]).item(), rel=1e-5, abs=1e-5)


def test_before_anything_is_learned_both_ways_to_ask_agree() -> None:
    spread, stretch = Spread(0.4, 300.0, 0.1, 0.2, 1.5), Stretch(0.0, 250.0, 70.0, 0.5)
    assert prior_forecast(spread, stretch).log_sd ** 2 == pytest.approx(covariance(spread, [stretch], [stretch]).item(), rel=1e-6)
    assert tuple(forecast(learn(spread, ()), stretch, 0)) == pytest.approx(tuple(prior_forecast(spread, stretch)))


@given(st.floats(0.0, 500.0), st.floats(0.0, 1.0), st.floats(0.0, 20.0), st.floats(-1.0, 1.0))
def test_quantiles_grow_with_probability(median_h, log_sd, clock_sd_h, part) -> None:
    way = Forecast(median_h, log_sd, clock_sd_h, part * log_sd * clock_sd_h * 0.5)
    found = [way.hours(p) for p in (0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99)]
    assert found == sorted(found)
    assert way.hours(0.5) == median_h


@given(st.floats(0.4, 2.5))
def test_one_exact_and_surprising_leg_moves_the_rest_of_the_way_as_far_as_the_stretches_are_alike(ratio) -> None:
    (alone,) = (forecast(learn(Spread(0.4, 1e5), [Leg(Stretch(0, 100, 30.0), 0, 1, 30.0 * ratio)]), Stretch(100, 200, 30.0), 1),)
    assert alone.median_h == pytest.approx(30.0 * ratio, rel=0.02)
    (strange,) = (forecast(learn(Spread(0.4, 1.0), [Leg(Stretch(0, 100, 30.0), 0, 1, 30.0 * ratio)]), Stretch(200, 300, 30.0), 1),)
    assert strange.median_h == pytest.approx(30.0, rel=1e-6)


def test_a_river_surely_known_is_not_corrected_only_started_anew() -> None:
    graph = river_wave.build(Places(CITIES, RIVER), {"floor_h": 1.0, "log_sd": 0.0})
    found = asked((100.0, 27.0), graph=graph)["c300"]
    # 27 h instead of 27.8: only the errors of the two detections are there to explain it, half of it each.
    assert hours(found.at(0.0)) == pytest.approx(27.0 + (100 * PRIOR_H_PER_KM - 27.0) / 2 + 200 * PRIOR_H_PER_KM, abs=0.01)


@given(st.floats(0.85, 1.15), st.floats(0.85, 1.15))
def test_nothing_is_reached_before_the_newest_passage_above_it_and_all_is_said(first, second) -> None:
    at_100 = 100 * PRIOR_H_PER_KM * first
    at_200 = at_100 + 100 * PRIOR_H_PER_KM * second
    for city_id, ahead in asked((100.0, at_100), (200.0, at_200)).items():
        if city_id in ("c300", "c400", "c500"):
            assert hours(ahead.at(-6.0)) >= at_200 - 1e-6
            assert ahead.reasons == ("corrected_by_passage", "from:r@200", "legs_learned:2")
        if city_id == "c100":
            assert hours(ahead.at(6.0)) <= at_200 + 1e-6, "it was found further down by then"


@given(st.floats(0.6, 1.6))
def test_a_passage_where_and_when_it_was_expected_narrows_every_window_and_moves_no_median(ratio) -> None:
    before = asked((100.0, 100 * PRIOR_H_PER_KM * ratio))
    expected = hours(before["c200"].at(0.0))
    after = asked((100.0, 100 * PRIOR_H_PER_KM * ratio), (200.0, expected))
    for city_id in ("c300", "c400", "c500"):
        assert width(after[city_id]) < width(before[city_id])
        assert hours(after[city_id].at(0.0)) == pytest.approx(hours(before[city_id].at(0.0)), rel=0.02)


@given(st.floats(0.8, 1.25), st.floats(1.0, 4.0))
def test_a_later_passage_makes_everything_below_later_by_at_least_as_much(ratio, delay_h) -> None:
    on_time, late = (asked((100.0, 100 * PRIOR_H_PER_KM * ratio + more)) for more in (0.0, delay_h))
    moved = [hours(late[city].at(0.0)) - hours(on_time[city].at(0.0)) for city in ("c200", "c300", "c400", "c500")]
    assert moved[0] > delay_h
    assert moved == sorted(moved), "a slower river, not just a later start"


def test_the_window_widens_with_the_way_that_remains() -> None:
    found = asked((100.0, 30.0))
    widths = [width(found[city]) for city in ("c200", "c300", "c400", "c500")]
    assert widths == sorted(widths)
    spreads = [found[city].way.log_sd for city in ("c200", "c300", "c400", "c500")]
    assert spreads == sorted(spreads), "what was learned far above says less"


@given(st.permutations([(100.0, 26.0), (200.0, 55.0), (300.0, 80.0)]))
def test_the_order_in_which_passages_are_told_does_not_matter(order) -> None:
    answers = []
    for told in (order, [(100.0, 26.0), (200.0, 55.0), (300.0, 80.0)]):
        passages = tuple(Passage("r", km, NOW + round(h * HOUR)) for km, h in told)
        answers.append(river_wave.footprint(GRAPH, source(reach="r"), Conditions(LATER, passages=passages)))
    assert answers[0] == answers[1]


def test_passages_that_do_not_concern_this_water_change_nothing() -> None:
    rows = (*RIVER, Reach("other", "r", 50.0, celerity_m_per_s=1.0), Reach("sea", "", 10.0))
    graph = river_wave.build(Places(CITIES, rows), {"floor_h": 1.0})
    asked_of = source(reach="top", reach_km=90.0)
    elsewhere = (Passage("other", 10.0, NOW), Passage("sea", 1.0, NOW), Passage("gone", 0.0, NOW), Passage("r", 601.0, NOW))
    future = (Passage("r", 100.0, LATER + 1),)
    plain = river_wave.footprint(graph, asked_of, Conditions(LATER))
    assert river_wave.footprint(graph, asked_of, Conditions(LATER, passages=elsewhere + future)) == plain


def test_what_was_learned_above_a_station_counts_when_that_station_is_the_source() -> None:
    from_above = asked((100.0, 40.0), (200.0, 80.0))["c500"]
    from_here = asked((0.0, 0.0), (100.0, 40.0), reach_km=200.0, onset_at=NOW + 80 * HOUR)["c500"]
    assert from_here.at(0.0) == pytest.approx(from_above.at(0.0), abs=HOUR / 100)
    assert from_here.legs == 2
    unlearned = asked(reach_km=200.0, onset_at=NOW + 80 * HOUR)["c500"]
    assert hours(from_here.at(0.0)) > hours(unlearned.at(0.0)) + 20


def test_a_city_passes_the_first_of_its_points_also_when_a_detection_lies_between_them() -> None:
    city = river_city("wide", ("r", 180.0), ("r", 260.0))
    graph = river_wave.build(Places((city,), RIVER), {"floor_h": 1.0})
    (ahead,) = asked((200.0, 50.0), graph=graph).values()
    assert ahead.start_at == NOW
    assert hours(ahead.at(6.0)) <= 50.0 + 1e-6


def test_a_detection_below_a_reservoir_gives_the_time_that_the_reservoir_hid() -> None:
    rows = (Reach("a", "lake", 10.0), Reach("lake", "b", 20.0, velocity_m_per_s=0.01), Reach("b", "", 100.0, velocity_m_per_s=1.0))
    graph = river_solute.build(Places((river_city("town", ("b", 72.0)),), rows), {"floor_h": 0.0})
    (hidden,) = river_solute.footprint(graph, source(reach="a"), QUIET)
    assert hidden.arrival is None
    known = Conditions(LATER, passages=(Passage("b", 0.0, NOW + 500 * HOUR),))
    (timed,) = river_solute.footprint(graph, source(reach="a"), known)
    assert timed.unknown_because == ""
    assert hours(timed.arrival.p50_at) == pytest.approx(500 + 0.89 * 20.0)
    assert timed.confidence > hidden.confidence


def test_every_leg_learned_adds_confidence() -> None:
    graph = GRAPH
    found = []
    for known in ((), ((100.0, 30.0),), ((100.0, 30.0), (200.0, 60.0))):
        passages = tuple(Passage("r", km, NOW + round(h * HOUR)) for km, h in known)
        found.append(river_wave.footprint(graph, source(reach="r"), Conditions(LATER, passages=passages))[-1].confidence)
    assert found == sorted(found)
    assert found[-1] < 0.9


@given(st.floats(0.05, 20.0))
def test_speeds_follow_the_live_discharge_within_bounds_and_doubt_grows_away_from_the_mean(relative) -> None:
    rows = (Reach("r", "", 600.0, celerity_m_per_s=1.0, velocity_m_per_s=1.0, mean_discharge_m3_per_s=100.0),)
    live = Conditions(NOW, discharge_m3_per_s={"r": 100.0 * relative})
    kept = min(10.0, max(0.1, relative))
    for module, exponent, front in ((river_wave, 0.4, 1.0), (river_solute, 0.535, 0.89)):
        graph = module.build(Places(CITIES, rows), {})
        (mean, *_), (now, *_) = (module.forecasts(graph, source(reach="r"), known) for known in (QUIET, live))
        assert hours(now.at(0.0)) == pytest.approx(front * 100 * PRIOR_H_PER_KM * kept**-exponent, rel=1e-6)
        assert now.way.log_sd == pytest.approx(math.hypot(mean.way.log_sd, 0.15 * math.log(kept)), rel=1e-9)
