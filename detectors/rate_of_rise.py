"""How fast the water rises: the earliest sign of a flash flood, often before any level is reached.

r += (1 - exp(-dt / tau)) * (dh/dt - r), exact for irregular sampling: many close samples weigh as much as one wide one, so a burst from
a reconnecting logger does not add up. After a silence longer than `gap_s` the rate starts again at zero. A SUSPECT sample is compared
but not learned: a drop-out and the return from it would otherwise look like a rise. Late samples have no rate and are ignored.
`score` = rate / lowest limit, `trend` = the smoothed rate, unit per hour, `exceedance` = probability that the true rate is at or above
the lowest limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import hysteresis
from detectors.base import Findings, Quality
from detectors.exceedance import exceedance
from detectors.rows import MS_PER_H, NEVER, borrow, give_back, matrix, parameter_dtype, put, read
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

PARAMETERS = parameter_dtype(
    "rise_blue_per_h rise_yellow_per_h rise_orange_per_h rise_red_per_h tau_s min_value gap_s clear_fraction clear_after_n raise_after_n"
    " error_sd"
)
"""Limits in the unit of the series per hour. Rates at values below `min_value` do not count (low water, noise). `error_sd`: standard
deviation of a measurement's error, unit of the series."""
DEFAULTS = (np.nan, np.nan, np.nan, np.nan, 1800.0, np.nan, 21_600.0, 0.3, 3.0, 1.0, np.nan)
STATE = np.dtype([*hysteresis.FIELDS, ("rate_per_h", np.float64), ("learned_at", np.int64)])
"""`value` was measured at `learned_at`: the newest sample that was learned from; `observed_at` is the newest seen."""
WHY = (*hysteresis.WHY, "restarted", "late")
RESTARTED, LATE = len(hysteresis.WHY), len(hysteresis.WHY) + 1


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: no level, never observed, not rising."""
    state = hysteresis.initial(STATE, len(parameters))
    state["learned_at"] = NEVER
    return state


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Smooth each series' rate of change and compare it with its limits (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = borrow(parameters, samples.rows), borrow(state, samples.rows)
    lowest, newest = hysteresis.lowest_of(matrix(p)), hysteresis.is_newest(s, samples)
    elapsed_h = (samples.observed_at - s["learned_at"]) / MS_PER_H
    restarts = np.isnan(s["value"]) | (elapsed_h * 3600.0 > p["gap_s"])
    follows = newest & ~restarts
    rate = _smoothed(s, samples, elapsed_h, p["tau_s"], follows)
    counted = np.where(newest & ~(samples.value < p["min_value"]), rate, 0.0)
    compared = np.where(newest, counted, np.nan)
    why = hysteresis.advance_few(s, samples, compared, newest, hysteresis.Limited(lowest, lambda busy: _rules(read(p, busy))))
    learned = newest & (restarts | (samples.flag != Quality.SUSPECT))
    put(s["rate_per_h"], rate, learned)
    put(s["learned_at"], samples.observed_at, learned)
    put(s["value"], samples.value, learned)
    put(s["observed_at"], samples.observed_at, newest)
    give_back(state, samples.rows, s)
    if not follows.all():
        why[newest & restarts & (why == hysteresis.QUIET)] = RESTARTED
        why[~newest] = LATE
    exceeds = _exceedance(p, counted, lowest, np.where(follows, elapsed_h, np.nan))
    return Findings(s["level"].copy(), hysteresis.score_above(counted, lowest), np.where(follows, rate, np.nan), why, exceedance=exceeds)


def _rules(p: NDArray[Any]) -> hysteresis.Rules:
    limits = matrix(p)[:, :4]
    return hysteresis.Rules(limits, lambda: limits * (1.0 - p["clear_fraction"])[:, None], p["raise_after_n"], p["clear_after_n"])


def _exceedance(
    p: NDArray[Any], rate: NDArray[np.float64], lowest: NDArray[np.float64], elapsed_h: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """The error of the smoothed rate under even sampling: independent errors e at gain g and step dt leave (g / dt) sqrt(2 / (2 - g)) e."""
    if np.isnan(p["error_sd"]).all():
        return None
    gain = -np.expm1(-elapsed_h * 3600.0 / p["tau_s"])
    return exceedance(rate, lowest, p["error_sd"] * gain / elapsed_h * np.sqrt(2.0 / (2.0 - gain)))


def _smoothed(
    s: NDArray[Any], samples: Samples, elapsed_h: NDArray[np.float64], tau_s: NDArray[np.float64], follows: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The smoothed rate after each sample that follows another one; 0 for those that start afresh."""
    slope = np.divide(samples.value - s["value"], elapsed_h, out=np.zeros(len(samples)), where=follows)
    gain = -np.expm1(-np.where(follows, elapsed_h, 0.0) * 3600.0 / tau_s)
    rate: NDArray[np.float64] = np.where(follows, s["rate_per_h"] + gain * (slope - s["rate_per_h"]), 0.0)
    return rate
