"""`tocsin report|confirm|withdraw`: a duty officer enters what was seen, another one stands behind it, or it is taken back."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from stream.cli.options import AsJson, connection, given
from stream.cli.stating import About, City, Speaker, Where, placing, speaking, state
from stream.settings import Settings


class Seen(NamedTuple):
    """What was seen, how bad it is, when, and how sure."""

    hazard: str
    level: str
    value: float | None
    unit: str
    since: str | None
    until: str | None
    confirmed: bool


def seeing(
    *,
    hazard: Annotated[str, typer.Option(help="The hazard of the region, such as spill or flood.", show_default=False)],
    level: Annotated[str, typer.Option(help="none, blue, yellow, orange or red; red needs a second person.", show_default=False)],
    value: Annotated[float | None, typer.Option(help="What was measured, in --unit.", show_default=False)] = None,
    unit: Annotated[str, typer.Option(help="The unit of --value.")] = "",
    since: Annotated[str | None, typer.Option(help="Since when (RFC 3339). Default: now.", show_default=False)] = None,
    until: Annotated[str | None, typer.Option(help="When it will be over, if that is known.", show_default=False)] = None,
    confirmed: Annotated[bool, typer.Option("--confirmed", help="Somebody went there and saw it.")] = False,
) -> Seen:
    """The options of a report."""
    return Seen(hazard, level, value, unit, since, until, confirmed)


@given(settings=connection, seen=seeing, where=placing, speaker=speaking)
def report(city: City, settings: Settings, seen: Seen, where: Where, speaker: Speaker, as_json: AsJson = False) -> None:
    """Report a spill, a breach, a telephone call: cities are warned by it, as unconfirmed until another source agrees."""
    fields = {
        "act": "report",
        "hazard": seen.hazard,
        "level": seen.level,
        "value": seen.value,
        "unit": seen.unit,
        "starts_at": seen.since,
        "ends_at": seen.until,
        "confirmed": seen.confirmed,
        **where._asdict(),
    }
    state(settings, city, fields, speaker, as_json=as_json)


@given(settings=connection, speaker=speaking)
def confirm(city: City, about: About, settings: Settings, speaker: Speaker, as_json: AsJson = False) -> None:
    """Stand behind a report; by another person than its reporter it may become red."""
    state(settings, city, {"act": "confirm", "about": about}, speaker, as_json=as_json)


@given(settings=connection, speaker=speaking)
def withdraw(city: City, about: About, settings: Settings, speaker: Speaker, as_json: AsJson = False) -> None:
    """Take back a report of this city: what rests on nothing else is withdrawn."""
    state(settings, city, {"act": "withdraw", "about": about}, speaker, as_json=as_json)
