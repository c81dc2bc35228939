"""Regions change under load and faults: nothing is lost, nobody hears that a danger is over that is not, and everybody is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.region_change import Size, run
from tests.runtime.lane import toy_settings

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_a_region_grows_and_a_station_moves_in_an_open_flood_while_workers_stand_still_and_die(
    broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    # How soon everybody was told is printed, and judged by the command on a machine that does nothing else (python -m tests.chaos.region_change).
    settings = toy_settings(broker.bootstrap, fresh_prefix, session_timeout_s=10.0)
    outcome = run(settings, tmp_path, Size())
    print(f"\n{outcome}")
    assert outcome.found.clean, outcome
    assert outcome.verdict.clean, outcome
    assert len(outcome.found.delays_s) > 10
