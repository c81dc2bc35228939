"""Cases of a period where the source reports how many there were in all so far, as most epidemic dashboards do.

The cases of a period are its total less the one before. Another total for the newest period corrects its cases; a total below the one before
gives a negative number of cases, which says nothing of its period, and the next period counts from the corrected total. Over periods
without a total the cases are shared out evenly. Nothing can be said of the first total, nor of one that comes for a closed period.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import hysteresis
from detectors.base import Quality
from detectors.rows import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

FIELDS: list[tuple[Any, ...]] = [
    ("total_at", np.int64),
    ("total_now", np.float64),
    ("total_before_at", np.int64),
    ("total_before", np.float64),
]
"""The newest sound total with its instant, and the one the newest period counts from; used only where `cumulative` is set."""


def forget(state: NDArray[Any]) -> None:
    """Make records that have FIELDS fresh, in place: no total known."""
    state["total_at"] = state["total_before_at"] = NEVER
    state["total_now"] = state["total_before"] = np.nan


def cases(p: NDArray[Any], s: NDArray[Any], samples: Samples) -> Samples:
    """The samples with the cases of a period as values where `p` says `cumulative`, NaN where nothing can be said; totals are noted in `s`, in place.

    To be called before the period is opened. A suspect total is compared and not noted.
    """
    summed = p["cumulative"] > 0
    if not summed.any():
        return samples
    at, newest = samples.observed_at, hysteresis.is_newest(s, samples)
    since_s = (at - s["opened_at"]) / 1000.0
    begun = newest & (since_s > 0.5 * p["period_s"])
    again = ~begun & (since_s >= 0.0) & (since_s <= 0.5 * p["period_s"])
    before = np.where(begun, s["total_now"], s["total_before"])
    before_at = np.where(begun, s["total_at"], s["total_before_at"])
    periods = np.maximum(np.rint((at - before_at) / 1000.0 / p["period_s"]), 1.0)
    counted = np.where(begun | again, (samples.value - before) / periods, np.nan)
    np.copyto(s["total_before"], before, where=summed & begun)
    np.copyto(s["total_before_at"], before_at, where=summed & begun)
    kept = summed & (begun | again) & (at >= s["total_at"]) & (samples.flag != Quality.SUSPECT)
    np.copyto(s["total_now"], samples.value, where=kept)
    np.copyto(s["total_at"], at, where=kept)
    return replace(samples, value=np.where(summed, counted, samples.value))
