"""Levels learned from history where none are configured: the value reached on average once in T years.

From the highest value of each year, either read off the sorted maxima (Weibull plotting positions) or from a generalised extreme value
distribution fitted by probability-weighted moments (Hosking, Wallis and Wood 1985, Technometrics 27, 251-261), which reaches beyond the
record. China's water regime signals use 5, 20 and 50 years beside the configured levels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_DAY_MS = 86_400_000
_LOG_RATIO = math.log(2.0) / math.log(3.0)
_GUMBEL = 1e-6
_EULER = 0.5772156649015329
_YEARS_MIN = 5


class Gev(NamedTuple):
    """Location and scale in the unit of the series; `shape` is Hosking's k: positive has an upper bound, 0 is Gumbel."""

    location: float
    scale: float
    shape: float


def annual_maxima(observed_at: NDArray[np.int64], value: Floats, *, first_month: int = 1, complete: float = 0.8) -> Floats:
    """The highest value of each year that has samples on at least the share `complete` of its days, in order of time.

    Instants in milliseconds since 1970-01-01 UTC, NaN values are no samples; a year begins with the first day of `first_month` (11 for
    a hydrological year from November, so that one winter's flood is not counted in two years).

    >>> days = np.arange(731) * 86_400_000
    >>> annual_maxima(days, np.arange(731.0))
    array([364., 729.])
    """
    there = ~np.isnan(value)
    months = observed_at[there].astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    years, days, values = (months - (first_month - 1)) // 12, observed_at[there] // _DAY_MS, value[there]
    kept = [year for year in np.unique(years) if len(np.unique(days[years == year])) >= complete * 365.0]
    return np.array([values[years == year].max() for year in kept])


def empirical(maxima: Floats, years: Floats) -> Floats:
    """The T-year levels (m,) for T in `years` (> 1), by linear interpolation of sorted maxima at probabilities i / (n + 1).

    NaN where T is longer than the record allows (T > n + 1) or T <= 1.

    >>> empirical(np.array([3.0, 1.0, 2.0]), np.array([2.0, 4.0, 10.0]))
    array([ 2.,  3., nan])
    """
    highest = np.sort(maxima)
    positions = np.arange(1, len(highest) + 1) / (len(highest) + 1.0)
    wanted = 1.0 - 1.0 / np.maximum(years, 1.0)
    if not len(highest):
        return np.full(len(years), np.nan)
    levels = np.interp(wanted, positions, highest)
    tolerance = 1e-9
    return np.where((wanted > positions[-1] + tolerance) | (wanted < positions[0] - tolerance), np.nan, levels)


def fit(maxima: Floats) -> Gev:
    """The GEV of annual maxima (n,) by unbiased probability-weighted moments; ValueError for fewer than 5 years or all equal maxima."""
    x, n = np.sort(maxima), len(maxima)
    if n < _YEARS_MIN or x[0] == x[-1]:
        msg = f"{n} annual maxima, {len(np.unique(x))} different: give at least {_YEARS_MIN} years of a series that varies"
        raise ValueError(msg)
    j = np.arange(n, dtype=np.float64)
    b0 = float(x.mean())
    b1 = float((j / (n - 1) * x).mean())
    b2 = float((j * (j - 1) / ((n - 1) * (n - 2)) * x).mean())
    c = (2.0 * b1 - b0) / (3.0 * b2 - b0) - _LOG_RATIO
    shape = 7.8590 * c + 2.9554 * c * c
    if abs(shape) < _GUMBEL:
        scale = (2.0 * b1 - b0) / math.log(2.0)
        return Gev(b0 - _EULER * scale, scale, 0.0)
    gamma = math.gamma(1.0 + shape)
    scale = (2.0 * b1 - b0) * shape / (gamma * (1.0 - 2.0**-shape))
    return Gev(b0 + scale * (gamma - 1.0) / shape, scale, shape)


def level(gev: Gev, years: Floats) -> Floats:
    """The T-year levels (m,) of the fitted distribution, T in `years` > 1 (NaN else).

    >>> level(Gev(10.0, 2.0, 0.0), np.array([2.0, 100.0]))
    array([10.733026, 19.200298])
    """
    some = years > 1.0
    reduced = -np.log(-np.log1p(-1.0 / np.where(some, years, 2.0)))
    growth = reduced if gev.shape == 0.0 else -np.expm1(-gev.shape * reduced) / gev.shape
    return np.where(some, gev.location + gev.scale * growth, np.nan)
