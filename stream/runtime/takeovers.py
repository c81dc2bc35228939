"""Hands partitions of the journal over from one version of the fold to another: each partition's owner writes what belongs to it there.

An owner that is not in force any more orders the switch; its successor orders it too, should nobody have done so, and says what stands published.
Whatever is written twice counts once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import msgspec

from stream.records.journal import encode, partition_of
from stream.records.switching import FoldVersion, Standing
from stream.region.administrations import recipients
from stream.runtime.failpoints import failpoint
from stream.runtime.producer import Errand, Record
from stream.runtime.published import parts, standing

if TYPE_CHECKING:
    from stream.runtime.deciding import Deciding
    from stream.runtime.fold_versions import InForce
    from stream.runtime.held import Held
    from stream.runtime.parts import Parts
    from stream.runtime.published import Said
    from stream.runtime.regions_feed import RegionsFeed

log = logging.getLogger(__name__)
LOOK_S = 0.1
REPEAT_S = 5.0
"""What was written is written again after so long, until the fold has it."""
BEFORE_MS = 5_000
"""Cities' topics are read from so long before the last checkpoint of the version before: whatever that held was settled."""


class Takeovers:
    """Writes into the partitions that are held and restored, where a takeover is due."""

    def __init__(self, parts: Parts, deciding: Deciding, feed: RegionsFeed, version: str) -> None:
        self._parts = parts
        self._deciding = deciding
        self._feed = feed
        self._version = version
        self._outbox = parts.outbox(Errand.JOURNAL)
        self._written: dict[tuple[int, str, int], float] = {}
        self._read: tuple[int, list[Said]] = (-1, [])
        """What stands published, as read in this generation of the group."""

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            in_force = self._feed.fold_version
            for held in list(self._deciding.held.values()):
                if in_force is not None and held.generation == self._parts.generation() and self._due(held, in_force):
                    await self._look(held, in_force)

    def _due(self, held: Held, in_force: InForce) -> bool:
        if in_force.version != self._version or in_force.turn > held.turn.granted.turn:
            return not held.over
        return not held.turn.taken(held.state)

    async def _look(self, held: Held, in_force: InForce) -> None:
        key = (held.partition, in_force.version, held.generation)
        if time.monotonic() - self._written.get(key, -REPEAT_S) < REPEAT_S:
            return
        self._written[key] = time.monotonic()
        lane = self._parts.settings.lane.value
        messages: list[FoldVersion | Standing] = [FoldVersion(in_force.version, in_force.before, in_force.turn, lane=lane)]
        if in_force.version == self._version:
            messages += await self._standing(held, in_force)
        for message in messages:
            stamp = None if self._parts.settings.clock == "broker" else 0
            await self._outbox.send(Record(self._parts.topics.journal, encode(message), b"", held.partition, stamp))
            self._parts.metrics.journal_messages.labels("command").inc()
            if isinstance(message, FoldVersion):
                await self._outbox.settle()
                await failpoint("between_switch_and_standing")
        log.info("journal %d: fold version %s takes over from %s", held.partition, in_force.version, in_force.before)

    async def _standing(self, held: Held, in_force: InForce) -> list[Standing]:
        """What stands published of the partition's domains. Nobody else publishes for it: this process owns it now."""
        settings, regions = self._parts.settings, self._feed.regions()
        if held.generation != self._read[0]:
            cities = {city for region in regions for city in recipients(region)}
            since = min(self._deciding.written_at(one, in_force.before) for one in self._deciding.held) - BEFORE_MS
            self._read = held.generation, await standing(settings, cities, since)
        pins = {domain.domain_id: domain.pin for region in regions for domain in region.domains}
        width = settings.journal_width
        found = [one for one in self._read[1] if partition_of(one.domain, width, pins.get(one.domain)) == held.partition]
        log.info(
            "journal %d: %d warnings stand published, %d of them have ended", held.partition, len(found), sum(one.over for one in found)
        )
        made = parts(found, self._version, self._parts.clock.wall(), settings.journal_bytes_max, settings.lane.value)
        return [msgspec.structs.replace(one, turn=in_force.turn, base=held.turn.base(held.state)) for one in made]
