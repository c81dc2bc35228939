"""A small size of the rolling changes of `tests.chaos.rolling`, on the real broker with real processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.runtime.ending import ExitCode
from tests.chaos.rolling import Size, run
from tests.runtime.lane import toy_settings

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
SMALL = Size(rate=200.0, settle_s=2.0, period_s=16.0, flood_s=8.0)
SESSION_S = 8.0
"""How soon everybody was told is printed, and judged by the command on a machine that does nothing else (python -m tests.chaos.rolling)."""


def test_three_workers_are_restarted_in_turn_and_nothing_is_lost(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    outcome = run(toy_settings(broker.bootstrap, fresh_prefix, session_timeout_s=SESSION_S), tmp_path, "restart", SMALL)
    print(f"\n{outcome}")
    assert outcome.found.clean, outcome
    assert outcome.lost == outcome.invented == 0, outcome
    assert outcome.said > 20, outcome


def test_another_fold_version_takes_over_while_a_worker_stands_still_and_goes_on_later(
    broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    outcome = run(toy_settings(broker.bootstrap, fresh_prefix, session_timeout_s=SESSION_S), tmp_path, "upgrade", SMALL)
    print(f"\n{outcome}")
    assert outcome.found.clean, outcome
    assert outcome.lost == outcome.invented == 0, outcome
    assert outcome.ended.get(ExitCode.SUPERSEDED, 0) >= 1, outcome
    assert outcome.said > 20, outcome
