"""Plays one region of the demo: a lane and a worker of its own, the region activated, history through the doors, warnings from the topics."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from stream.cli.children import Child
from stream.cli.demo import history_of
from stream.cli.feed import measurements
from stream.cli.options import Span
from stream.cli.region import activated
from stream.records.instants import SECOND, to_text
from stream.records.warning import CityWarning, Lane
from stream.review.outcome import observed, outcomes
from stream.runtime import feeding
from stream.runtime.follow import follow
from stream.runtime.pace import Pace
from stream.runtime.topics import Topics
from stream.settings import Settings
from stream.warnings.reading import decode

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from stream.cli.screen import Screen
    from stream.region.model import Region
    from stream.review.inputs import DoorMessage
    from stream.review.outcome import Outcome

PARTITIONS = 4
_LOOK_S = 0.2


class Watcher:
    """The warnings on a region's city topics, each shown once, when it appears."""

    def __init__(self, screen: Screen, settings: Settings, region: Region) -> None:
        self._screen = screen
        self._settings = settings
        self._region = region
        self.seen: dict[tuple[str, int], CityWarning] = {}

    async def watch(self, *, once: bool) -> None:
        """Show what is on the topics and, unless `once`, what arrives."""
        topics = Topics(self._settings.prefix)
        async for read in follow(self._settings.cluster, [topics.city(city.city_id) for city in self._region.cities], once=once):
            told = [decode(record.value) for record in read.records if record.value is not None]
            found = [one for one in told if isinstance(one, CityWarning) and (one.warning_id, one.revision) not in self.seen]
            for warning in sorted(found, key=lambda one: (one.sent_at, one.arrives_at_p50 or "", one.city_id)):
                self.seen[warning.warning_id, warning.revision] = warning
                self._screen.warning(self._region, warning)


def lane_of(bootstrap: str, region_name: str) -> Settings:
    """The settings of a region's lane: each history plays on topics of its own, because each has a time of its own."""
    return Settings(
        bootstrap=bootstrap,
        prefix=f"demo.{region_name}.",
        lane=Lane.TEST,
        clock="observed",
        partitions=PARTITIONS,
        instance="demo",
        checkpoint_s=0.5,
    )


def settings_file(settings: Settings, work: Path) -> Path:
    """The settings as a file for the worker: what differs from the defaults."""
    default = Settings()
    changed = {name: value for name, value in msgspec.structs.asdict(settings).items() if value != getattr(default, name)}
    path = work / f"{settings.prefix}toml"
    path.write_text("".join(f"{name} = {msgspec.json.encode(value).decode()}\n" for name, value in changed.items()), "utf-8")
    return path


def pace_of(messages: list[DoorMessage], speed: str | None, seconds: float) -> Pace:
    """The pace the user asked for, or the one that plays all messages in `seconds`."""
    from stream.cli.options import pace

    if speed is not None:
        return pace(speed)
    span_s = (messages[-1].observed_at - messages[0].observed_at) / SECOND
    return Pace(span_s / seconds if span_s > 0 else None)


async def beside(work: Coroutine[Any, Any, None], worker: Child, watching: Coroutine[Any, Any, None]) -> None:
    """Do the work while watching; TocsinError with its last lines as soon as the worker dies."""

    async def guard() -> None:
        while True:
            worker.check()
            await asyncio.sleep(_LOOK_S)

    main = asyncio.ensure_future(work)
    others = [asyncio.ensure_future(guard()), asyncio.ensure_future(watching)]
    try:
        await asyncio.wait([main, *others], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (main, *others):
            if not task.done():
                task.cancel()
        results = await asyncio.gather(main, *others, return_exceptions=True)
    for error in results:
        if isinstance(error, BaseException) and not isinstance(error, asyncio.CancelledError):
            raise error


async def play(
    screen: Screen, settings: Settings, folder: Path, work: Path, pace_text: tuple[str | None, float]
) -> tuple[Region, list[Outcome]]:
    """Play one region from its history to its closing table."""
    (region, created), _ = await asyncio.gather(activated(settings, folder), feeding.await_coordinator(settings))
    screen.step(f"{len(created)} topics created with the prefix {settings.prefix}; region {region.name} ({region.region_hash}) activated")
    messages = measurements(region, history_of(folder), Span(), ordered=True)
    pace = pace_of(messages, *pace_text)
    watcher = Watcher(screen, settings, region)
    command = [sys.executable, "-m", "stream.cli.main", "worker", "--settings", str(settings_file(settings, work))]

    async def feed() -> None:
        await feeding.await_begun(settings)
        screen.step(f"worker is ready: it owns {settings.partitions} partitions of the journal")
        first, last = to_text(messages[0].observed_at), to_text(messages[-1].observed_at)
        times = f"{pace.speed:,.0f} times as fast as observed" if pace.speed else "as fast as possible"
        screen.say(f"\n[bold]{region.title.get('en', region.name)}[/]: {len(messages)} measurements, {first} to {last}, {times}")
        await feeding.send(settings, region, messages, pace)
        await feeding.await_accept(settings)
        await feeding.close(settings, messages[-1].observed_at + 1)
        await feeding.await_read(settings, [Topics.of(settings).journal])

    with Child("worker", command, screen.child, temporary=work) as worker:
        await beside(feed(), worker, watcher.watch(once=False))
    # What was published last may not have been read yet; the topics are complete now.
    await watcher.watch(once=True)
    return region, outcomes(region, watcher.seen.values(), observed(folder))
