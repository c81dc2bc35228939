"""The chance that a gauge reaches a level within the next steps, from how all gauges of its domain stand and rise now. Pure.

For each window (the next step, the next two, ...) one linear regression says how much higher than now the gauge will stand at most. It
looks at every gauge of the domain, also those that are not upstream: the rain that will come down the river tomorrow shows today in
the neighbouring valleys. A rise counts by itself, and more on a river that is already high (the ground is wet, the valley full). What is
left, a logistic curve of the distance between the expected height and the level makes a probability of; it was fitted to
forecasts of years that the regressions had not seen (`stream.calibrate.forecasts`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stream.region.forecasts import LAGS, PER_SERIES, SEASON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from stream.region.forecasts import Forecaster, Target

    Floats = NDArray[np.float64]

YEAR_MS = 365.2425 * 86_400_000.0
QUANTILES = (0.1, 0.5, 0.9)


class Outlook(NamedTuple):
    """What is ahead of one series: by level (rising) its chances, and when it would be reached (h from now, P10/P50/P90) if within the longest window.

    `chances[level][window]` are the chances within each window, NaN where there is no such level. `missing`: the series without fresh values;
    then nothing is forecast. `highest`: the expected highest value within the longest window, in the unit of the series.
    """

    series: str
    chances: tuple[tuple[float, ...], ...]
    arrives_h: tuple[tuple[float, float, float], ...]
    missing: tuple[str, ...] = ()
    highest: float = math.nan


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
    return _chances(model, target.scale, height, np.log(levels))


def _chances(model: Forecaster, scale: float, height: Floats, log_levels: Floats) -> Floats:
    chance = np.array(model.chance)
    margin = (height[:, None, :] - log_levels[None, :, None]) / math.sqrt(scale)
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


@dataclass(frozen=True, slots=True)
class Ready:
    """A model as arrays, for the targets (n) that have levels: nothing needs to be put together again at every step.

    `own` (n): place of the target among the model's series; `weights` (n, windows, predictors); `scale` (n); `levels` (n, most): ln of the levels,
    NaN where a target has fewer.
    """

    model: Forecaster
    series: tuple[str, ...]
    own: NDArray[np.intp]
    weights: Floats
    scale: Floats
    levels: Floats


def ready(model: Forecaster, levels: Mapping[str, Sequence[float]]) -> Ready:
    """The model for those of its targets that have levels (in the unit of the series; NaN and what is not above 0: no level)."""
    wanted = [target for target in model.targets if target.series in levels]
    most = max((len(levels[one.series]) for one in wanted), default=0)
    table = np.full((len(wanted), most), np.nan)
    for place, one in enumerate(wanted):
        given = np.array(levels[one.series], dtype=np.float64)
        table[place, : len(given)] = np.log(np.where(given > 0.0, given, np.nan))
    return Ready(
        model,
        tuple(one.series for one in wanted),
        np.array([model.series.index(one.series) for one in wanted], dtype=np.intp),
        np.array([one.weights for one in wanted]).reshape(len(wanted), len(model.windows), PER_SERIES * len(model.series) + SEASON + 1),
        np.array([one.scale for one in wanted]),
        table,
    )


def outlooks(given: Ready, value: Floats, observed_at: int) -> tuple[Outlook, ...]:
    """What is ahead of every target.

    `value` (3, g): of the series in the model's order now, one step before and two before; NaN where there is none. A domain with
    a gauge that does not report is not forecast: a wave on it would not be seen, and "unlikely" would be a guess.
    """
    model = given.model
    if value.shape != (LAGS, len(model.series)):
        msg = f"values of shape {value.shape}; give {LAGS} steps of {len(model.series)} series"
        raise ValueError(msg)
    sound = np.all(np.isfinite(value) & (value > 0.0), axis=0)
    missing = tuple(name for place, name in enumerate(model.series) if not sound[place])
    if missing:
        return tuple(Outlook(series, (), (), missing) for series in given.series)
    log_value = np.log(value)
    x = predictors(log_value[None], np.array(model.high), np.array([observed_at], dtype=np.int64))[0]
    height = log_value[0, given.own, None] + given.weights @ x
    step_h = model.step_s / 3600.0
    found = []
    for series, scale, expected_height, levels in zip(given.series, given.scale, height, given.levels, strict=True):
        chances = _chances(model, scale, expected_height[None], levels)[0].tolist()
        times = tuple(arrives_h(one, model.windows, step_h) for one in chances)
        found.append(Outlook(series, tuple(map(tuple, chances)), times, (), math.exp(expected_height[-1])))
    return tuple(found)
