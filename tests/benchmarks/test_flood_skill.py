from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.flood_data import csi, judge
from tests.region.shared import shared_file

COMMAND = Path(__file__).with_name("flood_skill.py")
DAYS = 60
SCORED = np.ones(DAYS, dtype=bool)


def mask(*days):
    found = np.zeros(DAYS, dtype=bool)
    found[list(days)] = True
    return found


@pytest.mark.parametrize(
    ("warned", "counts", "leads"),
    [
        ((19,), (1, 0, 0), [1]),
        ((13, 19), (1, 0, 0), [7]),
        ((12,), (0, 1, 1), []),
        ((20, 21), (0, 1, 0), []),
        ((24, 29), (0, 1, 0), []),
        ((30,), (0, 1, 1), []),
        ((40, 47, 55), (0, 1, 2), []),
        ((), (0, 1, 0), []),
    ],
)
def test_a_warning_hits_only_when_sent_one_to_seven_days_before(warned, counts, leads):
    rows, found = judge(mask(*warned), mask(20, 22), np.full(DAYS, 1980), SCORED)
    assert tuple(np.array(rows)[:, 1:].sum(axis=0)) == counts
    assert found == leads


def test_read_by_the_letter_a_warning_after_the_event_is_false():
    rows, _ = judge(mask(24), mask(20, 22), np.full(DAYS, 1980), SCORED, 0)
    assert [row[1:] for row in rows] == [(0, 1, 0), (0, 0, 1)]


def test_events_outside_the_scored_days_do_not_count():
    rows, _ = judge(mask(19, 50), mask(20), np.full(DAYS, 1980), ~SCORED)
    assert rows == []


def test_csi_is_hits_among_hits_misses_and_false():
    assert csi(np.array([[3, 1, 2], [0, 0, 0]])).tolist() == [0.5, 0.0]


def test_the_small_run_prints_every_contestant_and_setting_and_draws_the_plot(tmp_path):
    shared_file("rivers/danube_daily_discharge_1959_1989.csv.gz")
    done = subprocess.run(
        [sys.executable, str(COMMAND), "--small", "--out", str(tmp_path)], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (Tocsin|\(1\)[^|]*|\(2\)[^|]*|\(2b\)[^|]*) \| ([\d.]+) \[", done.stdout, re.MULTILINE)
    assert len(rows) == 8
    assert all(0.0 < float(value) <= 1.0 for _, value in rows)
    assert "penalty" in done.stdout
    assert "within days" in done.stdout
    assert (tmp_path / "flood_skill.png").stat().st_size > 10_000
    assert (tmp_path / "flood_skill.md").read_text("utf-8").strip() == done.stdout.strip()
