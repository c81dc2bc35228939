"""Whose turn it is: which version decides, which one waits, and what a takeover writes down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stream.errors import TocsinError
from stream.records.journal import Entry, Tick, encode
from stream.records.lanes import Lane
from stream.records.switching import FoldVersion, Phase, Standing
from stream.review.turns import Stretch, decided, stretches
from stream.runtime.fold_versions import InForce, Turn, entitled
from stream.runtime.published import newest, parts
from stream.runtime.topics import Topics


class Like:
    """A fold of version 6 that can go on from 5; its state is its phase."""

    VERSION = "6"
    MIGRATES = frozenset({"5"})

    def phase(self, state: Any) -> Phase:
        return Phase(*state)

    def apply(self, state: Any, entries: Any) -> list[int]:
        del state
        return [one.offset for one in entries]


@pytest.mark.parametrize(
    ("in_force", "present", "expected"),
    [
        (None, (), InForce("6")),
        (None, ("6",), InForce("6")),
        (None, ("5",), InForce("6", "5", 1)),
        (None, ("4",), None),
        (InForce("6", "5", 3), (), InForce("6", "5", 3)),
        (InForce("5"), (), InForce("6", "5", 1)),
        (InForce("5", "4", 7), (), InForce("6", "5", 8)),
        (InForce("4"), (), None),
        (InForce("5", "6", 2), (), None),
    ],
    ids=[
        "a new lane", "its own state", "a state it can go on from", "a foreign state", "in force", "one it can go on from is in force",
        "one that took over itself",
        "a foreign one is in force", "it was replaced",
    ],
)  # fmt: skip
def test_a_version_begins_by_itself_only_where_nothing_can_be_lost_by_it(in_force, present, expected) -> None:
    assert entitled(Like(), in_force, present) == expected


def switch(version: str, before: str, turn: int = 1, lane: str = "test") -> bytes:
    return encode(FoldVersion(version, before, turn, lane=lane))


def turn_of(granted: InForce, *, shadow: bool = False) -> Turn:
    return Turn(Like(), granted, Lane.TEST, shadow)


def test_a_first_version_speaks_from_the_beginning_and_ends_where_another_takes_over() -> None:
    turn = turn_of(InForce("6"))
    assert turn.taken(("", 0))
    assert not turn.quiet(("", 0))
    assert turn.ends(switch("7", "6"), None)
    assert not turn.ends(switch("7", "6", lane="live"), None)
    assert not turn.ends(encode(Tick(1, 5.0, 0)), None)


def test_a_successor_is_quiet_until_it_has_passed_the_switch_of_its_own_turn() -> None:
    turn = turn_of(InForce("6", "5", 3))
    assert turn.quiet(("", 0))
    assert turn.quiet(("6", 1))  # a state of an earlier turn of its own: what follows was said by others meanwhile
    assert turn.quiet(("5", 2))
    assert turn.quiet(("5", 3, True))
    assert not turn.taken(("5", 3, True))
    assert turn.taken(("6", 3))
    assert not turn.quiet(("6", 3))
    assert not turn.ends(switch("5", "6", 2), None)
    assert not turn.ends(switch("6", "5", 3), None)
    assert turn.ends(switch("7", "6", 4), None)


def test_who_is_not_in_force_says_nothing_whatever_it_has_restored() -> None:
    turn = turn_of(InForce("7", "6", 2))
    for state in (("", 0), ("6", 1), ("6", 2), ("5", 1, True)):
        assert turn.quiet(state)
    assert turn.ends(switch("7", "6", 2), None)
    assert not turn.ends(switch("6", "5", 1), None)
    assert not turn.over(("6", 1))
    assert turn.over(("7", 2))


def test_a_shadow_never_speaks_and_ends_where_its_version_begins() -> None:
    turn = turn_of(InForce("5"), shadow=True)
    assert turn.quiet(("6", 1))
    assert not turn.over(("6", 1))
    assert not turn.ends(switch("6", "5"), InForce("5"))
    assert turn.ends(switch("6", "5"), InForce("6", "5", 1))
    assert not turn.ends(switch("6", "5", 1), InForce("6", "5", 3))  # a turn of its own that is over


class Follower(Like):
    """The same, from no other version's state."""

    MIGRATES = frozenset[str]()

    def initial(self, partition: int) -> Any:
        return f"begin {partition}"

    def snapshot(self, state: Any) -> Any:
        return ("snapshot of 5", state)

    def restore(self, data: Any) -> Any:
        return data

    def go_on(self, state: Any, version: str, next_offset: int) -> None:
        """It is seen in its outputs."""


class Heir(Follower):
    """It notes which state each record was decided in."""

    MIGRATES = frozenset({"5"})

    def apply(self, state: Any, entries: Any) -> Any:
        return [(state, one.offset) for one in entries]


TICK = encode(Tick(1, 5.0, 0))


def stands(version: str, turn: int, base: tuple[str, int] = ("", 0), *, part: int = 0, parts: int = 1, taken_at: int = 9) -> bytes:
    return encode(Standing(version, taken_at, part, parts, (), turn=turn, base=base, lane="test"))


def numbered(*values: bytes) -> list[Entry]:
    return [Entry(number, 0, value) for number, value in enumerate(values)]


def test_a_version_speaks_from_where_it_is_complete_what_stood_until_the_next_switch() -> None:
    halves = [stands("7", 2, part=0, parts=2), stands("7", 2, part=1, parts=2)]
    entries = numbered(
        TICK, switch("6", "5"), TICK, stands("6", 1), TICK, switch("6", "5"), switch("7", "6", 2), switch("6", "5", 1), *halves, TICK
    )
    assert stretches(entries) == [Stretch("5", 0, 1), Stretch("6", 3, 6, 1), Stretch("7", 9, None, 2)]
    assert stretches(numbered(TICK, TICK)) == []
    rest = [Entry(9, 0, TICK), Entry(10, 0, switch("7", "6", 2))]
    assert stretches(rest, Phase("6", 1), 9) == [Stretch("6", 9, 10, 1)]


def test_a_set_that_was_broken_off_or_is_of_another_turn_begins_nothing() -> None:
    entries = numbered(
        switch("6", "5"), stands("6", 1, part=0, parts=2), stands("6", 1, part=1, parts=2, taken_at=8), stands("6", 2), stands("6", 1)
    )
    assert stretches(entries) == [Stretch("6", 4, None, 1)]


def test_replay_gives_the_turns_of_its_own_version_only() -> None:
    entries = numbered(
        TICK, switch("6", "5"), stands("6", 1), TICK, switch("7", "6", 2), stands("7", 2), switch("6", "7", 3), stands("6", 3), TICK
    )
    assert decided(Follower(), None, entries) == [2, 3, 7, 8]
    assert decided(Follower(), None, [Entry(0, 0, TICK)]) == [0]
    with pytest.raises(TocsinError, match="decided by fold version 8, 7, this is 6"):
        decided(Follower(), None, numbered(TICK, switch("7", "8"), stands("7", 1)))


def test_replay_of_a_version_that_went_on_from_another_s_state_needs_that_one_s_code() -> None:
    entries = numbered(TICK, TICK, switch("6", "5"), stands("6", 1, ("5", 1)), TICK)
    with pytest.raises(TocsinError, match="went on from the state of version 5 at offset 1"):
        decided(Heir(), "begin", entries)
    state = ("snapshot of 5", "begin 4")
    assert decided(Heir(), "begin", entries, {"5": Follower()}, 4) == [(state, 3), (state, 4)]
    assert decided(Heir(), "begin", entries[:2]) == [("begin", 0), ("begin", 1)]


def test_replay_goes_back_over_every_version_that_one_went_on_from_and_takes_each_state_for_what_it_said() -> None:
    class Five(Heir):
        VERSION = "5"
        MIGRATES = frozenset({"4"})

    entries = numbered(
        TICK,
        switch("5", "4"),
        stands("5", 1, ("4", 1)),
        TICK,
        switch("6", "5", 2),
        stands("6", 2, ("5", 3)),
        TICK,
        stands("6", 2, ("5", 4)),
        TICK,
    )
    assert stretches(entries)[2:] == [Stretch("6", 5, 7, 2, ("5", 3)), Stretch("6", 7, None, 2, ("5", 4))]
    state = ("snapshot of 5", ("snapshot of 5", "begin 0"))
    found = decided(Heir(), "begin", entries, {"5": Five(), "4": Follower()})
    assert found == [(state, 5), (state, 6), (state, 7), (state, 8)]


def warning(number: int, revision: int, **fields: Any) -> bytes:
    body = {
        "warning_id": f"w{number}", "incident_id": "i", "domain": "d", "hazard": "flood", "revision": revision, "msg_type": "update",
        "reason": "worse", "sent_at": f"2026-01-01T00:00:{number:02d}Z", "lane": "test", **fields,
    }  # fmt: skip
    return json.dumps(body).encode()


def test_of_what_stands_published_the_newest_counts_and_what_has_ended_is_a_number() -> None:
    values = [
        warning(1, 2), warning(1, 1), warning(2, 1, msg_type="all_clear"), warning(3, 4, reason="expired"), warning(4, 1, lane="live"),
        None, b"no warning", b'{"type": "status"}',
    ]  # fmt: skip
    found = newest(values, Topics("t."))
    [part] = [one for one in parts(found.values(), "6", 9, 900_000, "test") if one.records]
    assert part.records == (values[0],)
    ended = [one for part in parts(found.values(), "6", 9, 900_000, "test") for one in part.ended]
    assert ended == [("d", "flood", "i", "w2", 1), ("d", "flood", "i", "w3", 4)]


def test_a_set_is_cut_into_parts_that_fit_and_is_never_empty() -> None:
    found = newest([warning(number, 1) for number in range(30)], Topics("t."))
    made = parts(found.values(), "6", 9, 600, "test")
    assert [one.part for one in made] == list(range(len(made)))
    assert {one.parts for one in made} == {len(made)}
    assert all(len(encode(one)) < 1000 for one in made)
    assert sorted(value for one in made for value in one.records) == sorted(one.value for one in found.values())
    assert len(parts((), "6", 9, 600, "test")) == 1
