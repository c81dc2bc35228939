"""When a danger in a river reaches each city: from the newest detection above it, corrected by all of them, with what operators reported.

Shared by both river footprints; each brings its own clock inside its `Pace`. Nothing is remembered: the same graph, source and
conditions give the same answer, whatever was asked before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from topology.arrival import HOUR_MS, Z90, instant
from topology.base import Act, Arrival
from topology.river import cities_below
from topology.river_detections import believe, detections
from topology.river_learning import Leg, Stretch, forecast, learn, prior_forecast
from topology.river_ways import Along
from topology.river_works import held_hours, hindrances, iced, works

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topology.base import Conditions, Source
    from topology.river import Reached, RiverCities
    from topology.river_detections import Believed, Detection
    from topology.river_learning import Forecast, Learned, Spread
    from topology.river_ways import Clocks, Spot, Way
    from topology.river_works import Work

_CORRECTED = "corrected_by_passage"
UNTIMED = "still water or a reservoir without a residence time on the way"
_SAME_KM = 1e-6


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the danger runs now: the hours of `clocks` times `factor`; under ice the speed falls to `ice_factor` of it.

    `watched`: it is found by gauges that watch all the time, not by samples that begin when somebody looks. It is followed for `within_km`.
    `floor_h`: half a gap between two looks that is part of the usual error.
    """

    clocks: Clocks
    factor: float
    ice_factor: float
    spread: Spread
    watched: bool
    floor_h: float
    within_km: float = math.inf


class Hold(NamedTuple):
    """A place that lets nothing pass before `until_at`, the way to it, and the hours other works add above it."""

    way: Forecast
    added_h: float
    until_at: int


class Ahead(NamedTuple):
    """One city below a source: the hours from `start_at` (a detection or the source's onset) as a distribution.

    `way` is None when no time is known; `blocked` names the work that closes the way until further notice. `strength` is the part of the
    water that operators let through. `not_after`: the danger was found further down by then; `not_before`: it was not yet found above by
    then (None: `start_at`).
    """

    reached: Reached
    start_at: int
    way: Forecast | None
    added_h: float = 0.0
    holds: tuple[Hold, ...] = ()
    not_after: int | None = None
    strength: float = 1.0
    blocked: str = ""
    reasons: tuple[str, ...] = ()
    not_before: int | None = None

    @property
    def legs(self) -> int:
        """How many stretches between detections the forecast was learned from."""
        return self.way.learned if self.way is not None else 0

    @property
    def unknown_because(self) -> str:
        """Why no time is known, "" if one is."""
        if self.way is not None:
            return ""
        if self.blocked:
            return f"the river is closed until further notice ({self.blocked})"
        return UNTIMED

    def at(self, z: float) -> int:
        """The quantile of the arrival (ms UTC) by its standard normal variate, not before `not_before`. Only where `way` is known."""
        if self.way is None:
            problem = f"no time is known for the way to {self.reached.city_id}: ask only where `way` is not None"
            raise ValueError(problem)
        held_ms = 0
        for hold in self.holds:
            held_ms += max(0, hold.until_at - instant(self.start_at, hold.way.hours_at(z) + hold.added_h) - held_ms)
        at = instant(self.start_at, self.way.hours_at(z) + self.added_h) + held_ms
        return max(self.start_at if self.not_before is None else self.not_before, at if self.not_after is None else min(at, self.not_after))

    def arrival(self) -> Arrival:
        """The window of 10, 50 and 90 percent."""
        return Arrival(*sorted(self.at(z) for z in (-Z90, 0.0, Z90)))


def cities_ahead(cities: RiverCities, pace: Pace, source: Source, conditions: Conditions) -> tuple[Ahead, ...]:
    """Every city below the source with its forecast. Raises `TopologyError` when the source is not on this network."""
    return forecast_each(cities, pace, cities_below(cities, pace.clocks.hours, source, pace.within_km), source, conditions)


def only_source_known(pace: Pace, conditions: Conditions) -> bool:
    """Whether nothing corrects the clock: no passage, no report, no spread from history."""
    return pace.clocks.doubt is None and not conditions.passages and not conditions.interventions


def forecast_each(cities: RiverCities, pace: Pace, found: Sequence[Reached], source: Source, conditions: Conditions) -> tuple[Ahead, ...]:
    """The forecast of each of the cities below the source, one after the other."""
    if not found or only_source_known(pace, conditions):
        return tuple(_prior(pace, source, reached) for reached in found)
    known = works(cities, pace.clocks, source, conditions)
    event = _Event(pace, conditions.now, known, detections(cities, pace.clocks, (source, conditions), pace.floor_h))
    return tuple(event.ahead(reached) for reached in found)


def _prior(pace: Pace, source: Source, reached: Reached) -> Ahead:
    if reached.hours == float("inf"):
        return Ahead(reached, source.onset_at, None)
    stretch = Stretch(0.0, reached.distance_km, reached.hours * pace.factor)
    return Ahead(reached, source.onset_at, prior_forecast(pace.spread, stretch))


class _Event:
    """One event as it stands at `now`: its line of detections and what they teach, worked out once for all cities below the same ones."""

    def __init__(self, pace: Pace, now: int, known: tuple[Work, ...], line: tuple[Detection, ...]) -> None:
        self.pace, self.now, self.known, self.line = pace, now, known, line
        self.own = next(position for position, one in enumerate(line) if one.is_source)
        self.detection_sd_h = tuple(one.sd_h for one in line)
        self.believed: tuple[Believed, ...] = ()

    def ahead(self, reached: Reached) -> Ahead:
        """The forecast for one city, from the lowest detection above it that is believed."""
        city_id = reached.city_id
        count = next((n for n in range(len(self.line), self.own + 1, -1) if self._is_above(self.line[n - 1], reached)), self.own + 1)
        believed, learned = self._learn(count)
        start = believed.kept[-1]
        base = self.line[start]
        reasons = self._reasons(believed, count)
        not_after = self._found_below(count, start) if reached.share > 1.0 - _SAME_KM else None
        stretch, words = self._stretch(base, city_id if start >= self.own else None, reached)
        if stretch is None:
            return Ahead(reached, base.front_at, None, reasons=reasons)
        way = forecast(learned, stretch, start)
        plain = Ahead(reached, base.front_at, way, not_after=not_after, not_before=base.window[0], reasons=(*reasons, *words))
        return self._hindered(plain, base, learned, start)

    def _found_below(self, count: int, start: int) -> int | None:
        """When the danger was first found below a city, by detections that agree with the one it counts from."""
        kept, _ = self._learn(len(self.line))
        below = [self.line[position].window[1] for position in kept.kept if position >= count]
        return min(below, default=None) if start in kept.kept else None

    def _is_above(self, one: Detection, reached: Reached) -> bool:
        """Whether a detection below the source lies above the point of the city that is reached first."""
        there, from_source = one.way.to_city(reached.city_id), one.at_km - self.line[self.own].at_km
        return there is not None and there.km + from_source <= reached.distance_km + _SAME_KM * (1.0 + reached.distance_km)

    def _learn(self, count: int) -> tuple[Believed, Learned]:
        if not self.believed:
            self.believed = believe(self.line, self.pace.spread, self._leg, watched=self.pace.watched)
        believed = self.believed[count - 1]
        return believed, learn(self.pace.spread, believed.legs, self.detection_sd_h)

    def _leg(self, line: Sequence[Detection], first: int, second: int) -> Leg | None:
        upper, lower = line[first], line[second]
        along, spot = upper.way.to(lower.way.spot), lower.way.spot
        if along is None or along.km <= _SAME_KM or along.hours == float("inf"):
            return None
        prior_h, share, _ = self._hours(upper.way, spot, along.hours, (upper.front_at, lower.front_at))
        held = held_hours(self.known, upper.way, spot, upper.front_at, lower.front_at)
        hours = (lower.front_at - upper.front_at) / HOUR_MS - held
        return Leg(Stretch(upper.at_km, upper.at_km + along.km, prior_h, share, along.scale), first, second, hours)

    def _stretch(self, base: Detection, city_id: str | None, reached: Reached) -> tuple[Stretch | None, tuple[str, ...]]:
        """The way from a detection to the city; `city_id` is None when the detection lies above the source."""
        source = self.line[self.own]
        along = (base if city_id is not None else source).way.to_city(reached.city_id) or Along(reached.distance_km, reached.hours)
        to_source = base.way.to(source.way.spot) if city_id is None else None
        if to_source is not None:
            along = Along(to_source.km + along.km, to_source.hours + along.hours, along.scale)
        if along.hours == float("inf"):
            return None, ()
        prior_h, share, words = self._hours(base.way, reached.city_id, along.hours, (self.now, self.now))
        return Stretch(base.at_km, base.at_km + along.km, prior_h, share, along.scale), words

    def _hours(self, start: Way, place: Spot | str, open_h: float, when: tuple[int, int]) -> tuple[float, float, tuple[str, ...]]:
        """Prior hours with the ice on the way, the share of them under ice, and the words for it."""
        ice = iced(self.known, start, place, *when)
        slowed = ice.hours / self.pace.ice_factor
        hours = (open_h - ice.hours + slowed) * self.pace.factor
        return hours, slowed * self.pace.factor / hours if hours > 0.0 else 0.0, ice.words

    def _hindered(self, ahead: Ahead, base: Detection, learned: Learned, start: int) -> Ahead:
        """With the gates and breaches between the detection and the city that the front has not passed yet when they act."""
        for along, work in hindrances(self.known, base.way, ahead.reached.city_id):
            if along.hours == float("inf"):
                continue
            hours, share, _ = self._hours(base.way, work.way.spot, along.hours, (self.now, self.now))
            way = forecast(learned, Stretch(base.at_km, base.at_km + along.km, hours, share, along.scale), start)
            if work.holds_at(ahead._replace(way=way, not_after=None).at(0.0)):
                ahead = _with_work(ahead, work, way)
            if ahead.blocked:
                break
        return ahead

    def _reasons(self, believed: Believed, count: int) -> tuple[str, ...]:
        base = self.line[believed.kept[-1]]
        words = [_CORRECTED] if not base.is_source or believed.legs else []
        if words:
            words += [f"from:{base.way.spot.reach}@{base.way.spot.km:g}", f"legs_learned:{len(believed.legs)}"]
        return tuple(words + (["passage_doubted"] if len(believed.kept) < count else []))


def _with_work(ahead: Ahead, work: Work, way: Forecast) -> Ahead:
    """The forecast of a city below a work, to which the front takes `way`."""
    act, told = work.act, ahead._replace(reasons=(*ahead.reasons, work.word))
    if act.act is Act.BLOCKED and act.ends_at is None:
        return told._replace(way=None, blocked=work.word)
    if act.act is Act.BLOCKED and act.ends_at is not None:
        return told._replace(holds=(*ahead.holds, Hold(way, ahead.added_h, act.ends_at)))
    later_h = act.hours if act.act is Act.DELAY else 0.0
    return told._replace(added_h=ahead.added_h + later_h, strength=ahead.strength * act.factor)
