"""`tocsin rebuild`: whether the running state is what the journal says; and another number of journal partitions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli.options import connection, given
from stream.errors import TocsinError
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.runtime.recomputing import Compared, Recomputing
    from stream.runtime.regions_feed import RegionsFeed

Check = Annotated[
    bool, typer.Option("--check", help="Decide every partition again, beside the running service, and compare with its newest checkpoint.")
]
Partitions = Annotated[int | None, typer.Option(min=1, help="Make a new generation of the journal with so many partitions.")]
Abandon = Annotated[bool, typer.Option("--abandon", help="Give up a generation that was begun and not finished.")]
From = Annotated[
    Path | None, typer.Option("--archive", help="With --check: take what Kafka has no more from this archive.", file_okay=False)
]
Since = Annotated[
    str | None, typer.Option(help="With --check: from the newest snapshots before this instant, not the oldest ones at hand.")
]


@given(settings=connection)
def rebuild(
    *, settings: Settings, check: Check = False, partitions: Partitions = None, abandon: Abandon = False, archive: From = None, since: Since = None,
) -> None:  # fmt: skip
    """Compare the running state with the journal (--check), or deal the state out to another number of journal partitions (--partitions).

    --check: exit code 1 when any running state is not what the journal says; nothing is touched.

    --partitions: stop the workers and intake first (gateways go on); set `generation` and `journal_partitions` as it says and start them again.
    """
    import asyncio

    if [check, partitions is not None, abandon].count(True) != 1:
        raise TocsinError("give one of --check, --partitions N and --abandon")
    if not check and (archive is not None or since is not None):
        raise TocsinError("--archive and --since are for --check")
    if settings.clock != "broker":
        raise TocsinError("rebuild is for lanes in the broker's time; replay lanes are fed again")
    if check:
        found = asyncio.run(_compared(settings, archive, since))
        _show(found)
        raise typer.Exit(0 if all(one.equal for one in found) else 1)
    if partitions is None:
        asyncio.run(_abandoned(settings))
    else:
        asyncio.run(_made(settings, partitions))


async def _feed(settings: Settings) -> RegionsFeed:
    from stream.runtime.follow import follow
    from stream.runtime.regions_feed import RegionsFeed, load_packed
    from stream.runtime.topics import Topics

    topic = Topics.of(settings).regions
    feed = RegionsFeed(settings.cluster, topic, load_packed)
    async for read in follow(settings.cluster, [topic], once=True):
        feed.take(read.records)
    return feed


def _recomputing(settings: Settings, feed: RegionsFeed, archive: Path | None) -> Recomputing:
    from stream.decide.fold import Fold
    from stream.review.archive import opened
    from stream.runtime.recomputing import Recomputing
    from stream.runtime.topics import Topics

    fold = Fold(feed.source, lane=settings.lane, clock=settings.clock, partitions=settings.journal_width)
    return Recomputing(settings.cluster, Topics.of(settings), fold, None if archive is None else opened(archive))


async def _compared(settings: Settings, archive: Path | None, since: str | None) -> list[Compared]:
    from stream.records.instants import from_text

    try:
        since_at = None if since is None else from_text(since)
    except ValueError as error:
        raise TocsinError(str(error)) from error
    recomputing = _recomputing(settings, await _feed(settings), archive)
    newest = await recomputing.newest(settings.journal_width)
    return [await recomputing.compare(number, checkpoint, since_at) for number, checkpoint in sorted(newest.items())]


def _show(found: list[Compared]) -> None:
    for one in found:
        verdict = "equal" if one.equal else "NOT EQUAL"
        typer.echo(
            f"journal {one.partition}: state before offset {one.offset}: {verdict}; running {one.checkpoint[:16]}, "
            f"from offset {one.from_offset} on again {one.recomputed[:16]}"
        )
    differ = [one.partition for one in found if not one.equal]
    if differ:
        typer.echo(f"partitions {differ} are not what the journal says: keep the journal (`tocsin archive`) and report it", err=True)


async def _made(settings: Settings, partitions: int) -> None:
    from stream.decide.fold import Fold
    from stream.runtime import generations
    from stream.runtime.rebuilding import Rebuilding

    feed = await _feed(settings)
    published = await generations.read(settings)
    if published is None or published.ready:
        generations.require(settings, published)
    elif published.generation != settings.generation + 1:
        msg = f"generation {published.generation} was begun, these settings are of generation {settings.generation}: set {published.generation - 1}"
        raise TocsinError(msg)
    if feed.fold_version is not None and feed.fold_version.version != Fold.VERSION:
        msg = f"fold version {feed.fold_version.version} is in force, this program's is {Fold.VERSION}: use the program of the running workers"
        raise TocsinError(msg)
    folds = [
        Fold(feed.source, lane=settings.lane, clock=settings.clock, partitions=width) for width in (settings.journal_width, partitions)
    ]
    old = _recomputing(settings, feed, None)
    made = await Rebuilding(settings, partitions, old, (folds[0], folds[1]), feed).run()
    typer.echo(
        f"generation {made.settings.generation}: {made.domains} domains went over to {partitions} journal partitions, each as it was; {made.decided} records "
        f"of the old journal's end were decided, {made.said} records said.\nNow set for every process, and start workers and intake again:\n"
        f"  generation = {made.settings.generation}\n  journal_partitions = {partitions}"
    )


async def _abandoned(settings: Settings) -> None:
    from stream.runtime.rebuilding import abandon

    if not await abandon(settings):
        raise TocsinError("no generation is being made: nothing to give up")
    typer.echo(f"generation {settings.generation} counts again: start workers and intake as they were")
