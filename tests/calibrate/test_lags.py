"""Lags learned from synthetic waves whose travel times are known, and from the Danube."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from stream.calibrate.crests import crests, match
from stream.calibrate.lags import regression, spread
from stream.cli.main import app
from stream.region.load import load_folder
from tests.region.shared import REGIONS, danube_rows, write_feed
from topology.arrival import HOUR_MS, Z90

HOURS = 24 * 365 * 6
SPLIT = "2004-01-01"
LAG_H, SECOND_LAG_H, LOG_SD = 10.0, 20.0, 0.2
START_AT = 946_684_800_000  # 2000-01-01
HEAD = """
name = "waves"
[title]
zh = "波（合成）"
en = "Waves (synthetic)"
[domains.waves]
families = ["water"]
"""
FLOOD = """
family = "water"
category = "met"
quantities = ["discharge"]
footprint = "river_wave"
[[detectors]]
name = "stage"
[texts.zh]
name = "洪水"
[texts.en]
name = "flood"
"""
STATIONS = """\
station,quantity,domain,city,interval_s,timezone,reach,reach_km,red
a,discharge,waves,c0,3600,UTC,r1,0,9999
b,discharge,waves,c1,3600,UTC,r1,40,9999
c,discharge,waves,c2,3600,UTC,r2,20,9999
x,discharge,waves,-,3600,UTC,side,0,9999
"""
REACHES = "reach,downstream,length_km\nr1,r2,60\nr2,,60\nside,r2,30\n"


def region(folder):
    points = {"c0": ("r1", 0), "c1": ("r1", 40), "c2": ("r2", 20)}
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [110 + n / 10, 30]},
            "properties": {
                "id": city,
                "name_zh": city,
                "name_en": city,
                "level": "city",
                "radius_km": 3,
                "river": [{"reach": reach, "km": km}],
            },
        }
        for n, (city, (reach, km)) in enumerate(points.items())
    ]
    cities = json.dumps({"type": "FeatureCollection", "features": features})
    files = {"region.toml": HEAD, "stations.csv": STATIONS, "reaches.csv": REACHES, "cities.geojson": cities, "hazards/flood.toml": FLOOD}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def waves(seed=0, factor_after=1.0):
    """Hourly discharge at a, b, c and x: waves with lags of known median and spread, b is 2 a^0.9, c is b; x has waves of its own.

    `factor_after` multiplies the lags of the years after the split.
    """
    rng, hour = np.random.default_rng(seed), np.arange(HOURS)
    flows = {name: np.full(HOURS, 20.0) for name in "abcx"}
    split = 24 * 365 * 4
    for start in range(200, HOURS - 400, 240):
        height = math.exp(rng.normal(5.0, 0.4))
        factor = factor_after if start > split else 1.0
        at = [start + rng.uniform(0, 60)]
        for lag_h in (LAG_H, SECOND_LAG_H):
            at.append(at[-1] + factor * lag_h * math.exp(rng.normal() * LOG_SD))
        below = 2.0 * height**0.9 * math.exp(rng.normal() * 0.05)
        for name, peak_at, top in (
            ("a", at[0], height),
            ("b", at[1], below),
            ("c", at[2], below),
            ("x", start + rng.uniform(-100, 100), height),
        ):
            near = slice(max(0, int(peak_at) - 120), int(peak_at) + 120)
            flows[name][near] += (top - 20.0) * np.exp(-0.5 * ((hour[near] - peak_at) / 12.0) ** 2)
    return flows


def history(path, flows, every=1):
    lines = ["series,observed_at,value"]
    for at in range(0, HOURS - every + 1, every):
        moment = np.datetime64(START_AT + at * HOUR_MS, "ms")
        lines += [f"{name}/discharge,{moment}Z,{flow[at : at + every].mean():.3f}" for name, flow in flows.items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def learned(folder, flows, every=1):
    data = history(folder / f"{every}.csv", flows, every)
    out = folder / f"out{every}"
    words = ["calibrate", str(folder / "region"), str(data), "--train-until", SPLIT, "--return-years", "", "--out", str(out)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    rows = {(row["upstream"], row["downstream"]): row for row in csv.DictReader(io.StringIO((out / "lags.csv").read_text("utf-8")))}
    return rows, out, done.output


@pytest.fixture(scope="module")
def hourly(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hourly")
    region(folder / "region")
    return learned(folder, waves())


FIRST = ("a/discharge", "b/discharge")
SECOND = ("b/discharge", "c/discharge")


def test_known_lags_and_their_spread_are_found(hourly):
    rows, _, output = hourly
    for pair, lag_h in ((FIRST, LAG_H), (SECOND, SECOND_LAG_H)):
        assert float(rows[pair]["lag_h"]) == pytest.approx(lag_h, rel=0.08)
        assert float(rows[pair]["log_sd"]) == pytest.approx(LOG_SD, abs=0.06)
        assert int(rows[pair]["events"]) > 90
    assert "together: " in output


def test_what_crests_become_below_is_found(hourly):
    rows, _, _ = hourly
    assert float(rows[FIRST]["slope"]) == pytest.approx(0.9, abs=0.05)
    assert float(rows[FIRST]["intercept"]) == pytest.approx(math.log(2.0), abs=0.25)
    assert float(rows[FIRST]["residual_sd"]) == pytest.approx(0.05, abs=0.02)


def test_crests_that_have_nothing_to_do_with_each_other_teach_nothing(hourly):
    rows, _, _ = hourly
    assert set(rows) == {FIRST, SECOND}, "x lies above c, its waves are its own"


def test_the_copy_of_the_region_holds_what_was_learned(hourly):
    rows, out, _ = hourly
    loaded = load_folder(out)
    [lag] = loaded.regressions["a/discharge"]
    assert (lag.upstream, lag.downstream, lag.downstream_series) == (("r1", 0.0), ("r1", 40.0), "b/discharge")
    assert lag.lag_h == float(rows[FIRST]["lag_h"])


def test_later_crests_are_compared_but_not_learned_from(hourly, tmp_path):
    region(tmp_path / "region")
    rows, _, output = learned(tmp_path, waves(factor_after=2.5))
    assert rows == hourly[0]
    assert "together: 8" in hourly[2] or "together: 7" in hourly[2], "lags of later years like those learned are inside as often as said"
    assert float(output.split("together: ")[1].split("%")[0]) < 30.0, "lags of later years that doubled are not"


def test_daily_means_still_tell_lags_of_less_than_a_day(tmp_path):
    region(tmp_path / "region")
    text = (tmp_path / "region" / "stations.csv").read_text("utf-8")
    (tmp_path / "region" / "stations.csv").write_text(text.replace("3600,UTC", "86400,UTC"), "utf-8")
    rows, _, _ = learned(tmp_path, waves(), every=24)
    assert float(rows[FIRST]["lag_h"]) == pytest.approx(LAG_H, abs=2.5)
    assert float(rows[FIRST]["log_sd"]) > LOG_SD, "what a day's mean hides is part of the spread"


def test_a_crest_with_a_gap_beside_it_has_no_time():
    at, value = np.arange(20) * HOUR_MS * 24, np.ones(20)
    value[[5, 13]] = 9.0
    kept = np.delete(np.arange(20), 14)
    assert (crests(at[kept], value[kept], 2.0).at / HOUR_MS / 24).tolist() == [5.0]


def test_each_crest_is_matched_once_and_only_within_what_a_wave_can_do():
    def at(*hours):
        value = np.ones(2000)
        value[list(hours)] = 9.0
        return crests(np.arange(2000) * HOUR_MS, value, 2.0)

    found = match(at(100, 300, 500, 900), at(110, 508, 1100), 50.0)
    assert found.lag_h.tolist() == [10.0, 8.0]
    assert (found.at / HOUR_MS).tolist() == [100.0, 500.0]


@pytest.mark.parametrize("log_sd", [0.1, 0.5, 1.0])
def test_the_spread_of_log_normal_lags_is_their_own(log_sd):
    lags = 10.0 * np.exp(np.random.default_rng(3).normal(size=20_000) * log_sd)
    assert spread(lags, 10.0) == pytest.approx(log_sd, abs=0.06)
    low, high = 10.0 * np.exp(-Z90 * log_sd), 10.0 * np.exp(Z90 * log_sd)
    assert ((lags >= low) & (lags <= high)).mean() == pytest.approx(0.8, abs=0.02)


def test_crests_without_a_logarithm_have_no_regression():
    assert all(math.isnan(value) for value in regression(np.array([1.0, -2.0, 3.0]), np.array([1.0, 2.0, 3.0])))
    assert all(math.isnan(value) for value in regression(np.ones(5), np.ones(5)))


def test_the_lags_of_the_danube_are_what_calibrate_makes_of_the_years_before_1980(tmp_path):
    data = write_feed(tmp_path / "history.csv", danube_rows("1959", "1980"))
    done = CliRunner().invoke(
        app,
        [
            "calibrate",
            str(REGIONS / "danube"),
            str(data),
            "--train-until",
            "1980-01-01",
            "--return-years",
            "",
            "--out",
            str(tmp_path / "out"),
        ],
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "lags.csv").read_bytes() == (REGIONS / "danube" / "lags.csv").read_bytes()
