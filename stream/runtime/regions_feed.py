"""Follows the compacted topic `regions`: every region published there, which is active, and which version of the fold is in force.

Workers need only the broker's address.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from stream.errors import TocsinError, UnknownRegion
from stream.runtime import fold_versions, generations
from stream.runtime.compacted import latest
from stream.runtime.follow import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from stream.cluster import Cluster
    from stream.runtime.follow import Followed

log = logging.getLogger(__name__)
_ACTIVE = "active/"
_BUNDLE = "bundle/"


class Replaced(NamedTuple):
    """A region that was active until then (the broker's time, ms)."""

    name: str
    at: int


class RegionsFeed:
    """Regions by hash, and the active ones by name. `load(packed, region_hash)` makes a region of a bundle's bytes, or raises TocsinError."""

    def __init__(self, cluster: Cluster, topic: str, load: Callable[[bytes, str], Any]) -> None:
        self._cluster = cluster
        self._topic = topic
        self._load = load
        self._chunks: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        self._loaded: dict[str, Any] = {}
        self._active: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._superseded: set[str] = set()
        self._replaced: dict[str, Replaced] = {}
        self._said: set[str] = set()
        self.fold_version: fold_versions.InForce | None = None
        """The version of the fold that is in force, as published."""
        self._next_offset = 0
        self.generation: generations.Generation | None = None
        """The generation of the journal that counts, as published."""
        self.ready = asyncio.Event()
        """Everything that stood on the topic at the start is known."""

    @property
    def active(self) -> Mapping[str, str]:
        """Region name to hash, as published."""
        return self._active

    @property
    def superseded(self) -> frozenset[str]:
        """Hashes of regions that were published before one of the same name became active, and are not active."""
        return frozenset(self._superseded)

    def replaced(self, since: int) -> Mapping[str, Replaced]:
        """By hash, the usable regions that were active until another one of their name was, later than `since` (ms); older ones are not even loaded."""
        lately = {region_hash: one for region_hash, one in self._replaced.items() if one.at > since}
        return {region_hash: one for region_hash, one in lately.items() if self._usable(region_hash) is not None}

    def regions(self) -> tuple[Any, ...]:
        """The active regions that could be loaded, by name."""
        return tuple(region for _, name in sorted((n, h) for n, h in self._active.items()) if (region := self._usable(name)) is not None)

    def bundles(self) -> Mapping[str, bytes]:
        """The packed bundles as they stand on the topic, by the hashes they were published under."""
        return {region_hash: b"".join(chunks[number] for number in sorted(chunks)) for region_hash, chunks in self._chunks.items()}

    def source(self, region_hash: str) -> Any:
        """The region with this hash; UnknownRegion if it is not at hand (yet)."""
        region = self._usable(region_hash)
        if region is None:
            raise UnknownRegion(region_hash)
        return region

    async def run(self, on_change: Callable[[], None]) -> None:
        """Follow the topic for ever; `on_change` after records that change anything."""
        async for read in follow(self._cluster, [self._topic]):
            if self.take(read.records):
                # In a thread, for a large region takes seconds; who asks for it afterwards finds it made.
                await asyncio.to_thread(self.regions)
                on_change()
            if read.caught_up:
                self.ready.set()

    async def newest_fold_version(self) -> fold_versions.InForce | None:
        """The version in force, by everything that stands on the topic at this moment."""
        known = self.fold_version
        kept = (await latest(self._cluster, self._topic, [0], since=self._next_offset))[0].get(fold_versions.KEY.encode())
        return known if kept is None else fold_versions.from_bytes(kept.value)

    def take(self, records: Iterable[Followed]) -> bool:
        """Note some records of the topic; whether any region or activation changed."""
        changed = False
        for record in records:
            self._next_offset = record.offset + 1
            key = record.key.decode("utf-8", "replace")
            if key.startswith(_ACTIVE):
                self._activate(key.removeprefix(_ACTIVE), record)
                changed = True
            elif key == fold_versions.KEY:
                self.fold_version = fold_versions.from_bytes(record.value)
            elif key == generations.KEY:
                self.generation = generations.from_bytes(record.value)
                changed = True
            elif key.startswith(_BUNDLE) and key.count("/") >= 3 and record.value is not None:  # noqa: PLR2004
                name, region_hash, number = key.removeprefix(_BUNDLE).rsplit("/", 2)
                if number.isdecimal():
                    self._names[region_hash] = name
                    self._chunks[region_hash][int(number)] = record.value
                    self._said.discard(region_hash)
                    changed = True
        return changed

    def _activate(self, name: str, record: Followed) -> None:
        before = self._active.pop(name, None)
        if record.value is not None:
            self._active[name] = record.value.decode("utf-8", "replace")
        if before is not None and before != self._active.get(name):
            self._replaced[before] = Replaced(name, record.timestamp)
        self._replaced.pop(self._active.get(name, ""), None)
        self._superseded |= {region_hash for region_hash, its_name in self._names.items() if its_name == name}
        self._superseded.discard(self._active.get(name, ""))

    def _usable(self, region_hash: str) -> Any:
        if region_hash not in self._loaded and region_hash in self._chunks and region_hash not in self._said:
            chunks = self._chunks[region_hash]
            try:
                self._loaded[region_hash] = self._load(b"".join(chunks[number] for number in sorted(chunks)), region_hash)
            except TocsinError as error:
                # Some chunks may still be on their way; a bundle that stays unusable is told once for each new chunk.
                self._said.add(region_hash)
                log.warning("region %s cannot be used (yet): %s", region_hash, error)
        return self._loaded.get(region_hash)


def load_packed(packed: bytes, region_hash: str) -> Any:
    """The region of a packed bundle; TocsinError when the bytes are not the bundle of this hash, or the region is not valid."""
    from stream.region.bundle import unpack
    from stream.region.load import load

    bundle = unpack(packed)
    if bundle.region_hash != region_hash:
        msg = f"the bundle has hash {bundle.region_hash}, expected {region_hash}; publish the region again"
        raise TocsinError(msg)
    return load(bundle)
