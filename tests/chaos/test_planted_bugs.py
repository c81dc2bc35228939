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


class Lane:
    """A lane with one worker, and its own traffic."""

    def __init__(self, broker: Broker, prefix: str, folder: Path, *, window: str, bug: str) -> None:
        self.settings = toy_settings(broker.bootstrap, prefix)
        set_up_rivers(self.settings, rivers())
        planted = {"TOCSIN_PLANTED_BUG": bug}
        once = {"TOCSIN_FAILPOINT": window}
        later = once if "pause" in window else {}
        folder.mkdir()
        self.workers = Supervisor(self.settings, folder, PRODUCT, env={**planted, **once}, later={**planted, **later})
        self.workers.start("w1")
        self.traffic = Traffic(self.settings, gauges(Topics(prefix), self.settings.partitions), 0.1)

    def verdict(self, name: str) -> Verdict:
        """Stop the worker and compare."""
        codes = self.workers.stop()
        verdict = judged(self.settings, self.traffic, rivers())
        print(f"\n{name}: ended on their own {dict(self.workers.ended)}, at last {codes}; {verdict}")
        return verdict


@pytest.mark.parametrize("bug", WINDOWS)
def test_a_planted_bug_is_caught_and_the_unbroken_code_survives_the_same(
    broker: Broker, fresh_prefix: str, tmp_path: Path, bug: str
) -> None:
    """Both lanes at the same time, with the same traffic, the same failpoint and the same three kills."""
    window = WINDOWS[bug]
    broken = Lane(broker, f"{fresh_prefix}broken.", tmp_path / "broken", window=window, bug=bug)
    sound = Lane(broker, f"{fresh_prefix}sound.", tmp_path / "sound", window=window, bug="")
    lanes = (broken, sound)
    with broken.traffic, sound.traffic:
        for lane in lanes:
            lane.workers.wait_ready("w1")
        for _ in range(3):
            time.sleep(2.3)
            for lane in lanes:
                lane.workers.kill("w1")
            for lane in lanes:
                lane.workers.wait_ready("w1")
    time.sleep(4)
    verdicts = [lane.verdict(f"{name} with {window or 'kills only'}") for lane, name in ((broken, bug), (sound, "unbroken"))]
    assert not verdicts[0].clean, "the checker has missed the planted bug"
    assert verdicts[1].clean, f"{verdicts[1]}\n{sound.workers.tails()}"
