"""Do the windows hold what they promise? On rivers whose truth is known, before any detection and after one, two and four."""

from __future__ import annotations

import pytest

from tests.topology.river_truth import coverage, draw


@pytest.fixture(scope="module")
def seen():
    return draw(rivers=700, seed=20051113)


@pytest.mark.parametrize("passages", [0, 1, 2, 4])
def test_eighty_percent_of_arrivals_fall_between_p10_and_p90_before_and_after_corrections(seen, passages) -> None:
    found = coverage(seen, passages)
    print(
        f"{passages} passages: {found.p80:.1%} in P10-P90, {found.p90:.1%} in P5-P95, width {found.width:.2f} of the median, {found.cases} cases"
    )
    assert 0.75 <= found.p80 <= 0.85
    assert 0.86 <= found.p90 <= 0.94


def test_windows_narrow_with_every_passage(seen) -> None:
    widths = [coverage(seen[:60], passages).width for passages in (0, 1, 2, 4)]
    assert widths[1] < 0.75 * widths[0]
    assert widths == sorted(widths, reverse=True)


def test_rivers_that_change_faster_than_assumed_show_as_missing_coverage() -> None:
    # The test can fail: with stretches that forget each other within 50 km, learned windows are too narrow.
    assert coverage(draw(rivers=200, seed=3, correlation_km=50.0), 2).p80 < 0.72
