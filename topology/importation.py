"""When the first infected traveller is to be expected: the numbers behind the travel footprint, free of cities.

Infected travellers are a Poisson process whose rate grows with the outbreak, by e^(growth x t), where growth = ln(reproduction number) /
serial interval (Wallinga and Lipsitch, Proc. R. Soc. B 274:599, 2007, generations of one length). On a way over k cities each of them must
first be infected itself; in the linear growth phase the expected number of arrivals by day t is then

    rate x G_k(t),   G_k(t) = integral from 0 to t of e^(growth u) u^k / k! du

which is the k-th term of the matrix exponential of growth and travel. How many are infected and how many travel is known only up to
a factor: it is taken as log-normal, so what waits is a mixture of exponentials. All functions are pure; days and rates per day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NODES = 41
_TABLE = 1500
_SPAN = 1e-9
_SHORTEST, _EARLY = 1e-6, 1e-3


@dataclass(frozen=True, slots=True)
class Doubt:
    """A log-normal factor of median 1 on a cumulative hazard: `felt` is the hazard that counts where the median one is `nominal` (logs)."""

    nominal: NDArray[np.float64]
    felt: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Burden:
    """G_k over time, as logs: ln days and ln G_k."""

    days: NDArray[np.float64]
    total: NDArray[np.float64]


def growth_per_day(reproduction_number: float, serial_interval_days: float) -> float:
    """Exponential growth of incidence: a factor `reproduction_number` every serial interval.

    >>> round(growth_per_day(2.0, 7.0), 4)
    0.099
    """
    return math.log(reproduction_number) / serial_interval_days


def doubt(log_sd: float) -> Doubt:
    """The table of a factor whose logarithm has the standard deviation `log_sd` (0 = none): Gauss-Hermite over the factor.

    >>> known = doubt(0.0)
    >>> bool(np.allclose(known.nominal, known.felt))
    True
    """
    node, weight = np.polynomial.hermite_e.hermegauss(_NODES)
    factor, weight = np.exp(log_sd * node), weight / weight.sum()
    nominal = np.linspace(math.log(_SPAN), -math.log(_SPAN), _TABLE)
    hazard = np.exp(nominal)[:, None] * factor[None, :]
    lowest = hazard.min(axis=1, keepdims=True)
    # -ln of the mean of e^-hazard, without losing small hazards to rounding nor large ones to underflow.
    reached = (-np.expm1(-hazard) * weight).sum(axis=1)
    large = (lowest[:, 0] - np.log((np.exp(lowest - hazard) * weight).sum(axis=1))).clip(min=0.0)
    felt = np.where(reached < 0.5, -np.log1p(-np.minimum(reached, 0.5)), large)  # noqa: PLR2004  either is exact there
    return Doubt(nominal, np.log(felt))


def burden(cities_between: int, growth: float, ceiling: float, days: float) -> Burden:
    """G_k for k = `cities_between`, until `days` (> 0). The outbreak never grows by more than the factor `ceiling` (all are infected)."""
    # Fine steps where an outbreak may have grown by many powers of e, fine proportions where it has not begun.
    at = days * np.concatenate((np.geomspace(_SHORTEST, _EARLY, _TABLE // 5), np.linspace(_EARLY, 1.0, 2 * _TABLE)[1:]))
    grown = np.exp(np.minimum(growth * at, math.log(max(ceiling, 1.0))))
    order = cities_between + 1
    # In the variable u^(k+1) the weight u^k is constant, so that the trapezium rule is exact where nothing grows.
    power = at**order
    steps = np.diff(power) * (grown[1:] + grown[:-1]) / 2.0
    total = np.concatenate(([power[0]], power[0] + np.cumsum(steps))) / math.factorial(order)
    return Burden(np.log(at), np.log(total))


def chance(rate: NDArray[np.float64], grows: Burden, unsure: Doubt) -> NDArray[np.float64]:
    """Probability of an importation by the end of `grows`, for each `rate` (infected travellers a day at the start, >= 0)."""
    with np.errstate(divide="ignore"):
        nominal = np.log(rate) + grows.total[-1]
    # Beyond the table: next to nothing is proportional, next to certain is certain.
    below = np.minimum(nominal - unsure.nominal[0], 0.0)
    return np.asarray(-np.expm1(-np.exp(np.interp(nominal, unsure.nominal, unsure.felt) + below)), dtype=np.float64)


def waiting_days(
    rate: NDArray[np.float64], probability: NDArray[np.float64], quantile: float, grows: Burden, unsure: Doubt
) -> NDArray[np.float64]:
    """The day by which `quantile` of the first importations have happened, of those that happen by the end (`probability` of it)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        felt = np.log(-np.log1p(-quantile * probability))
        nominal = np.interp(felt, unsure.felt, unsure.nominal) + np.minimum(felt - unsure.felt[0], 0.0)
        days = np.exp(np.interp(nominal - np.log(rate), grows.total, grows.days))
    return np.asarray(days, dtype=np.float64)
