"""k of n: which sources enough independent stations agree with, so that a city may be told the top levels because of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detectors.base import Quality
from stream.decide.instruments import Place, place_of, stands_at, witnesses
from stream.decide.placing import concluded, domain_of, doubted, follows, place
from stream.decide.stated import REPORT, RETIRED, SCAN
from stream.decide.waves import NO_WAVES
from stream.records.instants import HOUR
from topology.geodesy import distance_km

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.decide.state import SourceState
    from stream.decide.waves import Waves
    from stream.region.model import Hazard, Region


def unconfirmed(region: Region, hazard: Hazard, sources: Sequence[SourceState], known: Mapping[str, Waves]) -> frozenset[str]:
    """The series that fewer than k independent stations (their own counted) stand behind; none where one is enough.

    Two sources agree when they began within `together_h` of each other, or one began when the wave of the other was due there. A measurement
    of doubtful quality confirms nothing and needs confirming. Adding sources never makes another one unconfirmed.

    A report of a person that nobody else stands behind confirms nothing, and needs another source even where one station is enough; one
    that somebody else confirmed needs none. A forecast is made of what stations show: it confirms nothing, and needs as many of them as any source; a scan
    has as many as there are places in its cluster with more than usual.
    """
    rule = hazard.fusion
    if rule.k <= 1 and not any(doubted(source.placed) for source in sources):
        return frozenset()
    sound = [
        source
        for source in sources
        if source.quality != Quality.SUSPECT and not (doubted(source.placed) or concluded(source.placed) or follows(source.placed))
    ]
    of = witnesses(region, sources)
    found = set()
    for one in sources:
        if one.placed is not None and one.placed.kind in (REPORT, SCAN) and one.placed.confirmed:
            continue
        needed = max(rule.k, 2) if doubted(one.placed) else rule.k
        near = _near(region, hazard, one)
        behind = {of[one.series]} if one.quality != Quality.SUSPECT and not concluded(one.placed) else set()
        behind |= {of[other.series] for other in sound if _speaks(region, near, other) and _agree(one, other, known, rule.together_h)}
        if len(behind) < needed:
            found.add(one.series)
    return frozenset(found)


def partners(region: Region, hazard: Hazard, sources: Sequence[SourceState]) -> Iterator[tuple[str, str]]:
    """The pairs of measured series that confirm each other where only the nearest stations may: they see one event, whatever it reaches."""
    rule = hazard.fusion
    measured = [source for source in sources if source.placed is None]
    if rule.k <= 1 or not rule.n or len(measured) < 2:  # noqa: PLR2004  nobody to agree with
        return
    at_place: dict[Place, list[SourceState]] = {}
    for one in measured:
        at_place.setdefault(stands_at(region, one), []).append(one)
    for one in measured:
        for spot in sorted(_near(region, hazard, one) or ()):
            for other in at_place.get(spot, ()):
                if other is not one and _agree(one, other, {}, rule.together_h):
                    yield one.series, other.series


def _agree(one: SourceState, other: SourceState, known: Mapping[str, Waves], together_h: float) -> bool:
    if abs(one.onset_at - other.onset_at) <= together_h * HOUR:
        return True
    return _due(one, other, known) or _due(other, one, known)


def _due(upper: SourceState, lower: SourceState, known: Mapping[str, Waves]) -> bool:
    window = known.get(upper.series, NO_WAVES).windows.get(lower.series)
    return window is not None and window.from_at <= lower.onset_at <= window.to_at


def _speaks(region: Region, near: frozenset[Place] | None, other: SourceState) -> bool:
    elsewhere = other.placed is not None and other.placed.kind != RETIRED
    return near is None or elsewhere or stands_at(region, other) in near


def _near(region: Region, hazard: Hazard, source: SourceState) -> frozenset[Place] | None:
    """The n places with stations of the hazard and domain nearest to this one, itself counted; None where all may speak."""
    if not hazard.fusion.n:
        return None
    table = region.series
    here = place(region, source)
    rows = hazard.rows[table.domain[hazard.rows] == domain_of(region, source)]
    away = distance_km(here.latitude, here.longitude, table.latitude[rows], table.longitude[rows])
    nearest = (place_of(region, row) for row in rows[np.argsort(away, kind="stable")].tolist())
    return frozenset(list(dict.fromkeys((stands_at(region, source), *nearest)))[: hazard.fusion.n])
