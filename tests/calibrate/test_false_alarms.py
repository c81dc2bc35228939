from __future__ import annotations

import csv
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from detectors import cusum
from detectors.base import Quality, Samples
from stream.calibrate import spans
from stream.calibrate.counting import Counted, count, replayed
from stream.calibrate.thresholds import for_budget
from stream.cli.main import app
from tests.calibrate import quiet

DAY_MS = 86_400_000
runner = CliRunner()


def days(values, first=0):
    """Daily samples of one series a column."""
    rows, flag, order = np.arange(values.shape[1]), np.ones(values.shape[1], np.uint8), np.ones(values.shape[1], np.bool_)
    return [Samples(rows, np.full(len(rows), (first + day) * DAY_MS), row, flag, order) for day, row in enumerate(values)]


def cusum_parameters(n, **changed):
    p = np.zeros(n, dtype=cusum.PARAMETERS)
    for name, default in zip(cusum.PARAMETERS.names, cusum.DEFAULTS, strict=True):
        p[name] = changed.get(name, default)
    return p


def test_an_alarm_beside_an_event_is_right_and_one_far_from_any_is_false():
    values = np.random.default_rng(0).normal(0.0, 1.0, (1000, 1))
    values[500:506] += 6.0
    values[800:806] += 6.0
    p = cusum_parameters(1, h_blue=15.0)
    given = days(values)
    plain = replayed("cusum", np.array([0]), 1, given)
    told = replayed("cusum", np.array([0]), 1, given, (np.array([505 * DAY_MS]),))
    assert count(plain, p, 900 * DAY_MS, to_the_end=True)[0].alarms == 2
    found = count(told, p, 900 * DAY_MS, to_the_end=True)[0]
    assert (found.alarms, found.right) == (1, 1)
    assert found.yearly == (0, 0, 1)


def test_an_event_after_the_split_does_not_excuse_an_alarm_before_it():
    values = np.random.default_rng(0).normal(0.0, 1.0, (1000, 1))
    values[500:506] += 6.0
    p, happened = cusum_parameters(1, h_blue=15.0), (np.array([505 * DAY_MS]),)
    told = replayed("cusum", np.array([0]), 1, days(values), happened)
    assert count(told, p, 505 * DAY_MS, to_the_end=False)[0].alarms == 1


def test_a_budget_too_small_to_count_gets_about_the_threshold_that_theory_gives():
    n, length, budget = 80, 500, 0.02
    history = replayed("cusum", np.arange(n), n, days(np.random.default_rng(3).normal(0.0, 1.0, (length, n))))
    p = for_budget(history, cusum_parameters(n, h_blue=9.0, warmup_n=50.0, tau_s=400.0 * 86_400.0), budget, length * DAY_MS)
    assert budget * n * length / 365.0 < 3.0, "alarms expected in the whole history"
    assert p["h_blue"][0] == pytest.approx(cusum.threshold_for(365.0 / budget, 0.5), rel=0.15)


def test_series_that_alarm_together_have_a_wider_interval_as_years_vary():
    together = Counted(60, 0, (0, 30, 0, 30, 0, 0), 120.0, np.empty(0))
    alone = Counted(60, 0, (9, 10, 11, 10, 9, 11), 120.0, np.empty(0))
    assert together.interval == alone.interval == alone.shared_interval
    assert together.shared_interval.lower < together.interval.lower
    assert together.shared_interval.upper > together.interval.upper


def test_a_season_is_what_its_quarter_showed_and_as_much_again_on_both_sides():
    at = np.arange(0, 365 * 4)
    values = np.where(at // 91 % 4 < 2, 3.0, 1.0)[:, None] + (at % 7 / 6.0)[:, None]
    found = spans.learn(days(values), 365 * 3 * DAY_MS)
    first = {name: cells[0] for name, cells in found.columns.items() if cells}
    assert first["climatology_min_q1"] == pytest.approx(2.0)
    assert first["climatology_max_q1"] == pytest.approx(5.0)
    assert (found.outside, found.later) == (0, 365)
    wrong_unit = values.copy()
    wrong_unit[365 * 3 + 100 :] *= 100.0
    assert spans.learn(days(wrong_unit), 365 * 3 * DAY_MS).outside == 265


def test_a_season_is_not_learned_from_few_years_nor_from_suspect_values():
    values = np.random.default_rng(1).normal(2.0, 0.1, (365 * 4, 1))
    few = spans.learn(days(values), 365 * 2 * DAY_MS)
    assert not any(few.columns.values())
    suspect = [Samples(one.rows, one.observed_at, one.value, np.full(1, Quality.SUSPECT, np.uint8), one.in_order) for one in days(values)]
    assert not any(spans.learn(suspect, 365 * 3 * DAY_MS).columns.values())
    assert spans.learn([], 0).later == 0


@pytest.fixture(scope="module")
def flooded(tmp_path_factory):
    """The quiet region with levels and a flood at some gauges in every year, calibrated on five years."""
    folder = tmp_path_factory.mktemp("flooded")
    region = quiet.region(folder / "region")
    stages = quiet.values()
    for day in range(100, len(stages), 365):
        stages[day : day + 6, :4] += np.array([0.5, 1.5, 3.0, 3.0, 1.5, 0.5])[:, None]
    data = quiet.history(folder / "history.csv", stages)
    words = ("--train-until", quiet.SPLIT, "--budget", "1.5", "--return-years", "", "--out", str(folder / "out"))
    with (region / "stations.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["red"] = str(2.0 + number / 4.0 + 2.0)
    with (region / "stations.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    done = runner.invoke(app, ["calibrate", str(region), str(data), *words])
    assert done.exit_code == 0, done.output
    return folder / "out", done.output


def test_floods_do_not_use_up_the_budget_of_false_alarms(flooded):
    _, output = flooded
    found = re.search(r"flood/cusum: nominal 1.5, learned [\d.]+ \(\d+, right (\d+)\), later ([\d.]+) \(\d+, right (\d+)\)", output)
    assert found, output
    assert int(found[1]) >= 15, "five years, four gauges"
    assert 1.0 < float(found[2]) < 2.25
    assert int(found[3]) >= 10


def test_seasons_are_written_into_the_region_and_said(flooded):
    out, output = flooded
    assert re.search(r"flood: \d+ of 1\d{4} later samples outside their season's span", output), output
    with (out / "stations.csv").open(encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    assert all(float(row[f"quality.climatology_min_q{q}"]) < float(row[f"quality.climatology_max_q{q}"]) for q in range(1, 5))
