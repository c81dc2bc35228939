"""A measurement that failed its quality tests, or is no number, never moves a detector, even if a caller lets one through.

The contract says that FAIL, MISSING, NaN and infinity do not arrive here. A level raised by a broken sensor is a false warning to a city, and one
NaN would stay in a baseline for ever, so the rule is kept once more at the door of every detector; it costs two comparisons a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.base import Findings, Quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from detectors.base import Samples

    Step = Callable[[NDArray[Any], NDArray[Any], Samples], Findings]


def all_usable(samples: Samples) -> bool:
    """Whether no sample is flagged FAIL or MISSING, and all are numbers."""
    return not (samples.flag >= Quality.FAIL).any() and bool(np.isfinite(samples.value).all())


def step_usable(step: Step, parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Step only the usable samples; the others report the level their series has, reason 0 (`quiet`), and change nothing."""
    usable = (samples.flag < Quality.FAIL) & np.isfinite(samples.value)
    found = step(parameters, state, samples.pick(usable))
    n = len(samples)
    level = np.asarray(state["level"][samples.rows], dtype=np.uint8)
    score, trend, why = np.zeros(n), np.full(n, np.nan), np.zeros(n, dtype=np.uint8)
    level[usable], score[usable], trend[usable], why[usable] = found.level, found.score, found.trend, found.why
    fused = (None if one is None else _spread(one, usable) for one in (found.p_value, found.log_lr, found.exceedance))
    return Findings(level, score, trend, why, *fused)


def _spread(values: NDArray[np.float64], usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The values at the usable places, NaN elsewhere."""
    whole = np.full(len(usable), np.nan)
    whole[usable] = values
    return whole
