"""What the graph says of evidence: where the wave of a source should be by now, and whether the stations there see it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from stream.decide.life import seconds
from stream.decide.placing import domain_of
from topology.base import Path

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from stream.decide.state import SourceState
    from stream.decide.wanted import Claim
    from stream.region.model import Hazard, Region


class Window(NamedTuple):
    """When the wave of a source may arrive at a station: from its 10th to its 90th percentile, an interval of the station wider on both sides."""

    from_at: int
    to_at: int


class Waves(NamedTuple):
    """One source's wave: in how many cities it is found, the weight of those where it is due and not found, when it may arrive where.

    A city where it is missed weighs as much as the chance that it gets there at all.
    """

    seen: int
    missed: float
    windows: Mapping[str, Window]


NO_WAVES = Waves(0, 0.0, {})


class Heard(NamedTuple):
    """What is known of an incident at `at`: its sources, by city what each claims, and which series are silent.

    `found_in`: the cities in which the incident was measured before. There no wave is missed when it has gone by.
    """

    sources: Sequence[SourceState]
    claims: Mapping[str, Sequence[Claim]]
    silent: frozenset[str] | set[str]
    at: int
    found_in: frozenset[str] = frozenset()


def waves(region: Region, hazard: Hazard, heard: Heard) -> dict[str, Waves]:
    """The waves of every source that has any. A city's own stations speak for what arrives there; one that is silent says nothing."""
    raised = {source.series: source for source in heard.sources}
    domains = {series: domain_of(region, source) for series, source in raised.items()}
    seen, missed, windows = dict.fromkeys(raised, 0), dict.fromkeys(raised, 0.0), {series: dict[str, Window]() for series in raised}
    for city_id in sorted(heard.claims):
        arriving = [
            claim for claim in heard.claims[city_id] if claim.impact.path is not Path.SAME_PLACE and claim.impact.arrival is not None
        ]
        here = _there(region, hazard.stations_in.get(city_id, ()), heard.silent, raised) if arriving else {}
        for claim in arriving:
            arrival, stations = claim.impact.arrival, here.get(domains[claim.series])
            if arrival is None or stations is None:
                continue
            for name, slack in stations.raised:
                windows[claim.series][name] = Window(arrival.p10_at - slack, arrival.p90_at + slack)
            if stations.raised or city_id in heard.found_in:
                seen[claim.series] += 1
            elif heard.at > arrival.p90_at + stations.slack and (arrival.passed_at is None or heard.at <= arrival.passed_at):
                missed[claim.series] += claim.impact.probability
    return {series: Waves(seen[series], missed[series], windows[series]) for series in sorted(raised)}


class _There(NamedTuple):
    """A city's stations of one domain: those that are sources (with their interval, ms), and the shortest interval of those that report."""

    raised: tuple[tuple[str, int], ...]
    slack: float


def _there(region: Region, rows: Sequence[int], silent: frozenset[str] | set[str], raised: Collection[str]) -> dict[int, _There]:
    found: dict[int, _There] = {}
    for row in rows:
        name, domain = region.series.ids[row], int(region.series.domain[row])
        slack = seconds(float(region.series.interval_s[row]))
        before = found.get(domain, _There((), math.inf))
        own = ((name, slack),) if name in raised else ()
        found[domain] = _There((*before.raised, *own), before.slack if name in silent else min(before.slack, slack))
    return found
