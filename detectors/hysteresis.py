"""Raising at once and lowering late: the one rule by which every limit detector moves between levels.

Per series and level k two runs are counted over in-order samples: how many in a row stood at or above the limit of k (`above`), and
how many good ones in a row stood below its clear limit (`below`). A level is reached after `raise_after_n` samples, and left for the
highest lower one that has not been undercut for `clear_after_n` samples. A SUSPECT sample raises only if the sample before it
did support the level too, and never helps to clear. A late sample may raise, alone, and never lowers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from detectors.base import Quality
from detectors.rows import NEVER, put, read, write

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
_MARKS = np.array([1 << 0, 1 << 8, 1 << 16, 1 << 24], dtype="<u4")
"""From which number on each level is marked, the lowest level in the lowest byte."""
_FULL = np.uint8(255)
_RUNS = 2
"""The word of a record (eight bytes) that `level` begins; FIELDS come first in every state."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits of the four levels, (n, 4), NaN = not set; `clear_limits` is called only if some series is not at rest."""

    limits: NDArray[np.float64]
    clear_limits: Callable[[], NDArray[np.float64]]
    raise_after_n: NDArray[np.float64]
    clear_after_n: NDArray[np.float64]


class Limited(NamedTuple):
    """The lowest limit of each series, (n,), NaN = none, and the rules of the series at the places given."""

    lowest: NDArray[np.float64]
    rules_of: Callable[[NDArray[np.intp]], Rules]


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
    elapsed_h, change = (samples.observed_at - records["observed_at"]) / 3_600_000.0, samples.value - records["value"]
    trend: NDArray[np.float64]
    if newest.all():
        trend = np.divide(change, elapsed_h, out=change)
    else:
        trend = np.divide(change, elapsed_h, out=np.full(len(samples), np.nan), where=newest)
    return trend


def remember(records: NDArray[Any], samples: Samples, newest: NDArray[np.bool_]) -> None:
    """Note the newest instant and value."""
    put(records["observed_at"], samples.observed_at, newest)
    put(records["value"], samples.value, newest)


def advance(
    records: NDArray[Any], samples: Samples, compared: NDArray[np.float64], newest: NDArray[np.bool_], rules: Rules
) -> NDArray[np.uint8]:
    """Move the levels of `records` (in place) by one sample each, whose value `compared` is held against the limits.

    Returns the reason of each (index into WHY). NaN in `compared` reaches nothing and clears nothing.
    """

    def of(busy: NDArray[np.intp]) -> Rules:
        return Rules(rules.limits[busy], lambda: rules.clear_limits()[busy], rules.raise_after_n[busy], rules.clear_after_n[busy])

    return advance_few(records, samples, compared, newest, Limited(lowest_of(rules.limits), of))


def advance_few(
    records: NDArray[Any], samples: Samples, compared: NDArray[np.float64], newest: NDArray[np.bool_], limited: Limited
) -> NDArray[np.uint8]:
    """The same as `advance`, but rules are only made for the few series that are not at rest."""
    why = np.zeros(len(records), dtype=np.uint8)
    busy = np.flatnonzero((compared >= limited.lowest) | (_runs(records) != 0))
    if len(busy):
        moving = read(records, busy)
        why[busy] = _move(moving, samples.pick(busy), compared[busy], newest[busy], limited.rules_of(busy))
        write(records, busy, moving)
    return why


def _runs(records: NDArray[Any]) -> NDArray[np.int64]:
    """`level`, `above` and most of `below` of each record as one number; 0 = at rest, for `below` is kept zero above the level."""
    words: NDArray[np.int64] = records.view(np.int64).reshape(len(records), records.dtype.itemsize // 8)
    return words[:, _RUNS]


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
    """The highest level that is marked, per row; 0 if none. The four marks are read as one number: a reduction along rows is slow."""
    marks = np.ascontiguousarray(levels).view("<u4")[:, 0]
    return _MARKS.searchsorted(marks, side="right").astype(np.uint8)


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
    """See `score_above`; limits (n, 4)."""
    return score_above(value, lowest_of(limits))


def score_above(value: NDArray[np.float64], lowest: NDArray[np.float64]) -> NDArray[np.float64]:
    """`value` relative to the lowest limit that is set (1.0 = at it); 0 where none is.

    Where the lowest limit is zero or negative (a gauge datum above the water) the ratio means nothing: 1 + the distance to it is used.
    """
    usual = lowest > 0.0
    score: NDArray[np.float64]
    if usual.all():
        score = value / lowest
    else:
        score = np.divide(value, lowest, out=np.zeros(len(value)), where=usual)
        odd = lowest <= 0.0
        score[odd] = 1.0 + value[odd] - lowest[odd]
    return score
