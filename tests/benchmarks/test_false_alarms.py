from __future__ import annotations

import re

import numpy as np
import pytest

from detectors.base import detector
from tests.benchmarks import false_alarms, water_rates
from tests.detectors.test_contract import NAMES
from tests.region.shared import shared_file


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """(exit code, table, folder) of a small run."""
    pytest.importorskip("river", reason="the water benchmark's contestants come with the extra `bench`")
    shared_file("rivers/danube_daily_discharge_1959_1989.csv.gz")
    folder = tmp_path_factory.mktemp("rates")
    return false_alarms.main(["--small", "--out", str(folder)]), (folder / "false_alarms.md").read_text("utf-8"), folder


def test_every_detector_that_gives_p_values_is_counted(written):
    code, table, folder = written
    assert code == 0, table
    ours = re.findall(
        r"^\| (?:cusum|air_cusum|negative_binomial|nb_cusum|delayed_counts)\b[^\n]*pooled[^\n]* \| ([\d.]+) ", table, re.MULTILINE
    )
    assert len(ours) == 8, "the count detectors at two levels"
    assert all(0.4 < float(ratio) < 2.5 for ratio in ours), "few alarms only"
    statistical = {"cusum", "air_cusum", "negative_binomial", "nb_cusum", "delayed_counts", "ears"}
    for name in statistical:
        assert re.search(rf"^\| {name}[ ,|]", table, re.MULTILINE), name
        assert hasattr(detector(name), "step")
    limits = {"stage", "concentration", "rate_of_rise", "aqi", "air_forecast"}
    assert set(NAMES) <= statistical | limits, "say whether the new detector gives p-values, and count its false alarms"
    assert (folder / "reliability.png").read_bytes()[:4] == b"\x89PNG"


def test_the_intervals_stand_beside_the_ratios(written):
    rows = re.findall(r"pooled[^|]*\| \d+ \| ([\d.]+) \| (\d+) \| ([\d.]+) \(([\d.]+) to ([\d.]+)\)", written[1])
    assert len(rows) == 2
    for expected, counted, ratio, low, high in ((float(one) for one in row) for row in rows):
        assert expected >= 30
        assert 1 / 1.5 < ratio < 1.5
        assert ratio == pytest.approx(counted / expected, abs=0.006)
        assert low < ratio < high


def test_a_budget_is_counted_where_it_can_be_and_read_off_the_tail_where_not():
    counts = np.maximum(np.rint(1000.0 * np.exp(-water_rates.LIMITS)), 0.0)
    at_ten, at_one = (water_rates.chosen(counts, alarms / 100.0, 100.0) for alarms in (10.0, 1.0))
    assert at_ten == pytest.approx(np.log(1000.0 / 10.0), abs=0.2)
    assert at_one == pytest.approx(np.log(1000.0 / 1.0), abs=0.4)
