"""What readers on the command line share: the active regions, each city's name and dangers, and the words for states and times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.records.warning import CityWarning
    from stream.region.model import Region
    from stream.settings import Settings
    from stream.warnings.reading import CityReading, CityView, Watched

STYLE = {"red": "bold white on red", "orange": "bold orange3", "yellow": "bold yellow3", "blue": "bold dodger_blue2"}
STATE_STYLE = {"warned": "bold red", "unknown": "bold magenta", "watch": "yellow3", "clear": "green"}


async def published_regions(settings: Settings) -> tuple[Region, ...]:
    """The regions that are active on this lane, from Kafka; maybe none."""
    from stream.runtime.follow import follow
    from stream.runtime.regions_feed import RegionsFeed, load_packed
    from stream.runtime.topics import Topics

    topic = Topics(settings.prefix).regions
    feed = RegionsFeed(settings.cluster, topic, load_packed)
    async for read in follow(settings.cluster, [topic], once=True):
        feed.take(read.records)
    return feed.regions()


async def active_regions(settings: Settings) -> tuple[Region, ...]:
    """The regions that are active on this lane, from Kafka; TocsinError when none is."""
    found = await published_regions(settings)
    if not found:
        msg = f"no region is active at {settings.bootstrap} with prefix {settings.prefix!r}; activate one with `tocsin region activate REGION`"
        raise TocsinError(msg)
    return found


def dangers(regions: Iterable[Region], city_id: str) -> frozenset[Watched]:
    """Everything the regions watch for a city, nothing for an administration; TocsinError when none of them has either."""
    from stream.warnings.reading import expected

    having = [region for region in regions if city_id in region.city_index]
    if not having and any(city_id in region.above for region in regions):
        return frozenset()
    if not having:
        known = ", ".join(sorted(city.city_id for region in regions for city in region.cities)[:20])
        msg = f"no active region has a city {city_id!r}; there are {known} ..."
        raise TocsinError(msg)
    return frozenset().union(*(expected(region, city_id) for region in having))


def with_cities(regions: Iterable[Region], ids: Iterable[str]) -> tuple[str, ...]:
    """These cities and administrations, each administration followed by all cities below it; each once."""
    below: dict[str, list[str]] = {}
    for region in regions:
        for city in region.cities:
            for above in region.above.get(city.city_id, ()):
                below.setdefault(above, []).append(city.city_id)
    return tuple(dict.fromkeys(one for name in ids for one in (name, *below.get(name, ()))))


def now_of(settings: Settings, views: Iterable[CityView]) -> int:
    """The instant to read at (ms): the wall clock on live topics, the newest instant told where history is replayed."""
    import time

    if settings.clock == "broker":
        return time.time_ns() // 1_000_000
    return max((view.newest_at for view in views), default=0)


def moment(text: str | None) -> str:
    """An instant for people.

    >>> moment("2005-12-07T13:00:00Z"), moment(None)
    ('2005-12-07 13:00Z', 'unknown')
    """
    return f"{text[:10]} {text[11:16]}Z" if text else "unknown"


def short(text: str | None) -> str:
    """An instant where the year is known.

    >>> short("2005-12-07T13:00:00Z"), short(None)
    ('7 Dec 13:00', '')
    """
    if not text:
        return ""
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
    return f"{int(text[8:10])} {months.split()[int(text[5:7]) - 1]} {text[11:16]}"


def arrival(warning: CityWarning) -> str:
    """When the danger comes, in words: a window, the place itself, or why it cannot be said."""
    if warning.path == "same_place":
        return "measured here"
    here = ", measured here too" if "same_place" in warning.paths else ""
    if warning.arrives_at_p50 is None:
        because = f", arrival unknown: {warning.arrival_unknown_because}" if warning.arrival_unknown_because else ""
        return f"by {warning.path}{because}{here}"
    window = f"{short(warning.arrives_at_p10)} to {short(warning.arrives_at_p90)}"
    return f"by {warning.path}, arrives {short(warning.arrives_at_p50)} ({window}){here}"


def as_fields(reading: CityReading, view: CityView) -> dict[str, Any]:
    """A reading for scripts."""
    from stream.records.instants import to_text

    return {
        "city_id": reading.city_id,
        "state": reading.state,
        "level": reading.level,
        "as_of_at": to_text(reading.as_of_at),
        "states": {f"{one.hazard}/{one.domain}": state for one, state in reading.states.items()},
        "unknown": [f"{one.hazard}/{one.domain}" for one in reading.unknown],
        "muted": {f"{one.hazard}/{one.domain}": by for one, by in reading.muted.items()},
        "conflicts": reading.conflicts,
        "link_test_at": view.link_test.sent_at if view.link_test else None,
        "active": reading.active,
    }
