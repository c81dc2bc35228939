"""`tocsin doctor`: is everything well that the service stands on, and if not, what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.cli.gateway_mqtt import account, broker_at
from stream.cli.options import AsJson, connection, given
from stream.errors import TocsinError
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.health.findings import Finding

COLOURS = {"ok": "green", "!": "yellow", "?": "magenta", "x": "red"}
GROUP_WIDTH = 12
CLIENT_ID = "tocsin-doctor"


@given(settings=connection, shown=account)
def doctor(
    settings: Settings,
    shown: dict[str, Any],
    *,
    role: Annotated[
        str | None,
        typer.Option(help="What Kafka's user is for (worker, gateway, centre:harbin ...): compares what it may do with what it needs."),
    ] = None,
    spool: Annotated[Path | None, typer.Option(help="A gateway's folder for what Kafka does not take.", file_okay=False)] = None,
    mqtt: Annotated[
        str | None,
        typer.Option(
            help="Also look at this MQTT broker, host:port; --username and so on are for it, Kafka's user stands in the settings."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at versions, broker, topics, permissions, clock, disk, canary: a line each, with what to do about it. Writes nothing anywhere.

    ok = well, ! = it works, and somebody should look at it, ? = it could not be looked at, x = it does not work or something can be lost.

    Exit code 1 if there is an x or a ?.
    """
    import asyncio
    import time

    from stream.cli.watching import published_regions
    from stream.health.doctor import Asked, examine
    from stream.health.doctor_permissions import role_of
    from stream.health.findings import Verdict, summary
    from stream.records.instants import to_text

    if mqtt is None and any(shown.values()):
        msg = "--username, --password-file, --ca-file, --cert-file and --key-file are for --mqtt; Kafka's user stands in the settings (sasl_username)"
        raise TocsinError(msg)
    asked = Asked(role_of(role) if role else None, spool, broker_at(mqtt, CLIENT_ID, shown) if mqtt else None)
    if not as_json:
        where = f"{settings.bootstrap}, {f'prefix {settings.prefix}' if settings.prefix else 'live'}"
        typer.echo(f"tocsin doctor {to_text(time.time_ns() // 1_000_000)}: {where}, as {settings.cluster.identity}\n")
    found: list[Finding] = []
    for one in examine(settings, asked, lambda: asyncio.run(published_regions(settings))):
        _show(one, found[-1].group if found else "", as_json=as_json)
        found.append(one)
    if not as_json:
        typer.secho(f"\n{summary(found)}", bold=True)
    if any(one.verdict in (Verdict.BAD, Verdict.UNKNOWN) for one in found):
        raise typer.Exit(1)


def _show(one: Finding, last: str, *, as_json: bool) -> None:
    import msgspec

    if as_json:
        typer.echo(msgspec.json.encode(one._asdict()).decode())
        return
    group = one.group if one.group != last else ""
    typer.echo(f"{group:<{GROUP_WIDTH}} {typer.style(f'{one.verdict:<2}', fg=COLOURS[one.verdict], bold=True)} {one.said}")
    if one.fix:
        typer.echo(f"{'':<{GROUP_WIDTH}}    -> {one.fix}")
