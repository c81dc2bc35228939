"""The canary notices what would keep a warning back, blames what is to blame, and promtool fires the shipped alerts on what it showed; a quiet run is quiet."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.chaos.canary_cluster import cluster
from tests.chaos.canary_faults import FAULTS, PARTITIONS, PERIODS, SILENCE, asked, play
from tests.chaos.canary_quiet import quiet
from tests.chaos.canary_seen import answered_by_promtool, promtool_available

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
IN_CI = os.environ.get("CI") == "true"
PERIOD_S = 2.0
QUIET_MINUTES = float(os.environ.get("TOCSIN_QUIET_MINUTES", "5" if IN_CI else "0.5"))


@pytest.fixture(autouse=True)
def promtool() -> None:
    if not promtool_available():
        assert not IN_CI, "promtool is needed"
        pytest.skip("no promtool on PATH: what the alerts do is not tested")


def test_every_fault_is_noticed_within_three_periods_blamed_rightly_and_alerted(tmp_path: Path) -> None:
    with cluster(tmp_path, PERIOD_S, PARTITIONS) as (one, seen):
        found = play(one, seen, PERIOD_S)
    print("\n" + "\n".join(f"{noticed.fault.name}: {noticed.noticed_s:.1f} s" for noticed in found))
    assert [noticed.fault for noticed in found] == list(FAULTS)
    for noticed in found:
        assert noticed.noticed_s <= PERIODS * PERIOD_S + 1.5, noticed  # a second of scraping
        if noticed.fault.blamed is not None:
            assert noticed.blamed == noticed.fault.blamed
    unread, frozen, stopped, broker, _ = found
    for words in (
        "journal partition 2 has",
        "measurements.air partition 1 has",
        "ingest.canary partition 0 has",
        "`tocsin intake` does not run",
    ):
        assert words in unread.said
    assert "nothing has come back since" in frozen.said
    assert "no worker runs, or all hang" in stopped.said
    assert "the broker does not take it" in broker.said
    assert answered_by_promtool(seen.scrapes + SILENCE, asked(found, PERIOD_S), tmp_path) == ""


def test_a_quiet_run_raises_no_alarm(tmp_path: Path) -> None:
    run = quiet(tmp_path, QUIET_MINUTES)
    print(f"\n{run}")
    assert run.rounds >= QUIET_MINUTES * 60 / run.period_s - 2
    assert run.missed == 0
    assert run.fired == ""
    assert run.complaints == []
