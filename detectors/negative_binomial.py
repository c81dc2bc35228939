"""Case counts that are too many: the tail of a negative binomial around a seasonal baseline learned period by period.

The baseline is `count_baseline.py`, the tail that of this period and the last one together (`excess.py`): p = P(Y >= count), level k is reached
at p <= alpha_k and at least `min_cases` cases; `score` = -log10 p. P(Y >= count) is a valid p-value for whole numbers: under the
baseline it is at or below alpha with probability at most alpha. Nothing is raised before nine periods are known; until
`warmup_periods` unusual counts are clipped but learned in full, for they may be a season not yet seen.

Value = cases of a period, instant = its end. Another count for the newest period replaces the one it corrects before that is learned; a count
of an older period may raise a level, with the reason `late`, and is not learned; a negative count (a total that went down)
says nothing of its period: reason `corrected`, no level moves. With `cumulative` = 1 values are totals so far (`running_total.py`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import count_baseline, count_period, excess, hysteresis, running_total
from detectors.base import Findings
from detectors.rows import matrix, parameter_dtype, read, write
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

    Floats = NDArray[np.float64]

PARAMETERS = parameter_dtype(
    "alpha_blue alpha_yellow alpha_orange alpha_red period_s min_cases warmup_periods clear_after_n raise_after_n cumulative"
)
DEFAULTS = (1e-3, 1e-4, 1e-6, 1e-9, 604_800.0, 3.0, 52.0, 1.0, 1.0, 0.0)
STATE = np.dtype([*hysteresis.FIELDS, *count_baseline.FIELDS, *running_total.FIELDS])
WHY = (*hysteresis.WHY, *count_period.REASONS)


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: nothing learned, no level."""
    state = hysteresis.initial(STATE, len(parameters))
    count_baseline.forget(state)
    running_total.forget(state)
    return state


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Score each count against its series' baseline, then note it to be learned (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = read(parameters, samples.rows), read(state, samples.rows)
    samples = running_total.cases(p, s, samples)
    opened = count_period.take(p, s, samples)
    count = count_period.whole(samples.value)
    told = opened.known & opened.counted
    alone = excess.single(count, opened.expected)
    together = np.where(opened.open, excess.with_the_period_before(s, count, opened.expected, alone), alone)
    score = np.where(told, -together / math.log(10.0), 0.0)

    alphas = matrix(p)[:, :4]
    limits = -np.log10(np.where(alphas > 0, alphas, np.nan))
    compared = np.where(opened.counted, np.where(samples.value < p["min_cases"], 0.0, score), np.nan)
    rules = hysteresis.Rules(limits, lambda: limits, p["raise_after_n"], p["clear_after_n"])
    before = s["level"].copy()
    why = hysteresis.advance(s, samples, compared, opened.newest, rules)
    why = count_period.explain(why, before, s["level"], opened)
    trend = hysteresis.trend_per_h(s, samples, opened.newest)
    count_period.close(s, samples, opened, np.exp(alone), s["level"] > 0)
    hysteresis.remember(s, samples, opened.newest)
    write(state, samples.rows, s)
    p_value = np.where(told, excess.chance(together), np.nan)
    return Findings(s["level"], score, trend, why, p_value, np.where(told, excess.log_ratio(count, opened.expected), np.nan))
