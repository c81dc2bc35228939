"""The comparison of single sensors and fused evidence runs as one command, and its parts are what they say."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.benchmarks import fewer_counts, fewer_floods, fewer_warnings
from tests.benchmarks.water_data import SHARED


def test_the_command_writes_both_tables_and_fusion_saves_warnings(tmp_path):
    if not SHARED.exists() and os.environ.get("CI") != "true":
        pytest.skip(f"{SHARED} is not there")
    assert fewer_warnings.main(["--small", "--out", str(tmp_path)]) == 0
    table = (tmp_path / "fewer_warnings.md").read_text("utf-8")
    assert "## Counts: 4 runs" in table
    assert "## Floods: Danube, 14 gauges" in table


def test_outbreaks_take_in_neighbours_only_and_add_cases():
    counts, outbreaks = fewer_counts.simulate(10_001)
    assert counts.shape == (fewer_counts.LEARNED + fewer_counts.SCORED, fewer_counts.PLACES)
    distance = fewer_counts.distances()
    assert all(distance[places[0], other] == 1 for places, _, _ in outbreaks for other in places[1:])
    inside = [
        counts[fewer_counts.LEARNED + start : fewer_counts.LEARNED + end, place].mean() / counts[:, place].mean()
        for places, start, end in outbreaks
        for place in places
    ]
    assert np.mean(inside) > 1.2


def test_a_flood_is_coming_on_the_seven_days_before_it_and_not_during_it():
    flood = np.zeros(30, bool)
    flood[20:22] = True
    assert np.flatnonzero(fewer_floods.coming(flood)).tolist() == list(range(13, 20))


def test_evidence_grows_with_rarity_and_knows_only_the_years_it_learned_from():
    flow = np.arange(1000.0)[:, None]
    said = fewer_floods.evidence(flow, 500)[:, 0]
    assert said[:250].max() == 0.0
    assert np.all(np.diff(said[:500]) >= 0)
    assert np.ptp(said[500:]) == 0.0
