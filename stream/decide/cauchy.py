"""One p-value from several that depend on each other in an unknown way: the Cauchy combination.

Y. Liu, J. Xie, "Cauchy combination test: a powerful test with analytic p-value calculation under arbitrary dependency structures", JASA 115
(2020) 393-402: T = sum of w_i tan((1/2 - p_i) pi), p = 1/2 - atan(T) / pi. Small p-values are right under any dependence; instruments that
say the same come to what one of them says. A p-value near 1 would outvote any number of small ones, so none counts as more than `P_MOST`
(the truncated test of Fang, Chang, Park, Tseng 2023).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

P_MOST = 0.99
P_LEAST = 1e-300


def combine(p_values: Sequence[float]) -> float:
    """The combined p-value (0..1) of at least one, equally weighted; their order does not matter.

    >>> combine([0.03]), round(combine([0.03, 0.03]), 12), round(combine([1e-6, 0.5]), 12)
    (0.03, 0.03, 2e-06)
    >>> combine([])
    Traceback (most recent call last):
    ValueError: no p-value to combine
    """
    if not p_values:
        msg = "no p-value to combine"
        raise ValueError(msg)
    if min(p_values) == max(p_values):
        return p_values[0]
    # 1 / tan(p pi) is tan((1/2 - p) pi) without its loss of digits at small p; the same of atan2.
    terms = [1.0 / math.tan(math.pi * min(max(p, P_LEAST), P_MOST)) for p in p_values]
    return math.atan2(1.0, math.fsum(terms) / len(terms)) / math.pi
