"""The active regions as a gateway knows them: followed in Kafka, and kept on its own disk, so that one that starts while Kafka is away can judge.

Unlike a worker it does not end when Kafka does: it goes on with what it knows and asks again.
"""

from __future__ import annotations

import asyncio
import logging
import os
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
from aiokafka.errors import KafkaError

from stream.errors import TocsinError
from stream.runtime.regions_feed import RegionsFeed, load_packed
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from stream.region.model import Region
    from stream.settings import Settings

log = logging.getLogger(__name__)
RETRY_S = 1.0
FILE = "regions.kept"
_DIGEST_BYTES = 16


class KnownRegions:
    """Calls `on_change` with the active regions, by name, whenever they change. `folder`: where they are kept; None = nowhere."""

    def __init__(self, settings: Settings, folder: Path | None, on_change: Callable[[tuple[Region, ...]], Awaitable[None]]) -> None:
        self._cluster = settings.cluster
        self._path = None if folder is None else folder / FILE
        self._on_change = on_change
        self._packed: dict[str, bytes] = {}
        self._feed = RegionsFeed(settings.cluster, Topics(settings.prefix).regions, self._load)
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """For ever: first what is kept, then what Kafka says."""
        if self._path is not None and (kept := await asyncio.to_thread(read, self._path)):
            log.info("%d regions are known from %s until Kafka says otherwise", len(kept), self._path)
            await self._on_change(kept)
        following = asyncio.create_task(self._follow())
        try:
            await self._feed.ready.wait()
            self._changed.set()
            while True:
                await self._changed.wait()
                self._changed.clear()
                regions = await asyncio.to_thread(self._feed.regions)
                await self._on_change(regions)
                if self._path is not None:
                    await asyncio.to_thread(self._keep, self._path, regions)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self) -> None:
        said = ""
        while True:
            try:
                await self._feed.run(self._changed.set)
            except (KafkaError, OSError, TocsinError, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and (this := asyncio.current_task()) and this.cancelling():
                    raise  # else aiokafka did it: it cancels what waits for an answer on a connection that it closes
                if (why := str(error) or type(error).__name__) != said:
                    said = why
                    log.warning("the regions cannot be followed, asking again every %g s: %s", RETRY_S, said)
                await asyncio.sleep(RETRY_S)

    def _load(self, packed: bytes, region_hash: str) -> Any:
        region = load_packed(packed, region_hash)
        self._packed[region_hash] = packed
        return region

    def _keep(self, path: Path, regions: tuple[Region, ...]) -> None:
        kept = {one.region_hash: self._packed[one.region_hash] for one in regions}
        try:
            write(path, kept)
        except OSError as error:
            log.warning("%s: the regions could not be kept: %s", path, error)


def write(path: Path, packed: dict[str, bytes]) -> None:
    """Keep these packed bundles, by their region's hash; what was there stays until all of it is on the disk."""
    data = msgspec.msgpack.encode(packed)
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(blake2b(data, digest_size=_DIGEST_BYTES).digest() + data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read(path: Path) -> tuple[Region, ...]:
    """The regions that are kept there; none where nothing is, or it is damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return ()
    if blake2b(data[_DIGEST_BYTES:], digest_size=_DIGEST_BYTES).digest() != data[:_DIGEST_BYTES]:
        log.warning("%s is damaged; the regions are known when Kafka answers", path)
        return ()
    try:
        return tuple(
            load_packed(packed, name) for name, packed in msgspec.msgpack.decode(data[_DIGEST_BYTES:], type=dict[str, bytes]).items()
        )
    except (TocsinError, msgspec.MsgspecError) as error:
        log.warning("%s cannot be used: %s", path, error)
        return ()
