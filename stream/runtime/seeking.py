"""Reads the journal from where the state stands: committed offsets are those of checkpoints, but whose state was found may be another."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from stream.runtime.positions import Partition

if TYPE_CHECKING:
    from stream.runtime.held import Held
    from stream.runtime.parts import Parts

log = logging.getLogger(__name__)
SEEK_AGAIN_S = 2.0


async def seek(parts: Parts, held: Held, first: int) -> None:
    """Reading stands elsewhere (at `first`) than the state: move it there, once, and again if that had no effect."""
    if time.monotonic() - held.sought_at < SEEK_AGAIN_S:
        return
    held.sought_at = time.monotonic()
    journal = Partition(parts.topics.journal, held.partition)
    earliest = await parts.earliest(journal)
    if earliest > held.next_offset:
        parts.metrics.alarms.labels("journal_gap").inc()
        log.error("journal %d: records %d to %d are gone before they were decided", held.partition, held.next_offset, earliest - 1)
        held.next_offset = earliest
    log.info("journal %d: reading from %d (was at %d)", held.partition, held.next_offset, first)
    await parts.seek(journal, held.next_offset)
