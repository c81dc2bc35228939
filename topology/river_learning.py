"""What one event teaches about a river while it runs: detections on the way correct the travel time of the rest of the way.

The travel time of a stretch is its prior (length over speed) times exp(F), where F is the mean over the stretch of a Gaussian field of
log slowness along the river: standard deviation `log_sd` at a point, correlation exp(-distance / `correlation_km`), so that what was
learned near by counts for more than what was learned far above, and doubt grows with distance. What shifts the whole event (the
discharge, an ice cover) adds variance that all its stretches share. Each detection says when the front was there, with an error of its
own (sampling interval, detection limit). Stretches between detections are then Gaussian observations of F, linearised about the
estimate (Gauss-Newton, as in an iterated Kalman filter); what is left is one small linear solve an event, and no memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ROUNDS = 20
_SETTLED = 1e-10
# No gauge's clock is better than this; it also keeps the solve regular.
_CLOCK_H = 1.0 / 60.0
# Shorter stretches than this (km) are taken to be this long: the double integral below loses its digits.
_SHORTEST_KM = 0.01
_NORMAL = NormalDist()


class Stretch(NamedTuple):
    """Part of a river line: `from_km` to `to_km` along it, its prior hours (> 0), and the share of it that lies under ice (0..1).

    `scale`: its own spread of log slowness over the usual one, where that is known from history.
    """

    from_km: float
    to_km: float
    prior_h: float
    iced: float = 0.0
    scale: float = 1.0


class Leg(NamedTuple):
    """A stretch between two detections, numbered `first` and `second`, and the hours it took (may be <= 0 by their errors)."""

    stretch: Stretch
    first: int
    second: int
    hours: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How unsure travel times are.

    Standard deviations of log slowness: at a point, of what shifts a whole event, of what shifts all that lies under ice; and the standard
    error of one detection (h).
    """

    log_sd: float
    correlation_km: float
    common_log_sd: float = 0.0
    ice_log_sd: float = 0.0
    front_sd_h: float = 0.0


class Forecast(NamedTuple):
    """The hours from a detection to the front at a place below, as a distribution: T exp(F) with errors of the clocks added.

    `median_h`: at least 0. `log_sd` of the way; `clock_sd_h`: of the detection it counts from and of the one to come; `shared`: covariance
    of F with the time of the detection it counts from (a late detection looks like a slow river); `learned` legs.
    """

    median_h: float
    log_sd: float
    clock_sd_h: float
    shared: float = 0.0
    learned: int = 0

    def hours(self, probability: float) -> float:
        """The quantile (h), probability in (0, 1); below 0 where the errors of the clocks are larger than the way.

        >>> way = Forecast(10.0, 0.3, 0.0)
        >>> round(way.hours(0.1), 2), way.hours(0.5), round(way.hours(0.9), 2)
        (6.81, 10.0, 14.69)
        >>> round(Forecast(0.0, 0.3, 2.0).hours(0.9), 2)
        2.56
        """
        return self.hours_at(_NORMAL.inv_cdf(probability))

    def hours_at(self, z: float) -> float:
        """The quantile (h) by its standard normal variate: `hours_at(1.2816)` is `hours(0.9)`."""
        way = self.median_h * math.expm1(z * self.log_sd)
        together = 2.0 * way * z * self.shared / self.log_sd if self.log_sd > 0.0 else 0.0
        half = math.sqrt(max(0.0, way * way + (z * self.clock_sd_h) ** 2 - together))
        return self.median_h + math.copysign(half, z)


@dataclass(frozen=True, slots=True)
class Learned:
    """The posterior: legs, their hours about which they were linearised, how detections enter them, and the solved innovations."""

    spread: Spread
    legs: tuple[Leg, ...]
    about: NDArray[np.float64]
    clock: NDArray[np.float64]
    error: NDArray[np.float64]
    inverse: NDArray[np.float64]
    solved: NDArray[np.float64]


def learn(spread: Spread, legs: Sequence[Leg], detection_sd_h: Sequence[float] = (0.0,)) -> Learned:
    """Posterior of the log slowness given the legs of one event (any number, none too). Their prior hours must be > 0 and finite.

    `detection_sd_h`: by number of a detection the standard error (h) that it has beyond the usual one; 0 for those not in the list.
    """
    return _posterior(spread, tuple(legs), tuple(detection_sd_h))


# The same detections are learned from for every city, source and judgement of an event: what was worked out once is kept.
@lru_cache(maxsize=4096)
def _posterior(spread: Spread, legs: tuple[Leg, ...], detection_sd_h: tuple[float, ...]) -> Learned:
    count = len(legs)
    detections = max(len(detection_sd_h), 1 + max((max(leg.first, leg.second) for leg in legs), default=0))
    error = np.full(detections, spread.front_sd_h**2)
    error[: len(detection_sd_h)] += np.square(detection_sd_h)
    stretches = [leg.stretch for leg in legs]
    prior = covariance(spread, stretches, stretches)
    hours = np.array([leg.hours for leg in legs])
    prior_h = np.array([leg.stretch.prior_h for leg in legs])
    clock = np.zeros((count, detections))
    for row, leg in enumerate(legs):
        clock[row, leg.second] += 1.0
        clock[row, leg.first] -= 1.0
    noise = clock * (error + _CLOCK_H**2) @ clock.T
    mean = np.zeros(count)
    inverse = np.zeros((count, count), dtype=np.float64)
    about = solved = np.zeros(count)
    for _ in range(_ROUNDS if count else 0):
        about = prior_h * np.exp(mean)
        inverse = np.asarray(np.linalg.inv(prior * np.outer(about, about) + noise + np.eye(count) * _CLOCK_H**2), dtype=np.float64)
        solved = inverse @ (hours - about + about * mean)
        before, mean = mean, prior @ (about * solved)
        if np.abs(mean - before).max() < _SETTLED:
            break
    return Learned(spread, legs, about, clock, error, inverse, solved)


def prior_forecast(spread: Spread, stretch: Stretch) -> Forecast:
    """The way before anything is learned."""
    return Forecast(stretch.prior_h, math.sqrt(_variance(spread, stretch)), math.sqrt(2.0) * spread.front_sd_h)


def prior_spread(spread: Spread, distance_km: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """`log_sd` and `clock_sd_h` of `prior_forecast` for open water over each distance from the source, exactly."""
    scaled = np.maximum(distance_km, _SHORTEST_KM) / spread.correlation_km
    fallen = np.array([math.expm1(-one) for one in scaled.tolist()], dtype=np.float64)
    field = 2.0 * (scaled + fallen) / (scaled * scaled)
    return np.sqrt(spread.log_sd**2 * field + spread.common_log_sd**2), math.sqrt(2.0) * spread.front_sd_h


def forecast(learned: Learned, stretch: Stretch, start: int, end_sd_h: float = 0.0) -> Forecast:
    """The rest of the way from detection number `start` over `stretch`, which begins there.

    `end_sd_h`: the standard error (h) that the detection at its end will have beyond the usual one.
    """
    spread, error = learned.spread, learned.error.item(start) if start < len(learned.error) else learned.spread.front_sd_h**2
    end = spread.front_sd_h**2 + end_sd_h**2
    if not learned.legs:
        return Forecast(stretch.prior_h, math.sqrt(_variance(spread, stretch)), math.sqrt(error + end))
    row = np.array([_shared(spread, stretch, leg.stretch) for leg in learned.legs]) * learned.about
    late = learned.clock[:, start] * error if start < learned.clock.shape[1] else np.zeros(len(learned.legs))
    gained = row @ learned.inverse
    mean, variance = float(row @ learned.solved), _variance(spread, stretch) - float(gained @ row)
    late_h, late_variance = float(late @ learned.solved), error - float(late @ learned.inverse @ late)
    return Forecast(
        median_h=max(0.0, stretch.prior_h * math.exp(mean) - late_h),
        log_sd=math.sqrt(max(0.0, variance)),
        clock_sd_h=math.sqrt(max(0.0, late_variance) + end),
        shared=-float(gained @ late),
        learned=len(learned.legs),
    )


def _variance(spread: Spread, stretch: Stretch) -> float:
    scaled = max(stretch.to_km - stretch.from_km, _SHORTEST_KM) / spread.correlation_km
    field = 2.0 * (scaled + math.expm1(-scaled)) / (scaled * scaled)
    return (spread.log_sd * stretch.scale) ** 2 * field + spread.common_log_sd**2 + (spread.ice_log_sd * stretch.iced) ** 2


def _shared(spread: Spread, one: Stretch, other: Stretch) -> float:
    """`covariance` of two stretches that may touch but not overlap, without arrays: it is asked for every city."""
    length = spread.correlation_km
    upper, lower = (one, other) if one.from_km < other.from_km else (other, one)
    gap_km = lower.from_km - max(upper.to_km, upper.from_km + _SHORTEST_KM)
    if gap_km < 0.0:
        return float(covariance(spread, [one], [other]).item())
    within = 1.0
    for stretch in (upper, lower):
        scaled = max(stretch.to_km - stretch.from_km, _SHORTEST_KM) / length
        within *= -math.expm1(-scaled) / scaled
    field = spread.log_sd**2 * one.scale * other.scale * math.exp(-gap_km / length) * within
    return field + spread.common_log_sd**2 + spread.ice_log_sd**2 * one.iced * other.iced


def covariance(spread: Spread, first: Sequence[Stretch], second: Sequence[Stretch]) -> NDArray[np.float64]:
    """Prior covariance of the mean log slowness of each of the `first` stretches with each of the `second`; they may overlap.

    >>> one = covariance(Spread(0.4, 100.0), [Stretch(0.0, 0.01, 1.0)], [Stretch(0.0, 0.01, 1.0), Stretch(100.0, 100.01, 1.0)])
    >>> one.round(4).tolist()
    [[0.16, 0.0589]]
    """
    a, b, iced, scale = _columns(first)
    c, d, other_iced, other_scale = _columns(second)
    length = spread.correlation_km
    between = sum(
        sign * _twice_integrated(np.subtract.outer(x, y) / length) for sign, x, y in ((1, b, c), (-1, a, c), (-1, b, d), (1, a, d))
    )
    mean = between * length**2 / np.outer(b - a, d - c) * np.outer(scale, other_scale)
    return np.asarray(spread.log_sd**2 * mean + spread.common_log_sd**2 + spread.ice_log_sd**2 * np.outer(iced, other_iced))


def _twice_integrated(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Second antiderivative of exp(-|u|)."""
    return np.asarray(np.abs(u) + np.expm1(-np.abs(u)))


def _columns(stretches: Sequence[Stretch]) -> NDArray[np.float64]:
    """Start, end, share of ice and scale, a row each."""
    rows = [(one.from_km, max(one.to_km, one.from_km + _SHORTEST_KM), one.iced, one.scale) for one in stretches]
    return np.array(rows, dtype=np.float64).reshape(-1, 4).T
