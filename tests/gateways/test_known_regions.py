"""A gateway that follows the regions goes on asking, also when its wait is cut off from below, and ends when it is told to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from stream.gateways import known_regions
from stream.gateways.known_regions import KnownRegions
from stream.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


async def test_what_is_cut_off_with_its_connection_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_regions, "RETRY_S", 0.01)
    again = asyncio.Event()
    tried = 0

    async def feed(_: Callable[[], None]) -> None:
        nonlocal tried
        tried += 1
        waiting = asyncio.get_running_loop().create_future()
        if tried == 1:
            asyncio.get_running_loop().call_soon(waiting.cancel)  # as aiokafka does when it closes a connection
        else:
            again.set()
        await waiting

    async def on_change(_: object) -> None:
        """No regions come."""

    known = KnownRegions(Settings(), None, on_change)
    monkeypatch.setattr(known._feed, "run", feed)
    running = asyncio.create_task(known.run())
    async with asyncio.timeout(5):
        await again.wait()
        assert not running.done()
        running.cancel()
        await asyncio.wait([running])
    assert running.cancelled()
    assert tried == 2
