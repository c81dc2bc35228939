from __future__ import annotations

import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from air_forecast_twin import AirForecastTwin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streams import MINUTE, as_dict, batch, rounds, streams, table

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


def played(hourly, context=None, **parameters):
    """(level, chance of the lowest limit) of every hour and site; `context`: the others' mean, (hours, sites)."""
    sites = hourly.shape[1]
    p = np.repeat(table(air_forecast, {**LIMITS, **parameters}), sites)
    state = air_forecast.initial(p)
    found = []
    for hour, row in enumerate(hourly):
        samples = batch(range(sites), [(hour * 3_600_000, value, 1, True) for value in row])
        found.append(air_forecast.step(p, state, samples if context is None else replace(samples, context=context[hour])))
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


def test_what_the_others_show_makes_the_forecast_better():
    around = np.vstack([wandering(1), wandering(1, 2)])[:, 0]
    ours = np.maximum(np.concatenate([np.full(6, 90.0), around[:-6]]) + np.random.default_rng(3).normal(size=len(around)) * 5.0, 1.0)[
        :, None
    ]
    _, alone = played(ours)
    _, told = played(ours, around[:, None])
    happened = day_means(ours)[2009:] >= 75.0
    better, worse = (((chance[2000:-9] - happened) ** 2).mean() for chance in (told, alone))
    print(f"Brier score {better:.4f} told what the others show, {worse:.4f} alone")
    assert better < 0.75 * worse


def test_nobody_around_is_the_same_as_not_being_told():
    hourly = wandering(3)[:300]
    nobody, others_like_this_one = np.full_like(hourly, np.nan), hourly
    for context in (nobody, others_like_this_one):
        for one, other in zip(played(hourly), played(hourly, context), strict=True):
            np.testing.assert_array_equal(one, other)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(data=st.data())
def test_with_what_the_others_show_it_still_agrees_with_its_scalar_twin(data):
    how = {"gaps_ms": (20 * MINUTE, 60 * MINUTE, 60 * MINUTE, 60 * MINUTE, 900 * MINUTE), "sizes": (20, 60)}
    values = st.integers(0, 900).map(lambda v: v * 0.1131 + 0.0137)
    series = [data.draw(streams(values, **how)) for _ in range(data.draw(st.integers(1, 3)))]
    seed = data.draw(st.integers(0, 100))
    p = np.repeat(table(air_forecast, {"blue_mean": 40.0, "yellow_mean": 60.0, "red_mean": 90.0, "lead_h": 6.0}), len(series))
    state, twins = air_forecast.initial(p), [AirForecastTwin(as_dict(p, row)) for row in range(len(series))]
    rng = np.random.default_rng(seed)
    for turn, (rows, samples) in enumerate(rounds(series)):
        context = np.where(rng.random(len(rows)) < 0.3, np.nan, np.abs(samples.value + rng.normal(size=len(rows)) * 20.0))
        found = air_forecast.step(p, state, replace(samples, context=context))
        for i, row in enumerate(rows):
            level, score, trend, why = twins[row].step(*series[row][turn], float(context[i]))
            assert (int(found.level[i]), air_forecast.WHY[found.why[i]]) == (level, why)
            assert (found.score[i], found.trend[i]) == pytest.approx((score, trend), rel=1e-8, abs=1e-10, nan_ok=True)


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
    assert uses[0].parameters["chance_fraction"].tolist() == [0.35] * 12
