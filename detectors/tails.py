"""The upper tail of a negative binomial, computed with numpy alone and in logarithms.

P(Y >= y) is the regularised incomplete beta I_x(y, r) with x = 1 - 1/phi. Its prefactor is written with Loader's saddle-point
terms (C. Loader 2000, "Fast and accurate computation of binomial probabilities"), which keeps full precision for large counts where a
difference of log-gammas loses it; the rest is the continued fraction of DiDonato and Morris / Numerical Recipes 6.4 (modified Lentz).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_SHIFT = 16
_TERMS = 5000
_TINY = 1e-300
_CONVERGED = 1e-15
_SMALL = 0.1
_LOG_TENTH = -2.302585092994046


def log_tail(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Natural logarithm of P(Y >= count) for a negative binomial with this mean (> 0) and variance = dispersion * mean (> mean).

    >>> probability = np.exp(log_tail(np.array([0.0, 3.0, 400.0]), np.array([2.0, 2.0, 2.0]), np.array([1.5, 1.5, 1.5])))
    >>> float(probability[0]), round(float(probability[1]), 6)
    (1.0, 0.320...)
    """
    log_p = np.zeros(len(count))
    some = count > 0
    if some.any():
        shape = mean[some] / (dispersion[some] - 1.0)
        log_p[some] = _log_incomplete_beta(count[some], shape, (dispersion[some] - 1.0) / dispersion[some])
    return log_p


def _log_incomplete_beta(a: Floats, b: Floats, x: Floats) -> Floats:
    """Logarithm of I_x(a, b); by the complement where the fraction converges better there and no digits are lost to 1 - I."""
    mirrored = x > (a + 1.0) / (a + b + 2.0)
    log_p = _log_part(np.where(mirrored, b, a), np.where(mirrored, a, b), np.where(mirrored, 1.0 - x, x))
    log_p[mirrored] = np.log1p(-np.exp(np.minimum(log_p[mirrored], -_TINY)))
    lossy = mirrored & (log_p < _LOG_TENTH)
    if lossy.any():
        log_p[lossy] = _log_part(a[lossy], b[lossy], x[lossy])
    return log_p


def _log_part(a: Floats, b: Floats, x: Floats) -> Floats:
    """Logarithm of I_x(a, b) by prefactor and fraction."""
    part: Floats = _log_prefactor(a, b, x) + np.log(_fraction(a, b, x))
    return part


def _log_prefactor(a: Floats, b: Floats, x: Floats) -> Floats:
    """Logarithm of x^a (1-x)^b / (a B(a, b))."""
    n = a + b
    terms = _stirling_error(n) - _stirling_error(a) - _stirling_error(b) - _deviance(a, n * x) - _deviance(b, n * (1.0 - x))
    logs: Floats = terms + 0.5 * np.log(b / (2.0 * np.pi * a * n))
    return logs


def _stirling_error(z: Floats) -> Floats:
    """Log gamma(z + 1) - (z + 1/2) log z + z - log(2 pi) / 2: the recurrence up to z >= 16, then Stirling's series."""
    error = np.zeros(len(z))
    z = z.copy()
    for _ in range(_SHIFT):
        low = z < _SHIFT
        if not low.any():
            break
        error[low] += (z[low] + 0.5) * np.log1p(1.0 / z[low]) - 1.0
        z[low] += 1.0
    inverse = 1.0 / (z * z)
    series = 1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse * (1 / 1188))))
    total: Floats = error + series / z
    return total


def _deviance(observed: Floats, expected: Floats) -> Floats:
    """The value of observed * log(observed / expected) + expected - observed, without cancellation near observed = expected."""
    difference = observed - expected
    ratio = difference / (observed + expected)
    plain = observed * np.log(observed / expected) - difference
    # log(o/e) = 2 atanh(v): d v + 2 o v (v^2/3 + v^4/5 + ...)
    square, term, series = ratio * ratio, 2.0 * observed * ratio, difference * ratio
    for odd in range(3, 25, 2):
        term = term * square
        series = series + term / odd
    return np.where(np.abs(ratio) < _SMALL, series, plain)


def _fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    """The continued fraction of I_x(a, b) by the modified Lentz method; each element stops by itself, whoever stands beside it."""
    c = np.ones(len(a))
    d = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    total = d.copy()
    going = np.ones(len(a), dtype=np.bool_)
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1.0 / _away_from_zero(1.0 + even * d), _away_from_zero(1.0 + even / c)
        factor = d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1.0 / _away_from_zero(1.0 + odd * d), _away_from_zero(1.0 + odd / c)
        factor *= d * c
        total *= np.where(going, factor, 1.0)
        going &= np.abs(d * c - 1.0) >= _CONVERGED
        if not going.any():
            break
    return total


def _away_from_zero(x: Floats) -> Floats:
    return np.where(np.abs(x) < _TINY, _TINY, x)
