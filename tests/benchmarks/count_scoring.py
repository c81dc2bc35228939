"""Scores of the count benchmarks: probability of detection at a false-positive rate, paired intervals, achieved rates with Poisson intervals."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import chi2

from tests.benchmarks.count_outbreaks import LAST

RATES = (0.0091, 0.0165, 0.0306)


def detected(score, outbreak, rate):
    """Of each run, whether an outbreak week's score is above the one threshold that `rate` of all weeks without outbreak exceed."""
    last = outbreak[:, -LAST:]
    quiet = np.sort(score[~last])
    threshold = quiet[len(quiet) - 1 - int(rate * len(quiet))]
    return ((score > threshold) & last).any(axis=1)


def roc(score, outbreak, points=60):
    """(false-positive rates, probabilities of detection) for a plot."""
    rates = np.geomspace(1e-3, 0.2, points)
    return rates, np.array([detected(score, outbreak, rate).mean() for rate in rates])


def paired(ours, theirs, outbreak, rate):
    """(difference of detection, its standard error over runs)."""
    difference = detected(ours, outbreak, rate).astype(float) - detected(theirs, outbreak, rate)
    return float(difference.mean()), float(difference.std(ddof=1) / math.sqrt(len(difference)))


def bootstrap(ours, theirs, outbreak, how):
    """95 % interval of the difference of detection when runs are drawn again within their scenario, thresholds included."""
    rate, scenario, draws = how
    rng = np.random.default_rng(20_130_000)
    groups = [np.flatnonzero(scenario == s) for s in np.unique(scenario)]
    differences = []
    for _ in range(draws):
        rows = np.concatenate([rng.choice(group, len(group)) for group in groups])
        both = [detected(score[rows], outbreak[rows], rate).mean() for score in (ours, theirs)]
        differences.append(both[0] - both[1])
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


def poisson_interval(events):
    """Exact 95 % interval of the mean of a Poisson count."""
    return 0.0 if events == 0 else chi2.ppf(0.025, 2 * events) / 2, chi2.ppf(0.975, 2 * events + 2) / 2


def achieved(alarms, weeks, alpha):
    """Nominal against achieved: (expected alarms, alarms, achieved / nominal, interval of that)."""
    low, high = poisson_interval(alarms)
    expected = alpha * weeks
    return expected, alarms, alarms / expected, low / expected, high / expected
