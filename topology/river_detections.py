"""Which detections of an event lie on one line of water, and which of them can be believed.

A detection says "first found here at that time". Samples for a pollutant are late, never early, when nobody had looked before: the first
one was already high. A detection that is too late for what is known so far is therefore doubted and left out, until a later one further
down agrees with it (then the water really was held up); one that comes too early shows that the detection above it had been late, and
replaces it. Gauges watch a river's level all the time: there a detection that comes too early is other water, from a tributary.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from topology.river_learning import forecast, learn
from topology.river_ways import Spot, on_network, way_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topology.base import Conditions, Source
    from topology.river import RiverCities
    from topology.river_learning import Leg, Spread
    from topology.river_ways import Clocks, Way

# What is outside these quantiles of the expected time is not believed.
_EARLIEST, _LATEST = 0.001, 0.999
_SAME_KM = 1e-6


class Detection(NamedTuple):
    """The front was first found at this way's spot at `front_at`; `at_km` counts along the line of water, `is_source`: the source's own."""

    way: Way
    front_at: int
    is_source: bool
    at_km: float = 0.0


class Believed(NamedTuple):
    """Positions in the line of the detections that are believed, from above, and the legs between those that follow each other."""

    kept: tuple[int, ...]
    legs: tuple[Leg, ...]

    def then(self, position: int, leg: Leg | None) -> Believed:
        """With one more detection below."""
        return Believed((*self.kept, position), (*self.legs, leg) if leg is not None else self.legs)

    def without_last(self) -> Believed:
        """Without the lowest detection."""
        return Believed(self.kept[:-1], tuple(leg for leg in self.legs if leg.second != self.kept[-1]))


class LegOf(Protocol):
    """The leg between two detections of a line, numbered by their positions; None where no time is known for the way."""

    def __call__(self, line: Sequence[Detection], first: int, second: int) -> Leg | None:
        """The leg from the detection at position `first` to that at `second`."""


class _Verdict(Enum):
    FITS, EARLY, LATE = range(3)


def detections(cities: RiverCities, clocks: Clocks, source: Source, conditions: Conditions) -> tuple[Detection, ...]:
    """The source and the passages known by now that lie on one line of water with it, from above.

    Places that are not on the network (any more) are left out. Of several detections at one place the earliest counts.
    """
    earliest: dict[Spot, int] = {}
    for passage in conditions.passages:
        spot = Spot(passage.reach, passage.reach_km)
        if passage.front_at <= conditions.now and on_network(cities.network, spot):
            earliest[spot] = min(passage.front_at, earliest.get(spot, passage.front_at))
    own = Spot(source.reach, source.reach_km)
    start = Detection(way_from(cities, clocks, source, own), min(source.onset_at, earliest.pop(own, source.onset_at)), is_source=True)
    above, below = [], []
    for spot, front_at in earliest.items():
        one = Detection(way_from(cities, clocks, source, spot), front_at, is_source=False)
        to_source, from_source = one.way.to(own), start.way.to(spot)
        if to_source is not None and to_source.km > _SAME_KM:
            above.append((to_source.km, spot, one))
        elif from_source is not None and from_source.km > _SAME_KM:
            below.append((from_source.km, spot, one))
    line = [start]
    for _, _, one in sorted(above, key=lambda item: item[:2]):
        if one.way.to(line[0].way.spot) is not None:
            line.insert(0, one)
    return measured((*line, *(one for _, _, one in sorted(below, key=lambda item: item[:2]))))


def measured(line: Sequence[Detection]) -> tuple[Detection, ...]:
    """The detections with their kilometres along the line; each must lie below the one before it, others are left out."""
    kept = [line[0]._replace(at_km=0.0)]
    for one in line[1:]:
        along = kept[-1].way.to(one.way.spot)
        if along is not None:
            kept.append(one._replace(at_km=kept[-1].at_km + along.km))
    return tuple(kept)


def believe(line: Sequence[Detection], spread: Spread, leg_of: LegOf) -> Believed:
    """Go down a line of samples and keep what can be believed: a detection may be late, because nobody had looked before."""
    so_far, doubted = Believed((0,), ()), -1
    for here in range(1, len(line)):
        leg, verdict = _judge(line, so_far, here, spread, leg_of)
        while verdict is _Verdict.EARLY and len(so_far.kept) > 1:
            so_far = so_far.without_last()
            leg, verdict = _judge(line, so_far, here, spread, leg_of)
        if verdict is _Verdict.LATE:
            held = so_far.then(doubted, None) if doubted >= 0 else so_far
            leg, verdict = _judge(line, held, here, spread, leg_of)
            if verdict is not _Verdict.FITS:
                doubted = here
                continue
            so_far = held
        so_far = Believed((here,), ()) if verdict is _Verdict.EARLY else so_far.then(here, leg)
        doubted = -1
    return so_far


def believe_watched(line: Sequence[Detection], spread: Spread, leg_of: LegOf) -> Believed:
    """Go down a line of gauges that watch all the time: what comes too early, or too late and alone, is other water.

    The source itself is always kept; what lies above it and does not fit is left out.
    """
    so_far, doubted = Believed((0,), ()), -1
    for here in range(1, len(line)):
        leg, verdict = _judge(line, so_far, here, spread, leg_of)
        if verdict is _Verdict.LATE and doubted >= 0 and not line[here].is_source:
            held = so_far.then(doubted, None)
            leg, verdict = _judge(line, held, here, spread, leg_of)
            so_far = held if verdict is _Verdict.FITS else so_far
        if verdict is _Verdict.FITS:
            so_far, doubted = so_far.then(here, leg), -1
        elif line[here].is_source:
            so_far, doubted = Believed((here,), ()), -1
        elif verdict is _Verdict.LATE:
            doubted = here
    return so_far


def _judge(line: Sequence[Detection], so_far: Believed, here: int, spread: Spread, leg_of: LegOf) -> tuple[Leg | None, _Verdict]:
    leg = leg_of(line, so_far.kept[-1], here)
    if leg is None:
        return None, _Verdict.FITS
    expected = forecast(learn(spread, so_far.legs), leg.stretch, leg.first)
    if leg.hours < expected.hours(_EARLIEST):
        return leg, _Verdict.EARLY
    return leg, _Verdict.LATE if leg.hours > expected.hours(_LATEST) else _Verdict.FITS
