"""Which detections of an event lie on one line of water, and which of them can be believed.

A detection says "first found here at that time". Samples for a pollutant are late, never early, when nobody had looked before: the first
one was already high. A detection that is too late for what is known so far is therefore doubted and left out, until a later one further
down agrees with it (then the water really was held up); one that comes too early shows that the detection above it had been late, and
replaces it. Gauges watch a river's level all the time: there a detection that comes too early is other water, from a tributary.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from topology.arrival import HOUR_MS
from topology.base import Passage
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
    """The front was at this way's spot at `front_at`, give or take half of `slack_h`; infinite: no later than that, nobody had looked before.

    `sd_h`: its standard error beyond the usual one. `at_km` counts along the line of water, `is_source`: the source's own.
    """

    way: Way
    front_at: int
    is_source: bool
    slack_h: float = 0.0
    sd_h: float = 0.0
    at_km: float = 0.0

    @property
    def is_bound(self) -> bool:
        """Whether it only says that the front came no later."""
        return self.slack_h == math.inf

    @property
    def window(self) -> tuple[int, int]:
        """The earliest and the latest instant of the front (of a bound only the latest is known; both are it)."""
        half_ms = 0 if self.is_bound else round(self.slack_h * HOUR_MS / 2.0)
        return self.front_at - half_ms, self.front_at + half_ms


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
    FITS, EARLY, LATE, NOTHING = range(4)


def detections(cities: RiverCities, clocks: Clocks, asked: tuple[Source, Conditions], floor_h: float) -> tuple[Detection, ...]:
    """The source and the passages known by now that lie on one line of water with it, from above.

    Places that are not on the network (any more) are left out. Of several detections at one place the earliest counts. A gap whose half
    is within `floor_h` is part of the usual error of a detection; in a larger one the front came anywhere. By the smallest gap of all
    every detection is late alike, the next one too; what a gap has beyond that makes its own detection late, by half of it on average.
    """
    source, conditions = asked
    earliest: dict[Spot, Passage] = {}
    for passage in conditions.passages:
        spot = Spot(passage.reach, passage.reach_km)
        if passage.front_at <= conditions.now and on_network(cities.network, spot):
            known = earliest.get(spot)
            earliest[spot] = passage if known is None else min(known, passage, key=lambda one: (one.front_at, one.gap_h))
    own = Spot(source.reach, source.reach_km)
    first = earliest.pop(own, Passage(*own, source.onset_at))
    if source.onset_at < first.front_at:
        first = Passage(*own, source.onset_at)
    usual_h = min((one.gap_h for one in conditions.passages if one.gap_h < math.inf), default=0.0)
    start = _detection(way_from(cities, clocks, source, own), first, usual_h, floor_h)._replace(is_source=True)
    above, below = [], []
    for spot, passage in earliest.items():
        one = _detection(way_from(cities, clocks, source, spot), passage, usual_h, floor_h)
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


def _detection(way: Way, passage: Passage, usual_h: float, floor_h: float) -> Detection:
    if passage.gap_h == math.inf:
        return Detection(way, passage.front_at, is_source=False, slack_h=math.inf)
    if passage.gap_h / 2.0 <= floor_h:
        return Detection(way, passage.front_at, is_source=False)
    slack_h = passage.gap_h - usual_h
    # The front came anywhere in the gap: uniform.
    return Detection(way, passage.front_at - round(slack_h * HOUR_MS / 2.0), False, slack_h, passage.gap_h / math.sqrt(12.0))


def measured(line: Sequence[Detection]) -> tuple[Detection, ...]:
    """The detections with their kilometres along the line; each must lie below the one before it, others are left out."""
    kept = [line[0]._replace(at_km=0.0)]
    for one in line[1:]:
        along = kept[-1].way.to(one.way.spot)
        if along is not None:
            kept.append(one._replace(at_km=kept[-1].at_km + along.km))
    return tuple(kept)


def believe(line: Sequence[Detection], spread: Spread, leg_of: LegOf, *, watched: bool) -> tuple[Believed, ...]:
    """Go down a line and keep what can be believed: by position, what is believed of the detections up to it.

    `watched`: the line is one of gauges that watch all the time, and not of samples that begin when somebody looks.
    """
    judge, chain = _watched if watched else _sampled, _Chain(Believed((0,), ()), -1)
    chains = [chain]
    for here in range(1, len(line)):
        chain = judge(line, chain, here, spread, leg_of)
        chains.append(chain)
    return tuple(one.believed for one in chains)


class _Chain(NamedTuple):
    """What is believed so far, and the position of a detection that came too late to be (-1 = none)."""

    believed: Believed
    doubted: int


def _sampled(line: Sequence[Detection], chain: _Chain, here: int, spread: Spread, leg_of: LegOf) -> _Chain:
    """A detection may be late, because nobody had looked before."""
    so_far, doubted = chain
    leg, verdict = _judge(line, so_far, here, spread, leg_of)
    while verdict is _Verdict.EARLY and len(so_far.kept) > 1:
        so_far = so_far.without_last()
        leg, verdict = _judge(line, so_far, here, spread, leg_of)
    if verdict is _Verdict.NOTHING:
        return _Chain(so_far, doubted)
    if verdict is _Verdict.LATE:
        held = so_far.then(doubted, None) if doubted >= 0 else so_far
        leg, verdict = _judge(line, held, here, spread, leg_of)
        if verdict is not _Verdict.FITS:
            return _Chain(so_far, here)
        so_far = held
    return _Chain(Believed((here,), ()) if verdict is _Verdict.EARLY else so_far.then(here, leg), -1)


def _watched(line: Sequence[Detection], chain: _Chain, here: int, spread: Spread, leg_of: LegOf) -> _Chain:
    """What comes too early, or too late and alone, is other water. The source itself is kept; what lies above it and does not fit is not."""
    so_far, doubted = chain
    leg, verdict = _judge(line, so_far, here, spread, leg_of)
    if verdict is _Verdict.LATE and doubted >= 0 and not line[here].is_source:
        held = so_far.then(doubted, None)
        leg, verdict = _judge(line, held, here, spread, leg_of)
        so_far = held if verdict is _Verdict.FITS else so_far
    if verdict is _Verdict.FITS:
        return _Chain(so_far.then(here, leg), -1)
    if line[here].is_source:
        return _Chain(Believed((here,), ()), -1)
    return _Chain(so_far, here if verdict is _Verdict.LATE else doubted)


def _judge(line: Sequence[Detection], so_far: Believed, here: int, spread: Spread, leg_of: LegOf) -> tuple[Leg | None, _Verdict]:
    leg = leg_of(line, so_far.kept[-1], here)
    if leg is None:
        return None, _Verdict.FITS
    learned = learn(spread, so_far.legs, [one.sd_h for one in line])
    expected = forecast(learned, leg.stretch, leg.first, line[here].sd_h)
    if line[here].is_bound and leg.hours > expected.median_h and not line[here].is_source:
        return None, _Verdict.NOTHING
    one_sided = line[here].is_bound or line[leg.first].is_bound
    if leg.hours < expected.hours(_EARLIEST) and not line[leg.first].is_bound:
        return leg, _Verdict.EARLY
    late = leg.hours > expected.hours(_LATEST)
    return None if one_sided else leg, _Verdict.LATE if late else _Verdict.FITS
