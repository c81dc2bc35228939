"""Before a worker joins the others it must be its fold version's turn: one that is not in force would own partitions and leave them undecided."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from stream.runtime.checkpoint_store import topic_id, written_at
from stream.runtime.compacted import latest
from stream.runtime.fold_versions import KEY, InForce, entitled, to_bytes
from stream.runtime.producer import Errand, Record
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from stream.runtime.fold_like import FoldLike
    from stream.runtime.parts import Parts
    from stream.runtime.regions_feed import RegionsFeed
    from stream.settings import Settings

log = logging.getLogger(__name__)
LOOK_S = 0.2
SAY_AGAIN_S = 60.0


async def begins(parts: Parts, feed: RegionsFeed, fold: FoldLike, stopping: asyncio.Event, *, shadow: bool) -> InForce | None:
    """What is in force when this process is to begin: a shadow unless that is its own version, any other as soon as it is. None: it is to stop."""
    if not shadow:
        return await _await_turn(parts, feed, fold, stopping)
    there = feed.fold_version
    if there is not None and there.version == fold.VERSION:
        log.warning("fold version %s is in force already: a shadow of it has nothing to do", there.version)
        return None
    return there or InForce("")


async def _await_turn(parts: Parts, feed: RegionsFeed, fold: FoldLike, stopping: asyncio.Event) -> InForce | None:
    """Wait until the fold's version is in force, and say what one waits for; None if the process is to stop before that."""
    present = await versions(parts.settings) if feed.fold_version is None else ()
    said_at = -SAY_AGAIN_S
    while not stopping.is_set():
        mine = entitled(fold, feed.fold_version, present)
        if mine is not None:
            if mine != feed.fold_version:
                outbox = parts.outbox(Errand.ASIDE)
                await outbox.send(Record(parts.topics.regions, to_bytes(mine), KEY.encode()))
                await outbox.settle()
                log.info("fold version %s is in force from now on%s", mine.version, f", after {mine.before}" if mine.before else "")
            return mine
        if time.monotonic() - said_at >= SAY_AGAIN_S:
            said_at = time.monotonic()
            there = feed.fold_version.version if feed.fold_version is not None else ", ".join(sorted(present))
            log.warning(
                "this is fold version %s, in force is %s: nothing is decided or published here; run `tocsin worker --shadow` of this version, then "
                "`tocsin upgrade activate %s`", fold.VERSION, there, fold.VERSION,
            )  # fmt: skip
        await asyncio.sleep(LOOK_S)
    return None


async def versions(settings: Settings) -> frozenset[str]:
    """The fold versions that checkpoints of the journal are of."""
    topics = Topics.of(settings)
    identity = await topic_id(settings.cluster, topics.journal)
    kept = await latest(settings.cluster, topics.checkpoints, range(settings.journal_width))
    return frozenset(version for found in kept.values() for version in written_at(found, identity))
