"""A thousand cities: how long their topics take to exist, how long a first send to each takes, and the first warning to a city never warned."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from stream.cluster import Cluster
from stream.runtime.producer import create_producer, know_topics
from stream.runtime.topic_admin import create
from stream.runtime.topics import Topics, plan
from tests.benchmarks.generated import Size
from tests.benchmarks.lane import lane
from tests.benchmarks.latency import Pace, figures

if TYPE_CHECKING:
    from pathlib import Path

    from stream.settings import Settings

SINGLE = 100


def measure(bootstrap: str, folder: Path, count: int) -> str:
    """Topics made and sent to as the edge does it, then a worker whose region has so many cities; the lines to print."""
    size = Size(10 * count, count)
    settings = lane(bootstrap, "edge.")
    create(Cluster(bootstrap), plan(settings, ()))
    began = time.monotonic()
    create(Cluster(bootstrap), plan(settings, size.cities()))
    created_s = time.monotonic() - began
    sends = asyncio.run(_first_sends(settings, size.cities()))
    crossings_per_s = min(50, count)
    pace = Pace(1_000, max(1, count // crossings_per_s), crossings_per_s)
    first = figures(bootstrap, folder / "cities", size, pace)
    return "\n".join(
        [
            f"{count} city topics created, all leaders ready: {created_s:.2f} s",
            *sends,
            f"first warning to each of {count} cities never warned, at 1,000 measurements/s, {crossings_per_s} cities/s: {first.text()}",
        ]
    )


async def _first_sends(settings: Settings, cities: list[str]) -> list[str]:
    """The edge's producer: learn all topics at once, then the first record to each, some of them one by one."""
    topics = Topics(settings.prefix)
    names = [topics.city(city) for city in cities]
    producer = create_producer(settings)
    await producer.start()
    try:
        began = time.monotonic()
        await know_topics(producer, names)
        known_s = time.monotonic() - began
        took = []
        single, rest = names[: min(SINGLE, len(names) // 2)], names[min(SINGLE, len(names) // 2) :]
        for name in single:
            began = time.monotonic()
            await producer.send_and_wait(name, b"{}", partition=0)
            took.append((time.monotonic() - began) * 1e3)
        began = time.monotonic()
        await asyncio.gather(*[await producer.send(name, b"{}", partition=0) for name in rest])
        rest_s = time.monotonic() - began
    finally:
        await producer.stop()
    took.sort()
    return [
        f"their metadata fetched at once: {known_s:.2f} s",
        f"first send to a topic, one at a time, acknowledged: p50 {took[len(took) // 2]:.1f} ms, max {took[-1]:.1f} ms of {len(took)}",
        f"first sends to {len(rest)} topics at once, all acknowledged: {rest_s:.2f} s",
    ]
