"""A detector that asks what the other stations show is stepped at grid instants, in the order of each series' samples, and told the truth."""

from __future__ import annotations

import random

import numpy as np
import pytest

from detectors import air_forecast
from detectors.base import Samples
from stream.records.instants import DAY, HOUR, MINUTE, SECOND, to_text

RIVER = ("lower", "middle", "upper")
"""In the order of their rows."""
LIMITS = {"blue_mean": 2.0, "yellow_mean": 3.0, "orange_mean": 4.0, "red_mean": 5.0, "lead_h": 2.0}
AHEAD = 'name = "air_forecast"\n[detectors.parameters]\nlead_h = 2\n[rules]'


@pytest.fixture
def forecasting(story, files):
    """The small river, where the mean of the next hours is forecast and nothing else is looked at."""
    stations = (
        files["stations.csv"].replace("blue,yellow,orange,red", "blue_mean,yellow_mean,orange_mean,red_mean").replace(",600,", ",3600,")
    )
    flood = files["hazards/flood.toml"].replace('name = "stage"\n[rules]', AHEAD)
    return lambda **options: story({"hazards/flood.toml": flood, "stations.csv": stations}, **options)


def hazard(state):
    return state.bounds["rill"].hazards[0]


def levels(hours=60):
    """Values by hour and station that wander, some missing, with a rise at the end."""
    rng = random.Random(7)
    level, told = dict.fromkeys(RIVER, 1.2), []
    for hour in range(hours):
        for name in RIVER:
            level[name] = max(0.2, level[name] + rng.gauss(0.15 if hour > 40 else 0.0, 0.15))
        told.append({name: round(value, 2) for name, value in level.items() if rng.random() < 0.9 or hour < 4})
    return told


def by_hand(start, told):
    """The detector's state when each hour was given to it at once, with the plain mean of the others."""
    defaults = dict(zip(air_forecast.PARAMETERS.names, air_forecast.DEFAULTS, strict=True))
    parameters = np.array([tuple({**defaults, **LIMITS}.values())] * 3, dtype=air_forecast.PARAMETERS)
    state, newest = air_forecast.initial(parameters), {}
    for hour, values in enumerate(told):
        newest |= {name: (hour, value) for name, value in values.items()}
        for row, name in enumerate(RIVER):
            if name not in values:
                continue
            others = [value for other, (when, value) in newest.items() if other != name and hour - when <= 2]
            at = np.array([start + hour * HOUR])
            context = np.array([sum(others) / len(others) if others else np.nan])
            one = Samples(np.array([row]), at, np.array([values[name]]), np.ones(1, np.uint8), np.ones(1, np.bool_), context)
            air_forecast.step(parameters, state, one)
    return state


def assert_told_the_truth(tale, expected):
    found = hazard(tale.state).detectors[0].state
    assert not hazard(tale.state).waiting
    assert expected["level"].max() >= 2, "a quiet tale would show little"
    for name in ("level", "observed_at", "hour"):
        np.testing.assert_array_equal(found[name], expected[name])
    for name in ("beside", "coefficients", "error_variance"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-12)


def test_on_a_replay_lane_it_is_told_what_the_others_show_at_the_same_instant(forecasting, start):
    told = levels()
    tale = forecasting(clock="observed")
    for hour, values in enumerate(told):
        for name in reversed(values):
            tale.measure(start + hour * HOUR, {name: values[name]})
    tale.tick(start + 60 * HOUR, closing=True)

    assert_told_the_truth(tale, by_hand(start, told))
    assert tale.told("cam")[0][2] == "first"


def test_on_a_live_lane_it_is_told_the_same_though_messages_come_one_by_one(forecasting, start):
    told = levels()
    tale = forecasting()
    for hour, values in enumerate(told):
        at = start + hour * HOUR
        for number, name in enumerate(values):
            tale.measure(at + (1 + number) * SECOND, {name: values[name]}, at)
        tale.tick(at + 11 * MINUTE)

    assert_told_the_truth(tale, by_hand(start, told))
    assert tale.told("cam")[0][2] == "first"


def test_what_is_measured_is_judged_at_the_next_grid_instant_without_another_measurement(forecasting, start, calm):
    tale = forecasting()
    for hour in range(24):
        tale.measure(start + hour * HOUR + SECOND, calm)
    at = start + DAY
    tale.measure(at + SECOND, {**calm, "lower": 60.0})
    tale.tick(at + 9 * MINUTE)
    assert [(row, one.value) for row, (one,) in sorted(hazard(tale.state).waiting.items())] == [(0, 60.0), (1, 1.0), (2, 1.0)]
    assert tale.told("cam") == []
    tale.tick(at + 10 * MINUTE + SECOND)
    assert not hazard(tale.state).waiting
    assert [one["sent_at"] for one in tale.messages("cam")] == [to_text(at + 10 * MINUTE)]


def test_a_correction_that_comes_while_both_wait_leaves_what_the_right_value_alone_would(forecasting, start, calm):
    def told(*values):
        tale = forecasting()
        for hour in range(30):
            tale.measure(start + hour * HOUR + SECOND, calm)
        at = start + 30 * HOUR
        for number, value in enumerate(values):
            tale.measure(at + (1 + number) * SECOND, {**calm, "lower": value}, at)
        tale.tick(at + 10 * MINUTE + SECOND)
        return tale

    wrong, corrected, right = told(90.0), told(90.0, 1.1), told(1.1)
    assert wrong.told("cam")[-1][1] == "red"
    assert hazard(corrected.state).levels.max() == 0
    assert corrected.status("cam") == right.status("cam") == "clear"
    for name in ("hourly", "coefficients"):
        np.testing.assert_array_equal(*(hazard(tale.state).detectors[0].state[name][0] for tale in (corrected, right)))


def test_what_waits_when_a_region_is_changed_is_scored_before(forecasting, start, calm, change):
    tale = forecasting()
    for hour in range(24):
        tale.measure(start + hour * HOUR + SECOND, calm)
    tale.measure(start + DAY + SECOND, {**calm, "lower": 60.0})
    assert tale.told("cam") == []
    region = change(tale, stations=lambda text: text.replace("upper,stage", "uppermost,stage"))
    tale.region = region
    tale.activate(start + DAY + 2 * SECOND)

    assert [(kind, why) for kind, _, why in tale.told("cam")] == [("alert", "first")]
    assert not hazard(tale.state).waiting
