"""The end of the chain: which level, by which rule it was said just then, and until when it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.records.instants import from_text
from stream.records.posture import Posture
from stream.records.warning import Reason
from stream.region.postures import rules_in
from stream.review.explain_reach import ELSEWHERE, HERE, is_over
from stream.review.explain_source import REPORT, station

if TYPE_CHECKING:
    from stream.region.model import Rules
    from stream.review.explain_facts import Facts
    from stream.review.explain_voice import Voice

LEVELS = ("none", "blue", "yellow", "orange", "red")
SURER_BY = 0.25
STATED_MOST = 3
UNCONFIRMED, EXPECTS, NO_EVIDENCE, LINKED = "unconfirmed", "expects:", "no_evidence_now", "linked"
_MOVED = frozenset({Reason.EARLIER, Reason.LATER})


def decision(voice: Voice, facts: Facts) -> list[str]:
    """Why this level, why now, until when, and what the reader's part is."""
    warning = facts.warning
    over = is_over(warning)
    lines = [] if over else _level(voice, facts)
    lines += [*why_now(voice, facts), *stated(voice, facts), *_muted(voice, facts)]
    if facts.incident is not None and facts.incident.posture is not Posture.NORMAL:
        lines.append(voice.say("posture", posture=voice.word(facts.incident.posture.value, "posture")))
    if not over:
        lines.append(_until(voice, facts))
        if warning.role:
            lines.append(voice.say("role", role=voice.word(warning.role, "role")))
    return [*lines, *_agreement(voice, facts)]


def _level(voice: Voice, facts: Facts) -> list[str]:
    """By which rule the warning has its level."""
    warning, hazard = facts.warning, facts.hazard
    lead = facts.behind[0] if facts.behind else None
    fields = {"level": voice.word(warning.level), "city": voice.city(warning.city_id)}
    if warning.role in ELSEWHERE:
        return [voice.say("level_body", **fields)]
    if lead is None or warning.arrival_unknown_because == NO_EVIDENCE or _is_kept(facts, lead.level):
        return [voice.say("level_kept", **fields)]
    fields["station"] = station(voice, facts, lead.series)
    if UNCONFIRMED in warning.reasons and LEVELS.index(lead.level) > LEVELS.index(warning.level):
        key = "capped"
    elif warning.path == HERE:
        key = "level_here"
    elif warning.path == LINKED:
        key = "level_linked"
    elif any(word.startswith(EXPECTS) for word in warning.reasons):
        key = "level_gauge"
    elif hazard is None or not hazard.rules.remote_level_drop:
        key = "level_whole"
    else:
        key = "level_drop"
        fields |= {"peak": voice.word(peak_of(facts, lead.series, lead.level)), "drop": f"{hazard.rules.remote_level_drop:g}"}
    return [voice.say(key, **fields)]


def _is_kept(facts: Facts, found: str) -> bool:
    """Whether a level measured in the city itself is only held."""
    return facts.warning.path == HERE and LEVELS.index(found) < LEVELS.index(facts.warning.level)


def peak_of(facts: Facts, series: str, level: str) -> str:
    """The highest level of the series' present episode, as far as it is on record."""
    highest = level
    for one in facts.evidence.get(series, ()):
        begins = one.previous_level == "none" and one.level != "none"
        highest = one.level if begins else max(highest, one.level, key=LEVELS.index)
    return max(highest, level, key=LEVELS.index)


def why_now(voice: Voice, facts: Facts) -> list[str]:
    """What made it be said just then, by its reason; where the rule is a number, the number."""
    warning, before = facts.warning, facts.before
    rules = rules_of(facts)
    if warning.reason is Reason.FIRST and before is not None:
        return [voice.say("now:first_again")]
    if warning.reason is Reason.SURER:
        return _surer(voice, facts)
    if warning.reason in _MOVED:
        return _moved(voice, facts, rules)
    key = f"now:{warning.reason.value}"
    fields = {
        "city": voice.city(warning.city_id),
        "level": voice.word(warning.level),
        "percent": voice.percent(warning.probability),
        "before": voice.word(before.level) if before is not None else "?",
        "least": voice.percent(rules.min_probability) if rules is not None else "?",
        "hold": voice.span(rules.hold_s * 1_000) if rules is not None else "?",
    }
    if not voice.knows(key):
        return [voice.say("now:?", reason=voice.word(warning.reason.value))]
    return [voice.say(key, **fields)]


def rules_of(facts: Facts) -> Rules | None:
    """The rules as they were in the posture of the domain; None where the region is not at hand."""
    region, hazard = facts.region, facts.hazard
    if region is None or hazard is None:
        return None
    stance = None if facts.incident is None else region.postures.stances.get(facts.incident.posture.value)
    return hazard.rules if stance is None else rules_in(hazard.rules, stance)


def _surer(voice: Voice, facts: Facts) -> list[str]:
    """Which of the things that make a warning surer it was; all that are so are said."""
    warning, before = facts.warning, facts.before
    if before is None:
        return [voice.say("now:?", reason=voice.word(warning.reason.value))]
    new = [path for path in warning.paths if path not in before.paths]
    lines = []
    if HERE in new:
        lines.append(voice.say("now:surer_here", city=voice.city(warning.city_id)))
    if others := [voice.word(path, "path") for path in new if path != HERE]:
        lines.append(voice.say("now:surer_way", paths=voice.many(others)))
    if UNCONFIRMED in before.reasons and UNCONFIRMED not in warning.reasons:
        lines.append(voice.say("now:surer_confirmed"))
    if warning.probability >= before.probability + SURER_BY:
        lines.append(voice.say("now:surer_more", before=voice.percent(before.probability), percent=voice.percent(warning.probability)))
    if before.arrives_at_p50 is None and warning.arrives_at_p50 is not None:
        lines.append(voice.say("now:surer_time"))
    return lines or [voice.say("now:?", reason=voice.word(warning.reason.value))]


def _moved(voice: Voice, facts: Facts, rules: Rules | None) -> list[str]:
    warning, before = facts.warning, facts.before
    if before is None or before.arrives_at_p50 is None or warning.arrives_at_p50 is None or rules is None:
        return [voice.say("now:?", reason=voice.word(warning.reason.value))]
    told = from_text(before.arrives_at_p50)
    allowed = max(rules.arrival_change_s * 1_000, max(0, told - facts.at) * rules.arrival_change)
    moved = voice.span(from_text(warning.arrives_at_p50) - told)
    return [voice.say(f"now:{warning.reason.value}", moved=moved, before=voice.moment(told), rule=voice.span(allowed))]


def stated(voice: Voice, facts: Facts) -> list[str]:
    """Who took it back or corrected it by hand, and in which words."""
    warning = facts.warning
    if warning.reason not in (Reason.CANCELLED, Reason.CORRECTION):
        return []
    rested_on = (*facts.behind, *(facts.before.evidence if facts.before is not None else ()))
    about = {warning.warning_id, warning.incident_id, *(one.series.removeprefix(REPORT) for one in rested_on)}
    said = [one for one in facts.statements if voice.knows(f"act:{one.act}") and one.about in about]
    return [
        voice.say(
            "stated",
            by=one.by,
            city=voice.city(one.city_id),
            at=voice.moment(one.received_at),
            act=voice.say(f"act:{one.act}"),
            text=voice.say("answer_note", note=one.text) if one.text else "",
        )
        for one in said[-STATED_MOST:]
    ]


def _muted(voice: Voice, facts: Facts) -> list[str]:
    """What keeps it from being sent, by whom and until when."""
    known = {one.muted_by: one for one in (facts.newest.muted if facts.newest is not None else ()) if one.city_id == facts.warning.city_id}
    lines = []
    for name in facts.warning.muted_by:
        one = known.get(name)
        by = voice.say("muted_by", by=one.by) if one is not None and one.by else ""
        until = voice.say("muted_until", at=voice.moment(one.until_at)) if one is not None and one.until_at else ""
        why = voice.say("muted_why", why=one.why) if one is not None and one.why else ""
        lines.append(voice.say("muted", what=name, by=by, until=until, why=why))
    return lines


def _until(voice: Voice, facts: Facts) -> str:
    """The validity counts from the decision, or from when the danger should have arrived if that is later."""
    warning = facts.warning
    arrives = from_text(warning.arrives_at_p90) if warning.arrives_at_p90 is not None else facts.at
    what = "until_arrival" if arrives > facts.at else "until_decision"
    validity = voice.span(from_text(warning.expires_at) - max(arrives, facts.at))
    return voice.say("until", at=voice.moment(warning.expires_at), validity=validity, what=voice.say(what))


def _agreement(voice: Voice, facts: Facts) -> list[str]:
    name = facts.warning.agreement_id
    if not name:
        return []
    known = next((one for one in facts.region.agreements if one.agreement_id == name), None) if facts.region is not None else None
    if known is None or not known.section:
        return [voice.say("agreement_plain", agreement=name)]
    return [voice.say("agreement", agreement=name, section=known.section)]
