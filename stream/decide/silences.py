"""What cities asked not to be sent for a while: their silences, each for its own messages only, with an end that always comes.

A silence ends at its time, when it is taken back, or with the event: of a danger whose warning it met it mutes nothing any more once that warning
has ended, so the next event is sent, however long the silence would have lasted. It never covers red, and one without an end, or with a distant one, ends after `SILENCE_MOST_MS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.records.statement import SILENCE_MATCHERS, SILENCE_MOST_MS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from stream.records.journal import Statement

LEVELS = {"none": 0, "blue": 1, "yellow": 2, "orange": 3, "red": 4}
HIGHEST = LEVELS["orange"]
"""Nothing red is ever muted, whatever somebody asks for."""
MOST = 20
"""Silences of one city in a domain: state must not grow with what somebody writes."""


class Silence(msgspec.Struct, array_like=True):
    """One silence. `hazard` and `about` (an incident or a warning): "" = any. `level`: the highest that is muted. `why`: what was stated.

    `events`: the warnings (hazard, id) it met that have not ended. `over`: the hazards of which one has ended.
    """

    city_id: str
    hazard: str
    about: str
    level: int
    starts_at: int
    ends_at: int
    by: str
    why: str
    events: tuple[tuple[str, str], ...] = ()
    over: tuple[str, ...] = ()


def silence_of(message: Statement, at: int) -> Silence | None:
    """The silence somebody stated at `at` (ms); None if it mutes nothing: it is over, names no level, or asks for what is not understood.

    A matcher that is not understood might have narrowed the silence, so nothing is muted because of it.
    """
    matchers = dict(message.matchers)
    level = LEVELS.get(matchers.get("level", message.level), 0)
    starts_at = max(at, message.starts_at)
    latest = starts_at + SILENCE_MOST_MS
    ends_at = latest if message.ends_at is None else min(message.ends_at, latest)
    if not level or ends_at <= starts_at or not set(matchers) <= SILENCE_MATCHERS:
        return None
    hazard = matchers.get("hazard", message.hazard)
    return Silence(message.city_id, hazard, message.about, min(level, HIGHEST), starts_at, ends_at, message.by, message.text)


def keep(silences: dict[str, Silence], silence_id: str, silence: Silence, at: int) -> bool:
    """Remember a silence, in place; whether it was new and there was room. The same statement again changes nothing."""
    forget(silences, at)
    if silence_id in silences or sum(one.city_id == silence.city_id for one in silences.values()) >= MOST:
        return False
    silences[silence_id] = silence
    for name in sorted(silences):  # one order, whatever came first
        silences[name] = silences.pop(name)
    return True


def take_back(silences: dict[str, Silence], silence_id: str, city_id: str) -> bool:
    """End a silence at once, in place; whether there was one of this city."""
    found = silences.get(silence_id)
    if found is None or found.city_id != city_id:
        return False
    del silences[silence_id]
    return True


def forget(silences: dict[str, Silence], at: int) -> None:
    """Drop what is over, in place."""
    for name in [name for name, one in silences.items() if one.ends_at <= at]:
        del silences[name]


def boundary(silences: Mapping[str, Silence], at: int) -> int | None:
    """The next instant after `at` at which a silence begins or ends; None if there is none."""
    return min((when for one in silences.values() for when in (one.starts_at, one.ends_at) if when > at), default=None)


def about(silence: Silence, city_id: str, hazard: str, ids: tuple[str, str]) -> bool:
    """Whether a silence is about a city's warning (`ids`: its incident's and its own), at whatever level."""
    meant = silence.city_id == city_id and silence.hazard in ("", hazard) and hazard not in silence.over
    return meant and (not silence.about or silence.about in ids)


def met(silences: dict[str, Silence], names: tuple[str, ...], event: tuple[str, str]) -> None:
    """Note, in place, that these silences met a standing warning (hazard, id)."""
    for name in names:
        silences[name].events = tuple(sorted({*silences[name].events, event}))


def let_go(silences: dict[str, Silence], hazard: str, standing: Collection[str]) -> None:
    """End, in place, what silences are about warnings of this hazard that are not `standing` any more; one that met nothing else is over."""
    for name in list(silences):
        one = silences[name]
        gone = [event for event in one.events if event[0] == hazard and event[1] not in standing]
        if gone:
            one.events, one.over = tuple(event for event in one.events if event not in gone), tuple(sorted({*one.over, hazard}))
            if not one.events:
                del silences[name]
