from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.water_data import one_gauge, stretches
from tests.benchmarks.water_rates import Rate, upcrossings
from tests.region.shared import shared_file

COMMAND = Path(__file__).with_name("detection_water.py")


def days(*marked):
    mask = np.zeros(60, dtype=np.bool_)
    mask[list(marked)] = True
    return mask


def test_days_at_most_a_week_apart_are_one_stretch():
    assert stretches(days(3, 4, 11, 19)) == [(3, 11), (19, 19)]


@pytest.mark.parametrize(
    ("warned", "hit", "early", "false"),
    [
        ((20, 21), 1, 0, 0),
        ((19, 20), 1, 1, 0),
        ((13,), 1, 1, 0),
        ((12,), 0, 0, 1),
        ((21,), 0, 0, 0),
        ((40,), 0, 0, 1),
        (tuple(range(5, 30)), 0, 0, 0),
        ((), 0, 0, 0),
    ],
)
def test_only_a_warning_begun_in_the_week_before_is_a_hit(warned, hit, early, false):
    assert one_gauge(days(20, 21, 22), days(*warned))[:4] == (1, hit, early, false)


def test_the_poisson_interval_is_the_exact_one():
    low, high = Rate("", 10.0, 10, 1.0).interval
    assert (low, high) == (pytest.approx(0.4795, abs=1e-4), pytest.approx(1.8390, abs=1e-4))
    assert not Rate("", 10.0, 10, 1.0).passed, "ten expected alarms say too little"
    assert Rate("", 40.0, 50, 1.0).passed
    assert not Rate("", 40.0, 61, 1.0).passed


def test_an_alarm_counts_once_until_the_evidence_has_halved():
    assert upcrossings(np.array([0, 5, 4, 5, 2, 5, 1, 0, 6], dtype=float), 5.0).tolist() == [1, 5, 8]


def test_the_small_run_prints_all_tables_and_writes_table_and_plot(tmp_path):
    pytest.importorskip("river", reason="the benchmark's peers come with the extra `bench`")
    pytest.importorskip("pysad", reason="the benchmark's peers come with the extra `bench`")
    shared_file("rivers/danube_daily_discharge_1959_1989.csv.gz")
    done = subprocess.run(
        [sys.executable, str(COMMAND), "--small", "--out", str(tmp_path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "detection_water.md").read_text("utf-8")
    assert written.strip() in done.stdout
    assert (tmp_path / "detection_water.png").read_bytes()[:4] == b"\x89PNG"
    contestants = re.findall(r"^\| ([^|:]+): [^|]+\| ([\d.]+) \| ([\d.]+) \|", written, re.MULTILINE)
    assert [name.split(" ")[0] for name, *_ in contestants] == ["tocsin", "local", "local", "river", "river"]
    hits = {name: float(hit) for name, hit, _ in contestants}
    assert hits[contestants[0][0]] == 1.0, "a gauge that reached its level was never without a warning on that day"
    assert written.count("- tocsin") > 50, "all settings tried are printed"
    assert re.search(r"^\| pooled \| \d+ \| [3-9]\d\.", written, re.MULTILINE), "at least thirty false alarms were expected"
    assert "times the plain loop" in written
