"""Water level or discharge against the four limits of a gauge, with hysteresis.

Limits are the region's (China's water regime signals: warning level, guarantee level, highest on record; or the NWS stages). A level
is cleared below L_k - max(clear_margin, clear_fraction * gap), gap = distance to the next limit above (for the highest: to the one below;
for a single one: its size), for `clear_after_n` samples. `score` = value / lowest limit, `trend` = unit per hour,
`exceedance` = probability that the true value is at or above the lowest limit, where the measurement's error is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import hysteresis
from detectors.base import Findings
from detectors.exceedance import exceedance
from detectors.rows import borrow, give_back, matrix, parameter_dtype, read
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

PARAMETERS = parameter_dtype("blue yellow orange red clear_margin clear_fraction clear_after_n raise_after_n error_sd")
"""Limits, `clear_margin` and `error_sd` (standard deviation of the measurement's error) in the unit of the series."""
DEFAULTS = (np.nan, np.nan, np.nan, np.nan, 0.1, 0.05, 3.0, 1.0, np.nan)
STATE = np.dtype(hysteresis.FIELDS)
WHY = hysteresis.WHY


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: no level, never observed."""
    return hysteresis.initial(STATE, len(parameters))


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Compare each sample with its gauge's limits (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = borrow(parameters, samples.rows), borrow(state, samples.rows)
    lowest, newest = hysteresis.lowest_of(matrix(p)), hysteresis.is_newest(s, samples)
    why = hysteresis.advance_few(s, samples, samples.value, newest, hysteresis.Limited(lowest, lambda busy: _rules(read(p, busy))))
    trend = hysteresis.trend_per_h(s, samples, newest)
    hysteresis.remember(s, samples, newest)
    give_back(state, samples.rows, s)
    exceeds = exceedance(samples.value, lowest, p["error_sd"])
    return Findings(s["level"].copy(), hysteresis.score_above(samples.value, lowest), trend, why, exceedance=exceeds)


def _rules(p: NDArray[Any]) -> hysteresis.Rules:
    return hysteresis.Rules(matrix(p)[:, :4], lambda: clear_limits(p), p["raise_after_n"], p["clear_after_n"])


def clear_limits(parameters: NDArray[Any]) -> NDArray[np.float64]:
    """Below what each level of each row counts as undercut, (n, 4).

    >>> p = np.array([(2.0, 3.0, np.nan, 7.0, 0.1, 0.05, 3, 1, np.nan)], dtype=PARAMETERS)
    >>> clear_limits(p)
    array([[1.9, 2.8, nan, 6.8]])
    """
    limits = matrix(parameters)[:, :4]
    if not np.isnan(limits).any():
        gaps = limits[:, 1:] - limits[:, :-1]
        return _below(limits, parameters, np.column_stack([gaps, gaps[:, 2]]))
    up, down = np.full_like(limits, np.nan), np.full_like(limits, np.nan)
    higher, lower = np.full(len(limits), np.nan), np.full(len(limits), np.nan)
    for k in range(4):
        above, below = limits[:, 3 - k], limits[:, k]
        up[:, 3 - k], down[:, k] = higher - above, below - lower
        higher, lower = np.where(np.isnan(above), higher, above), np.where(np.isnan(below), lower, below)
    gap = np.where(np.isnan(up), np.where(np.isnan(down), np.abs(limits), down), up)
    return _below(limits, parameters, gap)


def _below(limits: NDArray[np.float64], parameters: NDArray[Any], gap: NDArray[np.float64]) -> NDArray[np.float64]:
    margin = np.fmax(parameters["clear_margin"][:, None], parameters["clear_fraction"][:, None] * gap)
    clear: NDArray[np.float64] = limits - margin
    return clear
