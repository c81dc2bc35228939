"""`tocsin tail CITY`: what the city's operator sees, read as the city's own program would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.cli.options import AsJson, connection, given
from stream.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from stream.warnings.reading import CityReading, CityView

City = Annotated[str, typer.Argument(metavar="CITY", help="The id of the city.", show_default=False)]
Once = Annotated[bool, typer.Option("--once", help="Say what stands now, and end.")]
Language = Annotated[str, typer.Option("--language", help="en or zh.")]


def show(console: Console, reading: CityReading, view: CityView, language: str) -> None:
    """Print one reading: the state, active warnings worst first, what is unknown, the last link test."""
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
        console.print(f"          [dim]you are {one.role}{escape(answer)}[/]")
    for danger in reading.unknown:
        status = view.statuses.get(danger)
        why = (
            "no status was ever received"
            if status is None
            else f"its status speaks until {moment(status.valid_until_at)}: {status.text.en}"
        )
        console.print(f"  [{STATE_STYLE['unknown']}]unknown[/] {danger.hazard} in {danger.domain}: {escape(why)}")
    console.print(f"  [dim]last link test: {moment(view.link_test.sent_at) if view.link_test else 'never'}[/]")


async def watch(city_id: str, settings: Settings, once: bool, tell: Any) -> None:
    """Read the city's topic and call `tell(reading, view)` when everything there was read, and then whenever something changed."""
    from stream.cli.watching import active_regions, dangers, now_of
    from stream.runtime.follow import follow
    from stream.runtime.topics import Topics
    from stream.warnings.reading import CityView, decode, reading, told

    watched = dangers(await active_regions(settings), city_id)
    view, shown = CityView(city_id), None
    async for read in follow(settings.bootstrap, [Topics(settings.prefix).city(city_id)], once=once):
        for record in read.records:
            if record.value is not None:
                view = told(view, decode(record.value))
        if not read.caught_up:
            continue
        now = reading(view, watched, now_of(settings, [view]))
        # The instant alone is no news.
        news = (now.state, now.active, now.states, view.link_test)
        if news != shown:
            tell(now, view)
            shown = news


@given(settings=connection)
def tail(city: City, settings: Settings, once: Once = False, language: Language = "en", as_json: AsJson = False) -> None:
    """Show what a city is told: active warnings, status (unknown when nothing fresh is known), last link test; then every change."""
    import asyncio

    import msgspec
    from rich.console import Console

    from stream.cli.watching import as_fields

    console = Console(highlight=False, soft_wrap=True)

    def tell(reading: CityReading, view: CityView) -> None:
        if as_json:
            typer.echo(msgspec.json.encode(as_fields(reading, view)).decode())
        else:
            show(console, reading, view, language)

    asyncio.run(watch(city, settings, once, tell))
