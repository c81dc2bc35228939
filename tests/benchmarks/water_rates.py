"""Nominal against achieved false alarms of the CUSUM on quiet series, and its p-values against what they say.

Real quiet decades hold too few false alarms to judge by, so quiet series are simulated with the autocorrelation of the Danube's own
training years (normal innovations), and played through the detector as it learns. Beside it, thresholds learned by replay of the training
years for a stated budget of false alarms, as `tocsin calibrate` learns them, are counted on the later ones: nothing there is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from detectors import cusum, return_levels
from detectors.base import Samples
from stream.calibrate.thresholds import beyond
from tests.benchmarks.water_contestants import CUSUM, played, table
from tests.benchmarks.water_data import DAY_MS

P_GRID = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
FACTOR = 1.5
WARMUP_DAYS = 1500


@dataclass(frozen=True)
class Rate:
    """Alarms expected at the nominal rate and counted, over so many series-years."""

    name: str
    expected: float
    counted: int
    series_years: float

    @property
    def interval(self):
        """The 95 % interval of counted / expected (exact Poisson)."""
        low = chi2.ppf(0.025, 2 * self.counted) / 2 if self.counted else 0.0
        return low / self.expected, chi2.ppf(0.975, 2 * self.counted + 2) / 2 / self.expected

    @property
    def passed(self):
        return self.expected >= 30 and 1 / FACTOR <= self.counted / self.expected <= FACTOR

    @property
    def row(self):
        low, high = self.interval
        return (
            f"{self.name} | {self.series_years:.0f} | {self.expected:.1f} | {self.counted} | "
            f"{self.counted / self.expected:.2f} ({low:.2f} to {high:.2f}) | {'yes' if self.passed else 'no'}"
        )


def autocorrelations(river):
    """Lag-one autocorrelation of each gauge's daily log discharge around its mean of a year, in the training years."""
    logs = np.log(river.flow[: river.split])
    padded = np.vstack([np.repeat(logs[:1], 182, axis=0), logs, np.repeat(logs[-1:], 182, axis=0)])
    sums = np.cumsum(np.vstack([np.zeros(logs.shape[1]), padded]), axis=0)
    rest = logs - (sums[365:] - sums[:-365]) / 365.0
    return np.array([np.corrcoef(one[1:], one[:-1])[0, 1] for one in rest.T])


def simulated(rho, days, thresholds, seed=0):
    """Quiet series, one for each of `rho` and `thresholds` (ARL in days -> h); the rates, and the share of p-values below each of P_GRID."""
    columns = {"h_blue": np.repeat([cusum.threshold_for(arl, 0.5) for arl in thresholds], len(rho))}
    rho = np.tile(rho, len(thresholds))
    n, rng = len(rho), np.random.default_rng(seed)
    p = table(cusum, {**CUSUM, **columns, "log_floor": np.nan}, n)
    state, x, old = cusum.initial(p), rng.standard_normal(n), np.zeros(n, dtype=np.uint8)
    rows, flag, order = np.arange(n, dtype=np.intp), np.ones(n, dtype=np.uint8), np.ones(n, dtype=np.bool_)
    raised, below, seen = np.zeros(n, dtype=np.int64), np.zeros(len(P_GRID)), 0
    for day in range(days + WARMUP_DAYS):
        x = rho * x + np.sqrt(1.0 - rho * rho) * rng.standard_normal(n)
        found = cusum.step(p, state, Samples(rows, np.full(n, day * DAY_MS), x, flag, order))
        if day >= WARMUP_DAYS:
            raised += (found.level > 0) & (old == 0)
            below += (found.p_value[None] <= np.array(P_GRID)[:, None]).sum(axis=1)
            seen += n
        old = found.level
    each, years = n // len(thresholds), days / 365.2425
    rates = [
        Rate(f"simulated quiet, one in {arl:.0f} days", each * days / arl, int(raised[k * each : (k + 1) * each].sum()), each * years)
        for k, arl in enumerate(thresholds)
    ]
    return rates, below / seen


LIMITS = np.linspace(2.0, 30.0, 141)
FEWEST, MORE = 10.0, 4.0
"""As in `stream.calibrate.thresholds`: budgets of fewer alarms than this are read off the tail."""


def false_alarms(evidence, beside):
    """Of one series, how many alarms each of LIMITS gives that are not beside a true event; `beside` marks the days that are."""
    return np.array([sum(not beside[day] for day in upcrossings(evidence, h)) for h in LIMITS])


def upcrossings(evidence, h):
    """The days of the alarms of one series: from below h to h or above, after it had been below half of h."""
    days = np.flatnonzero((evidence >= h) | (evidence < 0.5 * h))
    over = evidence[days] >= h
    return days[over & ~np.concatenate([[False], over[:-1]])]


def chosen(counts, budget, years):
    """The threshold that the learning years give: counted, or read off the tail where fewer than ten alarms are asked for."""

    def least(rate):
        too_many = np.flatnonzero(counts > rate * years)
        return int(too_many[-1]) + 1 if len(too_many) else 0

    fewest = FEWEST / years
    at = least(max(budget, fewest))
    if budget >= fewest:
        return LIMITS[at]
    easier = least(MORE * fewest)
    return beyond((LIMITS[easier], counts[easier] / years), (LIMITS[at], counts[at] / years), budget, logarithmic=False)


def replayed(river, budgets, *, each):
    """Thresholds learned on the training years for so many false alarms a gauge-year, counted on the later years, floods and all.

    `each`: every gauge by itself, with a threshold of its own; else all alike. A false alarm is none within a week of the 1.5-year level.
    """
    n = len(river.names)
    evidence = np.array([one.log_lr for one in played(cusum, table(cusum, {**CUSUM, "h_blue": 1e9}, n), river)])  # 2 k C = C
    maxima = [return_levels.annual_maxima(river.at[: river.split], flow[: river.split], first_month=11) for flow in river.flow.T]
    lowest = np.array([return_levels.level(return_levels.fit(one), np.array([1.5]))[0] for one in maxima])
    beside = np.array([np.convolve(flow >= level, np.ones(15), "same") > 0 for flow, level in zip(river.flow.T, lowest, strict=True)]).T
    parts = (slice(WARMUP_DAYS, river.split), slice(river.split, None))
    learned, later = (np.array([false_alarms(evidence[part, k], beside[part, k]) for k in range(n)]) for part in parts)
    groups = [[k] for k in range(n)] if each else [list(range(n))]
    found = []
    for budget in budgets:
        counted = 0
        for group in groups:
            h = chosen(learned[group].sum(axis=0), budget, len(group) * (river.split - WARMUP_DAYS) / 365.2425)
            counted += int(later[group].sum(axis=0)[min(int(np.searchsorted(LIMITS, h - 1e-9)), len(LIMITS) - 1)])
        name = f"Danube 1980-1989, {budget} a gauge-year, {'each gauge by itself' if each else 'all gauges alike'}"
        found.append(Rate(name, budget * n * river.years, counted, n * river.years))
    return found
