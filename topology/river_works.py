"""What operators report about a river - gates, dams, breaches, ice - and what it does to a danger on its way.

Reports are dated: a gate that closed after the front had gone through holds nothing back, and what was held back once must not be learned
as a slow river.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from topology.arrival import HOUR_MS
from topology.base import Act
from topology.river_ways import Along, Spot, Way, on_network, way_from

if TYPE_CHECKING:
    from topology.base import Conditions, Intervention, Source
    from topology.river import RiverCities
    from topology.river_ways import Clocks


class Work(NamedTuple):
    """A reported act and the way down from its place (for ice: from the upper end of its reach)."""

    act: Intervention
    way: Way

    @property
    def word(self) -> str:
        """The reason it gives, with its place."""
        return f"{self.act.act.value}:{self.act.reach}@{self.act.reach_km:g}"

    def holds_at(self, instant: int) -> bool:
        """Whether the report covers this instant (ms)."""
        return self.act.starts_at <= instant and (self.act.ends_at is None or instant < self.act.ends_at)

    def holds_between(self, first_at: int, last_at: int) -> bool:
        """Whether the report covers some of this time."""
        return self.act.starts_at <= last_at and (self.act.ends_at is None or first_at < self.act.ends_at)


class Iced(NamedTuple):
    """Hours of open water on the iced part of a way, and the words of the reports."""

    hours: float
    words: tuple[str, ...]


def works(cities: RiverCities, clocks: Clocks, source: Source, conditions: Conditions) -> tuple[Work, ...]:
    """The interventions reported by now whose places are on the network, in their order."""
    found = []
    for act in conditions.interventions:
        spot = Spot(act.reach, act.reach_km)
        if act.starts_at <= conditions.now and on_network(cities.network, spot):
            found.append(Work(act, way_from(cities, clocks, source, spot._replace(km=0.0) if act.act is Act.ICE else spot)))
    return tuple(found)


def below(way: Way, place: Spot | str) -> Along | None:
    """The way to a spot or to a city (by its id)."""
    return way.to_city(place) if isinstance(place, str) else way.to(place)


def iced(known: tuple[Work, ...], start: Way, place: Spot | str, first_at: int, last_at: int) -> Iced:
    """How much of the way from `start` to a place below leads through reaches that are under ice between two instants."""
    hours, words, seen = 0.0, [], set()
    for work in known:
        reach = work.way.spot.reach
        if work.act.act is not Act.ICE or reach in seen or not work.holds_between(first_at, last_at):
            continue
        end = below(work.way, place)
        at = start.network.index[reach]
        entry = start.spot if start.spot.reach == reach else work.way.spot
        if end is None or start.to(entry) is None:
            continue
        run_km = min(start.network.length_km[at], end.km) - entry.km
        if run_km > 0.0:
            seen.add(reach)
            hours += run_km * float(start.clocks.hours.hours_per_km[at])
            words.append(work.word)
    return Iced(hours, tuple(words))


def held_hours(known: tuple[Work, ...], upper: Way, lower: Spot, first_at: int, last_at: int) -> float:
    """How long operators held the danger back between two detections, by their reports (h)."""
    held = 0.0
    for work in known:
        on_the_way = upper.to(work.way.spot) is not None and work.way.to(lower) is not None
        if not on_the_way or not work.holds_between(first_at, last_at):
            continue
        if work.act.act is Act.DELAY:
            held += work.act.hours
        elif work.act.act is Act.BLOCKED:
            ends_at = last_at if work.act.ends_at is None else min(work.act.ends_at, last_at)
            held += max(0, ends_at - max(first_at, work.act.starts_at)) / HOUR_MS
    return held


def hindrances(known: tuple[Work, ...], base: Way, city_id: str) -> tuple[tuple[Along, Work], ...]:
    """The gates and breaches between a detection and a city below it, from above, with the way to each."""
    found = []
    for work in known:
        to_work = None if work.act.act is Act.ICE else base.to(work.way.spot)
        if to_work is not None and work.way.to_city(city_id) is not None:
            found.append((to_work, work))
    return tuple(sorted(found, key=lambda item: item[0].km))
