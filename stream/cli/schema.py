"""`tocsin schema`: the JSON Schema of every record that crosses a topic, from the same types that decode it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stream.cli.options import AsJson
from stream.errors import TocsinError

AsyncApi = Annotated[bool, typer.Option("--asyncapi", help="Print all topics and their records as an AsyncAPI 3 document instead.")]


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema (2020-12) by record name.

    >>> sorted(schemas())[:3]
    ['acknowledgement', 'audit_entry', 'canary_answer']
    """
    # Imported late, so that `--help` stays fast.
    from stream.records import schema as records

    return records.schemas()


def schema(
    name: Annotated[str | None, typer.Argument(help="Which record; without it, all are listed.", show_default=False)] = None,
    as_json: AsJson = False,
    asyncapi: AsyncApi = False,
) -> None:
    """Print the JSON Schema of a record, or the names of all records."""
    import msgspec

    if asyncapi:
        typer.echo(msgspec.json.format(msgspec.json.encode(_topics()), indent=2).decode())
        return
    known = schemas()
    if name is None:
        typer.echo(msgspec.json.encode(known).decode() if as_json else "\n".join(known))
        return
    if name not in known:
        msg = f"no record is called {name!r}; there are {', '.join(known)}"
        raise TocsinError(msg)
    typer.echo(msgspec.json.format(msgspec.json.encode(known[name]), indent=2).decode())


def _topics() -> dict[str, Any]:
    from importlib.metadata import PackageNotFoundError, version

    from stream.runtime.asyncapi import document

    try:
        return document(version("tocsin"))
    except PackageNotFoundError:  # run from a checkout that is not installed
        return document("0")
