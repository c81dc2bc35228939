"""The ridge regressions `detectors/air_forecast.py` is compared with: fitted in one go to a whole network, with weather and the network's mean.

The 24-hour mean is linear in the hours: ridge regression in ug/m3 on the means of the last hours, time of day, season, what the other stations
measured, and weather as observed now; one model for all stations, learned by sums that can be added to and taken from (`Sums`:
cross-validation needs no second pass). The error grows with the concentration: its standard deviation is learned as a + b * forecast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

HOURS = 24
NETWORK_HOURS = 12
MEANS_H = (1, 2, 3, 6, 12, 18, 24)
NETWORK_MEANS_H = (1, 3, 6, 12)
_YEAR_H = 365.2425 * 24.0
_SPREAD_MIN = 1.0  # ug/m3: what a monitor's own error is, at least
_ERROR_OF_ABSOLUTE = math.sqrt(math.pi / 2.0)  # standard deviation / mean absolute error of a normal error
_erf = np.vectorize(math.erf, otypes=[np.float64])


def inputs(hourly: Floats, network: Floats | None, hour: NDArray[np.int64], weather: Floats | None) -> Floats:
    """The raw columns of the regression, (n, d), NaN where not known.

    `hourly`: the last 24 hourly means of the station, (n, 24), newest last, ug/m3, NaN = missing. `network`: the last 12 hours of the mean over
    all stations, (n, 12), or None to do without. `hour`: hours since 1970 in local time, (n,). `weather`: any columns, (n, k), or None.

    >>> inputs(np.full((1, 24), 7.0), None, np.array([0]), None).shape
    (1, 13)
    """
    day, year = 2.0 * math.pi * (hour % 24) / 24.0, 2.0 * math.pi * (hour % _YEAR_H) / _YEAR_H
    cycle = [np.sin(day), np.cos(day), np.sin(2 * day), np.cos(2 * day), np.sin(year), np.cos(year)]
    columns = [*(_mean(hourly, n) for n in MEANS_H), *cycle]
    if network is not None:
        columns += [_mean(network, n) for n in NETWORK_MEANS_H]
    plain = np.column_stack(columns)
    return plain if weather is None else np.column_stack([plain, weather])


def _mean(hours: Floats, n: int) -> Floats:
    """The mean of the last n hours that are known; of the last three for n = 1 and 2 when those are missing."""
    span = hours[:, -n:]
    there = ~np.isnan(span)
    mean: Floats = np.divide(
        np.where(there, span, 0.0).sum(axis=1), there.sum(axis=1), out=np.full(len(hours), np.nan), where=there.any(axis=1)
    )
    wider = 3
    return np.where(np.isnan(mean), _mean(hours, wider), mean) if n < wider else mean


@dataclass(frozen=True, slots=True)
class Scaling:
    """Mean and standard deviation of the raw columns where a model was learned."""

    mean: Floats
    deviation: Floats

    def design(self, raw: Floats) -> Floats:
        """The columns of the regression: 1, the scaled raw ones (unknown = their mean), and crossed ones.

        The station's last hour and its 24-hour mean are crossed with every column that is no mean of its own hours: wind matters
        more when there is something to blow away.
        """
        scaled = np.nan_to_num((raw - self.mean) / self.deviation)
        own = len(MEANS_H)
        crossed = [scaled[:, [0]] * scaled[:, own:], scaled[:, [own - 1]] * scaled[:, own:]]
        return np.column_stack([np.ones(len(raw)), scaled, *crossed])


def scaling(raw: Floats) -> Scaling:
    """The scaling of these columns; a column that never varies or is never known gets deviation 1."""
    there = ~np.isnan(raw)
    count = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, raw, 0.0).sum(axis=0) / count
    deviation: Floats = np.sqrt((np.where(there, raw - mean, 0.0) ** 2).sum(axis=0) / count)
    return Scaling(mean, np.where(deviation > 0, deviation, 1.0))


@dataclass(frozen=True, slots=True)
class Sums:
    """All a ridge regression needs to know of its data. Sums of parts add up, and a part can be taken out again."""

    square: NDArray[Any]
    product: NDArray[Any]

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.square + other.square, self.product + other.product)

    def __sub__(self, other: Sums) -> Sums:
        return Sums(self.square - other.square, self.product - other.product)


def sums(design: Floats, target: Floats) -> Sums:
    """The sums of rows whose target (or targets, (n, m)) is known."""
    targets = target.reshape(len(target), -1)
    known = ~np.isnan(targets).any(axis=1)
    x = design[known]
    return Sums(x.T @ x, x.T @ targets[known])


def solve(learned: Sums, penalty: float) -> Floats:
    """Ridge coefficients, (columns, targets); the intercept is not penalised."""
    ridge: Floats = np.full(len(learned.square), penalty, dtype=np.float64)
    ridge[0] = 0.0
    found: Floats = np.linalg.solve(learned.square + np.diag(ridge), learned.product).astype(np.float64)
    return found


@dataclass(frozen=True, slots=True)
class Model:
    """A learned forecast of the 24-hour mean `lead_h` hours ahead."""

    lead_h: int
    scaling: Scaling
    coefficients: Floats
    spread: tuple[float, float]
    """Standard deviation of the error = spread[0] + spread[1] * forecast, at least 1 ug/m3."""

    def forecast(self, raw: Floats) -> Floats:
        """The expected 24-hour mean `lead_h` hours ahead, ug/m3, (n,); never below zero."""
        return np.maximum(self.scaling.design(raw) @ self.coefficients, 0.0)

    def exceedance(self, raw: Floats, limit: float) -> Floats:
        """The probability that the 24-hour mean `lead_h` hours ahead is above `limit`, (n,)."""
        return exceedance(self.forecast(raw), self.spread, limit)


def exceedance(forecast: Floats, spread: tuple[float, float], limit: float) -> Floats:
    """The probability that a value forecast with this spread is above `limit`.

    >>> exceedance(np.array([100.0, 115.0, 130.0]), (5.0, 0.1), 115.0).round(2)
    array([0.16, 0.5 , 0.8 ])
    """
    deviation = np.maximum(spread[0] + spread[1] * forecast, _SPREAD_MIN)
    probability: Floats = 0.5 * (1.0 + _erf((forecast - limit) / deviation / math.sqrt(2.0)))
    return probability


def spread_of(forecast: Floats, observed: Floats) -> tuple[float, float]:
    """The standard deviation of the error as a + b * forecast, from the absolute errors (least squares, neither negative)."""
    known = ~np.isnan(forecast) & ~np.isnan(observed)
    x, error = forecast[known], _ERROR_OF_ABSOLUTE * np.abs(observed[known] - forecast[known])
    if len(x) == 0:
        return _SPREAD_MIN, 0.0
    centred = x - x.mean()
    variance = float((centred**2).sum())
    slope = max(float((centred * error).sum()) / variance, 0.0) if variance > 0 else 0.0
    return max(float(error.mean() - slope * x.mean()), 0.0), slope


def learn(raw: Floats, later: Floats, lead_h: int, penalty: float) -> Model:
    """A model from raw columns (`inputs`) and the 24-hour means observed `lead_h` hours later, (n,), NaN = not known."""
    scale = scaling(raw)
    design = scale.design(raw)
    coefficients = solve(sums(design, later), penalty)[:, 0]
    return Model(lead_h, scale, coefficients, spread_of(np.maximum(design @ coefficients, 0.0), later))


def windows(values: Floats, length: int) -> Floats:
    """The last `length` values at every instant of a series, (n, length), newest last, NaN before its start.

    >>> windows(np.array([1.0, 2.0]), 3)
    array([[nan, nan,  1.],
           [nan,  1.,  2.]])
    """
    padded = np.concatenate([np.full(length - 1, np.nan), values])
    view: NDArray[Any] = np.lib.stride_tricks.sliding_window_view(padded, length)
    return view


def day_mean(hourly: Floats) -> Floats:
    """The mean of 24 hours, (n, 24); NaN unless 18 of them are there (three quarters, as standards ask)."""
    there = ~np.isnan(hourly)
    count = there.sum(axis=1)
    mean = np.where(there, hourly, 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.where(count >= HOURS * 0.75, mean, np.nan)
