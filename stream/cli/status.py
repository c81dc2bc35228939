"""`tocsin status`: every city at a glance, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from stream.cli.options import AsJson, connection, given
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.records.posture import DomainPosture
    from stream.region.model import Region
    from stream.warnings.reading import CityReading, CityView


async def read_all(settings: Settings) -> tuple[tuple[Region, ...], dict[str, tuple[CityReading, CityView]]]:
    """The active regions, and the reading of each of their cities from the compacted topics."""
    from stream.cli.watching import active_regions, dangers, now_of
    from stream.runtime.follow import follow
    from stream.runtime.topics import Topics
    from stream.warnings.reading import CityView, decode, ours, reading, told

    regions = await active_regions(settings)
    views = {city.city_id: CityView(city.city_id) for region in regions for city in region.cities}
    topics = Topics(settings.prefix)
    async for read in follow(settings.cluster, [topics.warnings, topics.city_status], once=True):
        for record in read.records:
            if record.value is None:
                continue
            message = decode(record.value)
            if message.city_id in views and ours(message, topics.lane):
                views[message.city_id] = told(views[message.city_id], message)
    now = now_of(settings, views.values())
    return regions, {city_id: (reading(view, dangers(regions, city_id), now), view) for city_id, view in views.items()}


async def postures(settings: Settings) -> dict[str, DomainPosture]:
    """The posture of every domain that ever took one, by its id."""
    import msgspec

    from stream.records.posture import DomainPosture
    from stream.runtime.follow import follow
    from stream.runtime.topics import Topics

    topics = Topics(settings.prefix)
    found: dict[str, DomainPosture] = {}
    async for read in follow(settings.cluster, [topics.postures], once=True):
        for record in read.records:
            if record.value is not None and (one := msgspec.json.decode(record.value, type=DomainPosture)).lane is topics.lane:
                found[one.domain] = one
    return found


@given(settings=connection)
def status(settings: Settings, as_json: AsJson = False) -> None:
    """List all cities of the active regions: state, level, active warnings, and for which dangers nothing is known."""
    import asyncio
    from collections import Counter

    import msgspec
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from stream.cli.disagreements import disagreements
    from stream.cli.watching import STATE_STYLE, as_fields, moment

    regions, readings = asyncio.run(read_all(settings))
    if as_json:
        for one, view in readings.values():
            typer.echo(msgspec.json.encode(as_fields(one, view)).decode())
        return
    worst = {"warned": 0, "unknown": 1, "watch": 2, "clear": 3}
    names = {city.city_id: city.names.get("en", city.city_id) for region in regions for city in region.cities}
    table = Table("city", "name", "state", "level", "active", "nothing known about", box=None, padding=(0, 2, 0, 0))
    for one, _ in sorted(readings.values(), key=lambda pair: (worst[pair[0].state.value], pair[0].city_id)):
        state = f"[{STATE_STYLE[one.state.value]}]{one.state.value}[/]" + (" (muted)" if one.muted else "")
        blind = ", ".join(f"{danger.hazard} in {danger.domain}" for danger in one.unknown)
        table.add_row(one.city_id, names[one.city_id], state, one.level, str(len(one.active) or ""), blind)
    console = Console(highlight=False)
    console.print(table)
    for domain_id, taken in sorted(asyncio.run(postures(settings)).items()):
        console.print(f"{domain_id}: {taken.posture.value} since {moment(taken.since_at)}, {taken.reason.value.replace('_', ' ')}")
    for one_case in asyncio.run(disagreements(settings)):
        console.print(f"[yellow3]{one_case.state}[/] since {one_case.since_at}: {escape(one_case.text.en)}")
    counts = Counter(one.state.value for one, _ in readings.values())
    console.print(f"{len(readings)} cities: " + ", ".join(f"{counts[state]} {state}" for state in worst))
