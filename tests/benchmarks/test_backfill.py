"""The benchmark of history beside live traffic runs, warns of everything in all three ways, and all of the bulk is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.backfill import WAYS, Load, line, measure
from tests.benchmarks.generated import Size
from tests.benchmarks.latency import Pace

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker


@pytest.mark.kafka
@pytest.mark.slow
def test_every_warning_comes_beside_a_bulk_of_which_nothing_is_left(broker: Broker, tmp_path: Path) -> None:
    load = Load(Size(60, 10), Pace(60, 3, 2), 3_000, 10.0)
    rows = list(measure(broker.bootstrap, tmp_path, load))
    assert [row.way for row in rows] == list(WAYS)
    assert all(len(row.figures.ms) == row.figures.due == load.pace.crossings for row in rows)
    assert "of the bulk in the journal meanwhile" in line(rows[1])
