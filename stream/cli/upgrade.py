"""`tocsin upgrade check|activate VERSION`: another version of the fold takes over, when it has kept up in every partition."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.cli.options import AsJson, connection, given
from stream.settings import Settings

app = typer.Typer(help="Change to another version of the fold.", no_args_is_help=True)
Version = Annotated[str, typer.Argument(metavar="VERSION", help="The fold version: `tocsin version` names the one that is installed.")]


@app.callback()
def group() -> None:
    """Change to another version of the fold."""


@app.command("check")
@given(settings=connection)
def check(version: Version, settings: Settings, as_json: AsJson = False) -> None:
    """Say how far a version has come in every journal partition; exit code 1 while it may not take over."""
    import asyncio

    import msgspec

    from stream.runtime.upgrading import describe, in_force, reached

    now = asyncio.run(in_force(settings))
    found = asyncio.run(reached(settings, version))
    ready = all(one.ready for one in found)
    if as_json:
        typer.echo(
            msgspec.json.encode({"in_force": now, "version": version, "ready": ready, "partitions": [one._asdict() for one in found]})
        )
    else:
        typer.echo(f"in force: {'none yet' if now is None else f'fold version {now.version}'}")
        for one in found:
            typer.echo(f"{'✓' if one.ready else '✗'} {describe(one)}")
    raise typer.Exit(0 if ready else 1)


@app.command("activate")
@given(settings=connection)
def activate(version: Version, settings: Settings, as_json: AsJson = False) -> None:
    """Put a version in force. Workers of the one before end by themselves (exit code 76): let workers of the new version be started then."""
    import asyncio

    import msgspec

    from stream.decide.fold import Fold
    from stream.runtime import upgrading

    now = asyncio.run(upgrading.activate(settings, version, sorted(Fold.MIGRATES) if version == Fold.VERSION else ()))
    if as_json:
        typer.echo(msgspec.json.encode(now))
    else:
        typer.echo(f"fold version {now.version} is in force{f', after {now.before}' if now.before else ''}")
