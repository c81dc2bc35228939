"""`tocsin feed REGION FILE...`: files of measurements into the doors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli.options import RegionArgument, Span, connection, given, pace, span
from stream.errors import TocsinError
from stream.runtime.pace import Pace
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.region.model import Region
    from stream.review.inputs import DoorMessage

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV or JSONL, may be gzipped (.gz).", show_default=False)]

History = Annotated[bool, typer.Option("--history", help="To the doors of history: it is learned, delays and raises nothing live.")]


def measurements(region: Region, files: list[Path], span: Span, *, ordered: bool) -> list[DoorMessage]:
    """The door messages of these files within the span; in the order of a replay if wanted. TocsinError when none are left."""
    from stream.review.inputs import cut, in_feed_order, one_door_each, read_files

    messages = cut(read_files(region, files), span.start_at, span.end_at)
    if not messages:
        msg = f"no measurement in {', '.join(map(str, files))}" + (" between --start and --end" if span != Span() else "")
        raise TocsinError(msg)
    if ordered:
        one_door_each(messages)
        return in_feed_order(messages)
    return messages


async def play(settings: Settings, region: Region, messages: list[DoorMessage], pace: Pace, until_at: int | None) -> None:
    """Send everything; on a replay lane wait for the workers first, then for ACCEPT, and write the closing tick."""
    from stream.cli.progress import bar
    from stream.runtime import feeding

    if settings.clock == "observed":
        # Measurements before their region's activation are kept by the fold, and would all be decided in one go.
        await feeding.await_begun(settings)
    with bar("sending", len(messages)) as advance:
        await feeding.send(settings, region, messages, pace, advance)
    if settings.clock == "observed":
        await feeding.await_accept(settings)
        await feeding.close(settings, until_at or messages[-1].observed_at + 1)


async def hand_in(settings: Settings, region: Region, messages: list[DoorMessage], pace: Pace) -> None:
    """Send everything to the doors of history, the oldest first, as it is learned best."""
    from stream.cli.progress import bar
    from stream.review.inputs import in_feed_order
    from stream.runtime import feeding

    with bar("sending", len(messages)) as advance:
        await feeding.send(settings, region, in_feed_order(messages), pace, advance, history=True)


@given(span=span, pace=pace, settings=connection)
def feed(region: RegionArgument, files: Files, span: Span, pace: Pace, settings: Settings, history: History = False) -> None:
    """Send files of measurements to the doors.

    CSV columns: series (or station and quantity), observed_at, value, and where wanted unit, quality, id. JSONL: door messages.
    With --clock observed (history on a topic prefix of its own) records go in order of observation, and the replay is closed at its end.
    """
    import asyncio

    from stream.cli.folders import region_folder
    from stream.region.load import load_folder

    if history and settings.clock == "observed":
        msg = "--history is for lanes in the broker's time; on a replay everything is history: leave it out"
        raise TocsinError(msg)
    loaded = load_folder(region_folder(region))
    messages = measurements(loaded, files, span, ordered=settings.clock == "observed")
    if history:
        asyncio.run(hand_in(settings, loaded, messages, pace))
    else:
        asyncio.run(play(settings, loaded, messages, pace, span.until_at))
    typer.echo(f"{len(messages)} measurements sent to {settings.bootstrap}", err=True)
