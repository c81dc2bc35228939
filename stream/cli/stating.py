"""What the commands share by which a city's officer states something: who says it, of which domain, and that it is checked before it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.records.statement import Statement
    from stream.region.model import Region
    from stream.settings import Settings

City = Annotated[str, typer.Argument(metavar="CITY", help="The id of the city (or administration) that states it.", show_default=False)]
About = Annotated[str, typer.Argument(metavar="ABOUT", help="The id of the report, warning or incident it is about.", show_default=False)]


class Speaker(NamedTuple):
    """Who states it (None = the user's name), of which domain (None: found out), in which words, and under which id (None: a new one)."""

    by: str | None
    domain: str | None
    text: str
    id: str | None


class Where(NamedTuple):
    """Where something was seen; nothing given: in the city that says so."""

    city: str = ""
    reach: str = ""
    km: float | None = None
    latitude: float | None = None
    longitude: float | None = None


def speaking(
    by: Annotated[str | None, typer.Option(help="Who says it. Default: the name of the user.", show_default=False)] = None,
    domain: Annotated[str | None, typer.Option(help="The domain it is about. Default: found out.", show_default=False)] = None,
    text: Annotated[str, typer.Option(help="In words: what was seen, why it was wrong, what is right.")] = "",
    own_id: Annotated[
        str | None, typer.Option("--id", help="Your own id of it: sent twice, it counts once. Default: a new one.", show_default=False)
    ] = None,
) -> Speaker:
    """The options of every statement."""
    return Speaker(by, domain, text, own_id)


def placing(
    at: Annotated[str, typer.Option("--in", metavar="CITY", help="The city in which it was seen.")] = "",
    reach: Annotated[str, typer.Option(help="The river reach (reaches.csv) on which it was seen, with --km.")] = "",
    km: Annotated[float | None, typer.Option(help="Kilometres from the upper end of the reach.", show_default=False)] = None,
    latitude: Annotated[float | None, typer.Option(help="Degrees north, with --longitude.", show_default=False)] = None,
    longitude: Annotated[float | None, typer.Option(help="Degrees east.", show_default=False)] = None,
) -> Where:
    """The options of a place."""
    return Where(at, reach, km, latitude, longitude)


def state(settings: Settings, city: str, fields: dict[str, Any], speaker: Speaker, *, as_json: bool) -> None:
    """Check a statement against the active regions, write it to the city's topic and say under which id it is known."""
    import asyncio
    import getpass
    import secrets

    import msgspec

    from stream.cli.sending import send
    from stream.cli.watching import active_regions
    from stream.records.instants import to_text
    from stream.records.statement import Statement, statement_id

    regions = asyncio.run(active_regions(settings))
    said = fields | {
        "type": "statement",
        "domain": speaker.domain or asyncio.run(_domain(settings, regions, city, fields)),
        "by": speaker.by or getpass.getuser(),
        "id": speaker.id or secrets.token_hex(8),
        "text": speaker.text,
        "lane": settings.lane,
    }
    try:
        made = msgspec.convert({name: value for name, value in said.items() if value is not None}, Statement)
    except msgspec.ValidationError as error:
        msg = f"this cannot be sent: {error}; see `tocsin schema statement`"
        raise TocsinError(msg) from error
    check(settings, regions, city, made)
    received_at = to_text(asyncio.run(send(settings, city, made, made.id)))
    known_as = statement_id(city, made.id)
    if as_json:
        typer.echo(msgspec.json.encode(said | {"city_id": city, "statement_id": known_as, "received_at": received_at}).decode())
        return
    about = f" of {made.about}" if made.about else ""
    typer.echo(f"{city}: {made.act}{about} in {made.domain} by {made.by}, received at {received_at}, known as {known_as}")


def check(settings: Settings, regions: Iterable[Region], city: str, made: Statement) -> None:
    """What intake would refuse is refused here, before it is written."""
    import time

    from stream.accept.refusal import Fault
    from stream.accept.statements import Stated, judge

    found = judge(Stated(made, city, time.time_ns() // 1_000_000, settings.lane), regions)
    if isinstance(found, Fault):
        raise TocsinError(found.detail)


async def _domain(settings: Settings, regions: Iterable[Region], city: str, fields: dict[str, Any]) -> str:
    """The one domain that is meant: of what it is about, of its station, or where its hazard is watched for the city."""
    about = fields.get("about", "")
    found = _by_place(regions, city, fields)
    if about and len(found) != 1:
        found = await _said_about(settings, city, about) or found
    if len(found) == 1:
        return found.pop()
    choice = ", ".join(sorted(found)) or "none that fits"
    msg = f"say which domain it is about with --domain: {choice}"
    raise TocsinError(msg)


def _by_place(regions: Iterable[Region], city: str, fields: dict[str, Any]) -> set[str]:
    about, hazard = fields.get("about", ""), fields.get("hazard", "")
    having = [region for region in regions if city in region.above]
    of_station = {
        region.domains[int(region.series.domain[row])].domain_id
        for region in having
        for row, one in enumerate(region.series.ids)
        if about in (one, region.series.station[row])
    }
    if of_station:
        return of_station
    families = {one.family for region in having for one in region.hazards if one.hazard == hazard}
    found = {domain.domain_id for region in having for domain in region.domains if not families or families & set(domain.families)}
    near = {danger.domain for danger in _watched(having, city) if danger.hazard == hazard}
    return near & found or found


def _watched(regions: Iterable[Region], city: str) -> set[Any]:
    from stream.warnings.reading import expected

    return {danger for region in regions if city in region.city_index for danger in expected(region, city)}


async def _said_about(settings: Settings, city: str, about: str) -> set[str]:
    """The domains in which the city was told, or said itself, something about this id."""
    import msgspec

    from stream.records.statement import Statement, statement_id
    from stream.records.warning import CityWarning
    from stream.runtime.follow import follow
    from stream.runtime.topics import Topics
    from stream.warnings.reading import decode

    topics, found = Topics(settings.prefix), set()
    decoder = msgspec.json.Decoder(Statement)
    async for read in follow(settings.cluster, [topics.city(city), topics.acknowledgements(city)], once=True):
        for record in read.records:
            if record.value is None:
                continue
            if record.topic == topics.city(city):
                message = decode(record.value)
                if isinstance(message, CityWarning) and (
                    about in (message.warning_id, message.incident_id) or f"report/{about}" in [one.series for one in message.evidence]
                ):
                    found.add(message.domain)
            elif (said := _statement(decoder, record.value)) is not None and statement_id(city, said.id) == about:
                found.add(said.domain)
    return found


def _statement(decoder: Any, value: bytes) -> Statement | None:
    """A statement on the city's topic; None for everything else that was written there."""
    try:
        made: Statement = decoder.decode(value)
    except ValueError:
        return None
    return made
