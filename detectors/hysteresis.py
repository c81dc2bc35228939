"""Raising at once and lowering late: the one rule by which every limit detector moves between levels.

Per series and level k two runs are counted over in-order samples: how many in a row stood at or above the limit of k (`above`), and
how many good ones in a row stood below its clear limit (`below`). A level is reached after `raise_after_n` samples, and left for the
highest lower one that has not been undercut for `clear_after_n` samples. A SUSPECT sample raises only if the sample before it
did support the level too, and never helps to clear. A late sample may raise, alone, and never lowers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.base import Quality
from detectors.rows import NEVER, read, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from detectors.base import Samples

FIELDS: list[tuple[Any, ...]] = [
    ("observed_at", np.int64),
    ("value", np.float64),
    ("level", np.uint8),
    ("above", np.uint8, (4,)),
    ("below", np.uint8, (4,)),
    ("unused", np.uint8, (7,)),
]
"""State fields of a detector with this rule (newest in-order instant and value, level, the two runs of each level); `unused` fills
them up to four words, because numpy computes on unaligned fields at half the speed."""

WHY = ("quiet", "reached", "sustained", "held", "lowered", "unconfirmed")
"""reached: raised by this sample; sustained: at or above the level's limit; held: below it, not long or far enough to clear;
lowered: by this sample; unconfirmed: a limit above the level was met, but by too few samples or by a suspect one only."""

QUIET, REACHED, SUSTAINED, HELD, LOWERED, UNCONFIRMED = range(6)
_LEVELS = np.arange(1, 5, dtype=np.uint8)
_FULL = np.uint8(255)


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits of the four levels, (n, 4), NaN = not set; `clear_limits` is called only if some series is not at rest."""

    limits: NDArray[np.float64]
    clear_limits: Callable[[], NDArray[np.float64]]
    raise_after_n: NDArray[np.float64]
    clear_after_n: NDArray[np.float64]


def initial(dtype: np.dtype[Any], n: int) -> NDArray[Any]:
    """`n` fresh state records of a dtype that has FIELDS: no level, never observed."""
    state = np.zeros(n, dtype=dtype)
    state["observed_at"] = NEVER
    state["value"] = np.nan
    return state


def is_newest(records: NDArray[Any], samples: Samples) -> NDArray[np.bool_]:
    """Samples later than all before. A correction of the newest sample has its instant, so it counts as late: it must not confirm it."""
    newest: NDArray[np.bool_] = samples.in_order & (samples.observed_at > records["observed_at"])
    return newest


def trend_per_h(records: NDArray[Any], samples: Samples, newest: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Change per hour since the newest sample so far; NaN for late samples and the first one."""
    elapsed_h = (samples.observed_at - records["observed_at"]) / 3_600_000.0
    unknown = np.full(len(samples), np.nan)
    trend: NDArray[np.float64] = np.divide(samples.value - records["value"], elapsed_h, out=unknown, where=newest)
    return trend


def remember(records: NDArray[Any], samples: Samples, newest: NDArray[np.bool_]) -> None:
    """Note the newest instant and value."""
    np.copyto(records["observed_at"], samples.observed_at, where=newest)
    np.copyto(records["value"], samples.value, where=newest)


def advance(
    records: NDArray[Any], samples: Samples, compared: NDArray[np.float64], newest: NDArray[np.bool_], rules: Rules
) -> NDArray[np.uint8]:
    """Move the levels of `records` (in place) by one sample each, whose value `compared` is held against the limits.

    Returns the reason of each (index into WHY). NaN in `compared` reaches nothing and clears nothing.
    """
    why = np.zeros(len(records), dtype=np.uint8)
    reached, level, above = compared[:, None] >= rules.limits, records["level"], records["above"]
    if not (reached.any() or level.any() or above.any()):
        return why  # `below` is kept zero above the level, so nothing can change
    busy = np.flatnonzero(_any_of_four(reached) | _any_of_four(above) | (level > 0))
    moving = read(records, busy)
    few = Rules(rules.limits[busy], lambda: rules.clear_limits()[busy], rules.raise_after_n[busy], rules.clear_after_n[busy])
    why[busy] = _move(moving, samples.pick(busy), compared[busy], newest[busy], few)
    write(records, busy, moving)
    return why


def _any_of_four(marks: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether any of the four bytes of each row is set: as one number, because a reduction along rows is many times slower."""
    words: NDArray[np.uint32] = np.ascontiguousarray(marks).view(np.uint32).reshape(len(marks))
    return np.not_equal(words, 0)


def _move(
    records: NDArray[Any], samples: Samples, compared: NDArray[np.float64], newest: NDArray[np.bool_], rules: Rules
) -> NDArray[np.uint8]:
    """The levels of the series that are not at rest."""
    at = compared[:, None]
    reached = at >= rules.limits
    level, above = records["level"].copy(), records["above"]
    suspect = samples.flag == Quality.SUSPECT
    run = np.where(newest[:, None], np.minimum(above, _FULL - 1) + 1, 1) * reached
    needed = np.maximum(rules.raise_after_n, 1.0 + suspect)
    raised = _highest(run >= needed[:, None])

    under = at < rules.clear_limits()
    under |= np.isnan(rules.limits) & ~np.isnan(at)  # a level that is not set is no place to rest on
    more = (newest & ~suspect)[:, None]
    below = np.where(under, np.minimum(records["below"], _FULL - 1) + more, np.where(newest[:, None], 0, records["below"]))
    resting = _highest(~(below >= rules.clear_after_n[:, None]) & (level[:, None] >= _LEVELS))
    now = np.maximum(raised, np.where(newest, resting, level))

    np.copyto(above, run.astype(np.uint8), where=newest[:, None])
    records["below"] = np.where(now[:, None] < _LEVELS, 0, below)
    records["level"] = now
    return _why(level, now, _highest(reached))


def _highest(levels: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The highest level that is marked, per row; 0 if none."""
    highest: NDArray[np.uint8] = (levels * _LEVELS).max(axis=1)
    return highest


def _why(before: NDArray[np.uint8], now: NDArray[np.uint8], supported: NDArray[np.uint8]) -> NDArray[np.uint8]:
    resting = np.where(now == 0, QUIET, np.where(supported == now, SUSTAINED, HELD))
    moved = np.where(now > before, REACHED, np.where(now < before, LOWERED, resting))
    return np.where((supported > now) & (now == before), UNCONFIRMED, moved).astype(np.uint8)


def lowest_of(limits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lowest limit that is set, per row of (n, 4); NaN where none is. Column by column: a reduction along rows is 20 times slower."""
    lowest: NDArray[np.float64] = np.fmin(np.fmin(limits[:, 0], limits[:, 1]), np.fmin(limits[:, 2], limits[:, 3]))
    return lowest


def highest_of(limits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest limit that is set, per row of (n, 4); NaN where none is."""
    highest: NDArray[np.float64] = np.fmax(np.fmax(limits[:, 0], limits[:, 1]), np.fmax(limits[:, 2], limits[:, 3]))
    return highest


def score_of(value: NDArray[np.float64], limits: NDArray[np.float64]) -> NDArray[np.float64]:
    """`value` relative to the lowest limit that is set (1.0 = at it); 0 where none is.

    Where the lowest limit is zero or negative (a gauge datum above the water) the ratio means nothing: 1 + the distance to it is used.
    """
    lowest = lowest_of(limits)
    score: NDArray[np.float64] = np.divide(value, lowest, out=np.zeros(len(value)), where=lowest > 0)
    odd = lowest <= 0
    if odd.any():
        score[odd] = 1.0 + value[odd] - lowest[odd]
    return score
