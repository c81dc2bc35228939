"""The first lines of an explanation: what somebody needs who reads no further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.records.instants import from_text
from stream.records.warning import Reason
from stream.review.explain_decision import NO_EVIDENCE, UNCONFIRMED, peak_of, stated, why_now
from stream.review.explain_limits import times_limit
from stream.review.explain_reach import ELSEWHERE, HERE, RIVER, is_over, way_to, window
from stream.review.explain_source import is_measured, place_of, quantity, station
from stream.review.explain_source import told as told_of

if TYPE_CHECKING:
    from stream.records.warning import EvidenceSummary
    from stream.review.explain_facts import Facts
    from stream.review.explain_voice import Voice

HALF = 0.5


def short(voice: Voice, facts: Facts) -> list[str]:
    """What it is, when it comes, how sure that is, what is to be done, and its weakest point."""
    warning = facts.warning
    muted = [voice.say("short:muted")] if warning.muted_by else []
    if is_over(warning) or warning.role in ELSEWHERE:
        return [*why_now(voice, facts), *stated(voice, facts), *_answer(voice, facts)]
    lines = [voice.say("short:kept")] if warning.arrival_unknown_because == NO_EVIDENCE else [*_what(voice, facts), *_when(voice, facts)]
    stopped = why_now(voice, facts) if warning.reason is Reason.BLIND else []
    return [*muted, *stopped, *stated(voice, facts), *lines, *_how_sure(voice, facts), *_answer(voice, facts), *_weak(voice, facts)]


def _what(voice: Voice, facts: Facts) -> list[str]:
    """What was measured: in the city itself where it was, else where it comes from."""
    if not facts.behind:
        return []
    lead, here = _lead(facts)
    if not is_measured(lead.series):
        return told_of(voice, facts, lead)[:1]
    if lead.level == "none" and not here:
        return _past(voice, facts, lead)
    times = times_limit(facts, lead)
    fields = {
        "station": station(voice, facts, lead.series),
        "quantity": quantity(voice, lead.series),
        "value": voice.shown(lead),
        "times": voice.say("short:times", times=f"{times:.2g}") if times is not None else "",
    }
    if here:
        return [voice.say("short:here", city=voice.city(facts.warning.city_id), **fields)]
    place = place_of(facts, lead.series)
    known = None if place is None else way_to(facts, place)
    key = "short:river" if facts.warning.path == RIVER else "short:away"
    return [voice.say("short:far", distance="" if known is None else voice.say(key, km=voice.km(known.distance_km)), **fields)]


def _lead(facts: Facts) -> tuple[EvidenceSummary, bool]:
    """What to speak of first, and whether it stands in the city itself."""
    warning = facts.warning
    if warning.path == HERE:
        return facts.behind[0], True
    if HERE in warning.paths:
        for one in facts.behind:
            place = place_of(facts, one.series)
            if place is not None and place.city_id == warning.city_id and one.level != "none":
                return one, True
    return facts.behind[0], False


def _past(voice: Voice, facts: Facts, lead: EvidenceSummary) -> list[str]:
    """It is over where it was found, and what left there is still under way."""
    peak = peak_of(facts, lead.series, lead.level)
    name, at = station(voice, facts, lead.series), voice.moment(lead.observed_at)
    if peak == "none":
        return [voice.say("short:past_plain", station=name)]
    return [voice.say("short:past", station=name, peak=voice.word(peak), at=at)]


def _when(voice: Voice, facts: Facts) -> list[str]:
    warning = facts.warning
    if HERE in warning.paths:
        return []
    if warning.arrives_at_p50 is None:
        because = warning.arrival_unknown_because
        return [voice.say("arrival_unknown", because=voice.because(because))] if because else []
    ahead = from_text(warning.arrives_at_p50) - facts.at
    city = voice.city(warning.city_id)
    if ahead <= 0:
        return [voice.say("short:arrived", city=city, p50=voice.moment(warning.arrives_at_p50))]
    return [voice.say("short:arrives", city=city, span=voice.span(ahead), **window(voice, warning))]


def _how_sure(voice: Voice, facts: Facts) -> list[str]:
    receding = bool(facts.behind) and facts.behind[0].level == "none"
    if facts.incident is None or receding or facts.warning.arrival_unknown_because == NO_EVIDENCE or facts.warning.reason is Reason.BETTER:
        return []  # while it recedes the evidence counts less and less: that says nothing of whether it was real
    real = voice.percent(facts.incident.probability)
    if HERE in facts.warning.paths:
        return [voice.say("short:real", real=real)]
    return [voice.say("short:sure", reaches=voice.percent(facts.warning.probability), real=real)]


def _answer(voice: Voice, facts: Facts) -> list[str]:
    """Until when to answer, while it still is to be answered."""
    warning, newest = facts.warning, facts.newest
    if warning.acknowledge_by_at is None or warning.revision < facts.revisions[-1].revision:
        return []
    if newest is not None and any(one.city_id == warning.city_id and one.revision >= warning.revision for one in newest.answers):
        return []
    fields = {"city_id": warning.city_id, "warning_id": warning.warning_id}
    return [voice.say("short:answer", at=voice.moment(warning.acknowledge_by_at), **fields)]


def _weak(voice: Voice, facts: Facts) -> list[str]:
    warning = facts.warning
    lines = [voice.say("short:unconfirmed")] if UNCONFIRMED in warning.reasons else []
    if warning.coverage.total and not warning.coverage.fresh:
        lines.append(voice.say("short:all_blind", total=warning.coverage.total))
    elif warning.coverage.fresh < HALF * warning.coverage.total:
        lines.append(voice.say("short:blind", fresh=warning.coverage.fresh, total=warning.coverage.total))
    return lines
