"""What flood forecasts are compared with: the best k-of-n-upstream rule of each gauge, and a ridge regression with a tuned factor."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.flood_data import best

SHARES = (0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998)
"""Levels upstream, as shares of the learning days below them."""
PENALTIES = (1.0, 10.0, 100.0)
FACTORS = tuple(round(0.6 + 0.02 * step, 2) for step in range(36))
BLOCK_YEARS = 3


def k_of_n(floods, return_years, learned):
    """(settings, warned by gauge): for each gauge the share and k whose CSI on the learning days is highest."""
    settings, warned = {}, {}
    for name, above in floods.above.items():
        tried = {}
        for share in SHARES:
            high = floods.flow[:, above] >= np.quantile(floods.flow[: floods.split, above], share, axis=0)
            for k in range(1, len(above) + 1):
                tried[share, k] = {name: high.sum(axis=1) >= k}
        settings[name], _ = best(floods, tried, return_years, learned)
        warned[name] = tried[settings[name]][name]
    return settings, warned


def ridge_forecasts(floods, penalty, horizons):
    """By gauge (n,): the highest forecast of ln discharge at these days ahead, from the upstream gauges and itself on the day and the day before.

    Learning days are forecast by fits to the other blocks of three years, scored ones by the fit to all learning days.
    """
    log_flow, split = np.log(floods.flow), floods.split
    blocks = (floods.years[:split] - floods.years[0]) // BLOCK_YEARS
    found = {}
    for name, above in floods.above.items():
        seen = log_flow[:, [floods.names.index(name), *above]]
        x = np.hstack([seen, np.roll(seen, 1, axis=0)])
        own = np.log(floods.own(name))
        y = np.stack([np.roll(own, -ahead) for ahead in horizons], axis=1)[: split - max(horizons)]
        forecast = _fitted(x[1 : len(y)], y[1:], penalty, x)
        for block in np.unique(blocks):
            others = np.flatnonzero(blocks[: len(y)] != block)[1:]
            inside = np.flatnonzero(blocks == block)
            forecast[inside] = _fitted(x[others], y[others], penalty, x[inside])
        found[name] = forecast.max(axis=1)
    return found


def _fitted(x, y, penalty, given):
    middle, spread = x.mean(axis=0), x.std(axis=0)
    z = (x - middle) / spread
    weights = np.linalg.solve(z.T @ z + penalty * np.eye(z.shape[1]), z.T @ (y - y.mean(axis=0)))
    return (given - middle) / spread @ weights + y.mean(axis=0)


def ridge(floods, return_years, learned, forecasts):
    """(setting, warned by gauge): the (penalty, factor) whose CSI on the learning days is highest; a warning is forecast >= factor * level."""
    tried = {
        (penalty, factor): {name: height >= np.log(factor * floods.level[return_years][name]) for name, height in found.items()}
        for penalty, found in forecasts.items()
        for factor in FACTORS
    }
    setting, _ = best(floods, tried, return_years, learned)
    return setting, tried[setting]
