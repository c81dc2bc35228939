"""Simulated weekly counts with outbreaks: the 28 scenarios of Noufaily et al. (2013, doi 10.1002/sim.5595) as replicated by AEDDO (DTU 2023).

Written from the published parameters. `quiet` is the series before outbreaks are added. Note the replication's negative binomial: size = (1 + mean) / phi, so
variance = mean + phi mean^2 / (1 + mean), not phi * mean as in the paper; `paper=True` gives the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEEKS, LAST = 624, 49
YEAR_WEEKS = 52
PAST_OUTBREAKS = (313, 576)
THETA = (0.1, -2.0, 1.5, 0.5, 2.5, 3.75, 5.0)
BETA = (0.0025, 0.005, 0.003, 0.002, 0.001, 0.001, 0.0001)
GAMMA1 = (0.6, 0.1, 0.2, 0.5, 1.0, 0.1, 0.05)
GAMMA2 = (0.6, 0.3, -0.4, 0.5, 0.1, -0.1, 0.01)
PHI = (1.5, 2.0, 1.0, 5.0, 3.0, 1.1, 1.2)
SCENARIOS = [(row, trend, season) for row in range(7) for trend in (0, 1) for season in (0, 1)]


@dataclass(frozen=True)
class Simulated:
    """`counts`, `quiet` (series, weeks), `outbreak` (whether a week has outbreak cases) and the `scenario` number of each series."""

    counts: NDArray[np.float64]
    quiet: NDArray[np.float64]
    outbreak: NDArray[np.bool_]
    scenario: NDArray[np.intp]


def mean_of(row, trend, season):
    t = np.arange(1, WEEKS + 1)
    angle = 2.0 * np.pi * t / YEAR_WEEKS
    return np.exp(THETA[row] + trend * BETA[row] * t + season * (GAMMA1[row] * np.cos(angle) + GAMMA2[row] * np.sin(angle)))


def one(seed, scenario, *, paper=False):
    """(counts, quiet, outbreak) of one series."""
    rng = np.random.default_rng(seed)
    mean, phi = mean_of(*SCENARIOS[scenario]), PHI[SCENARIOS[scenario][0]]
    if paper and phi <= 1.0:
        quiet = rng.poisson(mean).astype(float)
    else:
        size = mean / (phi - 1.0) if paper else (1.0 + mean) / phi
        quiet = rng.negative_binomial(size, size / (size + mean)).astype(float)
    deviation = quiet.std(ddof=1)
    counts, outbreak = quiet.copy(), np.zeros(WEEKS, dtype=bool)
    sizes = rng.choice([2, 3, 5, 10], 4)
    for k, start in zip(sizes, rng.choice(np.arange(*PAST_OUTBREAKS), 4, replace=False), strict=True):
        add(rng, counts, outbreak, (k * deviation, start))
    add(rng, counts, outbreak, (int(rng.integers(1, 11)) * deviation, rng.integers(WEEKS - LAST + 1, WEEKS + 1)))
    return counts, quiet, outbreak


def add(rng, counts, outbreak, what):
    """Put an outbreak of a Poisson size, spread by floor(LN(0, 0.5^2)) weeks, into the series, in place."""
    expected, start = what
    weeks = np.floor(rng.lognormal(0.0, 0.5, rng.poisson(expected))).astype(int) + start
    weeks = np.minimum(weeks, WEEKS) - 1
    np.add.at(counts, weeks, 1.0)
    outbreak[weeks] = True


def simulate(first_seed, replicates, *, paper=False):
    """All scenarios, `replicates` series each; series i has seed first_seed + i."""
    made = [
        one(first_seed + scenario * replicates + r, scenario, paper=paper) for scenario in range(len(SCENARIOS)) for r in range(replicates)
    ]
    counts, quiet, outbreak = (np.array(part) for part in zip(*made, strict=True))
    return Simulated(counts, quiet, outbreak, np.repeat(np.arange(len(SCENARIOS)), replicates))
