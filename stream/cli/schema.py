"""`tocsin schema`: the JSON Schema of every record that crosses a topic, from the same types that decode it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stream.cli.options import AsJson
from stream.errors import TocsinError


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema (2020-12) by record name.

    >>> sorted(schemas())[:3]
    ['acknowledgement', 'case_count', 'city_status']
    """
    # Imported late, so that `--help` stays fast.
    from stream.records import schema as records

    return records.schemas()


def schema(
    name: Annotated[str | None, typer.Argument(help="Which record; without it, all are listed.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Print the JSON Schema of a record, or the names of all records."""
    import msgspec

    known = schemas()
    if name is None:
        typer.echo(msgspec.json.encode(known).decode() if as_json else "\n".join(known))
        return
    if name not in known:
        msg = f"no record is called {name!r}; there are {', '.join(known)}"
        raise TocsinError(msg)
    typer.echo(msgspec.json.format(msgspec.json.encode(known[name]), indent=2).decode())
