"""Learns forecasts of how high gauges will stand (`stream.region.forecasts`) from regular series of a domain. Pure: arrays in, numbers out.

Ridge regression in which steps count more the nearer the gauge or one above it stands to the level of every second year: what matters is
a good forecast near floods. What the regressions are worth is judged on years they were not fitted to (each block of years is
forecast by a fit to the others), and only from such forecasts the probabilities are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stream.decide.forecast import exceedance, predictors
from stream.region.forecasts import LAGS, Forecaster, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WINDOWS = (1, 2, 3, 5, 7)
RETURN_YEARS = (1.25, 1.5, 2.0, 3.0, 5.0)
"""Levels, by the share 1 - 1/T of annual maxima below them, at which probabilities are fitted, all together."""
BLOCK_YEARS = 3
_WET, _CAP, _NEAR = -3.0, 0.5, -1.2
_HIGH_WATER = -1.0
_DIGITS = 7
_CONSTANT, _SETTLED = 1e-12, 1e-9


@dataclass(frozen=True, slots=True)
class Gauges:
    """Regular series of one domain; steps on which a gauge has no value (NaN), and those they are part of, are not learned from.

    `names` (g); `at` (n,) ms UTC; `log_value` (n, g), NaN for none; `upstream` by target name: it and the gauges above it; `step_s` between values.
    """

    names: tuple[str, ...]
    at: NDArray[np.int64]
    log_value: Floats
    upstream: dict[str, tuple[int, ...]]
    step_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """`ridge`: penalty on standardised predictors; `emphasis`: how fast the weight of a step grows with ln height; windows in steps."""

    ridge: float = 3.0
    emphasis: float = 1.5
    windows: tuple[int, ...] = WINDOWS


@dataclass(frozen=True, slots=True)
class Learned:
    """`model`; `unseen` by target: (n, windows) expected ln heights, before the split by fits to other blocks of years, after it by the model."""

    model: Forecaster
    unseen: dict[str, Floats]


def lagged(log_value: Floats) -> Floats:
    """(n, LAGS, g): now, one step before, two before; the first rows, which have no past, repeat their first value.

    >>> lagged(np.array([[1.0], [2.0], [3.0]]))[:, :, 0].tolist()
    [[1.0, 1.0, 1.0], [2.0, 1.0, 1.0], [3.0, 2.0, 1.0]]
    """
    steps = np.arange(len(log_value))
    return np.stack([log_value[np.maximum(steps - lag, 0)] for lag in range(LAGS)], axis=1)


def highest(log_value: Floats, windows: Sequence[int]) -> Floats:
    """(n, windows): the highest of the next so many values, NaN where the series ends before.

    >>> highest(np.array([1.0, 5.0, 2.0]), [1, 2]).tolist()
    [[5.0, 5.0], [2.0, nan], [nan, nan]]
    """
    padded = np.concatenate([log_value, np.full(max(windows), np.nan)])
    ahead = np.lib.stride_tricks.sliding_window_view(padded[1:], max(windows))
    return np.stack([ahead[:, :window].max(axis=1) for window in windows], axis=1)


def yearly(at: NDArray[np.int64], value: Floats) -> Floats:
    """(years, g): the highest value of each calendar year (NaN if there is none); a first or last year that is not whole counts as well."""
    years = at.astype("datetime64[ms]").astype("datetime64[Y]")
    return np.array([np.fmax.reduce(value[years == year], axis=0) for year in np.unique(years)])


def learn(gauges: Gauges, split: int, plan: Plan) -> Learned:
    """Learn from rows before `split`; forecast all of them. Needs at least two blocks of three years."""
    maxima = yearly(gauges.at[:split], gauges.log_value[:split])
    high = np.nanmedian(maxima, axis=0)
    x = predictors(lagged(gauges.log_value), high, gauges.at)
    blocks = _blocks(gauges.at[:split], split)
    unseen: dict[str, Floats] = {}
    targets = []
    for name, rows in gauges.upstream.items():
        own = gauges.log_value[:, gauges.names.index(name)]
        y = highest(own, plan.windows) - own[:, None]
        near = (gauges.log_value[:, rows] - high[list(rows)]).max(axis=1)
        importance = np.exp(plan.emphasis * np.clip(near, _WET, _CAP))
        y[:split][np.arange(split) >= split - max(plan.windows)] = np.nan  # nothing of what comes after the split
        weights, change = _fit(x, y[:split], importance[:split], blocks, plan)
        unseen[name] = own[:, None] + change
        missed = (y - change)[:split, 0][own[:split] - high[gauges.names.index(name)] > _HIGH_WATER]
        scale = float(np.nanstd(missed))
        targets.append(Target(name, float(f"{scale:.{_DIGITS}g}"), tuple(tuple(_short(row)) for row in weights.T.tolist())))
    blank = Forecaster(gauges.names, gauges.step_s, plan.windows, tuple(high.tolist()), ((0.0, 1.0),) * len(plan.windows), tuple(targets))
    chance = _chances(gauges, blank, unseen, maxima, split)
    return Learned(Forecaster(blank.series, blank.step_s, blank.windows, blank.high, chance, blank.targets), unseen)


def stated(learned: Learned, name: str, levels: Floats) -> Floats:
    """(n, levels, windows): the probabilities a target's unseen forecasts state."""
    target = next(one for one in learned.model.targets if one.series == name)
    return exceedance(learned.model, target, learned.unseen[name], levels)


def _blocks(at: NDArray[np.int64], split: int) -> NDArray[np.int64]:
    """Number of the block of years of each row."""
    years = at[:split].astype("datetime64[ms]").astype("datetime64[Y]").astype(np.int64)
    blocks = (years - years[0]) // BLOCK_YEARS
    if blocks[-1] < 1:
        msg = f"forecasts need more than {BLOCK_YEARS} calendar years of values to learn from"
        raise ValueError(msg)
    return np.asarray(blocks)


def _fit(x: Floats, y: Floats, importance: Floats, blocks: NDArray[np.int64], plan: Plan) -> tuple[Floats, Floats]:
    """(predictors, windows) weights from all rows of `y`, and (n, windows) forecasts: each block's from the other blocks, the rest's from all.

    The sums of a block and its neighbourhood are taken from the whole sums, so one pass over the rows is enough.
    """
    split, guard = len(y), 2 * max(plan.windows)
    known: NDArray[np.bool_] = np.asarray(np.all(np.isfinite(x), axis=1))
    usable = np.asarray(np.all(np.isfinite(y), axis=1)) & known[:split]
    middle, spread = x[:split][known[:split]].mean(axis=0), x[:split][known[:split]].std(axis=0)
    constant = spread < _CONSTANT
    middle[constant], spread[constant] = 0.0, 1.0
    z = np.where(known[:, None], (x - middle) / spread, 0.0)
    penalty = np.diag(np.where(np.arange(x.shape[1]) == x.shape[1] - 1, 1e-6, plan.ridge))
    weighted = z[:split] * np.where(usable, importance, 0.0)[:, None]
    target = np.where(usable[:, None], y, 0.0)
    gram, moment = weighted.T @ z[:split], weighted.T @ target
    solution = np.linalg.solve(gram + penalty, moment)
    change = z @ solution
    for block in np.unique(blocks):
        inside = np.nonzero(blocks == block)[0]
        near = slice(max(inside[0] - guard, 0), inside[-1] + 1 + guard)  # what overlaps with it is not learned from
        part_gram, part_moment = weighted[near].T @ z[:split][near], weighted[near].T @ target[near]
        change[inside] = z[inside] @ np.linalg.solve(gram - part_gram + penalty, moment - part_moment)
    change[~known] = np.nan
    raw = solution / spread[:, None]
    raw[-1] -= (middle[:, None] * raw).sum(axis=0)
    return raw, change


def _chances(gauges: Gauges, model: Forecaster, unseen: dict[str, Floats], maxima: Floats, split: int) -> tuple[tuple[float, float], ...]:
    """Intercept and slope of the log-odds of each window, from all targets and levels together, where the level is not reached yet."""
    found = []
    for number, window in enumerate(model.windows):
        margins, reached = [], []
        for target in model.targets:
            own = model.series.index(target.series)
            values = gauges.log_value[:split, own]
            ahead = highest(values, [window])[:, 0]
            for level in np.nanquantile(maxima[:, own], [1.0 - 1.0 / years for years in RETURN_YEARS]).tolist():
                margin = unseen[target.series][:split, number] - level
                asked = (values < level) & np.isfinite(ahead) & (margin > _NEAR)
                margins.append(margin[asked] / np.sqrt(target.scale))
                reached.append(ahead[asked] >= level)
        found.append(logistic(np.concatenate(margins), np.concatenate(reached)))
    return tuple(found)


def logistic(margin: Floats, reached: NDArray[np.bool_]) -> tuple[float, float]:
    """Intercept and slope of the log-odds of `reached` on `margin`, by Newton's method on the penalised likelihood (slope > 0 for sane data).

    >>> margin = np.repeat([-1.0, 1.0], 100)
    >>> logistic(margin, np.tile(np.arange(100) < 25, 2) ^ (margin > 0))
    (-0.0, 1.09...)
    """
    x = np.stack([np.ones_like(margin), margin], axis=1)
    found = np.zeros(2)
    for _ in range(30):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ found, -30.0, 30.0)))
        slope = x.T @ (reached - p) - 1e-3 * found
        curvature = (x * (p * (1.0 - p))[:, None]).T @ x + 1e-3 * np.eye(2)
        step = np.linalg.solve(curvature, slope)
        found = found + step
        if np.abs(step).max() < _SETTLED:
            break
    return float(f"{found[0]:.{_DIGITS}g}"), float(f"{found[1]:.{_DIGITS}g}")


def _short(row: Sequence[float]) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in row]
