"""What a series of case counts is expected to be, learned one period at a time, so that an excess can be told from a season.

The model is a log-linear negative binomial regression, log mean = level + trend + two harmonics of the year (+ three of the week where periods
are shorter than two days), variance = phi * mean. It is fitted recursively: a dynamic generalised linear model whose coefficients and their
covariance move by one Kalman step of the quasi-likelihood a period (West, Harrison and Migon 1985; Fahrmeir 1992), so a step costs the same
after ten years as after one. The coefficients drift a little, the trend is damped, and the prediction knows how unsure they are.

A period is learned only when the next one begins: until then a correction simply replaces its count. An unusual count is clipped at its
99.5 % point and weighted down with its p-value, the more so in an alarm, so past outbreaks do not hide the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.rows import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FIRST_PERIODS = 9
"""So many counts are only averaged; then the regression starts from their mean."""
COLUMNS, YEARLY_COLUMNS = 12, 6
FIELDS: list[tuple[Any, ...]] = [
    ("periods", np.float64),
    ("phi", np.float64),
    ("coefficients", np.float64, (COLUMNS,)),
    ("covariance", np.float64, (COLUMNS, COLUMNS)),
    ("total", np.float64),
    ("opened_at", np.int64),
    ("count", np.float64),
    ("expected", np.float64),
    ("weight", np.float64),
    ("count_before", np.float64),
    ("expected_before", np.float64),
]
"""`periods`: how many are learned; `phi`: variance / mean; coefficients: level, trend (a week), harmonics, as of `opened_at`; `total`: of the
first counts; the open period has `count`, `expected` and the `weight` it will be learned with; the one before it `_before` (NaN = none)."""

WEEK_S = 604_800.0
_DAY_MS = 86_400_000.0
_YEAR_MS = 365.2425 * _DAY_MS
_DAILY_BELOW_S = 172_800.0
_PRIOR_SD = (1.0, 0.003, 0.3, 0.3, 0.1, 0.1)  # of the coefficients of level, trend a week, first and second harmonic
_PRIOR_SD_WEEKDAY = 0.3
_DRIFT = (1e-5, 2e-9, 5e-7, 5e-7, 5e-7, 5e-7)  # variance a week
_DRIFT_WEEKDAY = 1e-6
_TREND_DAMPING = 0.9995  # a week
_LONGEST_GAP_WEEKS = 104.0
_FIRST_PHI, _FLOOR_PHI, _FLOOR_MEAN, _HIGHEST_LOG = 1.5, 1.02, 0.005, 16.0
_HIGHEST_VARIANCE = 1.0
_PHI_GAIN = 1.0 / 520.0
_CLIP_Z = 2.575829  # 99.5 %
_UNCLIPPED, _UNCLIPPED_SKEW, _HIGHEST_SKEW = 1.01, 0.039, 5.0
"""The clip takes 1 % of the variance of a normal count and 14 % of that of a very skewed one; without putting it back, what is left is taken
for the dispersion and clipped again. Whole / kept of a gamma of shape a, clipped there: 1.01 + 0.039 / sqrt(a) (within .02, a from .05 on)."""
_FULL_WEIGHT_P = 0.002
_LOWEST_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is expected of each sample.

    `mean`: cases a period; `phi`: variance / mean of a count if the mean were known; `variance`: of the logarithm of the mean.
    """

    mean: Floats
    phi: Floats
    variance: Floats

    def spread(self, mean: Floats) -> Floats:
        """Variance / mean of a count, or a sum of counts, with this mean, when the mean itself is uncertain."""
        return self.phi + mean * self.variance


def forget(state: NDArray[Any]) -> None:
    """Make records that have FIELDS fresh, in place: nothing learned, no period open."""
    state["phi"] = _FIRST_PHI
    state["opened_at"] = NEVER
    for name in ("count", "expected", "count_before", "expected_before"):
        state[name] = np.nan


def open_period(s: NDArray[Any], period_s: Floats, observed_at: NDArray[np.int64], warmup: Floats) -> NDArray[Any]:
    """The records `s` after learning their open period and moving on to one that ends at `observed_at` (new records; no count yet)."""
    columns = COLUMNS if (period_s < _DAILY_BELOW_S).any() else YEARLY_COLUMNS
    s = s.copy()
    _learn(s, period_s, warmup, columns)
    first = s["opened_at"] == NEVER
    elapsed_s = np.where(first, 0.0, (observed_at - s["opened_at"]) / 1000.0)
    _move_on(s, np.minimum(elapsed_s / WEEK_S, _LONGEST_GAP_WEEKS), period_s, columns)
    consecutive = ~first & (elapsed_s < 1.5 * period_s)
    s["count_before"] = np.where(consecutive, s["count"], np.nan)
    s["expected_before"] = np.where(consecutive, s["expected"], np.nan)
    s["opened_at"] = observed_at
    return s


def predict(s: NDArray[Any], period_s: Floats, observed_at: NDArray[np.int64]) -> Prediction:
    """What a period that ends at `observed_at` should count; the instant may lie before the open period's too (the trend is followed back)."""
    columns = COLUMNS if (period_s < _DAILY_BELOW_S).any() else YEARLY_COLUMNS
    x = _design(observed_at, period_s, columns)
    elapsed_weeks = np.where(s["opened_at"] == NEVER, 0.0, (observed_at - s["opened_at"]) / 1000.0 / WEEK_S)
    x[:, 1] = np.clip(elapsed_weeks, -_LONGEST_GAP_WEEKS, _LONGEST_GAP_WEEKS)
    mean = _mean(s, x)
    variance = np.clip(_dot(_times(s["covariance"], x), x), 0.0, _HIGHEST_VARIANCE)
    return Prediction(mean, np.maximum(s["phi"], _FLOOR_PHI), variance)


def weight_of(p_value: Floats, in_alarm: NDArray[np.bool_]) -> Floats:
    """How much of a count is learned: all of it down to p = 0.002, then less in proportion, a tenth in an alarm."""
    weight: Floats = np.clip(p_value / _FULL_WEIGHT_P, _LOWEST_WEIGHT, 1.0)
    return np.where(in_alarm, _LOWEST_WEIGHT, weight)


def _learn(s: NDArray[Any], period_s: Floats, warmup: Floats, columns: int) -> None:
    """Learn the open period of each record, in place; those whose weight is 0 stay as they are."""
    learned = s["weight"] > 0
    early = learned & (s["periods"] < FIRST_PERIODS)
    s["total"] += np.where(early, s["count"], 0.0)
    starting = early & (s["periods"] == FIRST_PERIODS - 1)
    regressed = learned & ~early
    if regressed.any():
        _regress(s, np.where(s["periods"] < warmup, 1.0, s["weight"]), regressed, (period_s, columns))
    if starting.any():
        _start(s, period_s, starting)
    s["periods"] += learned


def _start(s: NDArray[Any], period_s: Floats, starting: NDArray[np.bool_]) -> None:
    """Give the regression its first coefficients and their covariance, in place, where `starting`."""
    rows = np.flatnonzero(starting)
    total = s["total"][rows]
    s["coefficients"][rows] = 0.0
    s["coefficients"][rows, 0] = np.log((total + 0.5) / FIRST_PERIODS)
    variance = np.zeros((len(rows), COLUMNS))
    variance[:, :YEARLY_COLUMNS] = np.square(_PRIOR_SD)
    variance[:, 0] = np.minimum(variance[:, 0], _FIRST_PHI / (total + 0.5))
    variance[period_s[rows] < _DAILY_BELOW_S, YEARLY_COLUMNS:] = _PRIOR_SD_WEEKDAY**2
    s["covariance"][rows] = variance[:, :, None] * np.eye(COLUMNS)


def _regress(s: NDArray[Any], weight: Floats, where: NDArray[np.bool_], how: tuple[Floats, int]) -> None:
    """One Kalman step of the quasi-likelihood for the open period's count, in place, for the records `where`."""
    period_s, columns = how
    x = _design(s["opened_at"], period_s, columns)
    mean, phi = _mean(s, x), np.maximum(s["phi"], _FLOOR_PHI)
    gain = _times(s["covariance"], x)
    variance = _dot(gain, x)
    wide = phi + mean * np.clip(variance, 0.0, _HIGHEST_VARIANCE)
    highest = mean + _CLIP_Z * np.sqrt(wide * mean) + (2.0 * wide - 1.0) * (_CLIP_Z**2 - 1.0) / 6.0  # Cornish-Fisher quantile
    residual = np.where(where, np.minimum(s["count"], highest) - mean, 0.0)
    weight = np.where(where, weight, 0.0)
    scale = weight / (phi / mean + weight * variance)
    s["coefficients"][:, :columns] += gain * (scale * residual / mean)[:, None]
    s["covariance"][:, :columns, :columns] -= scale[:, None, None] * gain[:, :, None] * gain[:, None, :]
    phi_gain = np.maximum(_PHI_GAIN * period_s / WEEK_S, 1.0 / (s["periods"] + 10.0)) * weight
    square = residual**2 / mean * (phi / wide)  # the share of it that is not the error of the mean
    square *= _UNCLIPPED + _UNCLIPPED_SKEW * np.minimum(np.sqrt((phi - 1.0) / mean), _HIGHEST_SKEW)
    s["phi"] = np.maximum(phi + phi_gain * (square - phi), _FLOOR_PHI)


def _move_on(s: NDArray[Any], weeks: Floats, period_s: Floats, columns: int) -> None:
    """Let `weeks` pass, in place: the level follows the trend, the trend fades, everything becomes a little less sure."""
    faded = _TREND_DAMPING**weeks
    reach = (1.0 - faded) / -np.log(_TREND_DAMPING)
    theta, covariance = s["coefficients"], s["covariance"]
    theta[:, 0] += reach * theta[:, 1]
    theta[:, 1] *= faded
    for axis in (covariance, covariance.transpose(0, 2, 1)):  # F P F'
        axis[:, 0, :] += reach[:, None] * axis[:, 1, :]
        axis[:, 1, :] *= faded[:, None]
    started = s["periods"] >= FIRST_PERIODS
    drift = np.concatenate([_DRIFT, np.full(COLUMNS - YEARLY_COLUMNS, _DRIFT_WEEKDAY)])
    for column in range(columns):
        used = started if column < YEARLY_COLUMNS else started & (period_s < _DAILY_BELOW_S)
        covariance[:, column, column] += np.where(used, weeks * drift[column], 0.0)


def _design(observed_at: NDArray[np.int64], period_s: Floats, columns: int) -> Floats:
    """The regressors of each row at its instant (n, columns): 1, 0 (the trend counts from the open period), cosine and sine pairs."""
    x = np.zeros((len(observed_at), columns))
    x[:, 0] = 1.0
    middle = observed_at - 500.0 * period_s
    angles = [harmonic * 2.0 * np.pi * (middle % _YEAR_MS) / _YEAR_MS for harmonic in (1, 2)]
    if columns > YEARLY_COLUMNS:
        angles += [harmonic * 2.0 * np.pi * (middle % (7.0 * _DAY_MS)) / (7.0 * _DAY_MS) for harmonic in (1, 2, 3)]
    for number, angle in enumerate(angles):
        x[:, 2 + 2 * number], x[:, 3 + 2 * number] = np.cos(angle), np.sin(angle)
    if columns > YEARLY_COLUMNS:
        x[period_s >= _DAILY_BELOW_S, YEARLY_COLUMNS:] = 0.0
    return x


def _mean(s: NDArray[Any], x: Floats) -> Floats:
    """Expected count, kept within what a count can be."""
    mean: Floats = np.maximum(np.exp(np.minimum(_dot(s["coefficients"][:, : x.shape[1]], x), _HIGHEST_LOG)), _FLOOR_MEAN)
    return mean


# Added up column by column, so that a row's sums never depend on the rows beside it (a matrix product may round differently).
def _dot(left: Floats, right: Floats) -> Floats:
    total = left[:, 0] * right[:, 0]
    for column in range(1, right.shape[1]):
        total = total + left[:, column] * right[:, column]
    return total


def _times(matrices: Floats, x: Floats) -> Floats:
    """The product of each row's matrix (its part that belongs to the columns of x) with its vector."""
    columns = x.shape[1]
    product = matrices[:, :columns, 0] * x[:, :1]
    for column in range(1, columns):
        product += matrices[:, :columns, column] * x[:, column : column + 1]
    return product
