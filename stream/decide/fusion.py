"""How sure it is that an incident is real: what every source says, weighed, as a sum of log-odds that people can read.

    log-odds = logit(prior) + sum over places of max(0, weight * evidence - missed * (waves that are due and not found))

- *Evidence* is the natural logarithm of a likelihood ratio: a statistical detector's own; else from its p-value the e-value of Vovk & Wang
  (2021), (1 - p + p ln p) / (p ln(p)^2); a limit detector's odds of exceedance; else 1 to 4, by level.
- *Reliability*: an instrument that alarms by itself with chance f = 1 - reliability can never say more than 1 / f, whatever it measures:
  LR / (1 - f + f LR).
- *Weight*: the quantity's (`[fusion.weights]`, trained by `tocsin calibrate`), less for doubtful quality, halved for every `half_life_h` since
  the source was last seen or ended (an ended source counts while its wave is under way). One that fell silent stays as sure as it was:
  missing data never lowers.
- *Places* count once: the best series of a place, less what choosing it among several p-values costs (Cauchy combination).
- *Waves*: a station that reports and finds nothing counts against a source only when its wave is due there, and never beyond what the
  source itself says: contradicted evidence is no evidence, not the contrary.
- *Forecasts* and *scans* are made of the same measurements: the surest adds only what makes all say as much as it does alone.

So the order of sources does not matter, a second instrument at a place adds nothing, and an agreeing source elsewhere never lowers the probability.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from detectors.base import Level, Quality
from stream.decide import cauchy
from stream.decide.corroboration_rules import unconfirmed
from stream.decide.instruments import witnesses
from stream.decide.placing import concluded, interval_of, quantity_of
from stream.decide.waves import NO_WAVES, Heard, waves
from stream.records.instants import HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.decide.state import SourceState
    from stream.decide.waves import Waves
    from stream.region.model import Fusion, Hazard, Region

SUSPECT_WEIGHT = 0.3
EXCEEDANCE_MOST, CHANCE_LEAST = 0.999, 1e-6
DIGITS = 6


class Why(StrEnum):
    """Why a source counts as it does."""

    COUNTS = "counts"
    SEEN_BELOW = "wave_seen"
    MISSED_BELOW = "wave_missed"
    SAME_PLACE = "same_place"
    SUSPECT = "suspect"
    OLD = "old"
    FORETOLD = "foretold"
    CLUSTER = "cluster"


class Support(NamedTuple):
    """What one source adds to the log-odds of an incident; `independent` names the station that it counts as."""

    series: str
    log_odds: float
    weight: float
    independent: str
    reason: Why


class Fused(NamedTuple):
    """The evidence of an incident come together. `cap`: the highest level a city may be told because of an unconfirmed source."""

    probability: float
    confirmed: bool
    cap: int
    support: tuple[Support, ...]
    unconfirmed: frozenset[str]


def fuse(region: Region, hazard: Hazard, heard: Heard) -> Fused:
    """The probability that the incident is real (0..1), what each source adds to it, and which of them are unconfirmed."""
    rule = hazard.fusion
    sources = sorted({source.series: source for source in heard.sources}.values(), key=lambda source: source.series)
    known = waves(region, hazard, heard)
    of = witnesses(region, sources)
    places: dict[str, list[SourceState]] = {}
    for source in sources:
        if not concluded(source.placed):
            places.setdefault(of[source.series], []).append(source)
    support = [one for name, together in places.items() for one in _of_place(region, rule, (name, together), known, heard)]
    support += _concluded(rule, [source for source in sources if concluded(source.placed)], math.fsum(one.log_odds for one in support))
    total = _logit(rule.prior) + math.fsum(one.log_odds for one in support)
    open_ones = unconfirmed(region, hazard, sources, known)
    confirmed = any(source.series not in open_ones for source in sources) or not sources
    told = tuple(
        one._replace(log_odds=round(one.log_odds, DIGITS), weight=round(one.weight, DIGITS))
        for one in sorted(support, key=lambda one: one.series)
    )
    cap = rule.unconfirmed_cap if rule.k > 1 else int(Level.ORANGE)  # where one station is enough, only a report can be unconfirmed
    return Fused(round(_expit(total), DIGITS), confirmed, cap if open_ones else int(Level.RED), told, open_ones)


def _concluded(rule: Fusion, conclusions: Sequence[SourceState], measured: float) -> list[Support]:
    """What the surest forecast or scan adds to what was measured: only so much that all of it says as much as that one alone."""
    says = {one.series: _alone_says(rule, one) for one in conclusions if one.ended_at is None}
    best = max(sorted(says), key=lambda series: says[series], default="")
    found = []
    for one in conclusions:
        more = max(0.0, says[best] - measured) if one.series == best else 0.0
        counts_as = one.placed.counts_as if one.placed is not None else one.series
        found.append(Support(one.series, more, 1.0, counts_as, Why.FORETOLD if one.p_value is None else Why.CLUSTER))
    return found


def _alone_says(rule: Fusion, source: SourceState) -> float:
    """The log-odds a forecast (its chance) or a scan (its p-value) adds to the prior by itself."""
    if source.p_value is not None:
        return believed(max(0.0, log_e_value(source.p_value)), rule.reliability)
    return _logit(min(max(source.exceedance or 0.0, CHANCE_LEAST), EXCEEDANCE_MOST)) - _logit(rule.prior)


def _of_place(
    region: Region, rule: Fusion, place: tuple[str, Sequence[SourceState]], known: dict[str, Waves], heard: Heard
) -> list[Support]:
    """What the series of one place add: the best of them everything, the others nothing."""
    name, sources = place
    alone = {source.series: _alone(region, rule, source, known.get(source.series, NO_WAVES), heard) for source in sources}
    best = min(sources, key=lambda source: (-alone[source.series].log_odds, source.series))
    found = []
    for source in sources:
        one = alone[source.series]
        if source is best:
            cost = one.weight * _choosing(sources)
            found.append(one._replace(log_odds=max(0.0, one.log_odds - cost), independent=name))
        else:
            found.append(one._replace(log_odds=0.0, independent=name, reason=Why.SAME_PLACE))
    return found


def _alone(region: Region, rule: Fusion, source: SourceState, wave: Waves, heard: Heard) -> Support:
    """What a source would add if it stood alone at its place."""
    suspect = source.quality == Quality.SUSPECT
    since = source.ended_at if source.ended_at is not None else source.observed_at + interval_of(region, source)
    kept = source.ended_at is None and source.series in heard.silent
    fading = 1.0 if kept else 0.5 ** (max(0, heard.at - since) / (rule.half_life_h * HOUR))
    weight = rule.weights.get(quantity_of(region, source), 1.0) * (SUSPECT_WEIGHT if suspect else 1.0) * fading
    weight *= source.placed.weight if source.placed is not None else 1.0
    missed = rule.missed * wave.missed
    log_odds = max(0.0, weight * believed(evidence(source), rule.reliability) - missed)
    reason = Why.COUNTS
    if missed > 0:
        reason = Why.MISSED_BELOW
    elif suspect:
        reason = Why.SUSPECT
    elif fading < 0.5:  # noqa: PLR2004  more than one half-life
        reason = Why.OLD
    elif wave.seen:
        reason = Why.SEEN_BELOW
    return Support(source.series, log_odds, weight, source.series, reason)


def evidence(source: SourceState) -> float:
    """The natural logarithm of the likelihood ratio of something real to nothing, as far as the source says, never below 0."""
    if source.ended_at is not None:
        return float(source.peak)  # its newest measurement says that it is over, not that it never was
    if source.log_lr is not None:
        return max(0.0, source.log_lr)
    if source.p_value is not None:
        return max(0.0, log_e_value(source.p_value))
    if source.exceedance is not None:
        chance = min(max(source.exceedance, 0.5), EXCEEDANCE_MOST)
        return math.log(chance / (1.0 - chance))
    return float(source.level)


def log_e_value(p_value: float) -> float:
    """The logarithm of the e-value that all the calibrators p^(k-1) k come to, evenly mixed (Vovk & Wang, Annals of Statistics 2021).

    >>> round(log_e_value(0.01), 4), round(log_e_value(1e-6), 4), log_e_value(1.0) == log_e_value(2.0) < 0
    (1.4931, 8.5639, True)
    """
    p = min(max(p_value, cauchy.P_LEAST), 1.0 - 1e-6)
    log_p = math.log(p)
    return math.log((1.0 - p + p * log_p) / (p * log_p * log_p))


def believed(log_lr: float, reliability: float) -> float:
    """A log likelihood ratio of an instrument that alarms by itself with chance 1 - reliability.

    >>> round(believed(100.0, 0.98), 3), round(believed(1.0, 0.98), 3), believed(0.0, 0.98)
    (3.912, 0.966, 0.0)
    """
    if log_lr <= 0.0:
        return 0.0
    fault = 1.0 - reliability
    larger = math.log(fault) + log_lr
    smaller = math.log(reliability)
    return log_lr - (max(larger, smaller) + math.log1p(math.exp(-abs(larger - smaller))))


def _choosing(sources: Sequence[SourceState]) -> float:
    """What choosing the best of several p-values of one place costs, in log-odds."""
    p_values = [max(source.p_value, cauchy.P_LEAST) for source in sources if source.p_value is not None and source.ended_at is None]
    return math.log(cauchy.combine(p_values) / min(p_values)) if len(p_values) > 1 else 0.0


def _logit(chance: float) -> float:
    return math.log(chance / (1.0 - chance))


def _expit(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds >= 0 else math.exp(log_odds) / (1.0 + math.exp(log_odds))
