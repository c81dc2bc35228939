from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import travel_times as times
from tests.benchmarks.danube_travel_times import tables
from tests.region.shared import shared_file

COMMAND = Path(__file__).with_name("danube_travel_times.py")


@pytest.fixture(scope="module")
def told():
    shared_file("rivers/danube_daily_discharge_1959_1989.csv.gz")
    return tables(times.read(), small=False)


def test_the_windows_learned_before_1980_hold_as_many_later_crests_as_they_say(told):
    _, scores, (pairs, _, _) = told
    ours = next(iter(scores.values()))
    assert len(pairs) == 29
    assert len(ours.errors) > 1500
    assert 0.75 <= np.mean(ours.inside) <= 0.85


def test_learned_travel_times_are_nearer_than_any_constant_velocity(told):
    _, scores, _ = told
    ours, *others = scores.values()
    assert len(others) == 2
    assert all(np.median(ours.errors) < np.median(other.errors) for other in others)
    assert all(np.mean(ours.errors) < np.mean(other.errors) for other in others)


def test_expected_heights_hold_as_many_later_crests_as_they_say(told):
    lines, _, _ = told
    [share] = [float(found[1]) for line in lines if (found := re.search(r"Heights of \d+ later crests: .* inside P10-P90 ([\d.]+)%", line))]
    assert 75.0 <= share <= 85.0


def test_a_crest_lies_between_days_where_its_neighbours_pull_it():
    values = np.ones(30)
    values[[9, 10, 11]] = 2.0, 4.0, 3.0
    [(hour, top)] = times.crests(values, 2.0)
    assert (hour, top) == (pytest.approx(10 * 24 + 24 / 6), 4.0)


def test_the_small_run_prints_its_tables_and_writes_table_and_plot(tmp_path):
    pytest.importorskip("matplotlib", reason="plots come with the extra `bench`")
    shared_file("rivers/danube_daily_discharge_1959_1989.csv.gz")
    done = subprocess.run(
        [sys.executable, str(COMMAND), "--small", "--out", str(tmp_path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "danube_travel_times.md").read_text("utf-8")
    assert written.strip() in done.stdout
    assert (tmp_path / "danube_travel_times.png").read_bytes()[:4] == b"\x89PNG"
    assert len(re.findall(r"^\| g\d\d to g\d\d \|", written, re.MULTILINE)) == 8
    assert written.count("- learned lags, floor_h") == 7, "all settings tried are printed"
