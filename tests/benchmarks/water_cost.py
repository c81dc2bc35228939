"""What a measurement costs: quality control and all water detectors on 10,000 series, beside a bare copy, the scalar twins, and peers.

Of every contestant the fastest of many equal pieces of work counts: on a shared machine the others measure the neighbours.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import numpy as np

from detectors import concentration, cusum, history, quality, rate_of_rise, stage
from detectors.base import Samples
from tests.benchmarks.water_contestants import table

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors" / "twins"))
from concentration_twin import ConcentrationTwin
from cusum_twin import CusumTwin
from quality_twin import QualityTwin
from rate_of_rise_twin import RateOfRiseTwin
from stage_twin import StageTwin

START, STEP_MS = 1_700_000_000_000, 900_000
CASES = {
    stage: {"blue": 4.0, "yellow": 5.0, "orange": 6.0, "red": 7.0},
    rate_of_rise: {"rise_blue_per_h": 0.5, "rise_yellow_per_h": 1.0, "rise_orange_per_h": 2.0, "rise_red_per_h": 4.0},
    cusum: {"h_blue": 9.0, "h_yellow": 12.0, "h_orange": 15.0, "h_red": 20.0, "warmup_n": 20.0},
    concentration: {"limit": 4.0},
}
TESTS = {
    "fail_min": -5.0, "fail_max": 30.0, "suspect_min": -2.0, "suspect_max": 20.0, "spike_suspect": 1.0, "rate_suspect_per_h": 3.0,
    "flat_line_tolerance": 1e-6, "flat_line_count": 6.0,
}  # fmt: skip
TWINS = {stage: StageTwin, rate_of_rise: RateOfRiseTwin, cusum: CusumTwin, concentration: ConcentrationTwin}


def levels(n, steps):
    """A quiet river read to the millimetre, (steps, n), the same at every run."""
    rng = np.random.default_rng(0)
    return np.round(2.0 + np.cumsum(rng.normal(0.0, 0.003, (steps, n)), axis=0) + rng.normal(0.0, 0.005, (steps, n)), 3)


def ours(n, steps, rows):
    """Microseconds a measurement of each part (its fastest step), and bytes of state a series of each part.

    `rows`: in which order the series report. The service hands a round's series on in the region's order; where some are missing, the
    others' records are copied together first, as they are in any other order.
    """
    cases = {module: table(module, columns, n) for module, columns in CASES.items()}
    states = {module: module.initial(p) for module, p in cases.items()}
    tests, past = table(quality, TESTS, n), history.initial(n)
    sent = np.ones(n, dtype=np.uint8)
    spent = {"quality control": []} | {module.__name__.removeprefix("detectors."): [] for module in cases}
    for number, value in enumerate(levels(n, steps)):
        at = np.full(n, START + number * STEP_MS)
        began = time.perf_counter()
        new = history.classify(past, rows, at, value) == history.Arrival.NEW
        flag = quality.flag(tests, past, Samples(rows, at, value, sent, new))
        samples = Samples(rows, at, value, flag, new)
        history.push(past, samples)
        spent["quality control"].append(time.perf_counter() - began)
        for module, p in cases.items():
            began = time.perf_counter()
            module.step(p, states[module], samples)
            spent[module.__name__.removeprefix("detectors.")].append(time.perf_counter() - began)
    sizes = {"quality control": past.itemsize} | {m.__name__.removeprefix("detectors."): s.itemsize for m, s in states.items()}
    arrays = [rows, at, value, flag, new, past, tests, *states.values(), *cases.values()]
    return {name: min(times[steps // 3 :]) / n * 1e6 for name, times in spent.items()}, sizes, bare_copy(arrays, n)


def bare_copy(arrays, n):
    """Copying every array that was touched, once, as bytes: a record array's own `copy` goes item by item and takes ten times as long."""
    arrays, times = [one.view(np.uint8) for one in arrays], []
    for _ in range(30):
        began = time.perf_counter()
        for one in arrays:
            one.copy()
        times.append(time.perf_counter() - began)
    return min(times) / n * 1e6


def plain_loop(series, steps):
    """The scalar twins, one Python object a series and detector, doing the same work."""

    def first(module, columns):
        return dict(zip(module.PARAMETERS.names, table(module, columns, 1)[0].tolist(), strict=True))

    tests = [QualityTwin(first(quality, TESTS)) for _ in range(series)]
    twins = [[TWINS[module](first(module, columns)) for module, columns in CASES.items()] for _ in range(series)]
    values = levels(series, steps).tolist()
    times = []
    for number, row in enumerate(values):
        began = time.perf_counter()
        at = START + number * STEP_MS
        for k, value in enumerate(row):
            test = tests[k]
            new = test.history.classify(at, value) == "NEW"
            flag = test.flag(at, value, 1, new)
            test.history.push(at, value, flag)
            for twin in twins[k]:
                twin.step(at, value, flag, new)
        times.append(time.perf_counter() - began)
    return min(times[steps // 3 :]) / series * 1e6


def each(update, values):
    """Microseconds a call, of the fastest fifty in a row."""
    times = []
    for first in range(0, len(values), 50):
        began = time.perf_counter()
        for value in values[first : first + 50]:
            update(value)
        times.append(time.perf_counter() - began)
    return min(times) / 50 * 1e6


def peers(count):
    """Microseconds a measurement of what others offer, one test or one score at a time."""
    from ioos_qc import qartod
    from pysad.models import LODA, HalfSpaceTrees, xStream
    from river import anomaly, drift

    values = levels(1, count)[:, 0]
    trees, hinkley, found = anomaly.HalfSpaceTrees(seed=1), drift.PageHinkley(mode="up"), {}

    def score(value):
        trees.score_one({"x": value / 4.0})
        trees.learn_one({"x": value / 4.0})

    found["river HalfSpaceTrees, score and learn"] = each(score, values[:2000].tolist())
    found["river PageHinkley"] = each(hinkley.update, values.tolist())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for model in (LODA(), HalfSpaceTrees(feature_mins=[0.0], feature_maxes=[4.0]), xStream()):
            found[f"pysad {type(model).__name__}"] = each(model.fit_score_partial, values[:300].reshape(-1, 1))
        times = np.datetime64("2023-11-14T22:13:20", "ns") + np.arange(count) * np.timedelta64(900, "s")
        found["ioos_qc, four tests, a whole array at once"] = min(four_tests(qartod, values, times) for _ in range(5)) / count
        found["ioos_qc, four tests, each measurement as it comes (10 kept)"] = min(
            four_tests(qartod, values[k : k + 10], times[k : k + 10]) for k in range(100)
        )
    return found


def four_tests(qartod, values, times):
    """Microseconds of gross range, spike, rate of change and flat line of ioos_qc on arrays."""
    began = time.perf_counter()
    qartod.gross_range_test(values, fail_span=(-5, 30), suspect_span=(-2, 20))
    qartod.spike_test(values, suspect_threshold=1.0, fail_threshold=2.0, method="differential")
    qartod.rate_of_change_test(values, times, threshold=3.0 / 3600)
    qartod.flat_line_test(values, times, suspect_threshold=4500, fail_threshold=9000, tolerance=1e-6)
    return (time.perf_counter() - began) * 1e6
