"""Options that several commands share, written once: how to reach Kafka, and which topics are meant.

A group of options is a function with typer options as parameters; `given` adds its options to a command and hands the command what
the function returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from stream.errors import TocsinError
from stream.records.instants import from_text
from stream.records.lanes import Lane, lane_of
from stream.runtime.pace import Pace
from stream.settings import Settings, load


class Clock(StrEnum):
    """Whose time is the time: `broker` on live topics, `observed` where history is replayed."""

    BROKER = "broker"
    OBSERVED = "observed"


RegionArgument = Annotated[
    str, typer.Argument(metavar="REGION", help="A region folder, or the name of a shipped region.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts, one object a line.")]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65_535,
        help="Serve /metrics and the probes on this port of `metrics_host`; 0 = do not. Default: `metrics_port` of the settings.",
    ),
]


def connection(
    settings_file: Annotated[Path | None, typer.Option("--settings", help="TOML file with settings.", dir_okay=False, exists=True)] = None,
    bootstrap: Annotated[str | None, typer.Option(help="Kafka bootstrap address, host:port.")] = None,
    prefix: Annotated[str | None, typer.Option(help="What stands before every topic name; none on the live lane.")] = None,
    lane: Annotated[Lane | None, typer.Option(help="live, exercise or test.")] = None,
    clock: Annotated[Clock | None, typer.Option(help="observed for replays of history. Default: broker.")] = None,
) -> Settings:
    """The settings of a command: file, then TOCSIN_... variables, then these options.

    A prefix without a lane means the test lane, or the exercise lane for `exercise.`.
    """
    if prefix and lane is None and settings_file is None:
        lane = lane_of(prefix)
    given = {"bootstrap": bootstrap, "prefix": prefix, "lane": lane and lane.value, "clock": clock and clock.value}
    return load(settings_file, given)


def naming(settings: Settings, **named: Any) -> Settings:
    """The settings with what was named on the command line (None = it was not).

    >>> naming(Settings(metrics_port=9108), metrics_port=0, instance=None).metrics_port
    0
    """
    return msgspec.structs.replace(settings, **{name: value for name, value in named.items() if value is not None})


def pace(
    speed: Annotated[str, typer.Option(help="`real`, `full`, or how many times as fast as observed.")] = "full",
    batch: Annotated[int, typer.Option(min=1, help="Records sent before their acknowledgements are awaited.")] = 500,
) -> Pace:
    """How fast to send.

    >>> pace(), pace("real", 1), pace("3600").speed
    (Pace(speed=None, batch=500), Pace(speed=1.0, batch=1), 3600.0)
    """
    if speed in {"full", "real"}:
        return Pace(None if speed == "full" else 1.0, batch)
    try:
        times = float(speed)
    except ValueError:
        times = 0.0
    if not 0 < times < float("inf"):
        msg = f"speed {speed!r}: use `real`, `full`, or how many times as fast as observed, such as 3600 (an hour in a second)"
        raise TocsinError(msg)
    return Pace(times, batch)


class Span(NamedTuple):
    """Which observations: start_at <= observed_at < end_at (ms, None = no bound); a replay is closed at `until_at`."""

    start_at: int | None = None
    end_at: int | None = None
    until_at: int | None = None


def span(
    start: Annotated[str | None, typer.Option(help="Only observations from this instant on (RFC 3339).")] = None,
    end: Annotated[str | None, typer.Option(help="Only observations before this instant.")] = None,
    until: Annotated[
        str | None, typer.Option(help="The instant at which a replay is closed. Default: 1 ms after the last observation.")
    ] = None,
) -> Span:
    """The three instants.

    >>> span("1970-01-01T00:00:01Z")
    Span(start_at=1000, end_at=None, until_at=None)
    """
    try:
        return Span(*(text and from_text(text) for text in (start, end, until)))  # type: ignore[arg-type]
    except ValueError as error:
        raise TocsinError(str(error)) from error


def given(**groups: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator: the command gets the options of each group, and is called with the value the group makes of them.

    `given(settings=connection)` adds the options of `connection` to the command's own and calls it with `settings=connection(...)`.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters.values()
        parts = {name: inspect.signature(group, eval_str=True).parameters for name, group in groups.items()}

        def run(**values: Any) -> None:
            made = {name: group(**{one: values.pop(one) for one in parts[name]}) for name, group in groups.items()}
            command(**values, **made)

        shown = [one for one in own if one.name not in groups] + [one for part in parts.values() for one in part.values()]
        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in shown]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        # A paragraph is a line: the help breaks it where the terminal ends, not where the source did.
        paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
        run.__doc__, run.__name__ = "\n\n".join(" ".join(one.split()) for one in paragraphs), command.__name__
        return run

    return decorate
