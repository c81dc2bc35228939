"""Which lane a record belongs to, and the one rule by which everything that reads refuses another lane's records.

An exercise looks like the real thing in all but its lane. So a record of an exercise always says so, an exercise takes nothing that does
not, and no other lane takes anything that does: a wrong address, or a wrong prefix, then harms nothing.
"""

from __future__ import annotations

from enum import StrEnum

EXERCISE_PREFIX = "exercise."
"""What the names of an exercise's topics begin with."""
OTHER_LANE = "other_lane"
"""The reason of every refusal of another lane's record: at a door, at intake, in the fold and at the edge."""


class Lane(StrEnum):
    """Which reality a record belongs to. Never mixed: it is in every record and id, and a fold refuses another lane's record."""

    LIVE = "live"
    EXERCISE = "exercise"
    TEST = "test"
    """Replays of history, link tests and the canary."""


def belongs(said: str | None, lane: Lane) -> bool:
    """Whether a record that says this of its lane (None or "": nothing) may be taken on `lane`.

    >>> belongs("live", Lane.LIVE), belongs("", Lane.LIVE), belongs("exercise", Lane.LIVE)
    (True, True, False)
    >>> belongs("exercise", Lane.EXERCISE), belongs("", Lane.EXERCISE)
    (True, False)
    """
    return said == lane if said else lane is not Lane.EXERCISE


def lane_of(prefix: str) -> Lane:
    """The lane of topics with this prefix.

    >>> lane_of(""), lane_of("exercise."), lane_of("replay.").value
    (<Lane.LIVE: 'live'>, <Lane.EXERCISE: 'exercise'>, 'test')
    """
    if not prefix:
        return Lane.LIVE
    return Lane.EXERCISE if prefix.startswith(EXERCISE_PREFIX) else Lane.TEST
