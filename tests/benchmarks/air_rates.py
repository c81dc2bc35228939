"""Nominal against achieved false alarms of the air CUSUM on quiet series simulated with Beijing's own autocorrelation and daily course.

Hours above every limit are what is to be found, so no real winter is quiet; normal innovations around a mean that stays are.
"""

from __future__ import annotations

import numpy as np

from detectors import air_cusum, cusum
from detectors.base import Samples
from tests.benchmarks.air_data import load
from tests.benchmarks.water_contestants import table
from tests.benchmarks.water_rates import P_GRID, Rate

HOUR_MS = 3_600_000
WARMUP_H = 3000
MEAN_H = 480


def fitted(train_h=8760):
    """(lag-one autocorrelation by site, standard deviation by site, daily course as logarithms) of the first year's log concentrations."""
    logs = np.log(np.maximum(load().hourly[:train_h], 3.0))
    hours = np.arange(train_h) % 24
    course = np.array([np.nanmean(logs[hours == hour]) for hour in range(24)])
    rest = logs - course[hours][:, None]
    weights = np.ones(MEAN_H) / MEAN_H
    rest -= np.array([np.convolve(np.where(np.isnan(one), 0.0, one), weights, "same") for one in rest.T]).T
    pairs = [one[:, ~np.isnan(one).any(axis=0)] for one in (np.array([site[1:], site[:-1]]) for site in rest.T)]
    return np.array([np.corrcoef(*one)[0, 1] for one in pairs]), np.nanstd(rest, axis=0), course - course.mean()


def simulated(site, hours, arls_h, seed=0):
    """Rates for thresholds with so many hours between alarms, and the share of p-values below each of P_GRID."""
    rho, sd, course = site
    each = len(rho)
    n, rng = each * len(arls_h), np.random.default_rng(seed)
    rho, sd = np.tile(rho, len(arls_h)), np.tile(sd, len(arls_h))
    p = table(air_cusum, {"h_blue": np.repeat([cusum.threshold_for(arl, 0.5) for arl in arls_h], each)}, n)
    state, x, old = air_cusum.initial(p), rng.standard_normal(n), np.zeros(n, dtype=np.uint8)
    rows, flag, order = np.arange(n, dtype=np.intp), np.ones(n, dtype=np.uint8), np.ones(n, dtype=np.bool_)
    raised, below, seen = np.zeros(n, dtype=np.int64), np.zeros(len(P_GRID)), 0
    for hour in range(hours + WARMUP_H):
        x = rho * x + np.sqrt(1.0 - rho * rho) * rng.standard_normal(n)
        value = np.exp(4.0 + course[hour % 24] + sd * x)
        found = air_cusum.step(p, state, Samples(rows, np.full(n, hour * HOUR_MS), value, flag, order))
        if hour >= WARMUP_H:
            raised += (found.level > 0) & (old == 0)
            below += (found.p_value[None] <= np.array(P_GRID)[:, None]).sum(axis=1)
            seen += n
        old = found.level
    years = each * hours / 8766.0
    rates = [
        Rate(f"air_cusum, simulated quiet, one in {arl:.0f} h", each * hours / arl, int(raised[k * each : (k + 1) * each].sum()), years)
        for k, arl in enumerate(arls_h)
    ]
    return rates, below / seen
