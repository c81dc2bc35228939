"""Which cities a flood of the Danube may warn: a plain walk over the edges of the river, and the days on which gauges stood above their level.

Independent of the product: it knows the edges and discharges of the data set, the committed levels, and the messages.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Edges = list[tuple[str, str]]


def below(edges: Edges) -> dict[str, set[str]]:
    """All gauges downstream of each gauge, itself left out."""
    children: dict[str, list[str]] = defaultdict(list)
    for upper, lower in edges:
        children[upper].append(lower)
    found: dict[str, set[str]] = {}
    for gauge in {one for edge in edges for one in edge}:
        reached, waiting = set(), list(children[gauge])
        while waiting:
            one = waiting.pop()
            if one not in reached:
                reached.add(one)
                waiting += children[one]
        found[gauge] = reached
    return found


def day_of(text: str) -> date:
    return datetime.fromisoformat(text).date()


def outside(messages: Iterable[dict], opened: dict[str, date], above: dict[str, list[date]], river: dict[str, set[str]]) -> list[str]:
    """What must not be: a warning outside its incident's sources and everything below them, or by a way that does not lead there.

    `messages`: every warning of every city; `opened`: the day each incident opened; `above`: the days on which each gauge stood above its
    lowest level; `river`: the gauges below each gauge. A source of a message is a gauge that stood above its level on some day from the
    opening of the incident to the message.
    """
    wrong = []
    for body in messages:
        sent, began = day_of(body["sent_at"]), opened[body["incident_id"]]
        sources = {gauge for gauge, days in above.items() if any(began <= day <= sent for day in days)}
        ways = {"same_place": sources, "river": {city for source in sources for city in river[source]}}
        wrong += [
            f"{body['sent_at']} {body['city_id']} by {path}, sources {sorted(sources)}"
            for path in {body["path"], *body["paths"]}
            if body["city_id"] not in ways[path]
        ]
        named = {one["series"].partition("/")[0] for one in body["evidence"]}
        wrong += [f"{body['sent_at']} {body['city_id']}: evidence {one} is no source" for one in sorted(named - sources)]
    return wrong
