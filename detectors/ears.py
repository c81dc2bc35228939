"""EARS C1, C2, C3: the short-memory rules health offices know, as reference (Hutwagner et al. 2003; Fricker et al. 2008).

A count is compared with the mean and standard deviation of seven earlier ones: C1 those 1 to 7 periods back, C2 those 3 to 9 back. C3 adds up
max(0, C2 - 1) of three periods. `upper_bounds` is what the R package surveillance's `earsC` prints, whose C3 leaves the newest of the three
out of the sum; the detector adds all three, as published. Known defect, kept: an outbreak enters the seven counts and hides the next one.
Corrections and late counts are compared with the periods known now and not learned.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import hysteresis
from detectors.base import Findings, Quality
from detectors.normal import upper_tail
from detectors.rows import NEVER, matrix, parameter_dtype, read, write
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

    Floats = NDArray[np.float64]

BASELINE = 7
C1, C2, C3 = 1, 2, 3
PARAMETERS = parameter_dtype(
    "alpha_blue alpha_yellow alpha_orange alpha_red method period_s min_cases min_sigma clear_after_n raise_after_n"
)
"""`method`: 1, 2 or 3; `min_sigma`: floor of the standard deviation, cases."""
DEFAULTS = (1e-3, 1e-4, 1e-6, 1e-9, 2.0, 604_800.0, 3.0, 0.5, 1.0, 1.0)
STATE = np.dtype(
    [
        *hysteresis.FIELDS,
        ("learned_at", np.int64),
        ("recent", np.float64, (BASELINE + 2,)),
        ("excess", np.float64, (2,)),
        ("known", np.float64),
    ]
)
"""`recent`: the last nine counts, newest last; `excess`: max(0, C2 - 1) of the last two, newest last; `known`: how many counts."""
WHY = (*hysteresis.WHY, "learning", "late")
LEARNING, LATE = len(hysteresis.WHY), len(hysteresis.WHY) + 1
_LAG = {C1: 0, C2: 2, C3: 2}
_HIGHEST_Z = 36.0  # its tail is still a double


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: no counts known."""
    state = hysteresis.initial(STATE, len(parameters))
    state["learned_at"] = NEVER
    return state


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Score each count against its series' last weeks, then remember it (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = read(parameters, samples.rows), read(state, samples.rows)
    newest = hysteresis.is_newest(s, samples)
    z, c2 = _statistic(p, s, samples.value)
    needed = np.where(p["method"] == C1, BASELINE, BASELINE + 2) + 2 * (p["method"] == C3)
    told = (s["known"] >= needed) & ~np.isnan(z)
    p_value = upper_tail(np.where(told, z, 0.0))
    score = np.where(told, -np.log10(p_value), 0.0)
    alphas = matrix(p)[:, :4]
    limits = -np.log10(np.where(alphas > 0, alphas, np.nan))
    compared = np.where(~told | (samples.value < p["min_cases"]), 0.0, score)
    rules = hysteresis.Rules(limits, lambda: limits, p["raise_after_n"], p["clear_after_n"])
    before = s["level"].copy()
    why = hysteresis.advance(s, samples, compared, newest, rules)
    why = np.where(~newest & (s["level"] > before), LATE, why)
    why = np.where(told, why, LEARNING).astype(np.uint8)
    trend = hysteresis.trend_per_h(s, samples, newest)
    begun = newest & ((samples.observed_at - s["learned_at"]) / 1000.0 > 0.5 * p["period_s"]) & (samples.flag != Quality.SUSPECT)
    _remember(s, samples, c2, begun)
    hysteresis.remember(s, samples, newest)
    write(state, samples.rows, s)
    return Findings(s["level"], score, trend, why, np.where(told, p_value, np.nan))


def _statistic(p: NDArray[Any], s: NDArray[Any], value: Floats) -> tuple[Floats, Floats]:
    """The method's statistic and C2 of each count, in standard deviations."""
    floor = np.maximum(np.nan_to_num(p["min_sigma"]), 1e-9)
    past = np.where((p["method"] == C1)[:, None], s["recent"][:, -BASELINE:], s["recent"][:, :BASELINE])
    c = np.clip((value - past.mean(axis=1)) / np.maximum(past.std(axis=1, ddof=1), floor), -_HIGHEST_Z, _HIGHEST_Z)
    c3 = np.minimum(np.maximum(c - 1.0, 0.0) + s["excess"].sum(axis=1), _HIGHEST_Z)
    statistic = np.where(p["method"] == C3, c3, np.where((p["method"] == C1) | (p["method"] == C2), c, np.nan))
    return statistic, c


def _remember(s: NDArray[Any], samples: Samples, c2: Floats, begun: NDArray[np.bool_]) -> None:
    """Push the counts of new periods, in place."""
    rows = np.flatnonzero(begun)
    s["recent"][rows, :-1] = s["recent"][rows, 1:]
    s["recent"][rows, -1] = samples.value[rows]
    known_c2 = s["known"][rows] >= BASELINE + 2
    s["excess"][rows, 0] = s["excess"][rows, 1]
    s["excess"][rows, 1] = np.where(known_c2, np.maximum(c2[rows] - 1.0, 0.0), 0.0)
    s["known"][rows] += 1.0
    s["learned_at"][rows] = samples.observed_at[rows]


def upper_bounds(counts: Floats, method: int, alpha: float, min_sigma: float = 0.0) -> Floats:
    """The highest count that raises no alarm, for each period of a series (cases; NaN while there is no baseline).

    `counts`: (periods,) or (periods, series). As `earsC` of the R package surveillance: C1 and C2: mean + z max(sd, min_sigma); C3: count +
    sd (z - sum of max(0, C2 - 1) of the two periods before), at least 0. z: normal quantile of 1 - `alpha`.

    >>> upper_bounds(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), 1, 0.05)[-1:]
    array([7.55329])
    """
    if method not in _LAG:
        problem = f"EARS has methods 1, 2 and 3, not {method}; give one of them"
        raise ValueError(problem)
    z, lag = NormalDist().inv_cdf(1.0 - alpha), _LAG[method]
    bounds, c2 = np.full(counts.shape, np.nan), np.full(counts.shape, np.nan)
    deviation = c2.copy()
    for t in range(BASELINE + lag, len(counts)):
        past = counts[t - lag - BASELINE : t - lag]
        deviation[t] = np.maximum(past.std(axis=0, ddof=1), min_sigma)
        bounds[t] = past.mean(axis=0) + z * deviation[t]
        with np.errstate(divide="ignore", invalid="ignore"):
            c2[t] = (counts[t] - past.mean(axis=0)) / deviation[t]
    if method == C3:
        before = np.maximum(c2 - 1.0, 0.0)
        bounds[:] = np.nan
        bounds[2:] = np.maximum(counts[2:] + deviation[2:] * (z - before[1:-1] - before[:-2]), 0.0)
    return bounds
