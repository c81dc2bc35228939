"""`tocsin silence|unsilence`: a city is not sent, for a while, what it knows already; and is again."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from stream.cli.options import AsJson, connection, given
from stream.cli.stating import City, Speaker, speaking, state
from stream.settings import Settings

Of = Annotated[str, typer.Argument(metavar="SILENCE", help="The id under which the silence is known (stm-...).", show_default=False)]


class Spared(NamedTuple):
    """What is not to be sent, up to which level, from when until when."""

    level: str
    hazard: str
    about: str
    since: str | None
    until: str


def sparing(
    *,
    level: Annotated[
        str, typer.Option(help="The highest level that is muted: blue, yellow or orange. Red is never muted.", show_default=False)
    ],
    until: Annotated[str, typer.Option(help="When it ends (RFC 3339), at most 7 days from its beginning.", show_default=False)],
    since: Annotated[str | None, typer.Option(help="When it begins. Default: now.", show_default=False)] = None,
    hazard: Annotated[str, typer.Option(help="Only this hazard. Default: all of the domain.")] = "",
    about: Annotated[str, typer.Option(help="Only this incident or warning. Default: any.")] = "",
) -> Spared:
    """The options of a silence."""
    return Spared(level, hazard, about, since, until)


@given(settings=connection, spared=sparing, speaker=speaking)
def silence(city: City, settings: Settings, spared: Spared, speaker: Speaker, as_json: AsJson = False) -> None:
    """Mute a city's own messages up to a level; --text says why. Raises above it, ends and answers due are sent; it ends with the event or its time."""
    fields = {
        "act": "silence",
        "level": spared.level,
        "hazard": spared.hazard,
        "about": spared.about,
        "starts_at": spared.since,
        "ends_at": spared.until,
    }
    state(settings, city, fields, speaker, as_json=as_json)


@given(settings=connection, speaker=speaking)
def unsilence(city: City, of: Of, settings: Settings, speaker: Speaker, as_json: AsJson = False) -> None:
    """End a silence of the city now: what stands is sent."""
    state(settings, city, {"act": "unsilence", "about": of}, speaker, as_json=as_json)
