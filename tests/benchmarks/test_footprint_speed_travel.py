from __future__ import annotations

from tests.benchmarks.footprint_speed_travel import jurisdiction_rows, travel_rows


def test_travel_distances_are_scipys_and_every_row_is_a_figure():
    # That both give the same distances is checked inside; nothing here depends on how fast this machine is.
    rows = travel_rows(small=True)
    assert {row.by for row in rows} == {"tocsin", "scipy.sparse.csgraph", "networkx"}
    assert all(row.p50 > 0 for row in rows)


def test_few_points_change_sides_when_a_coverage_is_simplified():
    rows = {(row.question, row.by): row for row in jurisdiction_rows(small=True)}
    moved = [row for row in rows.values() if row.unit == "%"]
    assert len(moved) == 1
    assert moved[0].p50 < 2.0
    assert sum(row.unit == "us" for row in rows.values()) == 3
