"""`tocsin ack|accept|reject|done`: a city's officer answers a warning, on the city's own topic."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from stream.cli.options import AsJson, connection, given
from stream.errors import TocsinError
from stream.settings import Settings

City = Annotated[str, typer.Argument(metavar="CITY", help="The id of the city (or administration) that answers.", show_default=False)]
WarningId = Annotated[str, typer.Argument(metavar="WARNING_ID", help="As `tocsin tail CITY` shows it.", show_default=False)]


class Said(NamedTuple):
    """What an officer says besides the action. `by`: his name, None = the user's; `revision`: None = the newest."""

    note: str
    by: str | None
    revision: int | None


def saying(
    note: Annotated[str, typer.Option(help="What the others should know; to reject, why.")] = "",
    by: Annotated[str | None, typer.Option(help="Who answers. Default: the name of the user.", show_default=False)] = None,
    revision: Annotated[
        int | None, typer.Option(min=1, help="Which revision is answered. Default: the newest on the city's topic.")
    ] = None,
) -> Said:
    """The options of an answer."""
    return Said(note, by, revision)


@given(settings=connection, said=saying)
def ack(city: City, warning_id: WarningId, settings: Settings, said: Said, as_json: AsJson = False) -> None:
    """Say that a person has read the warning."""
    _answer(settings, (city, warning_id), "seen", said, as_json=as_json)


@given(settings=connection, said=saying)
def accept(city: City, warning_id: WarningId, settings: Settings, said: Said, as_json: AsJson = False) -> None:
    """Say that the warning is being acted on."""
    _answer(settings, (city, warning_id), "accepted", said, as_json=as_json)


@given(settings=connection, said=saying)
def reject(city: City, warning_id: WarningId, settings: Settings, said: Said, as_json: AsJson = False) -> None:
    """Reject the warning, saying why in --note: whoever stands above the city is told at once."""
    if not said.note.strip():
        raise typer.BadParameter("say why with --note: it goes to whoever stands above the city")
    _answer(settings, (city, warning_id), "rejected", said, as_json=as_json)


@given(settings=connection, said=saying)
def done(city: City, warning_id: WarningId, settings: Settings, said: Said, as_json: AsJson = False) -> None:
    """Say that what the warning asked for is done."""
    _answer(settings, (city, warning_id), "done", said, as_json=as_json)


def _answer(settings: Settings, what: tuple[str, str], action: str, said: Said, *, as_json: bool) -> None:
    import asyncio
    import getpass

    import msgspec

    from stream.cli.sending import send
    from stream.records.acknowledgement import Acknowledgement
    from stream.records.instants import to_text

    city, warning_id = what
    newest = asyncio.run(_newest(settings, city, warning_id))
    by = said.by or getpass.getuser()
    fields = {
        "warning_id": warning_id,
        "revision": said.revision or newest,
        "action": action,
        "by": by,
        "note": said.note,
        "lane": settings.lane,
    }
    try:
        made = msgspec.convert(fields, Acknowledgement)
    except msgspec.ValidationError as error:
        msg = f"this cannot be sent: {error}; see `tocsin schema acknowledgement`"
        raise TocsinError(msg) from error
    if made.revision > newest:
        msg = f"the newest revision of {warning_id} is {newest}; leave out --revision to answer that"
        raise TocsinError(msg)
    received_at = to_text(asyncio.run(send(settings, city, made, made.warning_id)))
    if as_json:
        typer.echo(msgspec.json.encode(fields | {"city_id": city, "received_at": received_at}).decode())
        return
    typer.echo(f"{city}: revision {made.revision} of {warning_id} {action} by {made.by}, received at {received_at}")


async def _newest(settings: Settings, city: str, warning_id: str) -> int:
    """The newest revision of the warning on the city's topic; TocsinError when it has none of that id."""
    from stream.records.warning import CityWarning
    from stream.runtime.follow import follow
    from stream.runtime.topics import Topics
    from stream.warnings.reading import decode

    found: dict[str, int] = {}
    async for read in follow(settings.cluster, [Topics(settings.prefix).city(city)], once=True):
        for record in read.records:
            if record.value is not None and isinstance(message := decode(record.value), CityWarning):
                found[message.warning_id] = max(message.revision, found.get(message.warning_id, 0))
    if warning_id not in found:
        known = ", ".join(list(found)[-5:]) or "none at all"
        msg = f"{city} has no warning {warning_id!r}; its newest are {known}: see `tocsin tail {city}`"
        raise TocsinError(msg)
    return found[warning_id]
