"""What the count detector is compared with: a batch regression refitted every week, a plain recursive detector, EARS.

Each gives one score per series and week, larger = more unusual: (series, weeks) -> (series, last weeks). None sees a later week.
"""

from __future__ import annotations

import numpy as np

from detectors import ears
from detectors.tails import log_tail
from tests.benchmarks.count_outbreaks import LAST, SCENARIOS, YEAR_WEEKS

LEAST_PHI = 1.0001


def design(weeks):
    t = np.arange(1, weeks + 1)
    angle = 2.0 * np.pi * t / YEAR_WEEKS
    return np.column_stack([np.ones(weeks), t / (0.5 * weeks) - 1.0, np.cos(angle), np.sin(angle)])


def poisson_fit(x, counts, start, rounds):
    """Coefficients (series, p) and Pearson dispersion of a Poisson regression of many series at once, by iterated least squares."""
    theta = start
    for _ in range(rounds):
        mean = np.exp(np.clip(theta @ x.T, -15.0, 12.0))
        information = np.einsum("nt,tp,tq->npq", mean, x, x, optimize=True) + 1e-6 * np.eye(x.shape[1])
        theta = theta + np.clip(np.linalg.solve(information, ((counts - mean) @ x)[:, :, None])[:, :, 0], -2.0, 2.0)
    mean = np.exp(np.clip(theta @ x.T, -15.0, 12.0))
    phi = ((counts - mean) ** 2 / mean).sum(axis=1) / (counts.shape[1] - x.shape[1])
    return theta, np.maximum(phi, LEAST_PHI)


def batch_regression(counts, scenario, *, true_form):
    """(one-week score, two-week score): refitted on all earlier weeks, every week; negative-binomial tail with the Pearson dispersion.

    `true_form`: each series with exactly the terms it was generated from (trend or not, season or not), else all with both.
    """
    one, two = np.zeros((len(counts), LAST)), np.zeros((len(counts), LAST))
    x = design(counts.shape[1])
    for trend in (0, 1):
        for season in (0, 1):
            rows = np.flatnonzero([SCENARIOS[s][1:] == (trend, season) for s in scenario])
            columns = [0, *[1] * trend, *[2, 3] * season] if true_form else [0, 1, 2, 3]
            if len(rows):
                one[rows], two[rows] = refitted(x[:, columns], counts[rows])
    return one, two


def refitted(x, counts):
    one, two, theta = np.zeros((len(counts), LAST)), np.zeros((len(counts), LAST)), None
    for j in range(LAST):
        week = counts.shape[1] - LAST + j
        first = np.zeros((len(counts), x.shape[1]))
        first[:, 0] = np.log(counts[:, :week].mean(axis=1) + 0.05)
        theta, phi = poisson_fit(x[:week], counts[:, :week], first if theta is None else theta, 8 if theta is None else 2)
        mean = np.exp(theta @ x[week])
        one[:, j] = -log_tail(counts[:, week], mean, phi)
        both = mean + np.exp(theta @ x[week - 1])
        together = -log_tail(counts[:, week] + counts[:, week - 1], both, phi)
        two[:, j] = np.where(one[:, j] >= -np.log(0.2), together, one[:, j])
    return one, two


def plain_recursive(counts):
    """The untuned recursive detector this one replaced: winsorised level times 52 seasonal bins, one-week tail (its shipped settings)."""
    n, weeks = counts.shape
    level, phi, season, scores = counts[:, 0].copy(), np.full(n, 1.5), np.ones((n, YEAR_WEEKS)), np.zeros((n, weeks))
    for week in range(weeks):
        this, count = week % YEAR_WEEKS, counts[:, week]
        factor = season[:, [this - 1, this, (this + 1) % YEAR_WEEKS]].mean(axis=1)
        mean = np.maximum(level * factor, 0.05)
        scores[:, week] = -log_tail(count, mean, phi)
        damping = np.where(scores[:, week] >= -np.log(1e-3), 0.1, 1.0) if week >= YEAR_WEEKS else np.ones(n)
        z = 1.959964
        kept = np.minimum(count, mean + z * np.sqrt(phi * mean) + (2.0 * phi - 1.0) * (z**2 - 1.0) / 6.0)
        phi = np.maximum(phi + max(0.01, 1.0 / (week + 10.0)) * damping * (1.08 * (kept - mean) ** 2 / mean - phi), 1.05)
        level = np.maximum(level + max(0.03, 1.0 / (week + 1.0)) * damping * (kept - mean) / factor, 0.05)
        gain = np.minimum(0.12 * np.minimum(1.0, level / 3.0) * damping, 1.0)
        season[:, this] = np.clip(season[:, this] + gain * (kept / level - season[:, this]), 0.2, 5.0)
        balance = season.mean(axis=1)
        season, level = season / balance[:, None], level * balance
    return scores[:, -LAST:]


def ears_scores(counts):
    """{name: score} of C1, C2, C3 as their statistics in standard deviations (floor of half a case); C3 with the newest week, as published."""
    c = {}
    for name, lag in (("C1", 0), ("C2", 2)):
        past = np.lib.stride_tricks.sliding_window_view(counts, ears.BASELINE, axis=1)[:, : -1 - lag]
        c[name] = (counts[:, ears.BASELINE + lag :] - past.mean(axis=2)) / np.maximum(past.std(axis=2, ddof=1), 0.5)
    over = np.maximum(c["C2"] - 1.0, 0.0)
    c["C3"] = over + np.pad(over, ((0, 0), (1, 0)))[:, :-1] + np.pad(over, ((0, 0), (2, 0)))[:, :-2]
    return {f"EARS {name}": score[:, -LAST:] for name, score in c.items()}
