"""`tocsin replay REGION FILE...`: what would have been warned, without a broker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli.options import Span, connection, given, span
from stream.errors import TocsinError
from stream.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.records.output import Output
    from stream.region.model import Region

Files = Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="CSV or JSONL, may be gzipped (.gz).", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Where to write the outputs, one JSON object a line.", show_default=False)]
Journal = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        help="Decide on a recorded journal (`tocsin journal save`), or on the folder of an archive (`tocsin archive`; from the snapshots before "
        "--start, if given), instead of files. An archive brings its regions.",
    ),
]
RegionIfAny = Annotated[
    str | None, typer.Argument(metavar="[REGION]", help="A region folder, or the name of a shipped region.", show_default=False)
]


def outputs(region: Region, files: list[Path], journal: Path | None, span: Span, settings: Settings) -> Iterable[Output]:
    """The outputs for the files, or for the journal."""
    from stream.cli.feed import measurements
    from stream.review import journal_file, replay

    if journal is not None:
        return replay.decide([region], journal_file.read_header(journal), journal_file.read(journal))
    header = journal_file.Header(settings.lane, settings.clock, settings.partitions)
    made = replay.journal_of([region], measurements(region, files, span, ordered=True), settings, span.until_at)
    for refusal in made.refused[:10]:
        typer.echo(f"refused, {refusal.reason}: {refusal.detail}", err=True)
    if len(made.refused) > 10:  # noqa: PLR2004
        typer.echo(f"and {len(made.refused) - 10} more refused", err=True)
    return replay.decide([region], header, made.records, together=True)


@given(span=span, settings=connection)
def replay(out: Out, span: Span, settings: Settings, region: RegionIfAny = None, files: Files = None, journal: Journal = None) -> None:
    """Decide on files of measurements, on a recorded journal or on an archive, exactly as the service does, without a broker."""
    from collections import Counter

    import msgspec

    from stream.cli.folders import region_folder
    from stream.records.warning import Lane
    from stream.region.load import load_folder
    from stream.review import archive_replay
    from stream.review.archive import opened
    from stream.review.replay import line
    from stream.review.whole_file import whole_file

    if bool(files) == (journal is not None):
        raise TocsinError("give either files of measurements or --journal")
    archive = journal if journal is not None and journal.is_dir() else None
    if region is None and archive is None:
        raise TocsinError("give the region that decides: a folder, or the name of a shipped region")
    if settings.clock == "broker":
        # Without a broker there is no broker's time; and what is replayed is never live.
        lane, prefix = (settings.lane, settings.prefix) if settings.prefix else (Lane.TEST, "replay.")
        settings = msgspec.structs.replace(settings, lane=lane, prefix=prefix, clock="observed")
    counts: Counter[str] = Counter()
    made: Iterable[Output] = (
        archive_replay.decide(opened(archive), span.start_at)
        if archive is not None
        else outputs(load_folder(region_folder(region or "")), files or [], journal, span, settings)
    )
    for way, turn in archive_replay.said_by_others(opened(archive), span.start_at) if archive is not None else ():
        until = "its end" if turn.end is None else f"{turn.end - 1}"
        spoke = f"journal partition {way.partition}, offsets {turn.first} to {until}: fold version {turn.version} spoke"
        typer.echo(f"{spoke}, replay that with its code", err=True)
    with whole_file(out) as file:
        for output in made:
            counts[output.kind.value] += 1
            file.write(line(output) + b"\n")
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "nothing"
    typer.echo(f"{out}: {told}", err=True)
