"""The Farrington method and its flexible successor by Noufaily, as reference: what public-health institutes run every week.

Farrington et al. (1996): a quasi-Poisson regression on the same weeks of past years; Noufaily et al. (2013): on all past weeks, with the year cut into
ten periods, past outbreaks weighted down only beyond 2.58, the last 26 weeks left out, and a negative-binomial quantile as threshold.
The threshold functions give the published numbers of the R package surveillance; the regression refits five years of history for
every week, so this is no streaming detector (it has no `step`), but what one is compared with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_NORMAL = NormalDist()
_ITERATIONS, _CONVERGED = 50, 1e-10
_YEAR_WEEKS = 52
_HALF_WINDOW = 3
_ALMOST_ZERO = 1e-12


@dataclass(frozen=True, slots=True)
class Threshold:
    """The range of counts that is usual (cases), the tail probability of the count seen, and how far it goes: alarm where `score` > 1."""

    lower: float
    upper: float
    p_value: float
    score: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a regression expects: `mean` (cases) or its logarithm, with standard error, and `phi` (variance / mean, >= 1)."""

    mean: float
    standard_error: float
    phi: float


def farrington_threshold(fitted: Fitted, count: float, alpha: float, power: float) -> Threshold:
    """Threshold on a power scale (1, 1/2 or 2/3) where counts are nearly normal (Farrington 1996); `fitted.mean` in cases.

    >>> farrington_threshold(Fitted(5.0, 0.2, 1.0), 8.0, 0.05, 1 / 2)
    Threshold(lower=1.9891097, upper=9.3744842, p_value=0.1189986, score=0.6857951)
    """
    mean = fitted.mean
    tau = fitted.phi + fitted.standard_error**2 / mean
    deviation = power * math.sqrt(tau) * mean ** (power - 0.5)
    reach = _NORMAL.inv_cdf(1.0 - alpha) * deviation
    lower, upper = max(mean**power - reach, 0.0) ** (1.0 / power), (mean**power + reach) ** (1.0 / power)
    p_value = 0.5 * math.erfc((count**power - mean**power) / (deviation * math.sqrt(2.0)))
    return Threshold(lower, upper, p_value, (count - mean) / (upper - mean))


def noufaily_threshold(fitted: Fitted, count: int, alpha: float, *, muan: bool) -> Threshold:
    """Threshold from negative-binomial quantiles (Noufaily 2013); `fitted.mean` and its standard error are logarithms.

    `muan`: around the 1 - alpha quantile of the mean, else (nbPlugin) around the mean itself. The score's denominator is the
    logarithm, as in the reference's published vectors.

    >>> noufaily_threshold(Fitted(math.log(5.0), math.log(2.0), 1.5), 11, 0.05, muan=False)
    Threshold(lower=1, upper=10, p_value=0.03763657, score=1.11918153)
    """
    mean = math.exp(fitted.mean + (_NORMAL.inv_cdf(1.0 - alpha) * fitted.standard_error if muan else 0.0))
    lower, upper = quantile(alpha, mean, fitted.phi), quantile(1.0 - alpha, mean, fitted.phi)
    return Threshold(lower, upper, tail(count, mean, fitted.phi), (count - fitted.mean) / (upper - fitted.mean))


def tail(count: int, mean: float, phi: float) -> float:
    """P(Y >= count) for a negative binomial with variance phi * mean, or a Poisson where phi = 1."""
    return max(1.0 - math.fsum(_probability(k, mean, phi) for k in range(count)), 0.0)


def quantile(level: float, mean: float, phi: float) -> int:
    """The smallest count k with P(Y <= k) >= level."""
    total, k = _probability(0, mean, phi), 0
    while total < level * (1.0 - 64.0 * math.ulp(1.0)):
        k += 1
        total += _probability(k, mean, phi)
    return k


def _probability(k: int, mean: float, phi: float) -> float:
    """P(Y = k)."""
    if phi <= 1.0:
        return math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))
    size = mean / (phi - 1.0)
    logs = math.lgamma(k + size) - math.lgamma(size) - math.lgamma(k + 1)
    return math.exp(logs - size * math.log(phi) + k * math.log((phi - 1.0) / phi))


def outbreak_weights(residuals: Floats, limit: float) -> Floats:
    """Weights of past counts: residuals above `limit` get 1 / residual^2, the others 1, scaled to add up to their number.

    >>> outbreak_weights(np.array([0.0, 2.0]), 0.0)
    array([1.6, 0.4])
    """
    weights = np.where(residuals > limit, 1.0 / np.maximum(residuals, _ALMOST_ZERO) ** 2, 1.0)
    scaled: Floats = weights * len(weights) / weights.sum()
    return scaled


@dataclass(frozen=True, slots=True)
class Regression:
    """A quasi-Poisson fit: coefficients, their unscaled covariance, mean of each row, dispersion >= 1 and leverage of each row."""

    coefficients: Floats
    covariance: Floats
    mean: Floats
    phi: float
    leverage: Floats

    def at(self, row: Floats) -> Fitted:
        """The logarithm of the mean at a row of regressors, with its standard error."""
        return Fitted(float(row @ self.coefficients), math.sqrt(self.phi * float(row @ self.covariance @ row)), self.phi)


def quasi_poisson(design: Floats, counts: Floats, weights: Floats) -> Regression:
    """Iteratively reweighted least squares of a log-linear model; `design` (n, p), `counts` and `weights` (n,)."""
    mean = counts + 0.1
    deviance = math.inf
    for _ in range(_ITERATIONS):
        strength = weights * mean
        target = np.log(mean) + (counts - mean) / mean
        coefficients: Floats = np.asarray(
            np.linalg.solve(design.T @ (strength[:, None] * design), design.T @ (strength * target)), dtype=np.float64
        )
        mean = np.exp(np.clip(design @ coefficients, -30.0, 30.0))
        previous, deviance = deviance, _deviance(counts, mean, weights)
        if abs(deviance - previous) < _CONVERGED * (abs(deviance) + 0.1):
            break
    strength = weights * mean
    covariance: Floats = np.asarray(np.linalg.inv(design.T @ (strength[:, None] * design)), dtype=np.float64)
    leverage = strength * np.einsum("np,pq,nq->n", design, covariance, design)
    phi = float((weights * (counts - mean) ** 2 / mean).sum()) / (len(counts) - design.shape[1])
    return Regression(coefficients, covariance, mean, max(phi, 1.0), leverage)


def _deviance(counts: Floats, mean: Floats, weights: Floats) -> float:
    logs = np.log(np.maximum(counts, _ALMOST_ZERO) / mean)
    return float(2.0 * (weights * (np.where(counts > 0, counts * logs, 0.0) - (counts - mean))).sum())


def robust_regression(design: Floats, counts: Floats, limit: float) -> Regression:
    """A quasi-Poisson fit repeated once with past outbreaks weighted down by their standardised Anscombe residuals."""
    first = quasi_poisson(design, counts, np.ones(len(counts)))
    spread = np.sqrt(first.phi * np.maximum(1.0 - first.leverage, _ALMOST_ZERO))
    residuals = 1.5 * (counts ** (2 / 3) * first.mean ** (-1 / 6) - np.sqrt(first.mean)) / spread
    return quasi_poisson(design, counts, outbreak_weights(residuals, limit))


def same_weeks(week: date, years: int) -> tuple[int, ...]:
    """How many weeks before the week that holds this day the same week of each of the last `years` years lies: by calendar, 52 or 53 a year.

    >>> same_weeks(date(2013, 12, 23), 4)
    (52, 104, 157, 209)
    """
    day = week if (week.month, week.day) != (2, 29) else date(week.year, 3, 1)
    return tuple(round((week - day.replace(year=week.year - year)).days / 7) for year in range(1, years + 1))


def reference_weeks(
    now: int, back: Sequence[int], *, half_window: int, parts: int, left_out: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which earlier weeks a week is compared with, and in which part of the year each lies (0 = around the week itself).

    Around the week of each of the past years, `back` weeks ago, stand `half_window` weeks on either side; with `parts` > 1 the weeks between are
    used too, cut into parts - 1 pieces a year, the first ones longer by one where it does not divide evenly. The last `left_out` weeks
    (and the week itself) are not used.
    """
    part = np.full(now + 1, -1, dtype=np.intp)
    part[now - half_window :] = 0
    later = now
    for year, weeks_back in enumerate(back, start=1):
        centre = now - weeks_back
        if centre < half_window:
            problem = f"week {now} has no full window {year} years earlier; use fewer years or a later week"
            raise ValueError(problem)
        part[centre - half_window : centre + half_window + 1] = 0
        between = np.arange(centre + half_window + 1, later - half_window)
        if parts > 1:
            for number, piece in enumerate(np.array_split(between, parts - 1)):
                part[piece] = number + 1
        later = centre
    part[now - left_out :] = -1
    weeks = np.flatnonzero(part >= 0)
    return weeks, part[weeks]


@dataclass(frozen=True, slots=True)
class Method:
    """How a threshold is found.

    `parts` of the year; last weeks `left_out`; residual beyond which past counts are weighted down; p-value below which a trend is kept.
    """

    parts: int
    left_out: int
    weighted_beyond: float
    trend_alpha: float = 0.05


FLEXIBLE, ORIGINAL = Method(10, 26, 2.58), Method(1, 3, 1.0)


def flexible(counts: Floats, now: int, alpha: float, *, back: Sequence[int] | int = 5, method: Method = FLEXIBLE) -> Threshold:
    """Noufaily's threshold of week `now` of a weekly series (cases a week), around the mean itself (nbPlugin).

    Half window 3, ten parts of the year, weights beyond 2.58, 26 weeks left out, trend kept only if significant at 5 % and not
    extrapolating above what was ever seen. `back`: how many years of 52 weeks, or where the same week lies (`same_weeks`).
    """
    return _threshold(counts, now, alpha, back, method)


def farrington(counts: Floats, now: int, alpha: float, *, back: Sequence[int] | int = 5, method: Method = ORIGINAL) -> Threshold:
    """Farrington's threshold of week `now` of a weekly series: half window 3, weights beyond 1, 3 weeks left out, power 2/3; `back` as above."""
    return _threshold(counts, now, alpha, back, method)


def _threshold(counts: Floats, now: int, alpha: float, back: Sequence[int] | int, method: Method) -> Threshold:
    if isinstance(back, int):
        back = [_YEAR_WEEKS * year for year in range(1, back + 1)]
    weeks, part = reference_weeks(now, back, half_window=_HALF_WINDOW, parts=method.parts, left_out=method.left_out)
    seen = counts[weeks]
    dummies = (part[:, None] == np.arange(1, method.parts)).astype(np.float64)
    since = (weeks - now) / _YEAR_WEEKS
    plain, trended = np.column_stack([np.ones(len(weeks)), dummies]), np.column_stack([np.ones(len(weeks)), dummies, since])
    row = np.zeros(plain.shape[1])
    row[0] = 1.0
    if not seen.any():
        fitted = Fitted(math.log(_ALMOST_ZERO), 0.0, 1.0)
    else:
        model = robust_regression(trended, seen, method.weighted_beyond)
        fitted = model.at(np.append(row, 0.0))
        slope, error = model.coefficients[-1], math.sqrt(model.phi * model.covariance[-1, -1])
        significant = 2.0 * _NORMAL.cdf(-abs(slope) / max(error, _ALMOST_ZERO)) < method.trend_alpha
        if not significant or math.exp(fitted.mean) > seen.max():
            fitted = robust_regression(plain, seen, method.weighted_beyond).at(row)
    if method.parts > 1:
        return noufaily_threshold(fitted, int(counts[now]), alpha, muan=False)
    mean = math.exp(fitted.mean)
    return farrington_threshold(Fitted(mean, mean * fitted.standard_error, fitted.phi), float(counts[now]), alpha, 2 / 3)
