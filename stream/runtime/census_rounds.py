"""Counts what stands in the partitions of a worker, one after the other, so often that it is fresh and so seldom that it costs nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from stream.decide.census import together

if TYPE_CHECKING:
    from stream.decide.census import Census
    from stream.health.metrics import Metrics
    from stream.runtime.deciding import Deciding

ROUND_S = 5.0
"""Every partition is counted so often."""


async def run_census(deciding: Deciding, metrics: Metrics) -> None:
    """Count for ever. What the fold did not take is counted from where the partition stood when it was restored."""
    while True:
        held = list(deciding.held.values())
        for one in held:
            before, after = one.census, await deciding.take_census(one)
            count_not_taken(metrics, before, after)
            await asyncio.sleep(ROUND_S / len(held))
        metrics.census.now = together(one.census for one in deciding.held.values())
        metrics.partitions.set(len(deciding.held))
        if not held:
            await asyncio.sleep(ROUND_S / 10)


def count_not_taken(metrics: Metrics, before: Census, after: Census) -> None:
    """Count what came to it between two censuses of a partition."""
    metrics.repeated.inc(after.repeated - before.repeated)
    for reason, count in (after.counts - before.counts).items():
        metrics.fold_refused.labels(reason).inc(count)
