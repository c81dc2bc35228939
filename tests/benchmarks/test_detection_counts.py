"""The count benchmark runs as one command and its facts hold on a few series (development seeds; no times are checked)."""

from __future__ import annotations

import os
import re

import numpy as np
import pytest

from tests.benchmarks import count_scoring, detection_counts
from tests.benchmarks.count_outbreaks import LAST, PAST_OUTBREAKS, WEEKS, mean_of, simulate
from tests.benchmarks.count_runs import SHARED


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """(exit code, table, folder) of a small run."""
    folder = tmp_path_factory.mktemp("counts")
    code = detection_counts.main(["--small", "--development", "--out", str(folder)])
    return code, (folder / "counts.md").read_text("utf-8"), folder


def row(table, name, section):
    """The numbers of a method's row in a section."""
    line = next(line for line in table.split(section)[1].splitlines() if line.startswith(f"| {name} |"))
    return [float(number) for number in re.findall(r"\| ([\d.]+)", line)]


def test_the_command_passes_its_bars_and_writes_table_and_plots(written):
    code, table, folder = written
    assert code == 0, table
    assert "Settings tried" in table
    for name in ("detection.svg", "reliability.svg"):
        assert (folder / name).stat().st_size > 10_000


def test_every_method_detects_more_where_more_false_positives_are_allowed(written):
    for name in ("tocsin", "batch regression, true form", "plain recursive detector", "EARS C1", "EARS C2", "EARS C3"):
        found = row(written[1], name, "## B1")
        assert found == sorted(found)
        assert 0.1 < found[0] < found[2] < 0.95


def test_ears_misses_its_nominal_rate_by_far_and_ours_does_not(written):
    table = written[1].split("## B3")[1]
    ratios = {
        line.split("|")[1].strip(): float(line.split("|")[6]) for line in table.splitlines() if re.match(r"\| [a-z].*\| 0.01 \|", line)
    }
    assert all(2 / 3 <= ratios[name] <= 1.5 for name in ("negative_binomial", "nb_cusum"))
    assert all(ratios[f"ears C{method}"] > 3 for method in (1, 2, 3))


def test_the_labelled_outbreaks_are_found_as_well_as_by_the_best_stored_prediction(written):
    if not SHARED.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SHARED} is needed")
        pytest.skip(f"{SHARED} is not here")
    assert float(re.search(r"F1 ([\d.]+)", written[1]).group(1)) >= 0.889


def test_the_generator_makes_what_the_publication_describes():
    data = simulate(10_001, 40)
    assert data.counts.shape == (28 * 40, WEEKS)
    extra = data.counts - data.quiet
    assert (extra >= 0).all()
    np.testing.assert_array_equal(extra > 0, data.outbreak)
    assert not data.outbreak[:, : PAST_OUTBREAKS[0] - 1].any()
    assert data.outbreak[:, -LAST:].any(axis=1).mean() > 0.9
    for scenario, (theta_row, trend, season) in ((27, (6, 1, 1)), (16, (4, 0, 0))):
        quiet = data.quiet[data.scenario == scenario]
        assert quiet.mean() == pytest.approx(mean_of(theta_row, trend, season).mean(), rel=0.02)
    mean, phi = 2.718281828**2.5, 3.0
    assert data.quiet[data.scenario == 16].var() == pytest.approx(mean + phi * mean**2 / (1.0 + mean), rel=0.05)


def test_the_threshold_lets_exactly_the_wanted_share_of_quiet_weeks_pass():
    rng = np.random.default_rng(1)
    score, outbreak = rng.normal(size=(200, LAST)), np.zeros((200, LAST), dtype=bool)
    outbreak[:, 20] = True
    score[:, 20] += 100.0
    assert count_scoring.detected(score, outbreak, 0.02).all()
    score[:, 20] = -100.0
    assert not count_scoring.detected(score, outbreak, 0.02).any()
    low, high = count_scoring.poisson_interval(30)
    assert (low, high) == pytest.approx((20.24, 42.83), abs=0.01)
