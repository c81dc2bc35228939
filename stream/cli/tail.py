"""`tocsin tail CITY...`: what a city's operator sees, read as the city's own program would; or many cities, as one line an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.cli.options import AsJson, connection, given
from stream.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

    from stream.warnings.reading import CityReading, CityView

    Tell = Callable[[Mapping[str, tuple[CityReading, CityView]], Sequence[str]], None]

Cities = Annotated[list[str], typer.Argument(metavar="CITY...", help="Ids of cities, or of what stands above cities.", show_default=False)]
Once = Annotated[bool, typer.Option("--once", help="Say what stands now, and end.")]
Language = Annotated[str, typer.Option("--language", help="en or zh.")]
Collapse = Annotated[
    bool, typer.Option("--collapse", help="One line an incident, whatever the number of cities; a province stands for all its cities.")
]


def show(console: Console, reading: CityReading, view: CityView, language: str) -> None:
    """Print one reading: the state, active warnings worst first, what is muted, unknown or contradictory, the last link test."""
    from rich.markup import escape

    from stream.cli.watching import STATE_STYLE, STYLE, arrival, moment
    from stream.records.instants import to_text

    state = f"[{STATE_STYLE[reading.state.value]}]{reading.state.value.upper()}[/]"
    level = f" [{STYLE[reading.level]}]{reading.level}[/]" if reading.level in STYLE else ""
    console.print(f"[bold]{reading.city_id}[/]  {state}{level}  as of {moment(to_text(reading.as_of_at))}")
    for one in reading.active:
        text = one.text.zh if language == "zh" else one.text.en
        console.print(f"  [{STYLE.get(one.level, '')}]{one.level.upper():7}[/] {one.hazard} {escape(arrival(one))}")
        console.print(f"          {escape(text)}")
        about = f"revision {one.revision}, {one.reason.value}, probability {one.probability:.0%}, until {moment(one.expires_at)}, {one.warning_id}"
        console.print(f"          [dim]{about}[/]")
        answer = (
            f", answer by {moment(one.acknowledge_by_at)}: tocsin accept {one.city_id} {one.warning_id}" if one.acknowledge_by_at else ""
        )
        console.print(f"          [dim]you are {one.role}{escape(answer)}; why: tocsin explain {one.warning_id}[/]")
    for danger, by in reading.muted.items():
        console.print(f"  muted   {danger.hazard} in {danger.domain}: {reading.levels[danger]}, by {escape(', '.join(by))}; it is not over")
    for hazard, said in reading.conflicts.items():
        differs = ", ".join(f"{word} in {domain}" for domain, word in sorted(said.items()))
        console.print(f"  {hazard}: {escape(differs)}; the worst counts")
    for danger in reading.unknown:
        status = view.statuses.get(danger)
        why = (
            "no status was ever received"
            if status is None
            else f"its status speaks until {moment(status.valid_until_at)}: {status.text.en}"
        )
        console.print(f"  [{STATE_STYLE['unknown']}]unknown[/] {danger.hazard} in {danger.domain}: {escape(why)}")
    if view.notice is not None:
        console.print(f"  {escape(view.notice.text.zh if language == 'zh' else view.notice.text.en)}")
    console.print(f"  [dim]last link test: {moment(view.link_test.sent_at) if view.link_test else 'never'}[/]")


async def watch(city_ids: Sequence[str], settings: Settings, tell: Tell, *, once: bool, below: bool) -> None:
    """Read the cities' topics and call `tell(readings, changed)` when everything there was read, and then whenever something changed.

    `below`: an administration stands for itself and all cities below it.
    """
    from stream.cli.watching import active_regions, dangers, now_of, with_cities
    from stream.runtime.follow import follow
    from stream.runtime.topics import Topics
    from stream.warnings.reading import CityView, decode, ours, reading, told

    regions, topics = await active_regions(settings), Topics(settings.prefix)
    chosen = with_cities(regions, city_ids) if below else tuple(dict.fromkeys(city_ids))
    watched = {city_id: dangers(regions, city_id) for city_id in chosen}
    views = {city_id: CityView(city_id) for city_id in chosen}
    shown: dict[str, Any] = {}
    async for read in follow(settings.cluster, [topics.city(city_id) for city_id in chosen], once=once):
        for record in read.records:
            if record.value is not None:
                message = decode(record.value)
                if record.topic == topics.city(message.city_id) and ours(message, topics.lane):
                    views[message.city_id] = told(views[message.city_id], message)
        if not read.caught_up:
            continue
        now = now_of(settings, views.values())
        readings = {city_id: (reading(view, watched[city_id], now), view) for city_id, view in views.items()}
        # The instant alone is no news.
        news = {
            city_id: (one.state, one.active, one.states, one.muted, view.link_test, view.notice)
            for city_id, (one, view) in readings.items()
        }
        if changed := [city_id for city_id in chosen if shown.get(city_id) != news[city_id]]:
            tell(readings, changed)
            shown = news


@given(settings=connection)
def tail(
    city: Cities, settings: Settings, once: Once = False, language: Language = "en", collapse: Collapse = False, as_json: AsJson = False
) -> None:
    """Show what cities are told: active warnings, status (unknown when nothing fresh is known), last link test; then every change."""
    import asyncio

    import msgspec
    from rich.console import Console

    from stream.cli.collapsed import lines
    from stream.cli.watching import as_fields
    from stream.warnings.collapse import collapse as together

    console = Console(highlight=False, soft_wrap=True)

    def tell(readings: Mapping[str, tuple[CityReading, CityView]], changed: Sequence[str]) -> None:
        if collapse:
            found = together(one for one, _ in readings.values())
            if as_json:
                typer.echo(msgspec.json.encode(found).decode())
            else:
                for line in lines(found, [one for one, _ in readings.values()]):
                    console.print(line)
            return
        for city_id in changed:
            if as_json:
                typer.echo(msgspec.json.encode(as_fields(*readings[city_id])).decode())
            else:
                show(console, *readings[city_id], language)

    asyncio.run(watch(city, settings, tell, once=once, below=collapse))
