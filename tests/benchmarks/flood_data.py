"""The upper Danube for the skill of flood warnings: discharge, events, and the rule by which warnings are hits, misses or false.

A warning sent on a day is valid for that day and the seven after it. It hits when an event begins one to seven days later; an event without
one is missed. Days with a warning that are neither before an event (within seven days) nor in one are false, those at most seven days
apart together one. Exceedances at most seven days apart are one event, which is over when the level was not reached for seven days.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass

import numpy as np

from detectors import return_levels
from tests.benchmarks.water_data import SHARED, UPSTREAM_MIN, stretches, upstream

VALID_DAYS = 7
LEVELS = ("gev", "empirical")


@dataclass(frozen=True)
class Floods:
    """All gauges: `names`, `at` (n,) ms, `flow` (n, g) m3/s, `above` by scored gauge, `split` first scored day, `level[years]` by gauge."""

    names: list[str]
    at: np.ndarray
    flow: np.ndarray
    above: dict[str, list[int]]
    split: int
    level: dict[float, dict[str, float]]

    def own(self, name):
        return self.flow[:, self.names.index(name)]

    @property
    def years(self):
        return self.at.astype("datetime64[ms]").astype("datetime64[Y]").astype(int) + 1970


def load(return_years, kind="gev", gauges=None):
    """`above` lists the gauges upstream, for those with at least three (or the first `gauges` of them)."""
    edges = list(csv.reader((SHARED / "danube_edges.csv").read_text().splitlines()))[1:]
    with gzip.open(SHARED / "danube_daily_discharge_1959_1989.csv.gz", "rt") as file:
        names = next(csv.reader(file))[1:]
        rows = list(csv.reader(file))
    at = np.array([row[0] for row in rows], dtype="datetime64[ms]").astype(np.int64)
    flow = np.array([[float(one) for one in row[1:]] for row in rows])
    above = {name: sorted(names.index(one) for one in upstream(name, edges)) for name in names}
    above = {name: found for name, found in above.items() if len(found) >= UPSTREAM_MIN}
    above = dict(list(above.items())[:gauges])
    split = int(np.searchsorted(at, np.datetime64("1980-01-01", "ms").astype(np.int64)))
    level = {years: {name: _level(at[:split], flow[:split, names.index(name)], years, kind) for name in above} for years in return_years}
    return Floods(names, at, flow, above, split, level)


def _level(at, flow, years, kind):
    """The level of a return period: a fitted extreme-value distribution (hydrological years), or the share of calendar years below it."""
    if kind == "gev":
        fitted = return_levels.fit(return_levels.annual_maxima(at, flow, first_month=11))
        return float(return_levels.level(fitted, np.array([years]))[0])
    calendar = at.astype("datetime64[ms]").astype("datetime64[Y]")
    return float(np.quantile([flow[calendar == one].max() for one in np.unique(calendar)], 1.0 - 1.0 / years))


@dataclass(frozen=True)
class Outcome:
    """Of some gauges: `counts` (years, 3) hits, misses, false by year of `years`; `leads` in days, of the hits."""

    years: np.ndarray
    counts: np.ndarray
    leads: list[int]

    @property
    def total(self):
        return self.counts.sum(axis=0)


def csi(counts):
    """Hits / (hits + misses + false), over the last axis; 0 where there is nothing."""
    return counts[..., 0] / np.maximum(counts.sum(axis=-1), 1)


def judge(warned, reached, years, scored, after_days=VALID_DAYS):
    """((year, hit, miss, false) rows, leads) of one gauge: masks (n,) of days. `after_days`: how long after an exceedance no warning is false."""
    rows, leads = [], []
    excused = np.zeros(len(warned), dtype=bool)
    for first, last in stretches(reached):
        begin = max(first - VALID_DAYS, 0)
        excused[begin : last + 1 + after_days] = True
        if not scored[first]:
            continue
        sent = np.flatnonzero(warned[begin:first])
        rows.append((years[first], len(sent) > 0, len(sent) == 0, 0))
        if len(sent):
            leads.append(first - begin - int(sent[0]))
    rows += [(years[first], 0, 0, 1) for first, _ in stretches(warned & ~excused & scored)]
    return rows, leads


def outcome(floods, warned, return_years, scored, after_days=VALID_DAYS):
    """All gauges together; `warned` by gauge."""
    rows, leads = [], []
    for name, days in warned.items():
        found, ahead = judge(days, floods.own(name) >= floods.level[return_years][name], floods.years, scored, after_days)
        rows += found
        leads += ahead
    years = np.unique(floods.years[scored])
    counts = np.zeros((len(years), 3))
    for year, *what in rows:
        counts[np.searchsorted(years, year)] += what
    return Outcome(years, counts, leads)


def best(floods, warnings, return_years, scored):
    """(setting, outcome) with the highest CSI among {setting: warned by gauge}; of equals the first."""
    found = {setting: outcome(floods, warned, return_years, scored) for setting, warned in warnings.items()}
    setting = max(found, key=lambda one: csi(found[one].total))
    return setting, found[setting]


def drawn(outcomes, draws, seed):
    """(draws, contestants) CSI when years are drawn with replacement, the same ones for all."""
    chance = np.random.default_rng(seed)
    count = len(outcomes[0].years)
    chosen = chance.integers(0, count, (draws, count))
    return np.stack([csi(one.counts[chosen].sum(axis=1)) for one in outcomes], axis=1)
