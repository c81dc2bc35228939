"""Case counts that are too many: the tail of a negative binomial around a seasonal baseline learned week by week.

Baseline: level (slow, winsorised mean) times season (52 bins a year, read over three), dispersion phi from squared residuals. A
count is clipped at its 97.5 % point before it is learned, and almost ignored while the series is in alarm, so past outbreaks do not hide
the next one (the known defect of EARS). Until `warmup_periods` have been seen the mean and variance of the periods 3 to 9 back
stand in (EARS C2). p = P(Y >= count); level k is reached at p <= alpha_k and at least `min_cases` cases. `score` = -log10 p.
Value = cases of a period, instant = its end. Late and corrected counts may raise a level and are not learned.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import hysteresis
from detectors.base import Findings, Quality
from detectors.rows import matrix, parameter_dtype, read, write
from detectors.tails import log_tail
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

    Floats = NDArray[np.float64]

BINS = 52
RECENT = 9
PARAMETERS = parameter_dtype("alpha_blue alpha_yellow alpha_orange alpha_red period_s min_cases warmup_periods clear_after_n raise_after_n")
DEFAULTS = (1e-3, 1e-4, 1e-6, 1e-9, 604_800.0, 3.0, 52.0, 1.0, 1.0)
STATE = np.dtype(
    [
        *hysteresis.FIELDS,
        ("periods", np.float64),
        ("mean", np.float64),
        ("phi", np.float64),
        ("season", np.float64, (BINS,)),
        ("recent", np.float64, (RECENT,)),
    ]
)
"""`mean`: level of the baseline, cases a period; `phi`: variance / mean; `recent`: the last nine counts, newest last."""
WHY = (*hysteresis.WHY, "learning")
LEARNING = len(hysteresis.WHY)

_YEAR_MS = 365.2425 * 86_400_000.0
_WEEK_S = 604_800.0
_LEVEL_GAIN, _PHI_GAIN, _SEASON_GAIN = 0.03, 0.01, 0.12  # a week
_ALARM_DAMPING = 0.1
_CLIP_Z = 1.959964  # 97.5 %
_CLIP_PHI_BIAS = 1.08  # squared residuals are that much too small after clipping
_FLOOR_MEAN, _FLOOR_PHI, _FLOOR_VARIANCE = 0.05, 1.05, 1.0
_FIRST_PHI = 1.5


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: flat season, nothing learned."""
    state = hysteresis.initial(STATE, len(parameters))
    state["phi"] = _FIRST_PHI
    state["season"] = 1.0
    state["recent"] = np.nan
    return state


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Score each count against its series' baseline, then learn from it (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = read(parameters, samples.rows), read(state, samples.rows)
    newest = hysteresis.is_newest(s, samples)
    bins = _bin_of_year(samples.observed_at)
    season = _season(s, bins)
    mean, phi = _expected(p, s, season)
    score = -log_tail(np.maximum(np.rint(samples.value), 0.0), mean, phi) / math.log(10.0)
    learning = s["periods"] < RECENT
    score[learning] = 0.0
    alphas = matrix(p)[:, :4]
    limits = -np.log10(np.where(alphas > 0, alphas, np.nan))
    compared = np.where(learning | (samples.value < p["min_cases"]), 0.0, score)
    rules = hysteresis.Rules(limits, lambda: limits, p["raise_after_n"], p["clear_after_n"])
    why = hysteresis.advance(s, samples, compared, newest, rules)
    why[learning] = LEARNING
    trend = hysteresis.trend_per_h(s, samples, newest)
    elapsed_s = (samples.observed_at - s["observed_at"]) / 1000.0
    learned = newest & (elapsed_s > 0.5 * p["period_s"]) & (samples.flag != Quality.SUSPECT)
    _learn(p, s, samples.value, (bins, season), learned)
    hysteresis.remember(s, samples, newest)
    write(state, samples.rows, s)
    return Findings(s["level"], score, trend, why)


def _bin_of_year(observed_at: NDArray[np.int64]) -> NDArray[np.intp]:
    """Which of the 52 parts of the (mean) year an instant lies in; no calendar needed."""
    bins: NDArray[np.intp] = np.floor(observed_at % _YEAR_MS / _YEAR_MS * BINS).astype(np.intp) % BINS
    return bins


def _season(s: NDArray[Any], bins: NDArray[np.intp]) -> Floats:
    """The seasonal factor of each row, smoothed over three bins."""
    around = (bins[:, None] + np.array([-1, 0, 1])) % BINS
    factor: Floats = np.take_along_axis(s["season"], around, axis=1).mean(axis=1)
    return factor


def _expected(p: NDArray[Any], s: NDArray[Any], season: Floats) -> tuple[Floats, Floats]:
    """Mean and dispersion to test against: the baseline, or before it is warm the periods 3 to 9 back with a floor on the variance."""
    mean, phi = np.maximum(s["mean"] * season, _FLOOR_MEAN), np.maximum(s["phi"], _FLOOR_PHI)
    cold = (s["periods"] < p["warmup_periods"]) & (s["periods"] >= RECENT)
    if cold.any():
        past = s["recent"][cold][:, :7]
        average = np.maximum(past.mean(axis=1), _FLOOR_MEAN)
        variance = np.maximum(past.var(axis=1, ddof=1), _FLOOR_VARIANCE) * (1.0 + 1.0 / 7.0)
        mean[cold], phi[cold] = average, np.maximum(variance / average, _FLOOR_PHI)
    return mean, phi


def _learn(p: NDArray[Any], s: NDArray[Any], value: Floats, where: tuple[NDArray[np.intp], Floats], learned: NDArray[np.bool_]) -> None:
    """Move level, dispersion and season by one period, in place, where `learned`."""
    bins, season = where
    weeks = p["period_s"] / _WEEK_S
    damping = np.where(s["level"] > 0, _ALARM_DAMPING, 1.0)
    first = s["periods"] == 0
    mean = np.maximum(np.where(first, value, s["mean"]) * season, _FLOOR_MEAN)
    phi = np.maximum(s["phi"], _FLOOR_PHI)
    highest = mean + _CLIP_Z * np.sqrt(phi * mean) + (2.0 * phi - 1.0) * (_CLIP_Z**2 - 1.0) / 6.0  # Cornish-Fisher quantile
    kept = np.minimum(value, highest)
    residual = kept - mean
    phi_gain = np.maximum(_PHI_GAIN * weeks, 1.0 / (s["periods"] + 10.0)) * damping
    new_phi = phi + phi_gain * (_CLIP_PHI_BIAS * residual**2 / mean - phi)
    level_gain = np.maximum(_LEVEL_GAIN * weeks, 1.0 / (s["periods"] + 1.0)) * damping
    level = np.where(first, value, s["mean"])
    level = np.maximum(level + level_gain * residual / season, _FLOOR_MEAN)

    rows = np.flatnonzero(learned)
    season_gain = np.minimum(_SEASON_GAIN * np.minimum(1.0, level / 3.0) * damping, 1.0)
    bin_now = s["season"][np.arange(len(s)), bins]
    s["season"][rows, bins[rows]] = np.clip(bin_now + season_gain * (kept / level - bin_now), 0.2, 5.0)[rows]
    balance = s["season"].mean(axis=1)
    s["season"][rows] /= balance[rows, None]
    s["mean"][rows] = (level * balance)[rows]
    s["phi"][rows] = np.maximum(new_phi, _FLOOR_PHI)[rows]
    s["recent"][rows, :-1] = s["recent"][rows, 1:]
    s["recent"][rows, -1] = value[rows]
    s["periods"][rows] += 1.0
