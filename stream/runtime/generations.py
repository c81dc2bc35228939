"""Which journal is the one that counts: one record on the topic `regions`, as all that workers must agree on.

`tocsin rebuild` makes a new generation of the journal, with another number of partitions. Whoever is set to another one than this record says, or comes
while one is being made, must not write: it would decide on a journal that nobody reads, or that is not whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from aiokafka.errors import KafkaError

from stream.errors import PublishFailed, TocsinError
from stream.runtime.compacted import latest
from stream.runtime.feeding import producer
from stream.runtime.reach import NOT_ALLOWED
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from stream.settings import Settings

KEY = "generation"
"""The record's key."""


class Generation(msgspec.Struct, frozen=True):
    """The generation that counts and its number of partitions; while one is being made (`ready` false) none does."""

    generation: int
    partitions: int
    ready: bool = True


_decoder = msgspec.json.Decoder(Generation)


def from_bytes(value: bytes | None) -> Generation | None:
    """What a record says; None for a tombstone or what cannot be read.

    >>> from_bytes(msgspec.json.encode(Generation(2, 6))), from_bytes(None), from_bytes(b"?")
    (Generation(generation=2, partitions=6, ready=True), None, None)
    """
    try:
        return None if value is None else _decoder.decode(value)
    except msgspec.DecodeError:
        return None


def require(settings: Settings, published: Generation | None) -> None:
    """TocsinError unless these settings are of the generation that counts; without any record that is the first."""
    if published is None:
        if settings.generation == 1:
            return
        msg = f"generation {settings.generation} of the journal was never made: set generation = 1, or make it with `tocsin rebuild`"
        raise TocsinError(msg)
    if not published.ready:
        msg = (
            f"generation {published.generation} of the journal is being made, or that was broken off: wait for `tocsin rebuild`, run it again, "
            "or give it up with `tocsin rebuild --abandon`"
        )
        raise TocsinError(msg)
    if (settings.generation, settings.journal_width) != (published.generation, published.partitions):
        msg = (
            f"this process is set to generation {settings.generation} of the journal with {settings.journal_width} partitions; the one that counts is "
            f"generation {published.generation} with {published.partitions}: set generation = {published.generation} and "
            f"journal_partitions = {published.partitions}"
        )
        raise TocsinError(msg)


async def read(settings: Settings) -> Generation | None:
    """What is published."""
    kept = (await latest(settings.cluster, Topics.of(settings).regions, [0]))[0].get(KEY.encode())
    return None if kept is None else from_bytes(kept.value)


async def publish(settings: Settings, generation: Generation) -> None:
    """Publish it; PublishFailed when the broker does not take it."""
    topic = Topics.of(settings).regions
    async with producer(settings, topic) as sender:
        try:
            await sender.send_and_wait(topic, msgspec.json.encode(generation), key=KEY.encode(), partition=0)
        except NOT_ALLOWED:
            raise
        except KafkaError as error:
            msg = f"generation {generation.generation} could not be written to {topic}: {error!r}; run the command again"
            raise PublishFailed(msg) from error
