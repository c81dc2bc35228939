"""The normal distribution's tails with numpy alone: the probability that a measurement's true value lies above a limit, and p-values.

Complementary error function by W. J. Cody's rational approximations (Math. Comp. 23, 1969, pages 631-637; full double precision).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_SMALL, _LARGE, _HUGE = 0.46875, 4.0, 26.5
_A = (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3)
_B = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_C = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
)  # fmt: skip
_D = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip
_P = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2,
    6.58749161529837803e-4,
)  # fmt: skip
_Q = (1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3)


def upper_tail(z: Floats) -> Floats:
    """P(Z >= z) of a standard normal, (n,); NaN stays NaN.

    >>> upper_tail(np.array([-np.inf, 0.0, 1.6448536269514722, 6.0]))
    array([1.0, 0.5, 0.05, 9.865876e-10])
    """
    x = np.abs(z) * 0.7071067811865476
    small, middle = x <= _SMALL, (x > _SMALL) & (x <= _LARGE)
    large = x > _LARGE
    tail = np.full(len(z), np.nan)
    if small.any():
        y = x[small]
        tail[small] = 1.0 - y * _ratio(_A, _B, y * y)
    if middle.any():
        y = x[middle]
        tail[middle] = np.exp(-y * y) * _ratio(_C, _D, y)
    if large.any():
        y = np.minimum(x[large], _HUGE)
        inverse = 1.0 / (y * y)
        tail[large] = np.exp(-y * y) / y * (0.5641895835477563 - inverse * _ratio(_P, _Q, inverse))
        tail[x > _HUGE] = 0.0
    half = 0.5 * tail
    probability: Floats = np.where(z < 0.0, 1.0 - half, half)
    return probability


def _ratio(numerator: Sequence[float], denominator: Sequence[float], y: Floats) -> Floats:
    """Two polynomials divided, highest power first."""
    above, below = np.full(len(y), numerator[0]), np.full(len(y), denominator[0])
    for one, other in zip(numerator[1:], denominator[1:], strict=True):
        above, below = above * y + one, below * y + other
    ratio: Floats = above / below
    return ratio
