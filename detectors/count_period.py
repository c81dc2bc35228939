"""Which period a count belongs to: a new one, the newest one again (a correction, a fuller count), or one that is closed.

A period stays open until the next one begins. While it is open its count can be replaced, and nothing of it has been learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import count_baseline, hysteresis
from detectors.base import Quality
from detectors.rows import read, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples
    from detectors.count_baseline import Prediction

REASONS = ("learning", "late", "corrected")
"""Reasons a finding of a count detector has beside those of `hysteresis`. learning: fewer than nine periods are known; late: a count of a
closed period raised the level; corrected: another count of the newest period raised it, or the count is negative or unknown and says nothing."""
LEARNING, LATE, CORRECTED = range(len(hysteresis.WHY), len(hysteresis.WHY) + 3)


@dataclass(frozen=True, slots=True)
class Opened:
    """What is known of each sample before it is scored.

    `expected`; `newest`: later than all before; `begun`: its period is a new one; `open`: it is the newest one; `before`: it is the one right
    before that; `known`: nine periods are learned; `counted`: it is a count at all (neither negative nor unknown).
    """

    expected: Prediction
    newest: NDArray[np.bool_]
    begun: NDArray[np.bool_]
    open: NDArray[np.bool_]
    before: NDArray[np.bool_]
    known: NDArray[np.bool_]
    counted: NDArray[np.bool_]


def take(p: NDArray[Any], s: NDArray[Any], samples: Samples) -> Opened:
    """Open a new period for the samples that begin one (its predecessor is learned, `s` changes in place) and say what is expected."""
    newest = hysteresis.is_newest(s, samples)
    since_s = (samples.observed_at - s["opened_at"]) / 1000.0
    begun = newest & (since_s > 0.5 * p["period_s"])
    rows = np.flatnonzero(begun)
    if len(rows):
        opened = count_baseline.open_period(read(s, rows), p["period_s"][rows], samples.observed_at[rows], p["warmup_periods"][rows])
        write(s, rows, opened)
    again = ~begun & (since_s >= 0.0) & (since_s <= 0.5 * p["period_s"])
    known = s["periods"] >= count_baseline.FIRST_PERIODS
    expected = count_baseline.predict(s, p["period_s"], samples.observed_at)
    before = ~begun & (since_s <= -0.5 * p["period_s"]) & (since_s > -1.5 * p["period_s"])
    return Opened(expected, newest, begun, begun | again, before, known, samples.value >= 0.0)


def whole(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values as numbers of cases; 0 where they are none (negative, NaN)."""
    cases: NDArray[np.float64] = np.maximum(np.rint(np.nan_to_num(value, nan=0.0)), 0.0)
    return cases


def close(s: NDArray[Any], samples: Samples, opened: Opened, p_value: NDArray[np.float64], damped: NDArray[np.bool_]) -> None:
    """Note the count of the open period, and how much of it is to be learned when it closes, in place.

    A count for the period before corrects what the two together are compared with; that period stays learned as it was.
    A suspect or negative count is not learned and does not replace a good one; where `damped` (in an alarm), hardly any is.
    """
    sound = opened.counted & (samples.flag != Quality.SUSPECT)
    unknown = opened.begun & ~sound
    noted = opened.open & sound
    weight = count_baseline.weight_of(p_value, damped)
    np.copyto(s["expected"], opened.expected.mean, where=opened.begun)
    s["count"] = np.where(noted, samples.value, np.where(unknown, np.nan, s["count"]))
    s["weight"] = np.where(noted, weight, np.where(unknown, 0.0, s["weight"]))
    np.copyto(s["count_before"], np.maximum(samples.value, 0.0), where=sound & opened.before & ~np.isnan(s["count_before"]))


def explain(why: NDArray[np.uint8], before: NDArray[np.uint8], now: NDArray[np.uint8], opened: Opened) -> NDArray[np.uint8]:
    """The reasons of `hysteresis.advance`, put right for counts: what raised a level of a closed period says so."""
    raised_again = (now > before) & ~opened.begun
    why = np.where(raised_again & ~opened.open, LATE, why)
    why = np.where((raised_again & opened.open & ~opened.newest) | ~opened.counted, CORRECTED, why)
    return np.where(opened.known, why, LEARNING).astype(np.uint8)
