"""Many cities on a screen: a line of how they all stand, a line an incident, and what is not known."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.markup import escape

from stream.cli.watching import STATE_STYLE, STYLE, moment, short
from stream.records.instants import to_text
from stream.records.warning import CityState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.warnings.collapse import Collapsed, OneIncident
    from stream.warnings.reading import CityReading

NAMED = 6
"""So many cities are named on a line; the count is always complete."""


def lines(found: Collapsed, readings: Sequence[CityReading]) -> list[str]:
    """The lines, with markup."""
    counts = Counter(one.state for one in readings)
    stands = ", ".join(
        f"{counts[state]} {state.value}" for state in (CityState.WARNED, CityState.UNKNOWN, CityState.WATCH, CityState.CLEAR)
    )
    as_of = moment(to_text(max((one.as_of_at for one in readings), default=0)))
    said = [f"[bold]{len(readings)} cities[/]: {stands}; {len(found.incidents)} incidents  as of {as_of}"]
    said += [_incident(one) for one in found.incidents]
    said += [f"  muted   {hazard} in {domain}: {_named(cities)}; not over" for hazard, domain, cities in found.muted]
    said += [f"  [{STATE_STYLE['unknown']}]unknown[/] {hazard} in {domain}: {_named(cities)}" for hazard, domain, cities in found.unknown]
    return said


def _incident(one: OneIncident) -> str:
    levels = Counter(level for _, level in one.cities)
    counted = ", ".join(f"{levels[level]} {level}" for level in ("red", "orange", "yellow", "blue") if levels[level])
    parts = [f"{one.hazard} in {one.domain}", f"{len(one.cities)} cities ({counted}): {_named([city for city, _ in one.cities])}"]
    parts += [f"next arrival {short(one.arrives_at)}"] if one.arrives_at else []
    parts += [f"{len(one.unanswered)} to answer: {_named(one.unanswered)}"] if one.unanswered else []
    parts += [f"informed: {_named(one.informed)}"] if one.informed else []
    style = STYLE.get(one.level, "")
    return f"  [{style}]{one.level.upper():7}[/] {'; '.join(parts)}; until {moment(one.until_at)}  [dim]{escape(one.incident_id)}[/]"


def _named(cities: Sequence[str]) -> str:
    more = len(cities) - NAMED
    return escape(", ".join(cities[:NAMED]) + (f" and {more} more" if more > 0 else ""))
