"""The checker of the chaos test can fail: each of three planted bugs is caught, while the unbroken code survives the same faults."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from stream.runtime import failpoints
from stream.runtime.topics import Topics
from tests.chaos.processes import Supervisor
from tests.chaos.rivers import PRODUCT, gauges, judged, rivers, set_up_rivers
from tests.chaos.traffic import Traffic
from tests.runtime.lane import toy_settings

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker
    from tests.chaos.compare import Verdict

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
WINDOWS = {
    # The compacted records of warnings are still to be sent when a checkpoint is written, and the process dies.
    failpoints.OUTPUTS_NOT_AWAITED: "between_city_and_warnings=pause:0.5",
    # The process dies between applying records and handing over what follows from them.
    failpoints.CHECKPOINT_BEFORE_OUTPUTS: "before_outputs=kill:8",
    failpoints.FIRST_RECORD_AFTER_REBALANCE_DROPPED: "",
}


def run(broker: Broker, prefix: str, folder: Path, *, window: str, bug: str) -> Verdict:
    """Traffic for a while, three kills, a clean stop; the verdict."""
    settings = toy_settings(broker.bootstrap, prefix)
    set_up_rivers(settings, rivers())
    planted = {"TOCSIN_PLANTED_BUG": bug}
    once = {"TOCSIN_FAILPOINT": window}
    later = once if "pause" in window else {}
    workers = Supervisor(settings, folder, PRODUCT, env={**planted, **once}, later={**planted, **later})
    workers.start("w1")
    with Traffic(settings, gauges(Topics(prefix), settings.partitions), 0.1) as traffic:
        workers.wait_ready("w1")
        for _ in range(3):
            time.sleep(2.3)
            workers.kill("w1")
            workers.wait_ready("w1")
    time.sleep(6)
    codes = workers.stop()
    verdict = judged(settings, traffic, rivers())
    print(f"\n{bug or 'unbroken'} with {window or 'kills only'}: ended on their own {dict(workers.ended)}, at last {codes}; {verdict}")
    return verdict


@pytest.mark.parametrize("bug", WINDOWS)
def test_a_planted_bug_is_caught(broker: Broker, fresh_prefix: str, tmp_path: Path, bug: str) -> None:
    assert not run(broker, fresh_prefix, tmp_path, window=WINDOWS[bug], bug=bug).clean


@pytest.mark.parametrize("bug", WINDOWS)
def test_the_unbroken_code_survives_the_same(broker: Broker, fresh_prefix: str, tmp_path: Path, bug: str) -> None:
    verdict = run(broker, fresh_prefix, tmp_path, window=WINDOWS[bug], bug="")
    assert verdict.clean, str(verdict)
