from __future__ import annotations

import csv
import re

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from detectors import return_levels
from stream.calibrate.counting import poisson_interval
from stream.cli.main import app
from stream.region.load import load_folder
from stream.region.report import report
from tests.calibrate import quiet
from tests.region.shared import REGIONS, danube_rows, shared_file, write_feed

runner = CliRunner()


def calibrate(*words):
    return runner.invoke(app, ["calibrate", *(str(word) for word in words)])


def cells(folder):
    with (folder / "stations.csv").open(encoding="utf-8") as file:
        return {row["station"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """The quiet region calibrated on five years; four more are only counted."""
    folder = tmp_path_factory.mktemp("still")
    region = quiet.region(folder / "region")
    stages = quiet.values()
    data = quiet.history(folder / "history.csv", stages)
    done = calibrate(region, data, "--train-until", quiet.SPLIT, "--budget", 1.5, "--return-years", "", "--out", folder / "out")
    assert done.exit_code == 0, done.output
    return folder, done.output


def test_the_budget_is_kept_on_the_learning_years_and_met_on_later_ones(still):
    _, output = still
    found = re.search(r"flood/cusum: nominal 1.5, learned ([\d.]+) \(\d+, right 0\), later ([\d.]+) \((\d+), right 0\)", output)
    assert found, output
    learned, later, alarms = float(found[1]), float(found[2]), int(found[3])
    assert 1.2 < learned <= 1.5, "the most sensitive thresholds within the budget"
    assert alarms >= 30
    assert 1.0 < later < 2.25
    assert " within a factor 1.5" in output


def test_p_values_of_later_quiet_years_are_as_small_as_often_as_they_say(still):
    _, output = still
    share = float(re.search(r"p <= 0.01: nominal 0.01, later ([\d.]+)", output)[1])
    assert 0.006 < share < 0.015


def test_what_was_learned_stands_in_a_sound_copy_of_the_region_with_its_source(still):
    folder, _ = still
    loaded, problems, _ = report(folder / "out")
    assert problems == ()
    assert loaded is not None
    use = next(use for use in loaded.hazards[0].detectors if use.name == "cusum")
    assert len(np.unique(use.parameters["h_blue"])) == 1
    assert use.parameters["h_yellow"][0] == pytest.approx(1.5 * use.parameters["h_blue"][0], rel=1e-4), "the levels keep their distances"
    assert use.parameters["h_blue"][0] != 4.0
    head = (folder / "out" / "region.toml").read_text("utf-8")
    assert re.match(
        r"# Calibrated 20\d\d-\d\d-\d\d by `tocsin calibrate` from data before 2005-01-01 \(SHA-256 of the data [0-9a-f]{16};", head
    )
    assert "# a comment that must survive" in head
    assert (folder / "out" / "hazards" / "flood.toml").read_bytes() == (folder / "region" / "hazards" / "flood.toml").read_bytes()
    assert load_folder(folder / "region").region_hash != loaded.region_hash


@pytest.mark.slow
def test_nothing_after_the_split_is_learned_from(still, tmp_path):
    folder, _ = still
    stages = quiet.values()
    stages[365 * 5 + 2 :] += 5.0  # from 2005 on everything is different
    data = quiet.history(tmp_path / "other.csv", stages)
    out = tmp_path / "out"
    done = calibrate(folder / "region", data, "--train-until", quiet.SPLIT, "--budget", 1.5, "--return-years", "", "--out", out)
    assert done.exit_code == 0, done.output
    assert cells(out) == cells(folder / "out")


def test_a_second_calibration_replaces_the_note_of_the_first(still, tmp_path):
    folder, _ = still
    data = quiet.history(tmp_path / "short.csv", quiet.values()[:400])
    done = calibrate(folder / "out", data, "--train-until", "2000-12-01", "--return-years", "", "--out", tmp_path / "again")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "again" / "region.toml").read_text("utf-8").count("# Calibrated ") == 1


@pytest.mark.slow
def test_levels_are_learned_where_none_were_and_long_return_periods_reach_beyond_the_record(tmp_path):
    region = quiet.region(tmp_path / "region")
    rng = np.random.default_rng(3)
    stages = np.tile(quiet.values(), (2, 1))[: 365 * 14] + rng.normal(size=(365 * 14, quiet.GAUGES)) * 0.01
    data = quiet.history(tmp_path / "history.csv", stages, np.datetime64("1950-01-01"))  # before 1970
    words = ("--train-until", "1962-01-01", "--return-years", "2,5,10,50", "--year-starts", 1, "--out", tmp_path / "out")
    done = calibrate(region, data, *words)
    assert done.exit_code == 0, done.output
    learned = cells(tmp_path / "out")
    days = np.datetime64("1950-01-01") + np.arange(len(stages))
    years = days.astype("datetime64[Y]").astype(int)
    for n in (0, 7):
        maxima = np.array([stages[years == year, n].max() for year in range(-20, -8)])
        row = learned[f"g{n:02d}"]
        assert float(row["stage.blue"]) == pytest.approx(np.quantile(maxima, 0.5, method="weibull"), abs=2e-4)
        fitted = return_levels.level(return_levels.fit(maxima), np.array([50.0]))
        assert float(row["red"]) == pytest.approx(float(fitted[0]), abs=1e-3)
    assert report(tmp_path / "out")[1] == ()


@pytest.mark.slow
def test_the_danube_learned_before_1980_has_the_levels_that_are_shipped(tmp_path):
    shared_file("rivers/danube_daily_discharge_1959_1989.csv.gz")
    data = write_feed(tmp_path / "danube.csv", danube_rows("1959", "1990"))
    done = calibrate("danube", data, "--train-until", "1980-01-01", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    shipped, learned = cells(REGIONS / "danube"), cells(tmp_path / "out")
    assert set(shipped) == set(learned)
    for gauge, row in shipped.items():
        for colour in ("blue", "yellow", "orange", "red"):
            assert float(learned[gauge][colour]) == pytest.approx(float(row[colour]), abs=0.0501), "shipped ones have one decimal"
        assert {name: cell for name, cell in row.items() if name not in ("blue", "yellow", "orange", "red")}.items() <= learned[
            gauge
        ].items()
    yellow = re.search(r"yellow +2 years +nominal 0.500 a year +learned 310/620 = 0.500 +later (\d+)/310 = (0.\d+)", done.output)
    assert yellow, done.output
    assert int(yellow[1]) == 185, "counted on 1980-1989"


@pytest.mark.parametrize("count", [0, 1, 3, 10, 100, 1000])
def test_the_poisson_interval_is_close_to_the_exact_one(count):
    low, high = poisson_interval(count)
    exact = (stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0, stats.chi2.ppf(0.975, 2 * count + 2) / 2)
    assert low == pytest.approx(exact[0], rel=0.08, abs=0.11)
    assert high == pytest.approx(exact[1], rel=0.08)


@pytest.mark.parametrize(
    ("words", "line", "said"),
    [
        (("--train-until", "soon"), "g00,stage,2000-01-01,1", "'soon' is no day"),
        (("--return-years", "5,2"), "g00,stage,2000-01-01,1", "rising numbers above 1"),
        (("--return-years", "a"), "g00,stage,2000-01-01,1", "--return-years"),
        ((), "g99,stage,2000-01-01,1", "no series 'g99/stage'"),
        ((), "g00,stage,yesterday,1", "history.csv:2"),
        ((), "g00,stage,2000-01-01,high", "history.csv:2"),
        ((), "g00,stage,2000-01-01,nan", "not finite"),
        ((), "g00,stage,2000-01-01,", "no measurement in"),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_is_written(tmp_path, words, line, said):
    data = tmp_path / "history.csv"
    data.write_text(f"station,quantity,observed_at,value\n{line}\n", "utf-8")
    given = words if "--train-until" in words else (*words, "--train-until", "2005-01-01")
    done = calibrate(quiet.region(tmp_path / "region"), data, *given, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert said in done.output
    assert not (tmp_path / "out").exists()


def test_a_region_in_use_is_not_overwritten(tmp_path):
    region = quiet.region(tmp_path / "region")
    before = (region / "stations.csv").read_bytes()
    done = calibrate(region, tmp_path / "none.csv", "--train-until", "2005-01-01", "--out", region)
    assert done.exit_code == 1
    assert "exists" in done.output
    assert (region / "stations.csv").read_bytes() == before
