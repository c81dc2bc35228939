"""The spool as a running gateway uses it: the disk waits in a thread, and everybody who waits for it at one moment shares one `fsync`."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from stream.errors import TocsinError
from stream.gateways.metrics import LIVE
from stream.gateways.spool import SpoolFull
from stream.gateways.verdict import Verdict
from stream.runtime.clocks import wall_ms
from stream.runtime.ending import end_if_failed
from stream.runtime.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stream.gateways.metrics import GatewayMetrics
    from stream.gateways.spool import Spool

T = TypeVar("T")
log = logging.getLogger(__name__)
GROUP_BYTES = 1 << 20
"""So much at most goes to the disk at once."""


class SpoolFailed(TocsinError):
    """The disk failed while something that lies on it was to be read or taken away."""


class Shelf:
    """A spool with a queue before it. What is put first lies first."""

    def __init__(self, spool: Spool, metrics: GatewayMetrics, way: str = LIVE) -> None:
        self._way = way
        self._spool = spool
        self._metrics = metrics
        self._lock = asyncio.Lock()
        # One thread, so that a call that nobody waits for any more still ends before the next one begins.
        self._thread = ThreadPoolExecutor(1, "spool")
        self._queue: deque[tuple[Sequence[bytes], asyncio.Future[Verdict]]] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._note()

    def put(self, payloads: Sequence[bytes], outcome: asyncio.Future[Verdict]) -> None:
        """Store these; `outcome` becomes STORED when the disk has all of them, or SpoolFull. Nothing is stored when it is done before."""
        self._queue.append((payloads, outcome))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
            self._writer.add_done_callback(end_if_failed)

    async def head(self, most: int, bytes_most: int) -> list[bytes]:
        """The oldest records, at most so many; none when nothing waits, on the disk or for it, at the moment of return. Raises SpoolFailed."""
        while True:
            async with self._lock:
                found = await self._read(self._spool.head, most, bytes_most)
            if found or not self._queue:
                return [one.payload for one in found]
            await asyncio.sleep(0)

    async def sent(self, count: int, aside: Sequence[tuple[bytes, str]] = ()) -> None:
        """The oldest `count` records were acknowledged, but for those `aside`, with the reason: they are kept elsewhere. Raises SpoolFailed."""
        async with self._lock:
            for payload, why in aside:
                await self._read(self._spool.aside.keep, payload, why, wall_ms())
                log.error("set aside, Kafka never takes it: %s", why)
                self._metrics.set_aside.labels(self._way).inc()
            try:
                await self._read(self._spool.sent, count)
            finally:
                self._note()
        self._metrics.drained.labels(self._way).inc(count - len(aside))

    async def close(self) -> None:
        """Write what is queued and let another process have the spool."""
        while self._writer is not None:
            await asyncio.wait([self._writer])
        await self._on_disk(self._spool.close)
        self._thread.shutdown()

    async def _on_disk(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    async def _read(self, call: Callable[..., T], *arguments: object) -> T:
        try:
            return await self._on_disk(call, *arguments)
        except OSError as error:
            msg = f"the spool's disk fails: {error}"
            raise SpoolFailed(msg) from error

    async def _write(self) -> None:
        try:
            while self._queue:
                async with self._lock:
                    await self._append(self._group())
                    self._note()
        finally:
            self._writer = None

    def _group(self) -> list[tuple[Sequence[bytes], asyncio.Future[Verdict]]]:
        group, size = [], 0
        while self._queue and size < GROUP_BYTES:
            payloads, outcome = self._queue.popleft()
            if not outcome.done():
                group.append((payloads, outcome))
                size += sum(map(len, payloads))
        return group

    async def _append(self, group: Sequence[tuple[Sequence[bytes], asyncio.Future[Verdict]]]) -> None:
        """Store a group at once; if it does not fit, each for itself, because a smaller one may."""
        if not group:
            return
        await failpoint("gateway_storing")
        try:
            await self._on_disk(self._spool.append, [one for payloads, _ in group for one in payloads], wall_ms())
        except (SpoolFull, OSError) as error:
            if len(group) > 1:
                for one in group:
                    await self._append([one])
                return
            refusal = error if isinstance(error, SpoolFull) else SpoolFull(f"the spool cannot be written: {error}; look at its disk")
            log.error("not stored: %s", refusal)  # noqa: TRY400  (what happened is in the message)
            if not group[0][1].done():
                group[0][1].set_exception(refusal)
            return
        for _, outcome in group:
            if not outcome.done():
                outcome.set_result(Verdict.STORED)

    def _note(self) -> None:
        """Keep what others ask for while a thread has the spool."""
        self.records, self.size, self.fill, self.oldest_at = len(self._spool), self._spool.size, self._spool.fill, self._spool.oldest_at
        self._metrics.spool_records.labels(self._way).set(self.records)
        self._metrics.spool_bytes.labels(self._way).set(self.size)
        self._metrics.spool_damaged.labels(self._way).set(self._spool.damaged_bytes)
        self._metrics.spool_aside.labels(self._way).set(self._spool.aside.size)
        self._metrics.spool_oldest_at.labels(self._way).set((self.oldest_at or 0) / 1000)
