"""Publishes a region: its bundle in chunks on the topic `regions`, and then, when they are acknowledged, that it is the active one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from stream.errors import PublishFailed
from stream.region.bundle import pack
from stream.runtime.feeding import producer
from stream.runtime.reach import NOT_ALLOWED
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.region.bundle import Bundle
    from stream.settings import Settings

CHUNK_BYTES = 700_000


def chunks(bundle: Bundle) -> Iterator[tuple[bytes, bytes, list[tuple[str, bytes]]]]:
    """Key, value and headers of the records that hold a bundle; the header `chunks` says how many they are."""
    packed = pack(bundle)
    count = -(-len(packed) // CHUNK_BYTES)
    for number in range(count):
        key = f"bundle/{bundle.name}/{bundle.region_hash}/{number}"
        yield key.encode(), packed[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES], [("chunks", str(count).encode())]


async def publish(settings: Settings, bundle: Bundle) -> None:
    """Publish and activate a region; PublishFailed when the broker does not take a record (nothing is active then that was not before)."""
    topic = Topics(settings.prefix).regions
    async with producer(settings) as sender:
        try:
            for key, value, headers in chunks(bundle):
                await sender.send_and_wait(topic, value, key=key, partition=0, headers=headers)
            await sender.send_and_wait(topic, bundle.region_hash.encode(), key=f"active/{bundle.name}".encode(), partition=0)
        except NOT_ALLOWED:
            raise
        except KafkaError as error:
            msg = f"region {bundle.name} could not be published on {topic}: {error!r}; run the command again"
            raise PublishFailed(msg) from error
