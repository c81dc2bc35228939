"""Case counts a little too high for a long time: the CUSUM of the negative binomial likelihood ratio.

A tail test looks at one or two periods and is slow to see an excess of one or two standard deviations that lasts. S = max(0, S + log likelihood ratio of
two standard deviations above the baseline) adds it up (Höhle and Paul 2008). With a known baseline P(S >= h) <= e^-h in the long run
(the ratio has mean 1; Lundberg, Kingman 1962), which overstates it. The p-value said is C e^(-aS), with C and a measured on simulated quiet series
whose baseline is learned. Level k is reached at p <= alpha_k; S is held below a little more than the highest limit, so that it comes
down when the excess is over.

Baseline and time rules as in `negative_binomial.py`, but a count is only clipped, and weighted down in the first 13 periods of an alarm: weighting
by p-value too let a heavy-tailed series alarm for years. A count of a closed period never moves S.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import count_baseline, count_period, excess, hysteresis, running_total
from detectors.base import Findings, Quality
from detectors.count_baseline import Prediction
from detectors.rows import matrix, parameter_dtype, read, write
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

PARAMETERS = parameter_dtype(
    "alpha_blue alpha_yellow alpha_orange alpha_red period_s min_cases warmup_periods clear_after_n raise_after_n cumulative"
)
DEFAULTS = (1e-3, 1e-4, 1e-6, 1e-9, 604_800.0, 3.0, 52.0, 1.0, 1.0, 0.0)
STATE = np.dtype(
    [
        *hysteresis.FIELDS,
        *count_baseline.FIELDS,
        *running_total.FIELDS,
        ("sum_before", np.float64),
        ("sum", np.float64),
        ("alarmed", np.float64),
    ]
)
"""`sum`: S of the newest period, `sum_before`: of the one before it, from which a correction starts again; `alarmed`: periods with S
at a level's height, without a break (a period of few cases gives no level, and is none). The first 13 hardly change the baseline; what lasts
longer is learned, else one wrong baseline would alarm for ever."""
WHY = (*hysteresis.WHY, *count_period.REASONS)
_HEADROOM = 1.1
_DAMPED_PERIODS = 13
_MARGIN_SE, _HIGHEST_RATIO = 1.0, 3.0
_TAIL, _TAIL_RATE = 0.31, 1.24  # P(S >= h) = 0.31 e^(-1.24 h), from rates of .03 to .0005 a week in 28 kinds of simulated quiet series


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: nothing learned, no level, S = 0."""
    state = hysteresis.initial(STATE, len(parameters))
    count_baseline.forget(state)
    running_total.forget(state)
    return state


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Add each count's evidence to its series' sum, then note the count to be learned (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = read(parameters, samples.rows), read(state, samples.rows)
    samples = running_total.cases(p, s, samples)
    opened = count_period.take(p, s, samples)
    np.copyto(s["sum_before"], s["sum"], where=opened.begun)
    count = count_period.whole(samples.value)
    told = opened.known & opened.counted
    ratio = evidence(count, opened.expected)
    alphas = matrix(p)[:, :4]
    limits = -np.log10(np.where(alphas > 0, alphas, np.nan))
    lowest = np.fmin.reduce(limits, axis=1)
    s["alarmed"] = np.where(opened.begun, (s["alarmed"] + 1.0) * (_log_p(s["sum"]) <= -math.log(10.0) * lowest), s["alarmed"])
    highest = _HEADROOM / _TAIL_RATE * np.nan_to_num(np.fmax.reduce(limits, axis=1)) * math.log(10.0)
    total = np.where(told & opened.open, np.clip(s["sum_before"] + ratio, 0.0, highest), s["sum"])
    log_p = _log_p(total)
    score = np.where(told, -log_p / math.log(10.0), 0.0)

    compared = np.where(told & opened.open, np.where(samples.value < p["min_cases"], 0.0, score), np.nan)
    rules = hysteresis.Rules(limits, lambda: limits, p["raise_after_n"], p["clear_after_n"])
    before = s["level"].copy()
    why = hysteresis.advance(s, samples, compared, opened.newest, rules)
    why = count_period.explain(why, before, s["level"], opened)
    trend = hysteresis.trend_per_h(s, samples, opened.newest)
    np.copyto(s["sum"], total, where=samples.flag != Quality.SUSPECT)
    damped = (_log_p(s["sum"]) <= -math.log(10.0) * lowest) & (s["alarmed"] < _DAMPED_PERIODS)
    count_period.close(s, samples, opened, np.ones(len(samples)), damped)
    hysteresis.remember(s, samples, opened.newest)
    write(state, samples.rows, s)
    return Findings(s["level"], score, trend, why, np.where(told, np.exp(log_p), np.nan), np.where(told, ratio, np.nan))


def _log_p(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Natural logarithm of the p-value of a sum."""
    return np.where(total > 0.0, math.log(_TAIL) - _TAIL_RATE * total, 0.0)


def evidence(count: NDArray[np.float64], expected: Prediction) -> NDArray[np.float64]:
    """What one period adds to the sum: the log likelihood ratio against a mean taken one standard error high, at most 3.

    An error of the baseline adds up period by period, chance does not; and a single extreme count is for the tail test.
    """
    high = Prediction(expected.mean * np.exp(_MARGIN_SE * np.sqrt(expected.variance)), expected.phi, expected.variance)
    return np.minimum(excess.log_ratio(count, high), _HIGHEST_RATIO)
