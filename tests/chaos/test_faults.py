"""Faults on real processes: what Tocsin promises must hold while workers and the broker are killed and measurements flow."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from stream.runtime.topics import Topics
from tests.benchmarks.lane import await_decided
from tests.chaos.processes import Supervisor, outage
from tests.chaos.rivers import PRODUCT, gauges, judged, rivers, set_up_rivers
from tests.chaos.traffic import Traffic
from tests.runtime.lane import toy_settings

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_nothing_is_lost_or_invented_while_workers_and_the_broker_are_killed(own_broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = toy_settings(own_broker.bootstrap, fresh_prefix)
    set_up_rivers(settings, rivers())
    draw = random.Random(11)
    workers = Supervisor(settings, tmp_path, PRODUCT)
    workers.start("w1")
    workers.wait_ready("w1")
    kills = changes = outages = 0
    began = time.monotonic()
    with Traffic(settings, gauges(Topics(fresh_prefix), settings.partitions), 0.2) as traffic:
        time.sleep(4)
        for turn in range(10):
            workers.kill("w1")
            kills += 1
            time.sleep(draw.uniform(1.5, 4.0))
            if turn % 3 == 1:
                workers.start("w2")
                changes += 1
                time.sleep(draw.uniform(3.0, 5.0))
                workers.leave("w2", gently=turn != 4)
                changes += 1
            if turn % 3 == 2:
                # The second one lasts longer than the clients' request timeout: workers end by themselves and wait for the broker at their next start.
                outage(own_broker, settings.request_timeout_s + 4 if turn == 5 else draw.uniform(0.5, 2.0))
                outages += 1
                time.sleep(draw.uniform(2.0, 4.0))
        workers.wait_ready("w1")
        time.sleep(3)
    await_decided(settings)
    codes = workers.stop()
    verdict = judged(settings, traffic, rivers())
    print(f"\n{kills} kills, {changes} joins and leaves, {outages} broker outages in {time.monotonic() - began:.0f} s; "
          f"workers that ended on their own: {dict(workers.ended)}; {verdict}")  # fmt: skip
    assert kills >= 10
    assert changes >= 6
    assert outages >= 3
    assert codes == {"w1": 0}, workers.tails()
    assert traffic.failed == 0
    assert verdict.clean, f"{verdict}\n{workers.tails()}"
    assert verdict.figures["behind the journal's end"] <= settings.partitions, "at most a tick each, written while the worker stopped"
    assert verdict.figures["said"] > 500
