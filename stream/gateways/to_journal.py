"""What became of a batch of a door, written by `tocsin intake`: good measurements to the journal, the others to `rejected` and `audit`."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from msgspec.structs import replace

from stream.accept.refusal import to_record
from stream.runtime.topics import MESSAGE_BYTES, REJECTED_PARTITIONS, Topics
from stream.warnings.envelope import of_audit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka import AIOKafkaProducer

    from stream.accept.door import Accepted
    from stream.settings import Settings

log = logging.getLogger(__name__)
BY = "intake"


async def write(
    settings: Settings, sender: AIOKafkaProducer, accepted: Accepted, sent_at: int, came: Sequence[tuple[str, bytes]] = ()
) -> None:
    """Send all of it; returns when the broker has acknowledged all of it, raises what the first failed send raised. `came`: headers in the journal."""
    topics = Topics.of(settings)
    sends = [
        await sender.send(topics.journal, one.value, key=one.key, partition=one.partition, headers=list(came)) for one in accepted.entries
    ]
    if accepted.refused:
        first = accepted.refused[0]
        log.warning("%s offset %d: %d refused, the first: %s", first.topic, first.offset, len(accepted.refused), first.detail)
    for refusal in accepted.refused:
        made = to_record(refusal)
        value = made.value if made.value is None else made.value[:MESSAGE_BYTES]
        partition = refusal.offset % REJECTED_PARTITIONS
        sends.append(await sender.send(topics.rejected, value, key=made.key, partition=partition, headers=made.headers))
    for entry in accepted.audit:
        said = of_audit(replace(entry, by=BY), sent_at=sent_at)
        partition = (entry.offset or 0) % settings.partitions
        sends.append(await sender.send(topics.audit, said.value, key=said.key, partition=partition, headers=list(said.headers)))
    if sends:
        await asyncio.gather(*sends)
