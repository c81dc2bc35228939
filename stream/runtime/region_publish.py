"""Publishes a region: its bundle in chunks on the topic `regions`, and then, when they are acknowledged, that it is the active one.

A domain stays in the partition of the journal where its past is, so a region that would put one elsewhere is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from stream.errors import PublishFailed
from stream.records.journal import partition_of
from stream.region.bundle import pack
from stream.region.problems import Problem, RegionError
from stream.runtime.feeding import producer
from stream.runtime.follow import follow
from stream.runtime.reach import NOT_ALLOWED
from stream.runtime.regions_feed import RegionsFeed, load_packed
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.region.bundle import Bundle
    from stream.region.model import Region
    from stream.settings import Settings

CHUNK_BYTES = 700_000


def chunks(bundle: Bundle) -> Iterator[tuple[bytes, bytes, list[tuple[str, bytes]]]]:
    """Key, value and headers of the records that hold a bundle; the header `chunks` says how many they are."""
    packed = pack(bundle)
    count = -(-len(packed) // CHUNK_BYTES)
    for number in range(count):
        key = f"bundle/{bundle.name}/{bundle.region_hash}/{number}"
        yield key.encode(), packed[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES], [("chunks", str(count).encode())]


async def require_partitions(settings: Settings, region: Region) -> None:
    """RegionError when a domain of the region that is active now would come to another partition."""
    feed = RegionsFeed(settings.cluster, Topics(settings.prefix).regions, load_packed)
    async for read in follow(settings.cluster, [Topics(settings.prefix).regions], once=True):
        feed.take(read.records)
    before = [one for one in feed.regions() if one.name == region.name]
    problems = [problem for one in before for problem in repinned(one, region, settings.journal_width)]
    if problems:
        raise RegionError(problems)


def repinned(old: Region, new: Region, partitions: int) -> list[Problem]:
    """The domains of both regions that the new one would put into another partition."""
    was = {one.domain_id: partition_of(one.domain_id, partitions, one.pin) for one in old.domains}
    found = []
    for one in new.domains:
        here = partition_of(one.domain_id, partitions, one.pin)
        there = was.get(one.domain_id, here)
        if here != there:
            pinned = f"its past is in partition {there} of the journal, and this would put it into {here}"
            fix = "leave the pin as it was: a domain changes its partition by `tocsin rebuild` only; or give its stations to a domain with another name"
            found.append(Problem("region.toml", 0, f"domains.{one.domain_id}.pin", pinned, fix))
    return found


async def publish(settings: Settings, bundle: Bundle) -> None:
    """Publish and activate a region; PublishFailed when the broker does not take a record (nothing is active then that was not before)."""
    topic = Topics(settings.prefix).regions
    async with producer(settings, topic) as sender:
        try:
            for key, value, headers in chunks(bundle):
                await sender.send_and_wait(topic, value, key=key, partition=0, headers=headers)
            await sender.send_and_wait(topic, bundle.region_hash.encode(), key=f"active/{bundle.name}".encode(), partition=0)
        except NOT_ALLOWED:
            raise
        except KafkaError as error:
            msg = f"region {bundle.name} could not be published on {topic}: {error!r}; run the command again"
            raise PublishFailed(msg) from error
