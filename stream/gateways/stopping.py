"""How the processes at the edge (gateways, intake) begin and end: on lanes of the broker's time only, and until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from stream.errors import TocsinError
from stream.runtime.ending import ExitCode, told_to_stop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stream.settings import Settings


def only_live(settings: Settings, why: str) -> None:
    """TocsinError, which says `why`, on a lane that plays history."""
    if settings.clock != "broker":
        msg = f"{why}; leave out --clock observed"
        raise TocsinError(msg)


def run_until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """Run `work`, which ends cleanly once its event is set: by SIGTERM or SIGINT. The exit code of a clean stop."""
    asyncio.run(_run(work))
    return ExitCode.CLEAN


async def _run(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    await work(told_to_stop())
