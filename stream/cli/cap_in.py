"""`tocsin cap-in SOURCES FILE...`: other systems' CAP 1.2 alerts, checked against pinned certificates, into the service as reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stream.cli.options import AsJson, connection, given
from stream.errors import TocsinError
from stream.settings import Settings

Sources = Annotated[
    Path,
    typer.Argument(metavar="SOURCES", help="Whose alerts are taken (cap_sources.toml).", exists=True, dir_okay=False, show_default=False),
]
Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="Alerts, in the order they were sent; /dev/stdin takes one from a pipe (curl ... | tocsin cap-in SOURCES /dev/stdin).",
        exists=True,
        dir_okay=False,
        show_default=False,
    ),
]
Try = Annotated[bool, typer.Option("--try", help="Say what would become of them, and write nothing.")]


@given(settings=connection)
def cap_in(sources: Sources, files: Files, settings: Settings, *, only_try: Try = False, as_json: AsJson = False) -> None:
    """Take alerts of other systems: each becomes a report, corrects one, ends one or takes one back; refused ones are named, with exit code 1."""
    import asyncio
    import time

    import msgspec

    from stream.cli.watching import active_regions
    from stream.gateways.cap_in import CapIn
    from stream.gateways.cap_refused import CapFault
    from stream.gateways.cap_sources import read_sources

    regions = asyncio.run(active_regions(settings))
    taking = CapIn(read_sources(sources, regions), regions, settings.lane)
    refused = 0
    for file in files:
        found = taking.take(file.read_bytes(), time.time_ns() // 1_000_000)
        refused += isinstance(found, CapFault)
        said = _said(file, found, settings, regions, only_try=only_try)
        typer.echo(msgspec.json.encode(said).decode() if as_json else "  ".join(str(one) for one in said.values() if one))
    if refused:
        msg = f"{refused} of {len(files)} alerts were refused"
        raise TocsinError(msg)


def _said(file: Path, found: Any, settings: Settings, regions: Any, *, only_try: bool) -> dict[str, Any]:
    """What became of one alert, written unless it is only tried."""
    import asyncio

    from stream.cli.sending import send
    from stream.cli.stating import check
    from stream.gateways.cap_in import CapDuplicate
    from stream.gateways.cap_refused import CapFault
    from stream.records.statement import statement_id

    if isinstance(found, CapFault):
        return {"file": str(file), "verdict": "rejected", "reason": found.reason.value, "error": found.detail}
    if isinstance(found, CapDuplicate):
        return {"file": str(file), "verdict": "duplicate", "identifier": found.identifier}
    for one in found.statements:
        check(settings, regions, found.city_id, one)
        if not only_try:
            asyncio.run(send(settings, found.city_id, one, one.id))
    acts = " ".join(f"{one.act}:{one.about or statement_id(found.city_id, one.id)}" for one in found.statements)
    last = found.statements[-1]
    return {
        "file": str(file),
        "verdict": "would be accepted" if only_try else "accepted",
        "city": found.city_id,
        "does": acts,
        "level": last.level or "",
    }
