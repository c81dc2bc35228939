"""A gateway's producer, made anew each time Kafka comes back: an old one knows old addresses, and what it still holds is on the disk by then."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from stream.runtime.producer import BATCH_BYTES, LINGER_MS, REQUEST_BYTES, know_topics
from stream.runtime.reach import reach
from stream.runtime.topic_admin import create
from stream.runtime.topics import plan

if TYPE_CHECKING:
    from collections.abc import Collection

    from stream.cluster import Cluster
    from stream.settings import Settings

log = logging.getLogger(__name__)


async def connect(settings: Settings, topics: Collection[str], patience_s: float) -> AIOKafkaProducer:
    """A started producer that knows these topics, which are made if they are the lane's and missing.

    It gives up what is not acknowledged within `patience_s`. Raises KafkaError, BrokerError, OSError or TimeoutError.
    """
    # Not idempotent: such a producer retries for ever. Nor is order at risk, because one batch of a partition is under way at a time.
    producer = AIOKafkaProducer(
        **settings.cluster.aiokafka(),
        client_id=f"{settings.group}-gateway-{settings.instance}",
        acks="all",
        linger_ms=LINGER_MS,
        max_batch_size=BATCH_BYTES,
        max_request_size=REQUEST_BYTES,
        request_timeout_ms=int(patience_s * 1000),
    )
    try:
        await _begin(settings.cluster, producer)
        await asyncio.to_thread(create, settings.cluster, [one for one in plan(settings, ()) if one.name in topics])
        await know_topics(producer, topics)
    except BaseException:
        await let_go(producer, patience_s)
        raise
    return producer


async def _begin(cluster: Cluster, producer: AIOKafkaProducer) -> None:
    try:
        await producer.start()
    except KafkaConnectionError:
        await reach(cluster)  # says why
        raise


async def let_go(producer: AIOKafkaProducer, patience_s: float) -> None:
    """Close a producer, whether or not Kafka answers."""
    try:
        async with asyncio.timeout(2 * patience_s):
            await producer.stop()
    except TimeoutError:
        log.warning("the producer does not end by itself; what it holds is kept elsewhere")
        await producer._sender.close()  # noqa: SLF001  (its own `stop` waits for the broker first)
        await producer.client.close()
