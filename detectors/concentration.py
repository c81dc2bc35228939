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
from detectors.rows import matrix, parameter_dtype, read, write
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

PARAMETERS = parameter_dtype("limit yellow_factor orange_factor red_factor clear_fraction clear_after_n raise_after_n error_sd")
"""`limit` and `error_sd` (standard deviation of the measurement's error) in the unit of the series; factors are multiples of the limit."""
DEFAULTS = (np.nan, 2.0, 5.0, 10.0, 0.1, 3.0, 1.0, np.nan)
STATE = np.dtype(hysteresis.FIELDS)
WHY = hysteresis.WHY


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: no level, never observed."""
    return hysteresis.initial(STATE, len(parameters))


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Compare each sample with the limits of its series (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = read(parameters, samples.rows), read(state, samples.rows)
    limits = matrix(p)[:, :4] * p["limit"][:, None]
    limits[:, 0] = p["limit"]
    newest = hysteresis.is_newest(s, samples)
    rules = hysteresis.Rules(limits, lambda: limits * (1.0 - p["clear_fraction"])[:, None], p["raise_after_n"], p["clear_after_n"])
    why = hysteresis.advance(s, samples, samples.value, newest, rules)
    trend = hysteresis.trend_per_h(s, samples, newest)
    hysteresis.remember(s, samples, newest)
    write(state, samples.rows, s)
    exceeds = exceedance(samples.value, limits, p["error_sd"])
    return Findings(s["level"], hysteresis.score_of(samples.value, limits), trend, why, exceedance=exceeds)
