"""`tocsin footprint REGION`: which cities a source reaches, when, how strongly, how surely - as a table, GeoJSON and a map."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli.options import AsJson, RegionArgument, given
from stream.errors import TocsinError
from stream.footprints.asked import Asked, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.footprints.answer import Answer
    from stream.footprints.question import Question
    from stream.footprints.suspects import Suspected

WIDE = 150
"""Columns where no terminal says how many it has."""
Where = Annotated[str, typer.Option("--source", help="Series, station, city, latitude,longitude or reach:kilometre.", show_default=False)]
At = Annotated[str, typer.Option("--at", help="When the danger was found there (RFC 3339).", show_default=False)]
HazardName = Annotated[str, typer.Option("--hazard", help="Which hazard of the region; may be left out when there is only one.")]
Value = Annotated[float | None, typer.Option("--value", help="What was measured, in the unit of the series (cases, mg/l, m3/s ...).")]
Wind = Annotated[str, typer.Option("--wind", help="Speed in m/s and the direction it blows from in degrees, as in 4,270.")]
Discharge = Annotated[float | None, typer.Option("--discharge", help="Discharge of the river at the source, m3/s.")]
Out = Annotated[Path | None, typer.Option("--out", help="A folder for footprint.geojson and footprint.png.", file_okay=False)]
Upstream = Annotated[bool, typer.Option("--upstream", help="The source is unknown: where on the river may it have started?")]
CleanPlaces = Annotated[
    list[str] | None, typer.Option("--clean", help="With --upstream: PLACE@TIME where it was looked for and not found.")
]


def asked(source: Where, at: At, hazard: HazardName = "", value: Value = None, wind: Wind = "", discharge: Discharge = None) -> Asked:
    """The options that are the question."""
    from stream.records.instants import from_text

    try:
        instant = from_text(at)
    except ValueError as error:
        msg = f"--at: {error}"
        raise TocsinError(msg) from error
    blows = numbers(wind) if wind else None
    if wind and blows is None:
        msg = f"--wind {wind!r}: give the speed in m/s and the direction it blows from in degrees, as in --wind 4,270"
        raise TocsinError(msg)
    return Asked(source, hazard, instant, math.nan if value is None else value, blows, math.nan if discharge is None else discharge)


@given(question=asked)
def footprint(
    region: RegionArgument, question: Asked, out: Out = None, upstream: Upstream = False, clean: CleanPlaces = None, as_json: AsJson = False
) -> None:
    """Ask a footprint: which cities a danger at a place reaches, when (10th, 50th, 90th percentile or why unknown), how strongly, how surely.

    With --out also as GeoJSON and as a map to look at. With --upstream the other way: where it may have come from. Nothing is sent to anybody.
    """
    import msgspec

    from stream.cli.folders import region_folder
    from stream.footprints.answer import answer, roles_row, row, source_row
    from stream.footprints.geojson import feature_collection
    from stream.footprints.map_drawing import draw_map
    from stream.footprints.question import question as understood
    from stream.footprints.suspects import clean_place, suspected
    from stream.footprints.suspects_map import draw_suspects, suspects_collection
    from stream.region.load import load_folder

    loaded = load_folder(region_folder(region))
    if clean and not upstream:
        raise TocsinError("--clean goes with --upstream: it tells where a danger of unknown source was looked for and not found")
    if upstream:
        places = [clean_place(text, lambda where: understood(loaded, question._replace(source=where)).source) for text in clean or ()]
        turned = understood(loaded, question)
        among = suspected(turned, places)
        _show_suspects(turned, among, as_json=as_json)
        if out is not None:
            _write(suspects_collection(turned, among), lambda path: draw_suspects(turned, among, path), out)
        return
    found = answer(understood(loaded, question))
    if as_json:
        typer.echo(msgspec.json.encode({**source_row(found), "roles": roles_row(found)}).decode())
        for impact in found.impacts:
            typer.echo(msgspec.json.encode(row(found, impact)).decode())
    else:
        _show(found)
    if out is not None:
        _write(feature_collection(found), lambda path: draw_map(found, path), out)


def _show_suspects(question: Question, found: Suspected, *, as_json: bool) -> None:
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from stream.footprints.map_words import likely, moment
    from stream.footprints.suspects_map import suspect_row

    if as_json:
        for one in found.told:
            typer.echo(msgspec.json.encode(suspect_row(one)).decode())
        return
    console = Console(highlight=False, soft_wrap=True)
    source = question.source
    console.print(
        f"where {question.hazard.hazard} found at reach {source.reach} km {source.reach_km:g} on {moment(source.onset_at)} UTC may have started"
    )
    table = Table("reach", "chance", "left there (50 %)", "10 %", "90 %", "places on it", box=None, padding=(0, 2, 0, 0))
    for one in found.told:
        early, median, late = map(moment, one.left_at) if one.left_at else ("", "unknown", "")
        there = [
            city.names.get("en", city.city_id)
            for city in question.region.cities
            if any(reach == one.reach for reach, _ in city.place.river)
        ]
        table.add_row(one.reach, likely(one.probability), median, early, late, ", ".join(there[:4]))
    console.print(table)
    if found.others:
        console.print(f"[dim]and {found.others} more reaches with together {likely(found.rest)}[/]")
    console.print("[dim]Times are UTC. Every kilometre of river is as likely beforehand; what is told says nothing about who did it.[/]")


def _write(collection: dict[str, object], draw: Callable[[Path], None], out: Path) -> None:
    import msgspec

    from stream.footprints.fonts import CHINESE, font_for

    out.mkdir(parents=True, exist_ok=True)
    (out / "footprint.geojson").write_bytes(msgspec.json.format(msgspec.json.encode(collection), indent=1) + b"\n")
    draw(out / "footprint.png")
    typer.echo(f"{out / 'footprint.geojson'} and {out / 'footprint.png'} written", err=True)
    if font_for(CHINESE, 20) is None:
        typer.echo("no font with Chinese letters on this machine: the map has English names only (fonts-noto-cjk has them)", err=True)


def _show(found: Answer) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from stream.footprints.map_words import likely, moment

    question, source = found.question, found.question.source
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = WIDE
    river = f" (reach {source.reach}, km {source.reach_km:g})" if source.reach else ""
    console.print(
        f"{question.hazard.hazard} by {question.hazard.footprint} from {escape(source.series)}{river} since {moment(source.onset_at)} UTC"
    )
    if not found.impacts:
        console.print("No other city is reached.")
        return
    columns = ("city", "chance", "arrives (50 %)", "10 %", "90 %", "strength", "confidence", "why")
    table = Table(*columns, box=None, padding=(0, 2, 0, 0))
    for impact in found.impacts:
        city = question.region.cities[question.region.city_index[impact.city_id]]
        name = " ".join(dict.fromkeys([city.names.get("en", ""), city.names.get("zh", "")])) + (f": {impact.asset}" if impact.asset else "")
        arrival = impact.arrival
        times = [moment(at) for at in (arrival.p50_at, arrival.p10_at, arrival.p90_at)] if arrival else ["unknown", "", ""]
        why = ", ".join(impact.reasons) + (f"; {impact.unknown_because}" if impact.unknown_because else "")
        if impact.expected:
            it = impact.expected
            why += f"; {it.series} {it.p50:g} ({it.p10:g} to {it.p90:g})"
        if slick := found.slicks.get(impact.city_id):
            why += f"; peak {moment(slick.peak_at)}" + ("" if math.isnan(slick.peak) else f" with {slick.peak:.2g}")
        table.add_row(escape(name), likely(impact.probability), *times, f"{impact.intensity:.2g}", f"{impact.confidence:.2f}", escape(why))
    console.print(table)
    held = found.roles
    if held is not None:
        body = f"{held.joint.administration_id} ({held.joint.scope.value})" if held.joint.administration_id else held.joint.scope.value
        console.print(
            f"[dim]leads: {', '.join(held.lead) or 'nobody by place'}; assist: {', '.join(held.assist) or 'nobody'}; shared: {body}[/]"
        )
    console.print("[dim]Times are UTC. strength: relative to the source. confidence: how far the model itself is to be trusted here.[/]")
