"""Measurements that are kept but not believed: they failed a quality test, look like a wrong unit, or come from a station in fault.

A value that is a power of ten off the one before it is held back at once, because the detectors would raise at once; the next grid instants
decide whether it was the unit or the water (`stations.py`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from detectors import health
from detectors.base import Quality
from detectors.rows import NEVER, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples
    from stream.decide.bound import Bound

WATCH = np.dtype(
    [
        ("refused_at", np.int64),
        ("value", np.float64),
        ("checked_at", np.int64),
        ("why", np.uint8),
        ("told", np.uint8),
        ("unused", "u1", (6,)),
    ]
)
"""The newest measurement that was not believed and why; up to which measurement the station's health was judged; the health last told."""
_LEAST_FACTOR = 5.0
"""A necessary condition that is cheap: no factor of ten within any tolerance below it."""


class Refused(IntEnum):
    """Why a measurement is kept but not detected on."""

    NO = 0
    FAILED_QUALITY = 1
    """Outside the gross range, or at an impossible date."""
    UNIT_SUSPECTED = 2
    """A power of ten off the value before it."""
    SIGN_SUSPECTED = 3
    STATION_IN_FAULT = 4
    MAINTENANCE = 5
    """The station is in planned maintenance."""


def initial(n: int) -> NDArray[np.void]:
    """Nothing was refused, nothing was told."""
    watch = np.zeros(n, dtype=WATCH)
    watch["refused_at"] = watch["checked_at"] = NEVER
    watch["value"] = np.nan
    return watch


def refuse(bound: Bound, samples: Samples, flag: NDArray[np.uint8], newest_corrected: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    """Why each sample is refused (uint8 `Refused`); None if none is. Call it before the samples are pushed to the history."""
    failed = flag == Quality.FAIL
    suspected = _suspected(bound, samples, newest_corrected) if bound.health_rows.any() else None
    faulty = bound.health["health"][samples.rows] != health.Health.SOUND if bound.faults else None
    maintained = bound.maintained[samples.rows] if bound.maintains else None
    if not failed.any() and suspected is None and (faulty is None or not faulty.any()) and (maintained is None or not maintained.any()):
        return None
    why = np.zeros(len(samples), np.uint8) if suspected is None else suspected
    why[failed] = Refused.FAILED_QUALITY
    if faulty is not None:
        why[faulty] = Refused.STATION_IN_FAULT
    if maintained is not None:
        why[maintained] = Refused.MAINTENANCE
    return why


def _suspected(bound: Bound, samples: Samples, newest_corrected: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    """Samples off by a factor or a sign from the one before; None if there are none."""
    last = bound.history["value"][samples.rows, -1]
    size, before = np.abs(samples.value), np.abs(last)
    odd = (size >= _LEAST_FACTOR * before) | (_LEAST_FACTOR * size <= before) | ((samples.value < 0.0) != (last < 0.0))
    few = np.flatnonzero(odd & bound.health_rows[samples.rows])
    if not len(few):
        return None
    rows = samples.rows[few]
    history, p = read(bound.history, rows), read(bound.health_parameters, rows)
    expected = np.where(newest_corrected[few], history["value"][:, -2], history["value"][:, -1])
    expected = np.where(history["count"] >= p["confirm_n"], expected, np.nan)
    usual = health.usual_of(read(bound.health, rows), p)
    factor = health.suspected_factor(p, samples.value[few], expected, usual)
    if (factor == 1.0).all():
        return None
    why = np.zeros(len(samples), np.uint8)
    why[few] = np.where(factor == 1.0, Refused.NO, np.where(factor == -1.0, Refused.SIGN_SUSPECTED, Refused.UNIT_SUSPECTED))
    return why


def remember(bound: Bound, samples: Samples, why: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Note the newest refused measurement of each series; which samples are the first of theirs since a believed one (or another reason)."""
    watch = bound.watch
    rows, at = samples.rows, samples.observed_at
    failing = watch["refused_at"][rows] > bound.history["observed_at"][rows, -1]
    first: NDArray[np.bool_] = ~failing | (watch["why"][rows] != why)
    newer = at > watch["refused_at"][rows]
    watch["refused_at"][rows[newer]] = at[newer]
    watch["value"][rows[newer]] = samples.value[newer]
    watch["why"][rows[newer]] = why[newer]
    return first
