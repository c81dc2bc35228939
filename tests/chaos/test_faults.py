"""Faults on real processes: what Tocsin promises must hold while workers and the broker are killed and measurements flow."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

import pytest

from stream.decide.fold import Fold
from stream.records.journal import Measurements, columns
from stream.region.load import load
from stream.runtime.broker import Broker
from stream.runtime.region_publish import publish
from stream.runtime.topic_admin import create
from stream.runtime.topics import Topics, plan
from tests.chaos.compare import Verdict, compare
from tests.chaos.processes import Supervisor, outage
from tests.chaos.rivers import CITIES, gauges, rivers
from tests.chaos.traffic import Traffic
from tests.runtime.lane import toy_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.settings import Settings

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
PRODUCT = "tests.chaos.product_worker"


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker.start(tmp_path / "broker") as broker:
        yield broker


def set_up_rivers(settings: Settings) -> None:
    create(settings.bootstrap, plan(settings, CITIES))
    asyncio.run(publish(settings, rivers()))


def judged(settings: Settings, traffic: Traffic) -> Verdict:
    region = load(rivers())

    def item(message: Measurements, index: int) -> object:
        arrays = columns(message)
        return region.series.ids[arrays.rows[index]], int(arrays.observed_at[index])

    fold = Fold(lambda _: region, lane=settings.lane, clock=settings.clock, partitions=settings.partitions)
    return compare(settings, fold, traffic.acknowledged, CITIES, item)


def test_nothing_is_lost_or_invented_while_workers_and_the_broker_are_killed(own_broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = toy_settings(own_broker.bootstrap, fresh_prefix)
    set_up_rivers(settings)
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
            time.sleep(draw.uniform(1.5, 5.0))
            if turn % 3 == 1:
                workers.start("w2")
                changes += 1
                time.sleep(draw.uniform(3.0, 6.0))
                workers.leave("w2", gently=turn != 4)
                changes += 1
            if turn % 3 == 2:
                # The second one lasts longer than the clients' request timeout. An idempotent producer goes on retrying, so workers wait.
                outage(own_broker, settings.request_timeout_s + 4 if turn == 5 else draw.uniform(0.5, 2.0))
                outages += 1
                time.sleep(draw.uniform(2.0, 4.0))
        workers.wait_ready("w1")
        time.sleep(3)
    time.sleep(10)
    codes = workers.stop()
    verdict = judged(settings, traffic)
    print(f"\n{kills} kills, {changes} joins and leaves, {outages} broker outages in {time.monotonic() - began:.0f} s; "
          f"workers that ended on their own: {dict(workers.ended)}; {verdict}")  # fmt: skip
    assert kills >= 10
    assert changes >= 6
    assert outages >= 3
    assert codes == {"w1": 0}, workers.tails()
    assert traffic.failed == 0
    assert verdict.clean, f"{verdict}\n{workers.tails()}"
    assert verdict.figures["behind the journal's end"] == 0
    assert verdict.figures["said"] > 500
