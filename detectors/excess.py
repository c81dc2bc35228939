"""How much more than expected a count is: the tail of one period and of two together, and the likelihood ratio of an outbreak.

Cases of one outbreak are reported over more than one period, so the sum of this period and the last one shows it more clearly than either.
Negative binomials with one variance-to-mean ratio add up to another with the same ratio (mean = sum of the means), so the tail of
the sum is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.tails import log_tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.count_baseline import Prediction

    Floats = NDArray[np.float64]

_OUTBREAK_SDS = 2.0
_UNUSUAL_LOG_P = float(np.log(0.2))
_LOWEST_LOG = -700.0
_LOWEST_MEAN, _LOWEST_EXCESS_PHI = 1e-6, 1e-6


def single(count: Floats, expected: Prediction) -> Floats:
    """Natural logarithm of P(Y >= count) of each period under its baseline."""
    return log_tail(count, expected.mean, expected.spread(expected.mean))


def with_the_period_before(s: NDArray[Any], count: Floats, expected: Prediction, alone: Floats) -> Floats:
    """Natural logarithm of the p-value of each period's count together with that of the period before it (fields `_before` of `s`).

    A count that is not itself unusual (p > 0.2), or has no period right before it, stands alone: what is over must not go on alarming.
    The p-value stays valid: where the sum is used, the count alone was at or below 0.2 too.
    """
    log_p = alone.copy()
    rows = np.flatnonzero(~np.isnan(s["count_before"]) & (alone <= _UNUSUAL_LOG_P))
    if len(rows):
        mean = expected.mean[rows] + s["expected_before"][rows]
        spread = expected.phi[rows] + mean * expected.variance[rows]
        log_p[rows] = log_tail(count[rows] + s["count_before"][rows], mean, spread)
    return log_p


def chance(log_p: Floats) -> Floats:
    """The probability from its natural logarithm, but never 0: e^-745 is the smallest double.

    >>> bool(chance(np.array([-2000.0]))[0] > 0.0)
    True
    """
    return np.exp(np.maximum(log_p, _LOWEST_LOG))


def log_ratio(count: Floats, expected: Prediction) -> Floats:
    """Natural logarithm of the likelihood ratio of an outbreak, two standard deviations above the mean, to the baseline.

    Both are negative binomials of one size, as in the count CUSUM of Höhle and Paul (2008), so the mean ratio under the baseline is 1.
    """
    mean = np.maximum(expected.mean, _LOWEST_MEAN)
    spread = np.maximum(expected.spread(mean), 1.0 + _LOWEST_EXCESS_PHI)
    size = mean / (spread - 1.0)
    more = mean + _OUTBREAK_SDS * np.sqrt(spread * mean)
    relative = (more - mean) / (size + mean)
    ratio: Floats = count * (np.log(more / mean) - np.log1p(relative)) - size * np.log1p(relative)
    return ratio
