"""The chance that a gauge reaches a level within the next steps, from how all gauges of its domain stand and rise now. Pure.

For each window (the next step, the next two, ...) one linear regression says how much higher than now the gauge will stand at most. It
looks at every gauge of the domain, also those that are not upstream: the rain that will come down the river tomorrow shows today in
the neighbouring valleys. A rise counts by itself, and more on a river that is already high (the ground is wet, the valley full). What is
left, a logistic curve of the distance between the expected height and the level makes a probability of; it was fitted to
forecasts of years that the regressions had not seen (`stream.calibrate.forecasts`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stream.region.forecasts import LAGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from stream.region.forecasts import Forecaster, Target

    Floats = NDArray[np.float64]

YEAR_MS = 365.2425 * 86_400_000.0
QUANTILES = (0.1, 0.5, 0.9)


class Outlook(NamedTuple):
    """What is ahead of one series: by level (rising) its chance within the longest window, and when it would be reached (h, P10/P50/P90).

    `chances[level][window]` are the chances within each window. `missing`: the series without fresh values; then nothing is forecast.
    """

    series: str
    chances: tuple[tuple[float, ...], ...]
    arrives_h: tuple[tuple[float, float, float], ...]
    missing: tuple[str, ...] = ()


def predictors(log_value: Floats, high: Floats, observed_at: NDArray[np.int64]) -> Floats:
    """(n, 5 g + 5) predictors from ln values (n, 3, g), now first, of the g series at instants (n,) in ms UTC; the last is the constant 1.

    Of every series: its height against `high` (g,), the rise of the last step and of the one before, the part of the last rise that is
    up, and the last rise times the height. Then the season (one wave a year), alone and times the mean height of the domain.

    >>> predictors(np.log([[[2.0], [1.0], [1.0]]]), np.array([0.0]), np.array([0])).round(3).tolist()
    [[0.693, 0.693, 0.0, 0.693, 0.48, 0.0, 1.0, 0.0, 0.693, 1.0]]
    """
    height = log_value[:, 0] - high
    rise, before = log_value[:, 0] - log_value[:, 1], log_value[:, 1] - log_value[:, 2]
    turn = 2.0 * math.pi * observed_at / YEAR_MS
    season = np.stack([np.sin(turn), np.cos(turn)], axis=1)
    domain = height.mean(axis=1, keepdims=True)
    return np.hstack([height, rise, before, np.maximum(rise, 0.0), rise * height, season, season * domain, np.ones((len(height), 1))])


def expected(model: Forecaster, target: Target, log_value: Floats, observed_at: NDArray[np.int64]) -> Floats:
    """(n, windows): expected ln of the highest value of `target` within each window; `log_value` (n, 3, g) and `observed_at` as above."""
    now = log_value[:, 0, model.series.index(target.series)]
    change: Floats = predictors(log_value, np.array(model.high), observed_at) @ model.weights(target).T
    return now[:, None] + change


def exceedance(model: Forecaster, target: Target, height: Floats, levels: Floats) -> Floats:
    """(n, levels, windows): chance that each level (in the unit of the series, > 0) is reached within each window, given `expected` heights.

    Never falls with a longer window.
    """
    chance = np.array(model.chance)
    margin = (height[:, None, :] - np.log(levels)[None, :, None]) / math.sqrt(target.scale)
    odds = np.clip(chance[:, 0] + chance[:, 1] * margin, -40.0, 40.0)
    one: Floats = np.maximum.accumulate(1.0 / (1.0 + np.exp(-odds)), axis=2)
    return one


def arrives_h(chances: Sequence[float], windows: Sequence[int], step_h: float) -> tuple[float, float, float]:
    """P10/P50/P90 (h from now) of the time at which the level is reached, if it is reached within the longest window at all.

    `chances` within each window never fall; between windows time is spread evenly. NaN where the chance is 0.

    >>> arrives_h([0.2, 0.4], [1, 2], 24.0)
    (4.8, 24.0, 43.2)
    """
    last = chances[-1]
    if not last > 0.0:
        return math.nan, math.nan, math.nan
    share = np.array([0.0, *chances]) / last
    low, middle, high = np.interp(QUANTILES, share, np.array([0, *windows]) * step_h).tolist()
    return low, middle, high


def outlooks(model: Forecaster, value: Floats, observed_at: int, levels: Mapping[str, Sequence[float]]) -> tuple[Outlook, ...]:
    """What is ahead of every target that has levels (rising, > 0, in the unit of its series).

    `value` (3, g): of the series in the model's order now, one step before and two before; NaN where there is none. A domain with
    a gauge that does not report is not forecast: a wave on it would not be seen, and "unlikely" would be a guess.
    """
    if value.shape != (LAGS, len(model.series)):
        msg = f"values of shape {value.shape}; give {LAGS} steps of {len(model.series)} series"
        raise ValueError(msg)
    wanted = [target for target in model.targets if target.series in levels]
    sound = np.all(np.isfinite(value) & (value > 0.0), axis=0)
    missing = tuple(name for place, name in enumerate(model.series) if not sound[place])
    if missing:
        return tuple(Outlook(target.series, (), (), missing) for target in wanted)
    log_value, at = np.log(value)[None], np.array([observed_at], dtype=np.int64)
    found = []
    for target in wanted:
        height = expected(model, target, log_value, at)
        chances = exceedance(model, target, height, np.array(levels[target.series], dtype=np.float64))[0].tolist()
        times = tuple(arrives_h(one, model.windows, model.step_s / 3600.0) for one in chances)
        found.append(Outlook(target.series, tuple(map(tuple, chances)), times))
    return tuple(found)
