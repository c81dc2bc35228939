"""What waits on the disk goes to Kafka: the oldest first, no faster than is agreed, and nothing that Kafka refuses for ever holds up the rest."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import msgspec
from aiokafka import errors

from stream.errors import TocsinError
from stream.gateways.kept import decode
from stream.runtime.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiokafka import AIOKafkaProducer

    from stream.gateways.shelf import Shelf

log = logging.getLogger(__name__)
GROUP_RECORDS = 1_000
GROUP_BYTES = 128 << 10
"""Of a group, what is for one partition fits into one batch of the producer: it is taken or refused as a whole, and the next group waits for it."""
WAIT_S = 5.0
"""So long may what is new wait behind what is on the disk."""


class Unreadable(TocsinError):
    """No record that this version knows, or one for a door that this gateway does not have."""


FOR_EVER = (
    Unreadable,
    errors.InvalidTopicError,
    errors.InvalidTimestampError,
    errors.MessageSizeTooLargeError,
    errors.PolicyViolationError,
    errors.RecordListTooLargeError,
    errors.TopicAuthorizationFailedError,
    errors.UnsupportedForMessageFormatError,
)
"""Why Kafka refuses a record however often it comes, while it takes others. A topic that is missing is none of these: it is made anew."""


class Drain:
    """The way from a spool to Kafka. `doors`: the topic of each family; `patience_s`: so long a group may take."""

    def __init__(self, shelf: Shelf, doors: Mapping[str, str], bytes_per_s: int, patience_s: float) -> None:
        self._shelf = shelf
        self._doors = doors
        self._bytes_per_s = bytes_per_s
        self._patience_s = patience_s
        self._free_at = 0.0

    @property
    def soon(self) -> bool:
        """Whether all that waits is gone so soon that what is new should go behind it."""
        return self._shelf.size <= self._bytes_per_s * WAIT_S

    async def some(self, producer: AIOKafkaProducer) -> bool:
        """Send the oldest; False when nothing waits. Raises SpoolFailed, and what aiokafka raises while Kafka cannot be reached."""
        await asyncio.sleep(self._free_at - time.monotonic())
        payloads = await self._shelf.head(GROUP_RECORDS, GROUP_BYTES)
        if not payloads:
            return False
        self._free_at = max(self._free_at, time.monotonic()) + sum(map(len, payloads)) / self._bytes_per_s
        refused = await self._send(producer, payloads)
        await failpoint("gateway_drained")
        aside = []
        for payload, why in zip(payloads, refused, strict=True):
            # By itself: Kafka may have refused the batch for another's sake, or for its length.
            alone = why and (why if len(payloads) == 1 else (await self._send(producer, [payload]))[0])
            if alone:
                aside.append((payload, alone))
        await self._shelf.sent(len(payloads), aside)
        return True

    async def _send(self, producer: AIOKafkaProducer, payloads: Sequence[bytes]) -> list[str]:
        """For each why Kafka never takes it, "" when all replicas have it."""
        async with asyncio.timeout(self._patience_s):
            given = [await self._given(producer, one) for one in payloads]
            outcomes = await asyncio.gather(*given, return_exceptions=True)
        for one in outcomes:
            if isinstance(one, BaseException) and not isinstance(one, FOR_EVER):
                raise one
        return [f"{type(one).__name__}: {one}" if isinstance(one, BaseException) else "" for one in outcomes]

    async def _given(self, producer: AIOKafkaProducer, payload: bytes) -> asyncio.Future[object]:
        """Hand a record over; what is returned is done when it is acknowledged or refused."""
        try:
            record = decode(payload)
            if record.family not in self._doors:
                msg = f"a record for {record.family!r}; there are {sorted(self._doors)}"
                raise Unreadable(msg)
            return await record.give(producer, self._doors[record.family])
        except msgspec.DecodeError as error:
            return _failed(Unreadable(f"this version cannot read it: {error}"))
        except FOR_EVER as error:
            return _failed(error)


def _failed(error: BaseException) -> asyncio.Future[object]:
    made: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    made.set_exception(error)
    return made
