from __future__ import annotations

import numpy as np
import pytest
from streams import table

from detectors import health
from detectors.corroboration import corroborated
from detectors.health import Health, Seen
from detectors.time_to_threshold import next_level, time_to_threshold_h

NAN = float("nan")


class Station:
    """One station, observed at grid instants."""

    def __init__(self, **parameters):
        self.p = table(health, parameters)
        self.state = health.initial(self.p)

    def observe(self, value, expected=2.0, level=0):
        seen = Seen(np.array([0]), np.array([value]), np.array([expected]), np.array([level], dtype=np.uint8))
        return Health(health.observe(self.p, self.state, seen)[0])


@pytest.mark.parametrize(
    ("value", "fault"),
    [(205.0, Health.UNIT_MISTAKE), (0.0021, Health.UNIT_MISTAKE), (21.0, Health.UNIT_MISTAKE), (-1.9, Health.SIGN_FLIP)],
)
def test_a_fault_is_named_at_the_third_observation_and_taken_back_at_the_third_good_one(value, fault):
    station = Station()
    assert [station.observe(value) for _ in range(4)] == [Health.SOUND, Health.SOUND, fault, fault]
    assert [station.observe(2.0) for _ in range(3)] == [fault, fault, Health.SOUND]


@pytest.mark.parametrize("value", [4.0, 6.0, 12.0, 40.0, 0.5])
def test_a_flood_is_no_unit_mistake(value):
    station = Station()
    assert {station.observe(value) for _ in range(20)} == {Health.SOUND}


def test_where_the_expected_value_is_near_zero_or_unknown_nothing_is_judged():
    station = Station()
    assert {station.observe(5.0, expected) for expected in (0.05, -0.01, 0.0, NAN) * 5} == {Health.SOUND}
    assert {station.observe(NAN) for _ in range(5)} == {Health.SOUND}


def test_a_slow_drift_away_from_the_neighbours_is_named_and_noise_is_not():
    rng = np.random.default_rng(0)
    drifting, steady = Station(drift_max=0.2), Station(drift_max=0.2)
    for k in range(600):
        noise = rng.normal(0.0, 0.1)
        last = drifting.observe(2.0 + 0.001 * k + noise)
        assert steady.observe(2.0 + noise) is Health.SOUND
        assert last is Health.SOUND or k > 200
    assert last is Health.DRIFTING


def test_a_level_that_goes_up_and_down_all_the_time_is_chatter_and_a_flood_is_not():
    chattering, flood = Station(), Station()
    assert Health.CHATTERING in [chattering.observe(2.0, level=k % 2) for k in range(40)]
    assert {flood.observe(2.0, level=level) for level in (0, 0, 1, 2, 3, 4, 4, 4, 3, 2, 1, 0, 0, 0)} == {Health.SOUND}


def test_stations_are_independent_rows():
    p = table(health, {}, {}, {})
    state = health.initial(p)
    for _ in range(3):
        seen = Seen(np.array([2, 0]), np.array([200.0, 2.0]), np.array([2.0, 2.0]), np.zeros(2, dtype=np.uint8))
        found = health.observe(p, state, seen)
    assert found.tolist() == [Health.UNIT_MISTAKE, Health.SOUND]
    assert state["health"].tolist() == [Health.SOUND, Health.SOUND, Health.UNIT_MISTAKE]


def test_a_neighbour_confirms_what_goes_its_way_far_enough():
    change = np.array([2.0, 2.0, -2.0, 2.0, 2.0])
    neighbours = np.array([[NAN, 0.7], [NAN, 0.5], [-3.0, NAN], [NAN, NAN], [-2.0, 0.0]])
    assert corroborated(change, neighbours).tolist() == [True, False, True, False, False]
    assert not corroborated(np.zeros(1), np.zeros((1, 1)))[0]
    assert corroborated(change, neighbours, least=1.0).tolist() == [False, False, True, False, False]


def test_the_time_to_the_next_level_is_gap_over_rate():
    limits = np.array([[2.0, 3.0, NAN, 5.0]] * 4)
    hours = time_to_threshold_h(np.array([2.5, 1.0, 6.0, 2.5]), np.array([0.25, -1.0, 0.0, NAN]), limits)
    np.testing.assert_array_equal(hours[0], [0.0, 2.0, NAN, 10.0])
    np.testing.assert_array_equal(hours[1], [np.inf, np.inf, NAN, np.inf])
    np.testing.assert_array_equal(hours[2], [0.0, 0.0, NAN, 0.0])
    np.testing.assert_array_equal(hours[3], [0.0, NAN, NAN, NAN])
    level, until = next_level(hours)
    assert level.tolist() == [2, 1, 0, 0]
    np.testing.assert_array_equal(until, [2.0, np.inf, NAN, NAN])
