"""`tocsin archive`: the journal as files that outlive Kafka's retention, and whether they are still what they were."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream.cli.options import AsJson, connection, given
from stream.errors import TocsinError
from stream.settings import Settings

Out = Annotated[Path, typer.Option("--out", help="The archive's folder; it is made, or gone on with.", file_okay=False, show_default=False)]
Since = Annotated[str | None, typer.Option(help="Where nothing is archived yet: begin with this instant (RFC 3339).")]
Verify = Annotated[bool, typer.Option("--verify", help="Add nothing; check every file of the archive. Needs no broker.")]
Head = Annotated[str | None, typer.Option(help="With --verify: the sum that an earlier run printed; the archive must still hold it.")]


@given(settings=connection)
def archive(out: Out, settings: Settings, since: Since = None, verify: Verify = False, head: Head = None, as_json: AsJson = False) -> None:
    """Keep the journal, its snapshots and its regions in a folder; each run goes on where the last one ended.

    Run it at least every week: the journal is kept for 28 days. Keep the printed sum elsewhere: it stands for everything before it.
    Exit code 1 when records expired between two runs, or when --verify finds anything wrong.
    """
    import asyncio

    import msgspec

    from stream.records.instants import from_text
    from stream.runtime.archiving import archive as keep

    if head is not None and not verify:
        raise TocsinError("--head is compared with --verify only")
    if verify:
        if since is not None:
            raise TocsinError("--since is where a new archive begins; --verify adds nothing")
        _verify(out, head, as_json=as_json)
        return
    try:
        since_at = None if since is None else from_text(since)
    except ValueError as error:
        raise TocsinError(str(error)) from error
    done = asyncio.run(keep(settings, out, since_at))
    if as_json:
        typer.echo(msgspec.json.encode(done).decode())
    else:
        typer.echo(
            f"{out}: {done.records} records in {done.files} files, {done.snapshots} snapshots, {done.regions} regions; sum {done.head}"
        )
    for one in done.expired:
        typer.echo(f"expired before it was archived: {one}", err=True)
    if done.since_last:
        raise typer.Exit(1)


def _verify(out: Path, head: str | None, *, as_json: bool) -> None:
    import msgspec

    from stream.review.archive import What, opened, problems

    archived = opened(out)
    found = list(problems(archived))
    if head is not None and not archived.knows(head):
        found.append(f"the sum {head} is not in this archive: its end was cut off, or it is another one")
    records = sum(one.next_offset - one.first_offset for one in archived.of(What.JOURNAL))
    if as_json:
        said = {"entries": len(archived.lines), "records": records, "problems": found, "head": archived.head}
        typer.echo(msgspec.json.encode(said).decode())
    elif not found:
        typer.echo(f"{out}: {len(archived.lines)} entries, {records} records, nothing is missing or altered; sum {archived.head}")
    else:
        for one in found:
            typer.echo(one, err=True)
    if found:
        raise typer.Exit(1)
