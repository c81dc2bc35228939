"""Cases that happened but are not reported yet: a chain-ladder nowcast that forgets old delays, in as much memory as the longest delay.

On each reporting day every earlier day of onset gets some new reports. From them the reverse hazard of each delay d, the share of the reports
with a delay <= d that have exactly d, is learned with exponential weights (Mack 1993 for the chain ladder; Lawless 1994 for the hazard
form); F(d), the share known after d days, is the product of what is left. The nowcast is the count so far / F(d). A detector compares the
count so far with its own thinned expectation: a negative binomial thinned by F is one with mean F * mu and phi' = 1 + F (phi - 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PRIOR_CASES = 20.0
_LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Nowcast:
    """Of the days 0..D before the reporting day: cases known so far, share known `F`, cases estimated in all and their standard deviation."""

    known: Floats
    share: Floats
    estimate: Floats
    standard_deviation: Floats


def state_dtype(longest_delay: int) -> np.dtype[Any]:
    """State of one series for delays of 0 to `longest_delay` periods: 3 (D + 1) numbers."""
    shape = (longest_delay + 1,)
    return np.dtype([("known", np.float64, shape), ("exactly", np.float64, shape), ("at_most", np.float64, shape)])


def initial(series: int, longest_delay: int) -> NDArray[Any]:
    """Fresh state: nothing reported, no delay known."""
    return np.zeros(series, dtype=state_dtype(longest_delay))


def report(state: NDArray[Any], new: Floats, memory_periods: Floats | float) -> None:
    """Take one reporting period's new cases by delay, in place.

    `new`: (series, D + 1), column d = cases that happened d periods ago and are reported now (negative: taken back). `memory_periods`: after so
    many the weight of what was learned has fallen to 1 / e. Cases later than D are the caller's to refuse or to add to column D.
    """
    known = state["known"]
    known[:, 1:] = known[:, :-1].copy()
    known[:, 0] = 0.0
    known += new
    np.maximum(known, 0.0, out=known)
    kept = np.exp(-1.0 / memory_periods)
    state["exactly"] = kept * state["exactly"] + np.maximum(new, 0.0)
    state["at_most"] = kept * state["at_most"] + known


def share_known(state: NDArray[Any], prior_cases: float = PRIOR_CASES) -> Floats:
    """F(d), the share of a day's cases that is known d periods later, (series, D + 1); 1 at the longest delay.

    Learned from the reports and from `prior_cases` whose delays are uniform over 0 to D, so that a few reports decide nothing.
    """
    left = 1.0 - _hazard(state, prior_cases)[0]
    share = np.ones_like(left)
    for d in range(left.shape[1] - 2, -1, -1):
        share[:, d] = share[:, d + 1] * left[:, d + 1]
    return share


def nowcast(state: NDArray[Any], prior_cases: float = PRIOR_CASES) -> Nowcast:
    """How many cases each of the last D + 1 periods will have in the end, (series, D + 1), column d = d periods ago.

    The standard deviation is that of the cases still missing, a negative binomial given those known, and of F itself. F below 0.05 is taken
    as 0.05: so little is known then that the count so far must not be multiplied by more.
    """
    share = np.maximum(share_known(state, prior_cases), _LEAST_SHARE)
    hazard, seen = _hazard(state, prior_cases)
    step_variance = hazard / (np.maximum(1.0 - hazard, _LEAST_SHARE) * np.maximum(seen, 1.0))
    log_variance = np.zeros_like(share)
    for d in range(share.shape[1] - 2, -1, -1):
        log_variance[:, d] = log_variance[:, d + 1] + step_variance[:, d + 1]
    known = state["known"].copy()
    estimate = known / share
    variance = np.maximum(known, 1.0) * (1.0 - share) / share**2 + estimate**2 * log_variance
    return Nowcast(known, share, estimate, np.sqrt(variance))


def _hazard(state: NDArray[Any], prior_cases: float) -> tuple[Floats, Floats]:
    """Share of the reports with a delay of at most d that have exactly d, and how many reports that rests on."""
    delays = np.arange(1.0, state["known"].shape[1] + 1.0)
    exactly, at_most = state["exactly"] + prior_cases / len(delays), state["at_most"] + prior_cases * delays / len(delays)
    hazard = np.divide(exactly, at_most, out=np.zeros_like(exactly), where=at_most > 0)
    return np.clip(hazard, 0.0, 1.0), at_most


def thinned(mean: Floats, phi: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Mean and variance / mean of the part of a negative-binomial count that is known, when `share` of it is.

    >>> thinned(np.array([10.0]), np.array([3.0]), np.array([0.5]))
    (array([5.]), array([2.]))
    """
    return mean * share, 1.0 + share * (phi - 1.0)
