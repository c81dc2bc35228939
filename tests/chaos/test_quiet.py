"""A quiet run of the canary raises no alarm; it runs in processes of its own while the faults of this folder are played, so the machine is not idle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.chaos.canary_quiet import Quiet

if TYPE_CHECKING:
    from tests.chaos.conftest import QuietRun

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.usefixtures("promtool")]


def test_a_quiet_run_raises_no_alarm(quiet_run: QuietRun) -> None:
    run = Quiet(**json.loads(quiet_run.said()))
    print(f"\n{run}")
    assert run.minutes == quiet_run.minutes
    assert run.rounds >= run.minutes * 60 / run.period_s - 2
    assert run.missed * run.rounds <= run.answered + run.missed, "more than one round: that is no alarm yet, but not quiet"
    assert run.fired == ""
    assert run.complaints == []
