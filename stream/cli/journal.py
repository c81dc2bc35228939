"""`tocsin journal save`: the journal as one file, for `tocsin replay --journal`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli.options import connection, given
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.review.journal_file import Recorded

app = typer.Typer(help="Keep the journal as a file.", no_args_is_help=True)
Out = Annotated[Path, typer.Option("--out", help="The file to write.", show_default=False)]


async def recorded(settings: Settings) -> list[Recorded]:
    """All records of the journal as it ends now, by partition and offset."""
    from stream.review.journal_file import Recorded
    from stream.runtime.follow import follow
    from stream.runtime.topics import Topics

    found = [
        Recorded(one.partition, one.offset, one.timestamp, one.value or b"")
        async for read in follow(settings.cluster, [Topics.of(settings).journal], once=True)
        for one in read.records
    ]
    return sorted(found, key=lambda one: (one.partition, one.offset))


@app.callback()
def group() -> None:
    """Keep the journal as a file."""


@app.command("save")
@given(settings=connection)
def save(out: Out, settings: Settings) -> None:
    """Write the journal topic, as it ends now, to a file that `tocsin replay --journal` reads."""
    import asyncio

    from stream.review.journal_file import Header, write

    written = write(out, Header(settings.lane, settings.clock, settings.journal_width), asyncio.run(recorded(settings)))
    typer.echo(f"{out}: {written} records", err=True)
