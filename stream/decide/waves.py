"""What the graph says of evidence: where the wave of a source should be by now, and whether the stations there see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.decide.life import seconds
from topology.base import Path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    """What is known of an incident at `at`: its sources, by city what each claims, and which series are silent."""

    sources: Sequence[SourceState]
    claims: Mapping[str, Sequence[Claim]]
    silent: frozenset[str] | set[str]
    at: int


def waves(region: Region, hazard: Hazard, heard: Heard) -> dict[str, Waves]:
    """The waves of every source that has any. A city's own stations speak for what arrives there; one that is silent says nothing."""
    found: dict[str, Waves] = {}
    raised = {source.series for source in heard.sources}
    for city_id in sorted(heard.claims):
        rows = hazard.stations_in.get(city_id, ())
        for claim in heard.claims[city_id] if rows else ():
            if claim.impact.path is not Path.SAME_PLACE and claim.impact.arrival is not None:
                before = found.get(claim.series, NO_WAVES)
                found[claim.series] = _add(region, before, claim, _peers(region, rows, claim.series), (heard, raised))
    return found


def _peers(region: Region, rows: Sequence[int], series: str) -> list[int]:
    domain = region.series.domain[region.series.row_of[series]]
    return [row for row in rows if region.series.domain[row] == domain]


def _add(region: Region, before: Waves, claim: Claim, rows: Sequence[int], known: tuple[Heard, set[str]]) -> Waves:
    heard, raised = known
    arrival = claim.impact.arrival
    if arrival is None or not rows:
        return before
    windows = dict(before.windows)
    for row in rows:
        slack = seconds(float(region.series.interval_s[row]))
        windows[region.series.ids[row]] = Window(arrival.p10_at - slack, arrival.p90_at + slack)
    names = [region.series.ids[row] for row in rows]
    if any(name in raised for name in names):
        return Waves(before.seen + 1, before.missed, windows)
    due = [name for name in names if name not in heard.silent and heard.at > windows[name].to_at]
    passed = arrival.passed_at is not None and heard.at > arrival.passed_at
    return Waves(before.seen, before.missed + (claim.impact.probability if due and not passed else 0.0), windows)
