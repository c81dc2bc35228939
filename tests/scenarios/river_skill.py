"""How well river warnings forecast a gauge's own floods: hits, lead and false warnings, by the rules the README states.

Independent of the product: it sees only discharge, levels, the list of river edges, and the messages that stood on city topics.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

MERGE = timedelta(days=7)


@dataclass(frozen=True)
class Skill:
    """Counts over all gauges with upstream gauges. A hit: a river warning sent on or before the day; early: at least one day before."""

    events: int
    hits: int
    early: int
    false: int
    gauge_years: float

    @property
    def line(self) -> str:
        return (
            f"{self.events} events: warned on or before the day {self.hits / self.events:.1%}, a day before {self.early / self.events:.1%}; "
            f"false warnings {self.false / self.gauge_years:.2f} per gauge-year"
        )


def episodes(days: list[date]) -> list[tuple[date, date]]:
    """First and last day of stretches, those within seven days of each other put together."""
    merged: list[tuple[date, date]] = []
    for day in sorted(days):
        if merged and day - merged[-1][1] <= MERGE:
            merged[-1] = (merged[-1][0], day)
        else:
            merged.append((day, day))
    return merged


def events(days: list[date], discharge: list[float], level: float) -> list[date]:
    """The day each 2-year event began: the level was reached, and had not been within the seven days before."""
    return [first for first, _ in episodes([day for day, value in zip(days, discharge, strict=True) if value >= level])]


def upstream_of(edges: list[tuple[str, str]]) -> dict[str, set[str]]:
    """All gauges above each gauge, by walking the edges."""
    parents: dict[str, set[str]] = {}
    for upper, lower in edges:
        parents.setdefault(lower, set()).add(upper)
    found: dict[str, set[str]] = {}
    for gauge in {one for edge in edges for one in edge}:
        reached, waiting = set(), list(parents.get(gauge, ()))
        while waiting:
            one = waiting.pop()
            if one not in reached:
                reached.add(one)
                waiting += parents.get(one, ())
        found[gauge] = reached
    return found


def river_warnings(messages: list[dict]) -> list[tuple[date, date]]:
    """(first day, last day in force) of every stretch in which a city was warned by river; messages are one city's, in order.

    A stretch begins with the first message with river among its paths and ends with the message that ends the warning.
    """
    stretches: list[tuple[date, date]] = []
    begun: dict[str, date] = {}
    for body in messages:
        day = datetime.fromisoformat(body["sent_at"]).date()
        ended = body["msg_type"] in ("all_clear", "cancel") or body["reason"] == "expired"
        if "river" in body["paths"] and not ended:
            begun.setdefault(body["warning_id"], day)
        if ended and body["warning_id"] in begun:
            stretches.append((begun.pop(body["warning_id"]), day))
    return stretches + [(day, date.max) for day in begun.values()]


def skill(gauges: list[str], floods: dict[str, list[date]], warned: dict[str, list[tuple[date, date]]], years: float) -> Skill:
    """Put a gauge's floods beside its river warnings."""
    count = hits = early = false = 0
    for gauge in gauges:
        count += len(floods[gauge])
        for day in floods[gauge]:
            starts = [first for first, last in warned[gauge] if first <= day <= last or day - MERGE <= first <= day]
            hits += bool(starts)
            early += any(first < day for first in starts)
        stretches: list[tuple[date, date]] = []
        for first, last in sorted(warned[gauge]):
            if stretches and first - stretches[-1][1] <= MERGE:
                stretches[-1] = (stretches[-1][0], max(stretches[-1][1], last))
            else:
                stretches.append((first, last))
        for first, last in stretches:
            near = [day for day in floods[gauge] if first - MERGE <= day <= min(last, date.max - MERGE) + MERGE]
            false += not near
    return Skill(count, hits, early, false, years * len(gauges))
