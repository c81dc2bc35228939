"""Who warns in the water benchmark: each contestant turns discharge into marked days, from the gauge's own past and present only.

Every setting is chosen on the training years by the critical success index of warnings at least a day ahead; all tried are printed.
"""

from __future__ import annotations

import itertools

import numpy as np
from river import anomaly, drift

from detectors import cusum, rate_of_rise, stage
from detectors.base import Samples
from detectors.time_to_threshold import time_to_threshold_h
from tests.benchmarks.water_data import DAY_MS

DAY_S = DAY_MS / 1000.0


def table(module, columns, n):
    """Parameters of `n` series from columns that differ from the defaults."""
    parameters = np.zeros(n, dtype=module.PARAMETERS)
    for name, default in zip(module.PARAMETERS.names, module.DEFAULTS, strict=True):
        parameters[name] = columns.get(name, default)
    return parameters


def played(module, parameters, river):
    """The findings of every day, all gauges at once."""
    state, n = module.initial(parameters), len(river.names)
    rows, flag, order = np.arange(n, dtype=np.intp), np.ones(n, dtype=np.uint8), np.ones(n, dtype=np.bool_)
    return [
        module.step(parameters, state, Samples(rows, np.full(n, at), flow.copy(), flag, order))
        for at, flow in zip(river.at.tolist(), river.flow, strict=True)
    ]


def local_threshold(river):
    """Discharge above a share of the 2-year level."""
    for share in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0):
        yield f"share {share}", river.flow >= share * river.level


def local_trend(river):
    """Discharge plus the last day's change times a number of days above the level."""
    change = np.vstack([np.zeros(len(river.names)), np.diff(river.flow, axis=0)])
    for days in (0.5, 0.75, 1.0, 1.5, 2.0, 3.0):
        yield f"{days} days ahead", river.flow + days * np.maximum(change, 0.0) >= river.level


def tocsin(river, taus=(0.1, 0.25, 0.5), ahead_h=(12.0, 18.0, 24.0, 36.0), shares=(0.8, 0.85, 0.9, 0.95, 1.0)):
    """The level reached (stage), or soon: the time to a share of the level at the smoothed rate of rise, where CUSUM has evidence of a rise."""
    n = len(river.names)
    reached = np.array([one.level > 0 for one in played(stage, table(stage, {"blue": river.level, "clear_after_n": 1.0}, n), river)])
    unusual = np.array([one.log_lr for one in played(cusum, table(cusum, CUSUM, n), river)])
    limits = np.array(shares)[None, :] * np.tile(river.level, len(river.at))[:, None]
    for tau in taus:
        found = played(rate_of_rise, table(rate_of_rise, {"tau_s": tau * DAY_S, "gap_s": 3 * DAY_S}, n), river)
        hours = time_to_threshold_h(river.flow.ravel(), np.array([one.trend for one in found]).ravel(), limits).reshape(
            *river.flow.shape, -1
        )
        for (k, share), ahead, evidence in itertools.product(enumerate(shares), ahead_h, (0.0, 2.0)):
            soon = (hours[..., k] > 0.0) & (hours[..., k] <= ahead) & ~(unusual < evidence)
            yield f"tau {tau} d, {share} of the level within {ahead:.0f} h, log LR from {evidence}", reached | soon


CUSUM = {"h_blue": 6.0, "tau_s": 3 * 365 * DAY_S, "gap_s": 3 * DAY_S, "freeze_s": 30 * DAY_S, "log_floor": 0.1, "warmup_n": 365.0}


def half_space_trees(river, windows=(100, 250)):
    """HalfSpaceTrees of river on today's discharge and its change, one model a gauge, learning on; seed 1."""
    top, change = river.flow[: river.split].max(axis=0), np.vstack([np.zeros(len(river.names)), np.diff(river.flow, axis=0)])
    for window in windows:
        found = np.zeros(river.flow.shape)
        for gauge in range(len(river.names)):
            model = anomaly.HalfSpaceTrees(n_trees=10, height=6, window_size=window, seed=1)
            for day in range(len(river.at)):
                x = {
                    "q": min(river.flow[day, gauge] / top[gauge], 1.0),
                    "d": float(np.clip(0.5 + change[day, gauge] / top[gauge], 0.0, 1.0)),
                }
                found[day, gauge] = model.score_one(x)
                model.learn_one(x)
        for limit in (0.5, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99):
            yield f"window {window}, score above {limit}", (found > limit) & (change > 0)


def page_hinkley(river, deltas=(0.005, 0.05, 0.2)):
    """PageHinkley of river on the logarithm of discharge, upwards, one a gauge."""
    logs = np.log(river.flow)
    for delta, threshold in itertools.product(deltas, (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)):
        found = np.zeros(river.flow.shape, dtype=np.bool_)
        for gauge in range(len(river.names)):
            model = drift.PageHinkley(min_instances=30, delta=delta, threshold=threshold, mode="up")
            for day in range(len(river.at)):
                model.update(logs[day, gauge])
                found[day, gauge] = model.drift_detected
        yield f"delta {delta}, threshold {threshold}", found


CONTESTANTS = {
    "tocsin (stage, rate of rise, time to threshold)": tocsin,
    "local threshold": local_threshold,
    "local trend": local_trend,
    "river HalfSpaceTrees": half_space_trees,
    "river PageHinkley": page_hinkley,
}
