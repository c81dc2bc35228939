"""`tocsin explain WARNING_ID`: the chain from measurements to the decision, as somebody on duty understands it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from stream.cli.explain_read import Replayed
from stream.cli.options import AsJson, connection, given
from stream.errors import TocsinError
from stream.settings import Settings

if TYPE_CHECKING:
    from datetime import tzinfo

    from stream.review.explain import Told

WIDE = 110
WarningId = Annotated[
    str,
    typer.Argument(
        metavar="WARNING_ID",
        help="As `tocsin tail` shows it; or the identifier of a CAP alert; or a city, for its worst warning.",
        show_default=False,
    ),
]
Revision = Annotated[int | None, typer.Option(min=1, help="Which revision. Default: the newest.", show_default=False)]


class How(NamedTuple):
    """In which language ("en" or "zh") and time zone it is told."""

    language: str
    zone: tzinfo


def how(
    language: Annotated[str, typer.Option("--lang", "--language", help="en or zh.")] = "en",
    zone: Annotated[str, typer.Option(help="Time zone of the instants told, such as Asia/Shanghai.")] = "UTC",
) -> How:
    """The two, checked."""
    from stream.review.explain_words import LANGUAGES

    if language not in LANGUAGES:
        msg = f"--lang {language!r}: there are {', '.join(LANGUAGES)}"
        raise TocsinError(msg)
    return How(language, _zone(zone))


def replayed(
    replay: Annotated[
        str | None,
        typer.Option(metavar="REGION", help="Without a broker: decide this region's own history (or --file, --journal) again."),
    ] = None,
    file: Annotated[
        list[Path] | None, typer.Option(help="With --replay: measurements (CSV or JSONL).", exists=True, dir_okay=False)
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="With --replay: a recorded journal (`tocsin journal save`).", exists=True, dir_okay=False)
    ] = None,
) -> Replayed | None:
    """What is decided again, None to read topics."""
    if replay is None:
        if file or journal:
            raise TocsinError("--file and --journal go with --replay REGION")
        return None
    return Replayed(replay, tuple(file or ()), journal)


@given(told_in=how, again=replayed, settings=connection)
def explain(
    warning_id: WarningId, told_in: How, again: Replayed | None, settings: Settings, revision: Revision = None, as_json: AsJson = False
) -> None:
    """Say why a city was warned: what was measured, how sure it is, how it comes, by which rule it was told, who answered, what is not known."""
    import asyncio
    from datetime import datetime

    import msgspec

    from stream.cli.explain_read import from_replay, from_topics
    from stream.review.explain import as_fields
    from stream.review.explain import explain as told_by
    from stream.review.explain_asked import asked
    from stream.review.explain_voice import Voice
    from stream.review.explain_words import LANGUAGES

    clock = told_in.zone
    question = asked(warning_id, revision)
    found = from_replay(question, again) if again is not None else asyncio.run(from_topics(question, settings))
    year = datetime.fromtimestamp(found.at / 1000, clock).year
    if as_json:
        both = {one: told_by(Voice(one, found.region, clock, year), found) for one in LANGUAGES}
        typer.echo(msgspec.json.encode(as_fields(found, both)).decode())
    else:
        _show(
            told_by(Voice(told_in.language, found.region, clock, year), found),
            found.warning.level,
            f"{found.warning.warning_id}-{found.warning.revision}",
        )


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        msg = f"--zone {name!r} is no time zone; write it as Asia/Shanghai, Europe/Vienna or UTC"
        raise TocsinError(msg) from error


def _show(told: Told, level: str, identifier: str) -> None:
    """Print it: the head, then every step with its number."""
    from rich.console import Console
    from rich.markup import escape
    from rich.text import Text

    from stream.cli.watching import STYLE

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE

    def put(text: str, indent: int, style: str) -> None:
        for line in Text(text, style).wrap(console, console.width - indent):
            line.rstrip()
            console.print(Text(" " * indent) + line, soft_wrap=True)

    first, *others = told.head
    console.print(f"[{STYLE.get(level, 'bold')}] {escape(first)} [/]  [dim]{identifier}[/]")
    for line in others:
        put(line, 0, "")
    console.print()
    for line in told.short:
        put(line, 3, "bold")
    for number, step in enumerate(told.steps, 1):
        console.print(f"\n[bold]{number}  {escape(step.title)}[/]")
        for line in step.lines:
            inner = line.startswith("  ")
            put(line.strip(), 6 if inner else 3, "dim" if inner else "")
    console.print(f"\n[dim]{escape(told.foot)}[/]")
