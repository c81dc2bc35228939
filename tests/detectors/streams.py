"""Random streams of one series, and playing several of them through a detector in batches."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from detectors.base import Samples

START = 1_700_000_000_000
MINUTE = 60_000


@st.composite
def streams(draw, values, gaps_ms=(MINUTE, 15 * MINUTE, 60 * MINUTE, 600 * MINUTE), sizes=(0, 40)):
    """A list of (observed_at, value, flag, in_order): mostly ahead in time, with repeats, corrections and late samples."""
    newest, times, stream = START + draw(st.integers(0, 90)) * MINUTE, [], []
    for value, gap, kind in draw(
        st.lists(st.tuples(values, st.sampled_from(gaps_ms), st.integers(0, 7)), min_size=sizes[0], max_size=sizes[1])
    ):
        at = newest + gap
        if kind == 0 and times:
            at = draw(st.sampled_from(times))  # again: a repeat or a correction
        elif kind == 1:
            at = newest - draw(st.integers(1, 40)) * 7 * MINUTE
        flag = draw(st.sampled_from([1, 1, 1, 2, 3]))
        stream.append((at, value, flag, at >= newest))
        newest = max(newest, at)
        times.append(at)
    return stream


def batch(rows, items):
    """`Samples` from (observed_at, value, flag, in_order) of each row."""
    return Samples(
        np.array(rows, dtype=np.intp),
        np.array([i[0] for i in items], dtype=np.int64),
        np.array([i[1] for i in items], dtype=np.float64),
        np.array([i[2] for i in items], dtype=np.uint8),
        np.array([i[3] for i in items], dtype=np.bool_),
    )


def rounds(series):
    """The n-th samples of all series that have one, as (rows, samples)."""
    for n in range(max(map(len, series), default=0)):
        rows = [row for row, stream in enumerate(series) if len(stream) > n]
        yield rows, batch(rows, [series[row][n] for row in rows])


def play(module, parameters, state, series):
    """Every finding as (level, score, trend, why), per series."""
    found = [[] for _ in series]
    for rows, samples in rounds(series):
        findings = module.step(parameters, state, samples)
        for i, row in enumerate(rows):
            why = module.WHY[findings.why[i]]
            found[row].append((int(findings.level[i]), float(findings.score[i]), float(findings.trend[i]), why))
    return found


def table(module, *rows):
    """A parameter array from dictionaries that differ from the defaults."""
    defaults = dict(zip(module.PARAMETERS.names, module.DEFAULTS, strict=True))
    return np.array([tuple({**defaults, **row}.values()) for row in rows], dtype=module.PARAMETERS)


def as_dict(parameters, row):
    """One row of a parameter array as a dictionary."""
    return dict(zip(parameters.dtype.names, parameters[row].tolist(), strict=True))
