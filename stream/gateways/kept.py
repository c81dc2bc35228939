"""A record on its way to Kafka: how it is handed to a producer, and how it lies in the spool until it can be (msgpack)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from asyncio import Future

    from aiokafka import AIOKafkaProducer


class Kept(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One record. What an older version left in a spool has no headers.

    >>> decode(msgspec.msgpack.encode(("water", None, b"1")))
    Kept(family='water', key=None, value=b'1', headers=())
    """

    family: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()

    async def give(self, producer: AIOKafkaProducer, topic: str) -> Future[object]:
        """Hand it over; what is returned is done when it is acknowledged."""
        given: Future[object] = await producer.send(topic, self.value, key=self.key, headers=list(self.headers))
        return given


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Kept).decode
