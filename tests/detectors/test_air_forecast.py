from __future__ import annotations

import math
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import batch, table

from detectors import air_forecast
from detectors.base import Level
from stream.region.load import load_folder
from tests.region.shared import REGIONS

LIMITS = {"blue_mean": 75.0, "yellow_mean": 115.0, "orange_mean": 150.0, "red_mean": 250.0}
HOURS = 3000


def wandering(sites, seed=1):
    """(hours, sites): concentrations that wander slowly, with a daily course."""
    rng = np.random.default_rng(seed)
    level, hourly = np.zeros(sites), np.zeros((HOURS, sites))
    for hour in range(HOURS):
        level = 0.97 * level + rng.normal(size=sites) * 12.0
        hourly[hour] = np.maximum(90.0 + level + 15.0 * math.cos(2 * math.pi * hour / 24), 2.0)
    return hourly


def day_means(hourly):
    sums = np.cumsum(np.vstack([np.zeros(hourly.shape[1]), hourly]), axis=0)
    return np.vstack([np.full((23, hourly.shape[1]), np.nan), (sums[24:] - sums[:-24]) / 24.0])


def played(hourly, **parameters):
    """(level, chance of the lowest limit) of every hour and site."""
    sites = hourly.shape[1]
    p = np.repeat(table(air_forecast, {**LIMITS, **parameters}), sites)
    state = air_forecast.initial(p)
    found = [
        air_forecast.step(p, state, batch(range(sites), [(hour * 3_600_000, value, 1, True) for value in row]))
        for hour, row in enumerate(hourly)
    ]
    return np.array([f.level for f in found]), np.array([f.exceedance for f in found])


@pytest.mark.parametrize("lead", [6, 12, 24])
def test_the_chance_of_exceedance_is_what_it_says_and_knows_more_than_persistence(lead):
    hourly = wandering(12)
    _, chance = played(hourly, lead_h=float(lead))
    now, later = day_means(hourly)[1000:-lead], day_means(hourly)[1000 + lead :]
    said, happened = chance[1000:-lead], later >= 75.0
    for low in np.arange(0.0, 1.0, 0.2):
        chosen = (said >= low) & (said < low + 0.2)
        assert happened[chosen].mean() == pytest.approx(said[chosen].mean(), abs=0.1)
    brier, persistence = ((said - happened) ** 2).mean(), ((now >= 75.0) != happened).mean()
    print(f"{lead} h ahead: Brier score {brier:.4f}, persistence {persistence:.4f}")
    assert brier < 0.7 * persistence


def test_an_episode_is_foretold_hours_before_its_mean_is_there():
    hourly = wandering(1)[:600] * 0.6
    hourly[560:] = 260.0
    level, _ = played(hourly)
    mean = day_means(hourly)[:, 0]
    reached = int(np.flatnonzero(mean[560:] >= 150.0)[0])
    foretold = int(np.flatnonzero(level[560:, 0] >= Level.ORANGE)[0])
    assert reached - foretold >= 6
    assert level[500:560].max() < Level.ORANGE


@settings(max_examples=15, deadline=None)
@given(factor=st.sampled_from([0.01, 0.25, 8.0]), seed=st.integers(0, 50))
def test_the_unit_does_not_matter(factor, seed):
    hourly = wandering(3, seed)[:200]
    level, chance = played(hourly)
    scaled, same = played(hourly * factor, **{name: limit * factor for name, limit in LIMITS.items()})
    assert (level == scaled).mean() > 0.999, "but for round-off"
    np.testing.assert_allclose(chance, same, rtol=1e-6, atol=1e-9)


def test_one_absurd_hour_is_no_longer_felt_two_days_later():
    hourly = wandering(4)[:700]
    spoilt = hourly.copy()
    spoilt[500] = 1990.0  # what the range test of the shipped regions lets through
    (_, chance), (_, after) = played(hourly), played(spoilt)
    assert np.abs(chance[560:] - after[560:]).mean() < 0.05
    assert np.isfinite(after[30:]).all()


def test_without_a_quarter_of_the_day_nothing_is_said_and_a_level_is_kept():
    p = table(air_forecast, LIMITS)
    state, found = air_forecast.initial(p), []
    for hour in [*range(10), *range(60, 70)]:
        f = air_forecast.step(p, state, batch([0], [(hour * 3_600_000, 400.0 if hour < 10 else 5.0, 1, True)]))
        found.append((Level(f.level[0]), air_forecast.WHY[f.why[0]]))
    assert [why for _, why in found[:5]] == ["too_few_hours"] * 5
    assert found[9][0] is Level.RED
    assert found[10] == (Level.RED, "too_few_hours"), "two days of silence clear nothing"
    assert found[-1][0] is Level.NONE


def test_a_hazard_file_can_use_it(tmp_path):
    folder = tmp_path / "beijing"
    shutil.copytree(REGIONS / "beijing", folder)
    hazard = (folder / "hazards" / "air.toml").read_text("utf-8")
    limits = "\n".join(f"{name} = {limit}" for name, limit in LIMITS.items())
    hazard = hazard.replace('name = "aqi"', 'name = "air_forecast"').replace('table = "hj_633_2012"', limits + "\nlead_h = 17")
    (folder / "hazards" / "outlook.toml").write_text(hazard, "utf-8")
    region = load_folder(folder)
    uses = [use for one in region.hazards if one.hazard == "outlook" for use in one.detectors]
    assert [use.name for use in uses] == ["air_forecast"]
    assert uses[0].parameters["lead_h"].tolist() == [17.0] * 12
    assert uses[0].parameters["chance_fraction"].tolist() == [0.3] * 12
