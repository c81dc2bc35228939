"""Whether more cases than usual stand in one place and its neighbours, in the newest periods: an expectation-based space-time scan of counts.

Zones are a city with its nearest ones (by travel or neighbourhood), windows the last 1, 2, ... periods. Each window of a zone has the score of
Neill et al. (2005), C ln(C / B) + B - C where C > B, and the chance of so many cases by itself, from the tail of the negative binomial with
the zone's mean and variance. The windows overlap, so their chances depend on each other: they come to one p-value by the Cauchy combination
(`cauchy.py`), which needs neither permutations nor chance, so the fold stays a function of its journal. Where cities vary together beyond their
baselines the variance of a zone is understated: calibrate the dispersion on sums, or believe the detectors of single series.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detectors.tails import log_tail
from stream.decide import cauchy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

POISSON = 1.0 + 1e-9
"""The smallest variance per mean that the tail takes: as good as Poisson."""
CHANCE_MOST = 1.0


class Cluster(NamedTuple):
    """The likeliest window: the zone's number, how many of the newest periods, cases and baseline in it.

    `score`: its log likelihood ratio; `chance`: of so many cases in this window; `p_value`: of the whole scan.
    """

    zone: int
    periods: int
    cases: float
    baseline: float
    score: float
    chance: float
    p_value: float


def zones_of(distance: Floats, most: int) -> tuple[tuple[int, ...], ...]:
    """Every place with its 0 to most - 1 nearest, each set once; `distance` (n, n), infinite where two places have nothing to do with each other.

    >>> zones_of(np.array([[0, 1, 9], [1, 0, 2], [9, 2, 0]], float), 2)
    ((0,), (0, 1), (1,), (1, 2), (2,))
    """
    found: dict[tuple[int, ...], None] = {}
    for place, row in enumerate(distance):
        order = [int(one) for one in np.argsort(row, kind="stable") if one != place and math.isfinite(row[one])]
        for size in range(min(most, len(order) + 1)):
            found.setdefault(tuple(sorted((place, *order[:size]))))
    return tuple(sorted(found))


def scan(counts: Floats, baselines: Floats, dispersion: Floats, zones: Sequence[Sequence[int]]) -> Cluster | None:
    """The likeliest cluster; None where nothing can be said.

    `counts` and `baselines` (> 0): (periods, places), oldest first, NaN = not reported (such a cell is left out on both sides); `dispersion`:
    variance per mean of each place (>= 1).

    >>> found = scan(np.array([[1.0, 0], [2, 1], [0, 20]]), np.array([[2.0, 1], [4, 5], [6, 6]]), np.ones(2), [(0,), (1,), (0, 1)])
    >>> found.zone, found.periods, round(found.score, 4)
    (1, 1, 10.0795)
    """
    known = np.isfinite(counts) & (baselines > 0)
    cases, mean = np.where(known, counts, 0.0), np.where(known, baselines, 0.0)
    variance = mean * np.maximum(dispersion, POISSON)
    # Newest first, then sums over 1, 2, ... newest periods.
    sums = [np.cumsum(one[::-1], axis=0) for one in (cases, mean, variance)]
    c, b, v = (np.stack([one[:, list(zone)].sum(axis=1) for zone in zones], axis=1).ravel() for one in sums)
    usable = np.flatnonzero(b > 0)
    if not len(usable):
        return None
    c, b, v = c[usable], b[usable], v[usable]
    chance = np.exp(log_tail(c, b, v / b))
    found = score(c, b)
    best = int(np.lexsort((usable, -found, chance))[0])
    periods, zone = divmod(int(usable[best]), len(zones))
    p_value = cauchy.combine([min(float(one), CHANCE_MOST) for one in chance])
    return Cluster(zone, periods + 1, float(c[best]), float(b[best]), float(found[best]), float(chance[best]), p_value)


def score(cases: Floats, baseline: Floats) -> Floats:
    """C ln(C / B) + B - C where C > B > 0, else 0 (log likelihood ratio of a raised Poisson rate)."""
    above = cases > baseline
    found: Floats = np.zeros(len(cases))
    found[above] = cases[above] * np.log(cases[above] / baseline[above]) + baseline[above] - cases[above]
    return found
