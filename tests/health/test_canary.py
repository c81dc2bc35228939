"""What the canary says of itself when it hangs, and when the broker is away for the second time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from stream.health.canary import Canary, wired
from stream.health.canary_metrics import CanaryMetrics
from stream.health.exposing import READY, Health
from stream.records.lanes import Lane
from stream.runtime.topic_admin import create
from stream.runtime.topics import plan
from stream.runtime.watchdog import Watchdog
from stream.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.runtime.broker import Broker

WAIT_S = 30.0


def test_a_canary_that_hangs_is_not_healthy_whatever_it_judged_last() -> None:
    metrics, dog = CanaryMetrics(), Watchdog(60.0, monotonic=lambda: 0.0)
    canary = Canary(Settings(), metrics, intake=True)
    asked = wired(canary, metrics, dog)

    def shown() -> list[float | None]:
        return [metrics.registry.get_sample_value(name) for name in ("tocsin_canary_healthy", "tocsin_ready")]

    assert shown() == [0.0, 0.0], "before the first round nothing is known"
    canary._health = Health()
    dog.beat()
    assert shown() == [1.0, 1.0]
    for at_s in range(1, 30):
        dog.look(float(at_s))
    assert shown() == [0.0, 0.0]
    assert "the event loop has not turned" in asked[READY]().troubles[0].wrong


@pytest.mark.kafka
def test_a_second_outage_is_told_like_the_first(broker: Broker, fresh_prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    there = Settings(bootstrap=broker.bootstrap, prefix=fresh_prefix, lane=Lane.TEST, partitions=1)
    away = Settings(bootstrap="127.0.0.1:1", prefix=fresh_prefix, lane=Lane.TEST, partitions=1)
    create(there.cluster, plan(there, ()))

    def told() -> int:
        return sum(record.getMessage().startswith("no connection: ") for record in caplog.records)

    async def in_turn() -> None:
        canary = Canary(there, CanaryMetrics(), intake=True)
        for settings, so in ((away, lambda: told() == 1), (there, lambda: canary._sender is not None), (away, lambda: told() == 2)):
            canary._settings = settings
            await connected_until(canary, so)

    asyncio.run(in_turn())


async def connected_until(canary: Canary, so: Callable[[], bool]) -> None:
    connection = asyncio.create_task(canary._connected())
    async with asyncio.timeout(WAIT_S):
        while not so():  # noqa: ASYNC110  (what it asks of another object tells nobody)
            await asyncio.sleep(0.05)
    connection.cancel()
    await asyncio.wait([connection])
