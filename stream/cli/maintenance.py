"""`tocsin maintenance`: a station is in planned maintenance, until when, by whom."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from stream.cli.options import AsJson, connection, given
from stream.cli.stating import City, Speaker, speaking, state
from stream.settings import Settings

Station = Annotated[str, typer.Argument(metavar="STATION", help="A station of stations.csv, or one of its series.", show_default=False)]


class Planned(NamedTuple):
    """From when until when it lasts; or that it is over."""

    since: str | None
    until: str | None
    over: bool


def planned(
    until: Annotated[
        str | None, typer.Option(help="When it ends (RFC 3339), at most 92 days from its beginning.", show_default=False)
    ] = None,
    since: Annotated[str | None, typer.Option(help="When it begins. Default: now.", show_default=False)] = None,
    over: Annotated[bool, typer.Option("--over", help="It is over, sooner than planned.")] = False,
) -> Planned:
    """The options of a maintenance."""
    if over == (until is not None):
        raise typer.BadParameter("say until when with --until, or that it is over with --over")
    return Planned(since, until, over)


@given(settings=connection, plan=planned, speaker=speaking)
def maintenance(city: City, station: Station, settings: Settings, plan: Planned, speaker: Speaker, as_json: AsJson = False) -> None:
    """Announce the maintenance of a station: it raises nothing meanwhile, is shown, and lowers the coverage of its cities; it ends by itself."""
    act = "end_maintain" if plan.over else "maintain"
    state(settings, city, {"act": act, "about": station, "starts_at": plan.since, "ends_at": plan.until}, speaker, as_json=as_json)
