from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from detectors import air_forecast
from tests.benchmarks.air_scoring import Span, by_week, csi, events, outcome, paired_interval
from tests.region.shared import shared_file

COMMAND = Path(__file__).with_name("detection_air.py")
SPAN = Span(0, 200)


def alarm(*hours):
    marked = np.zeros(200, dtype=bool)
    marked[list(hours)] = True
    return marked


def test_spells_less_than_a_day_apart_are_one_event():
    mean24 = np.zeros(200)
    mean24[[50, 51, 70, 120]] = 200.0
    assert events(mean24, 115.0) == [(50, 70), (120, 120)]


def test_only_what_was_warned_early_enough_is_a_hit():
    site = [(100, 110)]
    assert outcome(alarm(94), site, SPAN, 6) == ([100], [], [])
    assert outcome(alarm(95), site, SPAN, 6) == ([], [100], []), "five hours ahead is a miss, but no false alarm"
    assert outcome(alarm(), site, SPAN, 6) == ([], [100], [])
    assert outcome(alarm(105), site, SPAN, 6) == ([], [100], []), "an alarm during the event warns of nothing"


def test_a_standing_alarm_is_a_false_warning_every_day():
    assert outcome(alarm(*range(160)), [], SPAN, 6)[2] == [0, 24, 48, 72, 96, 120, 144]
    hits, _, false = outcome(alarm(*range(100)), [(100, 110)], SPAN, 6)
    assert false == [0, 24, 48, 72]
    assert hits == [], "the last warning came when the event was four hours away"


def test_weeks_add_up_and_a_method_does_not_differ_from_itself():
    found = {(115.0, 0): [(100, 110)], (115.0, 1): [(180, 190)]}
    alarms = {(115.0, 0): alarm(30, 90), (115.0, 1): alarm(20)}
    weeks = by_week(alarms, found, SPAN, 6)
    assert weeks.sum(axis=0).tolist() == [1.0, 1.0, 2.0]
    assert float(csi(weeks.sum(axis=0))) == 0.25
    assert paired_interval(weeks, weeks) == (0.0, 0.0, 0.0)


@pytest.mark.slow
def test_the_small_run_beats_the_simple_ones_and_its_probabilities_mean_what_they_say(tmp_path):
    shared_file("air/beijing12_pm25_hourly_201303_201506.csv.gz")
    command = [sys.executable, str(COMMAND), "--small", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "detection_air.csv").open(encoding="utf-8") as file:
        rows = {(row["ahead_h"], row["contestant"]): row for row in csv.DictReader(file)}
    assert len(rows) == 10
    for simple in ("NowCast", "hourly value"):
        assert float(rows["6", simple]["lower"]) > 0.0, "better, also at the lower end of the paired interval"
        assert float(rows["12", simple]["ours_minus"]) > 0.0, "three sites have too few events for more"
    bins = re.search(r"reliability, tuned for 6 h: (.*)", done.stdout)
    assert bins
    pairs = [[float(part) for part in re.findall(r"[\d.]+", one)] for one in bins.group(1).split(", ")]
    assert len(pairs) == 10
    assert max(abs(said - seen) for said, seen, _ in pairs) < 0.15
    shipped = dict(zip(air_forecast.PARAMETERS.names, air_forecast.DEFAULTS, strict=True))
    setting = f"lead_h={shipped['lead_h']:g} chance_fraction={shipped['chance_fraction']:g}"
    assert re.search(rf"\*  6 h air_forecast +{setting} ", done.stdout), "scored with the settings it is shipped with"
    assert (tmp_path / "detection_air.png").stat().st_size > 10_000
    assert done.stdout.count("training CSI") == 14, "every setting tried is printed"
