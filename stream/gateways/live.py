"""Whether the workers keep up with what is live, for whoever must not delay it (`backfill.py`).

What stood in the live doors and in the journal at one look is finished when the workers' committed offsets have passed it: at the doors that is
"in the journal", in the journal it is "decided, told and checkpointed".
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from stream.runtime.feeding import admin_of, committed
from stream.runtime.follow import consumer, partitions
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiokafka import AIOKafkaConsumer, TopicPartition
    from aiokafka.admin import AIOKafkaAdminClient

    from stream.settings import Settings

LOOK_S = 0.2


class Live:
    """The live doors and the journal of a lane. Made by `live`."""

    def __init__(self, settings: Settings, reader: AIOKafkaConsumer, admin: AIOKafkaAdminClient, watched: list[TopicPartition]) -> None:
        self._settings = settings
        self._reader = reader
        self._admin = admin
        self._watched = watched

    async def ends(self) -> Mapping[TopicPartition, int]:
        """What stands there now: the end offset of each partition."""
        found: Mapping[TopicPartition, int] = await self._reader.end_offsets(self._watched)
        return found

    async def passed(self, ends: Mapping[TopicPartition, int]) -> None:
        """Wait, however long it takes, until the workers have finished everything up to these ends."""
        waiting = {one: end for one, end in ends.items() if end}
        while waiting:
            done = await committed(self._admin, self._settings, list(waiting)) or {}
            waiting = {one: end for one, end in waiting.items() if done.get(one, 0) < end}
            if waiting:  # what has expired unread does not wait any more
                begins = await self._reader.beginning_offsets(list(waiting))
                waiting = {one: end for one, end in waiting.items() if begins[one] < end}
                await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def live(settings: Settings) -> AsyncIterator[Live]:
    """Watch the lane's doors and journal; BrokerError when nothing answers."""
    topics = Topics.of(settings)
    async with consumer(settings.cluster) as reader, admin_of(settings) as admin:
        yield Live(settings, reader, admin, await partitions(settings.cluster, reader, (*topics.doors, topics.journal)))
