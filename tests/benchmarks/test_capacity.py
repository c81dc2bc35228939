"""The three commands behind the capacity page run, and what they claim to have warned was warned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.benchmarks import burst, capacity, scale
from tests.benchmarks.generated import Size

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker


def test_everything_in_a_domain_alarms_and_all_of_its_cities_are_told() -> None:
    cost = capacity.measure(Size(20, 1, 3))
    assert cost.warned > 20 + 3  # what was found, and each city
    assert cost.checkpoint_kb > 1


@pytest.mark.kafka
@pytest.mark.slow
def test_a_storm_in_one_domain_takes_no_warning_from_another(broker: Broker, tmp_path: Path) -> None:
    storm = burst.Storm(10, 6, 6, times=100)
    found = burst.measure(broker.bootstrap, tmp_path / "storm", storm, burst=True)
    assert found.own_ms is not None
    assert found.burst_per_s > 0
    assert len(found.others.ms) >= found.others.due - 2  # of the domain that storms itself the storm's own warning may come first


@pytest.mark.kafka
@pytest.mark.slow
def test_two_workers_share_the_partitions_and_decide_everything(broker: Broker, tmp_path: Path) -> None:
    figures = scale.measure(broker.bootstrap, tmp_path / "scale", scale.World(Size(120, 12, 2), 2), 2)
    assert figures.measurements == 240
    assert sum(figures.partitions) == scale.PARTITIONS
    assert min(figures.peak_mb) > 0
