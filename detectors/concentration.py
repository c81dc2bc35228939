"""A pollutant's concentration against its limit value and multiples of it, with hysteresis.

Blue at the limit (of the drinking-water source or surface-water standard), the others at multiples of it. A level clears below
(1 - clear_fraction) of its limit for `clear_after_n` samples, so a tail that lingers near the limit keeps the warning.
`score` = value / limit, `trend` = unit per hour, `exceedance` = probability that the true value is at or above the limit.
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

PARAMETERS = parameter_dtype("limit yellow_factor orange_factor red_factor clear_fraction clear_after_n raise_after_n error_sd trace")
"""`limit` and `error_sd` (standard deviation of the measurement's error) in the unit of the series; factors are multiples of the limit.

`trace`: above this value (the method's detection limit, 0 for "found at all"), in the same unit, the substance has come: not a level of alarm, but
what tells how fast the river carries it (`stream/decide/fronts.py`). Not set by default: a river that always holds some of it shows no front so.
"""
DEFAULTS = (np.nan, 2.0, 5.0, 10.0, 0.1, 3.0, 1.0, np.nan, np.nan)
STATE = np.dtype(hysteresis.FIELDS)
WHY = hysteresis.WHY


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: no level, never observed."""
    return hysteresis.initial(STATE, len(parameters))


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Compare each sample with the limits of its series (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = borrow(parameters, samples.rows), borrow(state, samples.rows)
    lowest, newest = _lowest(p), hysteresis.is_newest(s, samples)
    why = hysteresis.advance_few(s, samples, samples.value, newest, hysteresis.Limited(lowest, lambda busy: _rules(read(p, busy))))
    trend = hysteresis.trend_per_h(s, samples, newest)
    hysteresis.remember(s, samples, newest)
    give_back(state, samples.rows, s)
    exceeds = exceedance(samples.value, lowest, p["error_sd"])
    return Findings(s["level"].copy(), hysteresis.score_above(samples.value, lowest), trend, why, exceedance=exceeds)


def _limits(p: NDArray[Any]) -> NDArray[np.float64]:
    limits: NDArray[np.float64] = matrix(p)[:, :4] * p["limit"][:, None]
    limits[:, 0] = p["limit"]
    return limits


def _lowest(p: NDArray[Any]) -> NDArray[np.float64]:
    """The lowest limit of each series. Rounding keeps the order, so the lowest factor gives the lowest product."""
    if (p["limit"] < 0.0).any():
        return hysteresis.lowest_of(_limits(p))
    limit, least = p["limit"].copy(), np.fmin(np.fmin(p["yellow_factor"], p["orange_factor"]), p["red_factor"])
    lowest: NDArray[np.float64] = np.fmin(limit, limit * least)
    return lowest


def _rules(p: NDArray[Any]) -> hysteresis.Rules:
    limits = _limits(p)
    return hysteresis.Rules(limits, lambda: limits * (1.0 - p["clear_fraction"])[:, None], p["raise_after_n"], p["clear_after_n"])
