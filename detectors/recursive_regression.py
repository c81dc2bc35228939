"""A linear regression that learns one observation at a time, in place, for many series at once: a Kalman filter of its coefficients.

The coefficients may drift, so what was learned long ago counts less; the prior keeps a series that knows little at a sensible forecast
(Harvey 1989, chapter 3; recursive least squares with a random walk). Sums go column by column, so a row never depends on the rows beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def predict(coefficients: Floats, x: Floats) -> Floats:
    """The value expected at the regressors `x` (n, columns), (n,)."""
    total = coefficients[:, 0] * x[:, 0]
    for column in range(1, x.shape[1]):
        total = total + coefficients[:, column] * x[:, column]
    return total


def learn(coefficients: Floats, covariance: Floats, x: Floats, error: Floats, noise_variance: Floats) -> None:
    """One step, in place: `error` (n,) is what was observed less `predict`, `noise_variance` (n,) that of one observation.

    `coefficients` (n, columns), `covariance` (n, columns, columns).
    """
    gain = covariance[:, :, 0] * x[:, :1]
    for column in range(1, x.shape[1]):
        gain += covariance[:, :, column] * x[:, column : column + 1]
    total = predict(gain, x) + noise_variance
    coefficients += gain * (error / total)[:, None]
    covariance -= gain[:, :, None] * gain[:, None, :] / total[:, None, None]


def drift(covariance: Floats, variance: Floats) -> None:
    """Let the coefficients become less sure, in place: `variance` (columns,) is added to the variance of each."""
    columns = np.arange(len(variance))
    covariance[:, columns, columns] += variance
