"""What all claims on a city come to: one wanted warning, led by the worst of them.

Gauges on one line of a river see the same water, so of them the likeliest counts. Different branches, ways and kinds of evidence are taken
as independent. Crests of different branches that pass the city at about the same time add up, unless a gauge below both has seen them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from detectors.base import Level
from stream.decide.foretold import REASON
from stream.decide.gauges import COLOURS, word_for
from stream.records.instants import MINUTE
from topology.base import Arrival, Path
from topology.confluence import overlap

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from stream.decide.foretold import Ahead
    from topology.base import Expected, Impact

CRESTS_MEET = "crests_meet"
UNCONFIRMED = "unconfirmed"


class Exceeding(NamedTuple):
    """The chance that a city's danger reaches a level, and when (P10/P50/P90, if at all) where a forecast says so."""

    level: int
    probability: float
    arrival: Arrival | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the evidence wants a city to be told. `series` are those behind it, the leading one first.

    `probability` is that of any of the impacts; `expected` the highest crest foretold for a gauge of the city; `intensity` the leading
    impact's, with those of crests that meet it added. `confirmed`: a confirmed source alone would want this level, too. `warns`: the probability by which it is
    decided whether the city is warned. `exceedance`: of every level that may be reached. Everything else is the leading impact's.
    """

    city_id: str
    level: int
    path: str
    paths: tuple[str, ...]
    probability: float
    arrival: Arrival | None
    unknown_because: str
    intensity: float
    confidence: float
    reasons: tuple[str, ...]
    series: tuple[str, ...]
    expected: Expected | None = None
    confirmed: bool = True
    warns: float = 1.0
    exceedance: tuple[Exceeding, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One source's claim on a city.

    `peak`: the source's highest level; `source`: its place in the `Lines` of the event; `confirmed`: enough stations stand behind the source.
    `foretold`: whether a forecast says that a level is reached (then the city is warned) or not; None where none speaks.
    """

    impact: Impact
    level: int
    peak: int
    series: str
    source: int
    confirmed: bool = True
    foretold: bool | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """Whether the water of source i passes source j, for all sources of an event; `level_drop`: of the hazard's rules."""

    passes: NDArray[np.bool_]
    level_drop: float = 0.0


def together(city_id: str, claims: Sequence[Claim], lines: Lines, ahead: Sequence[Ahead] = ()) -> Wanted:
    """One wanted warning from all claims (at least one) on a city; `ahead`: what its gauges are foretold."""
    ordered = sorted(claims, key=_precedence)
    lead = ordered[0]
    met = _met(ordered, lines)
    intensity = sum(claim.impact.intensity for claim in met) if len(met) > 1 else lead.impact.intensity
    level = lead.level
    if len(met) > 1 and lead.impact.expected is None:
        level = max(level, remote_level(max(claim.peak for claim in met), intensity, lines.level_drop))
    foretold = [claim.impact.expected for claim in ordered if claim.impact.expected is not None]
    highest = max(foretold, key=lambda one: (one.p50, one.series), default=None)
    confirmed = any(claim.confirmed and claim.level == lead.level for claim in ordered)
    notes = [*([CRESTS_MEET] if len(met) > 1 else []), *([word_for(highest)] if highest else []), *([] if confirmed else [UNCONFIRMED])]
    return Wanted(
        city_id=city_id,
        level=level,
        path=lead.impact.path.value,
        paths=tuple(dict.fromkeys(claim.impact.path.value for claim in ordered)),
        probability=round(_probability(ordered, lines), 6),
        arrival=_to_minutes(lead.impact.arrival),
        unknown_because=lead.impact.unknown_because,
        intensity=round(intensity, 6),
        confidence=round(lead.impact.confidence, 6),
        reasons=(*lead.impact.reasons, *notes),
        series=tuple(dict.fromkeys(claim.series for claim in ordered)),
        expected=highest,
        confirmed=confirmed,
        warns=1.0
        if any(claim.foretold for claim in ordered)
        else _probability([claim for claim in ordered if claim.foretold is None], lines),
        exceedance=_exceedance(ordered, lines, ahead),
    )


def _exceedance(ordered: Sequence[Claim], lines: Lines, ahead: Sequence[Ahead]) -> tuple[Exceeding, ...]:
    """The chance of every level: what a forecast says of it, or what claims of that level and above say together, if that is more."""
    foretold = {one.level: one for one in ahead}
    found = []
    for level in COLOURS:
        known = foretold.get(int(level))
        chance = _probability([claim for claim in ordered if claim.level >= level], lines)
        if known is not None and known.chance >= chance:
            found.append(Exceeding(int(level), known.chance, _to_minutes(Arrival(known.p10_at, known.p50_at, known.p90_at))))
        elif chance > 0.0:
            found.append(Exceeding(int(level), round(chance, 6), None))
    return tuple(found)


def remote_level(peak: int, intensity: float, drop: float) -> int:
    """The source's highest level, lowered by `drop` levels for every 1/e of intensity lost on the way; never below blue.

    >>> remote_level(4, 0.1, 1.0), remote_level(4, 0.1, 0.0), remote_level(2, 1.5, 1.0)
    (2, 4, 2)
    """
    if not drop or not 0 < intensity < 1:
        return peak
    return max(int(Level.BLUE), peak - math.floor(drop * -math.log(intensity)))


def _probability(ordered: Sequence[Claim], lines: Lines) -> float:
    missed = 1.0
    for branch in _branches(ordered, lines):
        missed *= 1.0 - max(claim.impact.probability for claim in branch)
    return 1.0 - missed


def _branches(ordered: Sequence[Claim], lines: Lines) -> list[list[Claim]]:
    """The claims by what is independent: each line of water together, everything else alone."""
    found: list[list[Claim]] = []
    for claim in ordered:
        known = None
        if claim.impact.path is Path.RIVER:
            known = next((one for one in found if one[0].impact.path is Path.RIVER and _one_line(lines, one[0], claim)), None)
        if known is None:
            found.append([claim])
        else:
            known.append(claim)
    return found


def _met(ordered: Sequence[Claim], lines: Lines) -> list[Claim]:
    """The lead and the claims of other branches whose crests pass at about the same time; only the lead where none do."""
    lead, river = ordered[0], [claim for claim in ordered if claim.impact.path is Path.RIVER]
    met = [lead]
    if lead.impact.path is not Path.RIVER or lead.impact.arrival is None:
        return met
    for claim in river:
        arrival = claim.impact.arrival
        if arrival is None or not overlap(lead.impact.arrival, arrival):
            continue
        if any(_one_line(lines, one, claim) for one in met):
            continue
        if any(_below(lines, lead, seen) and _below(lines, claim, seen) for seen in river):
            continue
        met.append(claim)
    return met


def _one_line(lines: Lines, one: Claim, other: Claim) -> bool:
    return _below(lines, one, other) or _below(lines, other, one)


def _below(lines: Lines, upper: Claim, lower: Claim) -> bool:
    return bool(lines.passes[upper.source, lower.source])


def _to_minutes(arrival: Arrival | None) -> Arrival | None:
    """No forecast is good to the millisecond: outwards to whole minutes."""
    if arrival is None:
        return None
    passed_at = None if arrival.passed_at is None else -(-arrival.passed_at // MINUTE) * MINUTE
    return Arrival(
        arrival.p10_at // MINUTE * MINUTE,
        (arrival.p50_at + MINUTE // 2) // MINUTE * MINUTE,
        -(-arrival.p90_at // MINUTE) * MINUTE,
        passed_at,
    )


def _precedence(claim: Claim) -> tuple[int, bool, bool, int, str]:
    """Worst level first; among equals what is measured here, what is foretold here, then the earliest arrival, then the series' name."""
    arrival = claim.impact.arrival
    return (
        -claim.level,
        claim.impact.path is not Path.SAME_PLACE,
        claim.impact.reasons != (REASON,),
        arrival.p50_at if arrival else 2**62,
        claim.series,
    )
