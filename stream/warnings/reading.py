"""What a city can count on, read from the messages on its topic: one rule for `tail`, `status`, the console and metrics.

A reader ignores whatever is not newer than what it has. A city's state is the worst of every (hazard, domain) that its region lists for
it, in the order warned > unknown > watch > clear, and a status that is missing or has lapsed is *unknown*: silence never reads as clear.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.records.instants import from_text
from stream.records.lanes import Lane
from stream.records.warning import CityMessage, CityState, CityStatus, CityWarning, ExerciseNotice, LinkTest, MsgType, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from stream.region.model import Region

LEVELS = ("none", "blue", "yellow", "orange", "red")
_SEVERITY = (CityState.CLEAR, CityState.WATCH, CityState.UNKNOWN, CityState.WARNED)
ELSEWHERE = frozenset({"coordinator", "informed"})
"""Roles of those who hear of a danger that does not reach them: it is shown, and it is not their own level."""
_OVER = frozenset({MsgType.ALL_CLEAR, MsgType.CANCEL})
_decoder: msgspec.json.Decoder[CityMessage] = msgspec.json.Decoder(CityMessage)


class Watched(NamedTuple):
    """One danger in one place of meeting evidence: what a status is about."""

    hazard: str
    domain: str


@dataclass(frozen=True, slots=True)
class CityView:
    """Everything newest that was told to one city: warnings by id, statuses by (hazard, domain), the last link test and notice of an exercise.

    `newest_at` in ms.
    """

    city_id: str
    warnings: Mapping[str, CityWarning] = field(default_factory=dict)
    statuses: Mapping[Watched, CityStatus] = field(default_factory=dict)
    link_test: LinkTest | None = None
    notice: ExerciseNotice | None = None
    newest_at: int = 0


@dataclass(frozen=True, slots=True)
class CityReading:
    """The answer for an operator at `as_of_at` (ms): the worst state and level, what is active, and for which dangers nothing is known.

    `levels` of the dangers the city is warned of. `muted`: those whose messages are muted, with what mutes them; they are in force all the same.
    """

    city_id: str
    state: CityState
    level: str
    active: tuple[CityWarning, ...]
    states: Mapping[Watched, CityState]
    as_of_at: int
    levels: Mapping[Watched, str] = field(default_factory=dict)
    muted: Mapping[Watched, tuple[str, ...]] = field(default_factory=dict)

    @property
    def unknown(self) -> tuple[Watched, ...]:
        """The dangers for which the city is blind."""
        return tuple(watched for watched, state in self.states.items() if state is CityState.UNKNOWN)

    @property
    def conflicts(self) -> Mapping[str, Mapping[str, str]]:
        """Of every hazard of which domains say different things: by domain the level, or "clear". The worst counts."""
        said: dict[str, dict[str, str]] = {}
        for one, state in self.states.items():
            if state in (CityState.WARNED, CityState.CLEAR):
                said.setdefault(one.hazard, {})[one.domain] = self.levels.get(one, state.value)
        return {hazard: domains for hazard, domains in said.items() if len(set(domains.values())) > 1}


def decode(value: bytes) -> CityMessage:
    """The message on a city's topic; `msgspec.DecodeError` when it is not one of ours.

    >>> decode(b'{"type":"link_test","city_id":"wu","lane":"test","sent_at":"2005-11-13T05:45:00Z","next_by_at":"","text":{"zh":"","en":""}}').city_id
    'wu'
    """
    return _decoder.decode(value)


def ours(message: CityMessage, lane: Lane) -> bool:
    """Whether a message may be read on topics of this lane. A test of the live channel is of no danger, and of lane test."""
    return lane is not Lane.EXERCISE if isinstance(message, LinkTest) else message.lane is lane


def _said_at(message: CityMessage) -> int:
    return from_text(message.as_of_at if isinstance(message, CityStatus) else message.sent_at)


def told(view: CityView, message: CityMessage) -> CityView:
    """The view after a message: the same object when the message is not newer than what the city was told already.

    A warning is newer by its revision, a status and a link test by their instant. Raises ValueError for another city's message: a city's
    topic never carries one.
    """
    if message.city_id != view.city_id:
        msg = f"a message for {message.city_id!r} was read as one for {view.city_id!r}"
        raise ValueError(msg)
    at = _said_at(message)
    newest_at = max(view.newest_at, at)
    if isinstance(message, CityWarning):
        known = view.warnings.get(message.warning_id)
        if known is not None and known.revision >= message.revision:
            return view
        return replace(view, warnings={**view.warnings, message.warning_id: message}, newest_at=newest_at)
    if isinstance(message, CityStatus):
        watched = Watched(message.hazard, message.domain)
        status = view.statuses.get(watched)
        if status is not None and from_text(status.as_of_at) >= at:
            return view
        return replace(view, statuses={**view.statuses, watched: message}, newest_at=newest_at)
    before = view.notice if isinstance(message, ExerciseNotice) else view.link_test
    if before is not None and from_text(before.sent_at) >= at:
        return view
    field_ = "notice" if isinstance(message, ExerciseNotice) else "link_test"
    return replace(view, newest_at=newest_at, **{field_: message})  # type: ignore[arg-type]


def told_all(view: CityView, messages: Iterable[CityMessage]) -> CityView:
    """The view after all of these messages, in their order."""
    for message in messages:
        view = told(view, message)
    return view


def is_active(warning: CityWarning, now: int) -> bool:
    """Whether a warning stands at `now` (ms): neither over, nor cancelled, nor expired (whether by its time, or said to be)."""
    return warning.msg_type not in _OVER and warning.reason is not Reason.EXPIRED and from_text(warning.expires_at) > now


def expected(region: Region, city_id: str) -> frozenset[Watched]:
    """The dangers the region watches for a city: every (hazard, domain) with at least one series that can see it coming.

    KeyError for a city that the region does not have.
    """
    index = region.city_index[city_id]
    return frozenset(
        Watched(hazard.hazard, region.domains[int(domain)].domain_id)
        for hazard in region.hazards
        for domain in {int(region.series.domain[row]) for row in hazard.observers[index]}
    )


def worse(one: CityState, other: CityState) -> CityState:
    """The state an operator has to act on first.

    >>> worse(CityState.WATCH, CityState.UNKNOWN).value
    'unknown'
    """
    return max(one, other, key=_SEVERITY.index)


def reading(view: CityView, watched: Collection[Watched], now: int) -> CityReading:
    """What the city can count on at `now` (ms), given the dangers its region watches for it.

    What was told counts too where the region does not list it (a status or warning of an older region), so nothing told is hidden. A city
    for which nothing is watched and nothing was told is unknown: nobody looks out for it.
    """
    active = tuple(warning for warning in view.warnings.values() if is_active(warning, now))
    own = [warning for warning in active if warning.role not in ELSEWHERE]
    warned = {Watched(warning.hazard, warning.domain) for warning in own}
    states: dict[Watched, CityState] = {}
    for one in sorted({*watched, *view.statuses, *warned}):
        status = view.statuses.get(one)
        lapsed = status is None or from_text(status.valid_until_at) <= now
        state = CityState.UNKNOWN if status is None or lapsed else status.state
        states[one] = CityState.WARNED if one in warned else state
    worst = CityState.CLEAR if states else CityState.UNKNOWN
    for state in states.values():
        worst = worse(worst, state)
    muted = {one: view.statuses[one].muted_by for one, state in states.items() if state is CityState.WARNED and _muted(view, one, now)}
    # Beside a warning of its own a status counts only where what came after the warning was muted.
    said = [
        (one, view.statuses[one].level)
        for one, state in states.items()
        if state is CityState.WARNED and (one in muted or one not in warned)
    ]
    levels: dict[Watched, str] = {}
    for one, level in [*said, *((Watched(warning.hazard, warning.domain), warning.level) for warning in own)]:
        levels[one] = max(levels.get(one, "none"), level, key=LEVELS.index)
    highest = max(levels.values(), key=LEVELS.index, default="none")
    first = sorted(active, key=lambda warning: (-LEVELS.index(warning.level), warning.arrives_at_p50 or "", warning.warning_id))
    return CityReading(view.city_id, worst, highest, tuple(first), states, now, levels, muted)


def _muted(view: CityView, watched: Watched, now: int) -> bool:
    status = view.statuses.get(watched)
    return status is not None and bool(status.muted_by) and from_text(status.valid_until_at) > now
