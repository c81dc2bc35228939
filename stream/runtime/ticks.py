"""Time and orders into the journal: each partition's owner writes its Ticks, the activation of regions, and (partition 0) the link tests."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from stream.decide.moving import LASTS_MS
from stream.records.journal import Command, Tick, encode
from stream.records.warning import Lane
from stream.region.principals import own_doors
from stream.runtime.clocks import AGREE_MS
from stream.runtime.marks import ANSWERS_WRITTEN_AT, INGEST_WRITTEN_AT
from stream.runtime.producer import Errand, Record

if TYPE_CHECKING:
    from stream.records.journal import Message
    from stream.runtime.deciding import Deciding
    from stream.runtime.held import Held
    from stream.runtime.marks import Marks
    from stream.runtime.parts import Parts
    from stream.runtime.regions_feed import RegionsFeed

LINK_TEST = "link_test"
REPEAT_S = 5.0
"""An activation is repeated this often until the fold has it."""
PROMPT_S = 0.25
"""A partition with records that wait for a tick gets one this soon after the last."""


class Ticks:
    """Writes into the partitions that are held and restored."""

    def __init__(self, parts: Parts, deciding: Deciding, marks: Marks, feed: RegionsFeed) -> None:
        self._parts = parts
        self._deciding = deciding
        self._marks = marks
        self._feed = feed
        self._outbox = parts.outbox(Errand.JOURNAL)
        self._ticked: dict[int, tuple[int, float]] = {}
        """By partition, in which generation the last tick was written, and when (monotonic)."""
        self._ordered: dict[tuple[int, str, str], float] = {}
        self._told: set[tuple[int, int, str, int]] = set()

    async def run(self) -> None:
        """Write for ever."""
        settings = self._parts.settings
        due = time.monotonic()
        while True:
            await asyncio.sleep(min(0.1, settings.tick_s))
            ticking = settings.clock == "broker" and time.monotonic() >= due
            if ticking:
                due = time.monotonic() + settings.tick_s
            for held in list(self._deciding.held.values()):
                if held.generation != self._parts.generation():
                    continue
                await self._activate(held)
                # A broker that is away must not find a heap of ticks when it comes back.
                if (ticking or self._awaited(held)) and self._outbox.pending < 2 * settings.journal_width:
                    await self._tick(held)
                if ticking and settings.lane is Lane.LIVE and self._marks.ready.is_set():
                    await self._link_test(held)

    def _awaited(self, held: Held) -> bool:
        """Whether a tick is due at once: a partition's first, and one that says what time it is to what waits for that."""
        if self._parts.settings.clock != "broker":
            return False
        generation, at = self._ticked.get(held.partition, (-1, 0.0))
        return generation != held.generation or (self._deciding.awaits_tick(held) and time.monotonic() - at >= PROMPT_S)

    async def _tick(self, held: Held) -> None:
        now = time.monotonic()
        generation, before = self._ticked.get(held.partition, (-1, now))
        # In another generation others have written, and what passed until theirs is in their ticks.
        elapsed_s = now - before if generation == held.generation else 0.0
        self._ticked[held.partition] = held.generation, now
        tick = Tick(
            self._parts.clock.wall(),
            round(elapsed_s, 3),
            self._doors_written_at(),
            acknowledgements_written_at=self._marks.said(ANSWERS_WRITTEN_AT),
            lane=self._parts.settings.lane.value,
        )
        await self._write(held.partition, tick)

    def _doors_written_at(self) -> int:
        """Up to when all doors are in the journal, those of single principals (`stream.gateways.ingest`) where there are any."""
        written_at = self._marks.doors_written_at()
        if any(own_doors(region.principals) for region in self._feed.regions()):
            written_at = min(written_at, self._marks.said(INGEST_WRITTEN_AT))
        return written_at

    async def _activate(self, held: Held) -> None:
        """Order what is published, and once that is active, say which regions it has followed: nobody waits for one that was never active here."""
        active = self._deciding.active(held)
        wanted = [("activate", name, region_hash) for name, region_hash in self._feed.active.items() if active.get(name) != region_hash]
        for region_hash in active.values():
            self._ordered.pop((held.partition, "activate", region_hash), None)
        if not wanted:
            await self._replaced(held)
            wanted = [("superseded", "", one) for one in sorted(self._deciding.awaited(held) & self._feed.superseded)]
        for command, name, region_hash in wanted:
            key = (held.partition, command, region_hash)
            if time.monotonic() - self._ordered.get(key, -REPEAT_S) >= REPEAT_S:
                self._ordered[key] = time.monotonic()
                await self._write(held.partition, Command(command, name, region_hash, lane=self._parts.settings.lane.value))

    async def _replaced(self, held: Held) -> None:
        """Say once which regions were active until lately, whether they were here or not: doors may have accepted by them."""
        now = self._parts.clock.now() if self._parts.settings.clock == "broker" else None
        for region_hash, one in () if now is None else self._feed.replaced(now - LASTS_MS).items():
            key = held.generation, held.partition, region_hash, one.at
            if key not in self._told:
                self._told.add(key)
                said = Command("superseded", one.name, region_hash, at=one.at, lane=self._parts.settings.lane.value)
                await self._write(held.partition, said)

    async def _link_test(self, held: Held) -> None:
        """Order the test of the cities of this partition when the last one is long enough ago; when that was is kept among the marks."""
        now, every_s = self._parts.clock.now(), self._parts.settings.link_test_s
        if now is None or every_s <= 0 or not self._deciding.active(held):
            return
        key = f"{LINK_TEST}/{held.partition}"
        if not -AGREE_MS <= now - self._marks.said(key) < every_s * 1000:  # one of the future is of a clock that was wrong
            self._marks.heard(key, now)
            await self._write(held.partition, Command(LINK_TEST, at=now, every_s=int(every_s), lane=self._parts.settings.lane.value))
            await self._marks.note(key, now)

    async def _write(self, partition: int, message: Message) -> None:
        # On replay lanes records carry a time of their own; an order has none, and 0 is one that Kafka takes.
        stamp = None if self._parts.settings.clock == "broker" else 0
        await self._outbox.send(Record(self._parts.topics.journal, encode(message), b"", partition, stamp))
        self._parts.metrics.journal_messages.labels("tick" if isinstance(message, Tick) else "command").inc()
