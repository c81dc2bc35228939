"""The chain from measurements to a decision, in a form that the person on duty understands: `explain` puts its steps together.

Facts are chosen from records (`explain_facts.py`) and told by steps (`explain_evidence.py`, `explain_reach.py`, `explain_decision.py`,
`explain_people.py`); the words of both languages stand in `explain_words.py`, `explain_sentences.py` and `explain_verdicts.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stream.records.instants import to_text
from stream.records.warning import Lane
from stream.review import explain_decision, explain_evidence, explain_people, explain_reach
from stream.review.explain_short import short

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stream.review.explain_facts import Facts, Measured
    from stream.review.explain_voice import Voice

STEPS: tuple[tuple[str, Callable[[Voice, Facts], list[str]]], ...] = (
    ("measured", explain_evidence.measured),
    ("believed", explain_evidence.believed),
    ("found", explain_evidence.found),
    ("sure", explain_reach.sure),
    ("way", explain_reach.way),
    ("decision", explain_decision.decision),
    ("told", explain_people.told),
    ("unknown", explain_people.unknown),
)
"""The steps of the chain, in its order."""


class Step(msgspec.Struct, frozen=True):
    """One step of the chain: what it is called, its title and its sentences; a sentence that begins with two spaces belongs to the one before."""

    step: str
    title: str
    lines: tuple[str, ...]


class Told(msgspec.Struct, frozen=True):
    """The explanation in one language: what it is about, in short, and the steps; `foot` says in which zone its times are."""

    head: tuple[str, ...]
    short: tuple[str, ...]
    steps: tuple[Step, ...]
    foot: str


def explain(voice: Voice, facts: Facts) -> Told:
    """The chain in the voice's language."""
    city = voice.city(facts.warning.city_id)
    steps = (Step(name, voice.say(f"title:{name}", city=city), tuple(map(_capital, tell(voice, facts)))) for name, tell in STEPS)
    return Told(
        _head(voice, facts),
        tuple(map(_capital, short(voice, facts))),
        tuple(one for one in steps if one.lines),
        voice.say("times", zone=voice.zone(facts.at)),
    )


def _capital(line: str) -> str:
    """A sentence that begins with an article, with a capital; names of stations stay as they are."""
    return line[:1].upper() + line[1:] if line.startswith(("the ", "a ", "another ")) else line


def _head(voice: Voice, facts: Facts) -> tuple[str, ...]:
    warning = facts.warning
    name = warning.hazard
    if facts.hazard is not None:
        name = facts.hazard.texts.get(voice.language, {}).get("name", name)
    lines = [voice.say("head", level=voice.word(warning.level, "head"), city=voice.city(warning.city_id), hazard=name)]
    if warning.lane is not Lane.LIVE:
        lines.append(voice.say(f"lane:{warning.lane.value}"))
    last = facts.revisions[-1]
    if last.revision > warning.revision:
        over = explain_reach.is_over(last)
        what = voice.many(([] if over else [voice.word(last.level)]) + [voice.word(last.reason.value)])
        lines.append(voice.say("superseded", newest=last.revision, what=what))
    fields = {
        "revision": warning.revision,
        "newest": last.revision,
        "msg": voice.word(warning.msg_type.value),
        "reason": voice.word(warning.reason.value),
    }
    lines.append(voice.say("revision", at=voice.moment(warning.sent_at), expires=voice.moment(warning.expires_at), **fields))
    return tuple(lines)


def as_fields(facts: Facts, told: Mapping[str, Told]) -> dict[str, Any]:
    """Everything for scripts: the records of the chain as they stand on topics, what is missing, and the sentences by language."""
    return {
        "warning": facts.warning,
        "revisions": [
            {"revision": one.revision, "level": one.level, "reason": one.reason, "sent_at": one.sent_at} for one in facts.revisions
        ],
        "incident": facts.incident,
        "newest_incident": facts.newest,
        "evidence": facts.evidence,
        "measured": {series: [_sample(one) for one in some] for series, some in facts.measured.items()},
        "own_stations": {series: _sample(one) for series, one in facts.own.items()},
        "conditions": {series: _sample(one) for series, one in facts.conditions.items()},
        "station_health": facts.health,
        "missing": list(facts.missing),
        "text": dict(told),
    }


def _sample(one: Measured) -> dict[str, Any]:
    return {"observed_at": to_text(one.observed_at), "value": one.value, "flags": one.flags}
