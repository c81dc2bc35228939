"""Streaming simulated or read series through a count detector, one period at a time, all series in one call a period."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from detectors.base import Samples, detector

YEAR_MS = 365.2425 * 86_400_000
SIMULATED_WEEK_MS = int(YEAR_MS / 52)
"""The simulated year has 52 weeks."""
SHARED = Path(__file__).parents[3] / "shared" / "data" / "counts"


def parameters(module, n, **changed):
    values = {**dict(zip(module.PARAMETERS.names, module.DEFAULTS, strict=True)), **changed}
    return np.array([tuple(values.values())] * n, dtype=module.PARAMETERS)


def played(name, counts, times=None, **changed):
    """(score, level, p-value) of every period, (series, periods) each."""
    module, (n, periods) = detector(name), counts.shape
    if times is None:
        times = np.arange(1, periods + 1, dtype=np.int64) * SIMULATED_WEEK_MS
        changed = {"period_s": SIMULATED_WEEK_MS / 1000.0, **changed}
    p = parameters(module, n, **changed)
    state = module.initial(p)
    rows, flag, in_order = np.arange(n, dtype=np.intp), np.ones(n, dtype=np.uint8), np.ones(n, dtype=np.bool_)
    score, level, p_value = np.zeros((n, periods)), np.zeros((n, periods), dtype=np.uint8), np.ones((n, periods))
    for t in range(periods):
        found = module.step(p, state, Samples(rows, np.full(n, times[t]), counts[:, t], flag, in_order))
        score[:, t], level[:, t] = found.score, found.level
        p_value[:, t] = np.where(np.isnan(found.p_value), 1.0, found.p_value)
    return score, level, p_value


def labelled(name):
    """(instants, counts, is outbreak) of a labelled weekly series."""
    with (SHARED / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    times = np.array([int(datetime.fromisoformat(row[""]).replace(tzinfo=UTC).timestamp() * 1000) for row in rows])
    return times, np.array([float(row["n_cases"]) for row in rows]), np.array([row["outbreak"] == "True" for row in rows])
