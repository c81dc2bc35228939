"""After the decision: who else was told, who answered, where it went without an answer; and what the chain leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.records.instants import from_text
from stream.review.explain_facts import Missing
from stream.review.explain_source import is_measured, station

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.records.incident import Incident
    from stream.records.warning import CityWarning
    from stream.review.explain_facts import Facts
    from stream.review.explain_voice import Voice

NAMED = 12
ANSWERS_TOLD = 8
RUNS_TOLD = 12


def told(voice: Voice, facts: Facts) -> list[str]:
    """Who was warned with this city, who answered what, who took over, and what was said since."""
    warning, newest = facts.warning, facts.newest
    city = voice.city(warning.city_id)
    others = [f"{voice.city(one.city_id)} {voice.word(one.level)}" for one in warning.also_warned]
    lines = [voice.say("told", text=warning.text.zh if voice.language == "zh" else warning.text.en)]
    lines += [voice.say("also", cities=voice.some(others, NAMED)) if others else voice.say("only")]
    asked = warning.acknowledge_by_at
    key = "answer_by" if asked and from_text(asked) > facts.at else "answer_was_by"
    lines.append(voice.say(key, city=city, at=voice.moment(asked)) if asked else voice.say("no_answer_asked"))
    lines += _answers(voice, newest, asked=bool(asked))
    if asked and warning.coordinator and not (newest is not None and newest.handed_over_to):
        lines.append(voice.say("coordinator", body=voice.city(warning.coordinator)))
    if newest is not None and newest.state == "closed":
        lines.append(voice.say("event_over", at=voice.moment(newest.as_of_at)))
    elif newest is not None:
        fields = {"at": voice.moment(newest.as_of_at), "level": voice.word(newest.level), "count": len(newest.cities)}
        lines.append(voice.say("event", state=_state(voice, newest), **fields))
        lines += [voice.say("linked_to", incidents=voice.many(newest.linked_to))] if newest.linked_to else []
        lines += [voice.say("merged_into", incident=newest.merged_into)] if newest.merged_into else []
        lines += [voice.say("split_from", incident=newest.split_from)] if newest.split_from else []
    return [*lines, *_history(voice, facts)]


def _state(voice: Voice, incident: Incident) -> str:
    key = f"state:{incident.state}"
    return voice.say(key) if voice.knows(key) else incident.state


def _answers(voice: Voice, newest: Incident | None, *, asked: bool) -> list[str]:
    if newest is None:
        return []
    lines = [
        voice.say(
            "answered",
            city=voice.city(one.city_id),
            by=one.by,
            action=voice.word(one.action),
            revision=one.revision,
            at=voice.moment(one.received_at),
            note=voice.say("answer_note", note=one.note) if one.note else "",
        )
        for one in newest.answers[-ANSWERS_TOLD:]
    ]
    lines += [voice.say("nobody_answered")] if asked and not newest.answers else []
    for one in newest.escalated[:ANSWERS_TOLD]:
        fields = {"rung": voice.word(one.to, "rung"), "at": voice.moment(one.since_at), "because": voice.word(one.because)}
        lines.append(voice.say("escalated", city=voice.city(one.city_id), **fields))
    if newest.handed_over_to and newest.handed_over_at:
        lines.append(voice.say("handed_over", body=voice.city(newest.handed_over_to), at=voice.moment(newest.handed_over_at)))
    return lines


def _history(voice: Voice, facts: Facts) -> list[str]:
    """What was said to this city over time, equal neighbours together; and whether what is explained still stands."""
    runs: list[list[CityWarning]] = []
    for one in facts.revisions:
        if runs and (runs[-1][-1].reason, runs[-1][-1].level) == (one.reason, one.level):
            runs[-1].append(one)
        else:
            runs.append([one])
    if len(runs) < 2 and len(facts.revisions) < 2:  # noqa: PLR2004
        return []
    shown = [_run(voice, run) for run in runs[-RUNS_TOLD:]]
    return [voice.say("history"), *(f"  {line}" for line in (["…"] if len(runs) > RUNS_TOLD else []) + shown)]


def _run(voice: Voice, run: Sequence[CityWarning]) -> str:
    last = run[-1]
    fields = {"reason": voice.word(last.reason.value), "level": voice.word(last.level), "at": voice.moment(last.sent_at)}
    if len(run) == 1:
        return voice.say("one_revision", revision=last.revision, **fields)
    return voice.say("same_again", first=run[0].revision, last=last.revision, **fields)


def unknown(voice: Voice, facts: Facts) -> list[str]:
    """What nobody knows, and what is not kept any more."""
    warning = facts.warning
    lines = []
    coverage = warning.coverage
    if coverage.fresh < coverage.total:
        lines.append(voice.say("unknown:silent", count=coverage.total - coverage.fresh, total=coverage.total))
    if warning.arrival_unknown_because and warning.path and warning.arrival_unknown_because != "no_evidence_now":
        lines.append(voice.say("unknown:arrival", because=voice.because(warning.arrival_unknown_because)))
    if "unconfirmed" in warning.reasons:
        lines.append(voice.say("unknown:confirmed"))
    if warning.arrives_at_p50 is not None and warning.path != "same_place":
        lines.append(voice.say("unknown:window"))
    lines += _contradictions(voice, facts)
    lines += [_missing(voice, facts, one) for one in facts.missing]
    return lines if facts.missing else [*lines, voice.say("nothing_missing")]


def _contradictions(voice: Voice, facts: Facts) -> list[str]:
    """Cities that are told other colours, where nothing explains it."""
    city_id = facts.warning.city_id
    pairs = [one for one in (facts.newest.inconsistent if facts.newest is not None else ()) if city_id in (one.city_id, one.other_city_id)]
    return [
        voice.say(
            "contradiction",
            city=voice.city(one.city_id),
            level=voice.word(one.level),
            other=voice.city(one.other_city_id),
            other_level=voice.word(one.other_level),
            why=voice.word(one.why, "contradiction"),
        )
        for one in pairs
    ]


def _missing(voice: Voice, facts: Facts, what: Missing) -> str:
    behind = [each.series for each in facts.behind if is_measured(each.series)]
    without = {
        Missing.EVIDENCE: [station(voice, facts, one) for one in behind if one not in facts.evidence],
        Missing.MEASUREMENTS: [station(voice, facts, one) for one in behind if one not in facts.measured],
    }.get(what, [])
    at = voice.moment(facts.incident.as_of_at) if facts.incident is not None else "?"
    return voice.say(f"missing:{what.value}", hash=facts.warning.region_hash, stations=voice.some(list(dict.fromkeys(without))), at=at)
