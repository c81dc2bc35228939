"""The middle of the chain: how the evidence was weighed, and how, when and how surely the danger comes to the city."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stream.records.instants import HOUR, from_text
from stream.records.warning import MsgType, Reason
from stream.review.explain_place import along_river, over_land
from stream.review.explain_source import LINKED, is_measured, place_of, station

if TYPE_CHECKING:
    from stream.records.warning import CityWarning
    from stream.region.model import Hazard
    from stream.review.explain_facts import Facts
    from stream.review.explain_place import Way
    from stream.review.explain_source import Place
    from stream.review.explain_voice import Voice

HERE, RIVER, WIND, TRAVEL, CONSEQUENCE = "same_place", "river", "wind", "travel", "linked"
ELSEWHERE = frozenset({"coordinator", "informed"})
"""Roles of those that no danger reaches."""
HIGH, MEDIUM = 0.6, 0.3
WEIGHED_TOLD = 6
_OVER = frozenset({MsgType.ALL_CLEAR, MsgType.CANCEL})
_LEVELS = ("none", "blue", "yellow", "orange", "red")


def is_over(warning: CityWarning) -> bool:
    """Whether the message says that it is over, was wrong, or has lapsed."""
    return warning.msg_type in _OVER or warning.reason is Reason.EXPIRED


def sure(voice: Voice, facts: Facts) -> list[str]:
    """How the evidence adds up to the probability that the event is real."""
    incident, hazard = facts.incident, facts.hazard
    if is_over(facts.warning):
        return []  # it is no question any more
    if incident is None:
        return [voice.say("missing:incident")]
    lines = [] if from_text(incident.as_of_at) == facts.at else [voice.say("weighed_as_of", at=voice.moment(incident.as_of_at))]
    if hazard is not None:
        lines.append(voice.say("prior", percent=voice.percent(hazard.fusion.prior), odds=voice.odds(hazard.fusion.prior)))
    weighed = sorted(incident.evidence, key=lambda one: (-one.log_odds, one.series))
    for one in weighed[:WEIGHED_TOLD]:
        why = voice.word(one.reason, "fusion").format(with_=one.counts_as)
        if one.log_odds > 0:
            lines.append(voice.say("weighed", series=_named(voice, facts, one.series), factor=f"{math.exp(one.log_odds):.2g}", why=why))
        else:
            lines.append(voice.say("weighs_nothing", series=_named(voice, facts, one.series), why=why))
    lines.append(voice.say("together", percent=voice.percent(incident.probability), odds=voice.odds(incident.probability)))
    return [*lines, _confirmed(voice, facts, hazard, confirmed=incident.confirmed)]


def _named(voice: Voice, facts: Facts, series: str) -> str:
    return series if is_measured(series) else station(voice, facts, series)


def _confirmed(voice: Voice, facts: Facts, hazard: Hazard | None, *, confirmed: bool) -> str:
    if facts.behind and all(one.series.startswith(LINKED) for one in facts.behind):
        return voice.say("not_measured_yet")
    by_hand = any(not is_measured(one.series) for one in facts.behind)
    if hazard is None or (hazard.fusion.k <= 1 and (by_hand or not confirmed)):
        return voice.say("is_confirmed_plain" if confirmed else "not_confirmed_plain")
    rule = hazard.fusion
    if rule.k <= 1:
        return voice.say("one_is_enough")
    cap = voice.word(_LEVELS[rule.unconfirmed_cap])
    return voice.say("is_confirmed", k=rule.k) if confirmed else voice.say("not_confirmed", k=rule.k, cap=cap)


def way(voice: Voice, facts: Facts) -> list[str]:
    """How it comes, when, how surely, and what is to be said of the forecast."""
    warning = facts.warning
    city = voice.city(warning.city_id)
    if is_over(warning):
        return []
    if warning.role in ELSEWHERE:
        return [voice.say("not_reached", city=city), *_notes(voice, warning)]
    lead = facts.behind[0].series if facts.behind else ""
    place = place_of(facts, lead)
    known = None if place is None else way_to(facts, place)
    lines = [_how(voice, facts, lead, known)] if warning.path and (lead or warning.path == HERE) else []
    others = [voice.word(path, "path") for path in warning.paths if path not in (warning.path, HERE)]
    if HERE in warning.paths and warning.path != HERE:
        lines.append(voice.say("way_also_here", city=city))
    lines += [voice.say("way_also", paths=voice.many(others))] if others else []
    lines += _when(voice, facts, lead, known)
    if warning.path == CONSEQUENCE:
        lines.append(voice.say("reaches_plain", city=city, percent=voice.percent(warning.probability)))
    elif warning.path != HERE and warning.intensity > 0:
        trust = "trust_high" if warning.confidence >= HIGH else "trust_medium" if warning.confidence >= MEDIUM else "trust_low"
        shares = {"percent": voice.percent(warning.probability), "strength": voice.percent(warning.intensity)}
        lines.append(voice.say("reaches", city=city, trust=voice.say(trust), **shares))
    return [*lines, *_levels(voice, warning), *_notes(voice, warning)]


def _levels(voice: Voice, warning: CityWarning) -> list[str]:
    """The chance of every level, where more than one may be reached."""
    if len(warning.exceedance) < 2 or len({one.probability for one in warning.exceedance}) < 2:  # noqa: PLR2004
        return []
    told = [f"{voice.word(one.level)} {voice.percent(one.probability)}" for one in warning.exceedance]
    return [voice.say("levels", levels=voice.many(told))]


def way_to(facts: Facts, place: Place) -> Way | None:
    """The way from the leading series to the city, as far as the region knows it."""
    region, hazard, warning = facts.region, facts.hazard, facts.warning
    if region is None or hazard is None:
        return None
    if warning.path == RIVER:
        return along_river(hazard, place, warning.city_id, facts.at)
    return over_land(region, place, warning.city_id) if warning.path in (WIND, TRAVEL) else None


def _how(voice: Voice, facts: Facts, lead: str, known: Way | None) -> str:
    warning = facts.warning
    place = place_of(facts, lead)
    origin = voice.city(place.city_id) if place is not None and place.city_id else station(voice, facts, lead)
    fields = {"city": voice.city(warning.city_id), "station": station(voice, facts, lead) or "?", "origin": origin}
    if warning.path == HERE:
        return voice.say("way_here", **fields)
    key = f"way_{warning.path}"
    if known is None:
        return voice.say(f"{key}_plain", **fields) if voice.knows(f"{key}_plain") else voice.word(warning.path, "path")
    fields["km"] = voice.km(known.distance_km)
    fields["asset"] = voice.say("asset", asset=known.asset) if known.asset else ""
    fields["compass"] = "" if math.isnan(known.bearing_deg) else voice.compass(known.bearing_deg)
    return voice.say(key, **fields)


def _when(voice: Voice, facts: Facts, lead: str, known: Way | None) -> list[str]:
    warning = facts.warning
    if warning.path == HERE:
        return []
    if warning.arrives_at_p50 is None or warning.arrives_at_p10 is None or warning.arrives_at_p90 is None:
        because = warning.arrival_unknown_because
        return [voice.say("arrival_unknown", because=voice.because(because))] if because else []
    moments = window(voice, warning)
    ahead = from_text(warning.arrives_at_p50) - facts.at
    if ahead > 0:
        lines = [voice.say("arrives", lead=voice.say("lead", span=voice.span(ahead)), **moments)]
    else:
        lines = [voice.say("arrived", **moments)]
    lines += _speed(voice, facts, lead, known)
    return [*lines, voice.say("passes", at=voice.moment(warning.passed_at))] if warning.passed_at else lines


def window(voice: Voice, warning: CityWarning) -> dict[str, str]:
    """The three instants of an arrival, the last without its day where that is the first one's; "" where it is unknown."""
    p10, p50, p90 = (getattr(warning, f"arrives_at_{key}") for key in ("p10", "p50", "p90"))
    return {
        "p10": voice.moment(p10) if p10 else "",
        "p50": voice.moment(p50) if p50 else "",
        "p90": voice.moment(p90, p10) if p90 else "",
    }


def _speed(voice: Voice, facts: Facts, lead: str, known: Way | None) -> list[str]:
    """The mean speed from where the leading series found it to the city: what a person can check by common sense."""
    onset = onset_at(facts, lead)
    if known is None or onset is None or facts.warning.path == TRAVEL or facts.warning.arrives_at_p50 is None:
        return []
    hours = (from_text(facts.warning.arrives_at_p50) - onset) / HOUR
    if hours <= 0 or known.distance_km <= 0:
        return []
    return [voice.say("speed", speed=f"{known.distance_km / hours / 3.6:.2g} m/s", at=voice.moment(onset))]


def onset_at(facts: Facts, series: str) -> int | None:
    """When a series' present episode began, by the evidence on record."""
    began = None
    for one in facts.evidence.get(series, ()):
        if one.level != one.previous_level:
            began = from_text(one.observed_at) if one.previous_level == "none" else began
    return began


def _notes(voice: Voice, warning: CityWarning) -> list[str]:
    told = dict.fromkeys(voice.note(word) for word in warning.reasons)
    return [voice.say("note", note=note[:1].upper() + note[1:]) for note in told if note]
