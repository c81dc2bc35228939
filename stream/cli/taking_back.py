"""`tocsin cancel|correct`: who answers for an incident says that it was wrong, or what is right; everybody who was ever told hears it."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from stream.cli.options import AsJson, connection, given
from stream.cli.stating import About, City, Speaker, Where, speaking, state
from stream.settings import Settings


class Right(NamedTuple):
    """What is right: of a report, its level (None: as it was) and its place."""

    level: str | None
    where: Where


def righting(
    level: Annotated[str | None, typer.Option(help="Of a report: the right level, none if there was nothing.", show_default=False)] = None,
    at: Annotated[str, typer.Option("--in", metavar="CITY", help="Of a report: the city in which it was seen.")] = "",
    reach: Annotated[str, typer.Option(help="Of a report: the river reach on which it was seen, with --km.")] = "",
    km: Annotated[float | None, typer.Option(help="Kilometres from the upper end of the reach.", show_default=False)] = None,
    latitude: Annotated[float | None, typer.Option(help="Of a report: degrees north, with --longitude.", show_default=False)] = None,
    longitude: Annotated[float | None, typer.Option(help="Degrees east.", show_default=False)] = None,
) -> Right:
    """The options of a correction."""
    return Right(level, Where(at, reach, km, latitude, longitude))


@given(settings=connection, speaker=speaking)
def cancel(city: City, about: About, settings: Settings, speaker: Speaker, as_json: AsJson = False) -> None:
    """Take back a warning's whole incident, or a report, saying why in --text: it was wrong."""
    _why(speaker)
    state(settings, city, {"act": "cancel", "about": about}, speaker, as_json=as_json)


@given(settings=connection, right=righting, speaker=speaking)
def correct(city: City, about: About, settings: Settings, right: Right, speaker: Speaker, as_json: AsJson = False) -> None:
    """Correct what was said, in --text; of a report also its level and place."""
    _why(speaker)
    fields = {"act": "correct", "about": about, "level": right.level, **right.where._asdict()}
    state(settings, city, fields, speaker, as_json=as_json)


def _why(speaker: Speaker) -> None:
    if not speaker.text.strip():
        raise typer.BadParameter("say with --text what was wrong and what is right: it goes to everybody who was told")
