"""`tocsin cap CITY`: a city's warnings as CAP 1.2 alerts, for systems that read nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from stream.cli.options import connection, given
from stream.errors import TocsinError
from stream.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.records.incident import Incident
    from stream.records.warning import CityWarning
    from stream.region.model import Region

City = Annotated[str, typer.Argument(metavar="CITY", help="The id of the city.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Every revision on the topic, not only the last one of each warning that stands now.")]
Out = Annotated[Path | None, typer.Option(help="A folder for one file an alert. Default: print them.", file_okay=False)]
Sender = Annotated[str, typer.Option(help="Who the alerts are from: no space, comma, < or &.")]


class Told(NamedTuple):
    """The active regions, every warning on a city's topic (each revision once, in topic order), and the records of all incidents."""

    regions: tuple[Region, ...]
    warnings: list[CityWarning]
    incidents: list[Incident]


async def read_told(city_id: str, settings: Settings) -> Told:
    """What alerts of a city are made of."""
    import msgspec

    from stream.cli.watching import active_regions, dangers
    from stream.records.incident import Incident
    from stream.records.warning import CityWarning
    from stream.runtime.follow import follow
    from stream.runtime.topics import Topics
    from stream.warnings.reading import decode

    regions = await active_regions(settings)
    dangers(regions, city_id)  # says which cities there are when this one is not
    topics = Topics(settings.prefix)
    found: dict[tuple[str, int], CityWarning] = {}
    incidents: list[Incident] = []
    async for read in follow(settings.cluster, [topics.city(city_id), topics.incidents], once=True):
        for record in read.records:
            if record.value is None:
                continue
            if record.topic == topics.incidents:
                incidents.append(msgspec.json.decode(record.value, type=Incident))
            elif isinstance(message := decode(record.value), CityWarning):
                found.setdefault((message.warning_id, message.revision), message)
    return Told(regions, list(found.values()), incidents)


def alerts(told: Told, chosen: Sequence[CityWarning], sender: str) -> Iterator[tuple[str, bytes]]:
    """(identifier, alert) of each chosen warning, with references to what was told before and the incidents that belong together."""
    from stream.warnings.cap import Issuer, alert, identifier
    from stream.warnings.cap_incidents import related
    from stream.warnings.cap_recipient import recipient

    by_name = {region.name: region for region in told.regions}
    for one in chosen:
        region = by_name.get(one.region)
        hazard = next((hazard for hazard in region.hazards if hazard.hazard == one.hazard), None) if region else None
        city = recipient(region, one.city_id) if region is not None else None
        if region is None or hazard is None or city is None:
            msg = f"{identifier(one)} is of region {one.region!r}, hazard {one.hazard!r}, which is not active: activate it again to make its alert"
            raise TocsinError(msg)
        earlier = [other for other in told.warnings if other.warning_id == one.warning_id]
        issuer = Issuer(sender, region.title.get("zh", region.name))
        yield identifier(one), alert(one, city, hazard, issuer, earlier, related(one.incident_id, told.incidents))


class Signing(NamedTuple):
    """PEM texts to sign with."""

    key: bytes
    certificate: bytes


def signing(
    key: Annotated[
        Path | None, typer.Option(help="Private key (PEM) to sign with; needs --certificate.", dir_okay=False, exists=True)
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Certificate (PEM) of the key.", dir_okay=False, exists=True)] = None,
) -> Signing | None:
    """What to sign with, None for unsigned alerts."""
    if key is None and certificate is None:
        return None
    if key is None or certificate is None:
        msg = "--key and --certificate belong together"
        raise TocsinError(msg)
    return Signing(key.read_bytes(), certificate.read_bytes())


@given(settings=connection, signing=signing)
def cap(
    city: City,
    settings: Settings,
    signing: Signing | None,
    *,
    every: All = False,
    out: Out = None,
    sender: Sender = "tocsin",
) -> None:
    """Print a city's active warnings as CAP 1.2 alerts, or write them to a folder; signed if a key is given."""
    import asyncio

    from stream.cli.watching import now_of
    from stream.warnings.cap_sign import signed
    from stream.warnings.reading import CityView, is_active, told_all

    told = asyncio.run(read_told(city, settings))
    view = told_all(CityView(city), told.warnings)
    now = now_of(settings, [view])
    chosen = told.warnings if every else [one for one in view.warnings.values() if is_active(one, now)]
    for name, xml in alerts(told, chosen, sender):
        made = signed(xml, signing.key, signing.certificate) if signing else xml
        if out is None:
            typer.echo(made.decode())
        else:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{name}.xml").write_bytes(made)
    if out is not None or not chosen:
        typer.echo(f"{len(chosen)} alerts of {city}", err=True)
