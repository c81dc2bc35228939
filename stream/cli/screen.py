"""What the demo prints: steps, the children's lines, warnings as they appear, and the closing table; or JSON lines for scripts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stream.cli.folders import shipped
from stream.cli.watching import STYLE, arrival, moment, short
from stream.records.warning import MsgType, Reason
from stream.review.outcome import OWN_STATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.records.warning import CityWarning
    from stream.region.model import Region
    from stream.review.outcome import Outcome

WIDE = 150
"""Columns where no terminal says how many it has."""
QUIET = (Reason.EXTENDED, Reason.BLIND, Reason.REASSERT)
"""Reasons that keep a warning alive and say nothing new."""
CHILD_STYLE = {"broker": "cyan", "worker": "green"}


class Screen:
    """Where the demo speaks to: people on standard output, or, with `as_json`, scripts there and people on standard error."""

    def __init__(self, *, as_json: bool, began: float) -> None:
        self._json = as_json
        self._began = began
        self._first_warning_s: float | None = None
        self._warnings = 0
        self._quiet = 0
        self.console = Console(stderr=as_json, highlight=False, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.width = WIDE

    def step(self, text: str) -> None:
        """One thing that was done, with the time since the start."""
        self.console.print(f"[green]✓[/] {escape(text)} [dim]({self._elapsed_s():.1f} s)[/]")

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def say(self, text: str = "") -> None:
        """A line of markup."""
        self.console.print(text)

    def child(self, name: str, line: str) -> None:
        """A line of a child process."""
        self.console.print(f"[{CHILD_STYLE.get(name, 'white')}]{name:6} |[/] [dim]{escape(line)}[/]")

    def emit(self, event: str, **fields: Any) -> None:
        """A line for scripts; nothing where people read."""
        if self._json:
            typer.echo(msgspec.json.encode({"event": event, **fields}).decode())

    def warning(self, region: Region, warning: CityWarning) -> None:
        """A warning as a city's operator gets it."""
        self._warnings += 1
        if self._first_warning_s is None:
            self._first_warning_s = self._elapsed_s()
        self.emit("warning", region=region.name, warning=warning)
        if warning.reason in QUIET:
            self._quiet += 1
            return
        city = region.cities[region.city_index[warning.city_id]]
        name = " ".join(dict.fromkeys([city.names.get("en", city.city_id), city.names.get("zh", "")])).strip()
        over = warning.msg_type in {MsgType.ALL_CLEAR, MsgType.CANCEL}
        what, style = ("CLEAR", "bold green") if over else (warning.level.upper(), STYLE.get(warning.level, "bold"))
        about = warning.hazard if over else f"{warning.hazard} {arrival(warning)}"
        self.console.print(
            f"[dim]{moment(warning.sent_at)}[/] [{style}]{what:6}[/] [bold]{escape(name)}[/]: {escape(about)} [dim]({warning.reason.value})[/]"
        )

    def outcomes(self, region: Region, found: Sequence[Outcome]) -> None:
        """The closing table of a region."""
        columns = (
            "city",
            "danger",
            "first warned",
            "worst",
            "by",
            "came",
            "lead time",
            "told first",
            "error",
            "inside",
            "told last",
            "error",
        )
        table = Table(*columns, box=None, padding=(0, 2, 0, 0), title=escape(region.title.get("en", region.name)), title_justify="left")
        for one in found:
            style = STYLE.get(one.worst_level, "")
            table.add_row(
                escape(one.name),
                one.hazard,
                short(one.first_warned_at) or "[dim]not warned[/]",
                f"[{style}]{one.worst_level}[/]" if style else "",
                one.path.replace("_", " "),
                short(one.arrived_at) + ("*" if one.arrived_by == OWN_STATION else ""),
                hours(one.lead_time_h),
                short(one.first_forecast_at),
                hours(one.first_error_h),
                "" if one.inside is None else ("yes" if one.inside else "no"),
                short(one.last_forecast_at) if one.last_forecast_at != one.first_forecast_at else "",
                hours(one.last_error_h) if one.last_forecast_at != one.first_forecast_at else "",
            )
        self.console.print()
        self.console.print(table)
        legend = (
            "Times are UTC. came: as published, * = measured by the city's own station. told: the arrival (50 %) in the first warning, and in the "
            "last one before it came if that changed. inside: it came between the 10 % and 90 % told first."
        )
        self.console.print(f"[dim]{legend}[/]")
        for name, note in {one.name: one.note for one in found if one.note}.items():
            self.console.print(f"[dim]{escape(name)}: {escape(note)}[/]")

    def summary(self, told: Mapping[str, Sequence[Outcome]], bootstrap: str) -> None:
        """The last lines: what it came to, and what to do next."""
        warned = len({(region, one.city_id) for region, found in told.items() for one in found if one.first_warned_at})
        first_s = round(self._first_warning_s, 1) if self._first_warning_s is not None else None
        self.emit("summary", first_warning_s=first_s, warnings=self._warnings, cities_warned=warned, bootstrap=bootstrap, regions=told)
        first = f"the first one {first_s} s after the start" if first_s is not None else "none"
        self.console.print(f"\n{self._warnings} warnings and updates to {warned} cities, {first}; {self._quiet} extensions not shown.")
        known = shipped()
        asked = (f"{one.city_id} --replay {name}" for name, found in told.items() if name in known for one in found if one.path == "river")
        if why := next(asked, ""):
            self.console.print(f"Why that? `tocsin explain {why}` says it, from the measurement to the decision.")
        self.console.print(
            "Next: copy deploy/regions/example, describe your own stations and cities, and check them with `tocsin validate FOLDER`."
        )


def hours(number: float | None) -> str:
    """Hours for people, in days from two days on.

    >>> hours(5.25), hours(-71.0), hours(None)
    ('5 h', '-3.0 d', '')
    """
    if number is None:
        return ""
    return f"{number / 24:.1f} d" if abs(number) >= 48 else f"{number:.0f} h"  # noqa: PLR2004
