"""Real floods through the fold: it states what the learned model states, and cities hear of a flood before it is there."""

from __future__ import annotations

import numpy as np
import pytest

from stream.calibrate.forecasts import stated
from tests.benchmarks import flood_fold
from tests.benchmarks.flood_data import load
from tests.region.shared import shared_file

DAYS = 40


@pytest.fixture(scope="module")
def july_1981():
    """Forty days up to the flood of July 1981, replayed with forecasts learned until 1979."""
    shared_file("rivers/danube_daily_discharge_1959_1989.csv.gz")
    floods = load((2.0, 5.0))
    learned = flood_fold.learned_for_all(floods)
    last = int(np.searchsorted(floods.at, np.datetime64("1981-07-25", "ms").astype(np.int64)))
    days = range(last - DAYS, last)
    force, messages, _ = flood_fold.replayed(floods, learned, days)
    return floods, learned, force, messages, days


def test_the_chances_that_cities_are_told_are_those_the_model_states(july_1981):
    floods, learned, _, messages, _ = july_1981
    checked = 0
    for one in messages:
        levels = {level["level"]: level for level in one["exceedance"] if level["arrives_at_p50"]}
        if one["city_id"] not in floods.above or not levels:
            continue
        day = int(np.searchsorted(floods.at, np.datetime64(one["sent_at"][:-1], "ms").astype(np.int64), "right")) - 1
        for years, colour in flood_fold.LEVELS.items():
            if colour in levels:
                level = np.array([floods.level[years][one["city_id"]]])
                chance = stated(learned, f"{one['city_id']}/discharge", level)[day, 0, -1]
                assert levels[colour]["probability"] == pytest.approx(chance, abs=2e-6)
                checked += 1
    assert checked > 20


def test_cities_are_warned_the_day_before_their_gauge_reaches_its_level(july_1981):
    floods, _, force, _, days = july_1981
    early = reached = 0
    for name in floods.above:
        above = np.flatnonzero(floods.own(name)[days.start : days.stop - 1] >= floods.level[2.0][name])
        if len(above):
            reached += 1
            early += force[name][days.start + above[0] - 1] >= flood_fold.WORDS.index("yellow")
    assert reached >= 8
    assert early >= 0.7 * reached
