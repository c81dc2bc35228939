"""The upper Danube for the water benchmark: discharge, gauges with upstream gauges, 2-year events, and how warnings are scored.

Levels are learned on 1959-11 to 1979-12 only; what is scored is 1980 to 1989. A day is the unit; a warning is a stretch of days.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors import return_levels

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "rivers"
DAY_MS = 86_400_000
MERGE_DAYS = 7
UPSTREAM_MIN = 3
RETURN_YEARS = 2.0


@dataclass(frozen=True)
class River:
    """`at` (days,) ms UTC, `flow` (days, gauges) m3/s, `level` (gauges,) the 2-year level, `split`: first day that is scored."""

    names: list[str]
    at: np.ndarray
    flow: np.ndarray
    level: np.ndarray
    split: int

    @property
    def years(self):
        return (len(self.at) - self.split) / 365.2425


@dataclass(frozen=True)
class Score:
    """Over all gauges: events, hits at all (on the day or up to 7 days before), early ones (a day before or more), false warnings."""

    events: int
    hits: int
    early: int
    false: int
    gauge_years: float
    leads: tuple[int, ...]

    @property
    def csi(self):
        return self.early / max(self.events + self.false, 1)

    @property
    def row(self):
        lead = f"{np.median(self.leads):.0f}" if self.leads else "-"
        rate = self.false / self.gauge_years
        return f"{self.hits / self.events:.3f} | {self.early / self.events:.3f} | {rate:.2f} | {self.csi:.3f} | {lead} | {self.early}/{self.events}, {self.false} false"


def load():
    """The 14 gauges with at least three others upstream, and their 2-year levels of the training years."""
    edges = list(csv.reader((SHARED / "danube_edges.csv").read_text().splitlines()))[1:]
    with gzip.open(SHARED / "danube_daily_discharge_1959_1989.csv.gz", "rt") as file:
        names = next(csv.reader(file))[1:]
        rows = list(csv.reader(file))
    at = np.array([row[0] for row in rows], dtype="datetime64[ms]").astype(np.int64)
    flow = np.array([[float(one) for one in row[1:]] for row in rows])
    chosen = [k for k, name in enumerate(names) if len(upstream(name, edges)) >= UPSTREAM_MIN]
    flow, split = flow[:, chosen], int(np.searchsorted(at, np.datetime64("1980-01-01", "ms").astype(np.int64)))
    years = np.array([RETURN_YEARS])
    maxima = [return_levels.annual_maxima(at[:split], column[:split], first_month=11) for column in flow.T]
    level = np.array([return_levels.level(return_levels.fit(one), years)[0] for one in maxima])
    return River([names[k] for k in chosen], at, flow, level, split)


def upstream(name, edges):
    """All gauges above one, by walking the edges."""
    above, waiting = set(), [name]
    while waiting:
        here = waiting.pop()
        for upper, lower in edges:
            if lower == here and upper not in above:
                above.add(upper)
                waiting.append(upper)
    return above


def stretches(days):
    """(first, last) of runs of marked days, those at most seven days apart put together."""
    merged = []
    for day in np.flatnonzero(days).tolist():
        if merged and day - merged[-1][1] <= MERGE_DAYS:
            merged[-1][1] = day
        else:
            merged.append([day, day])
    return [tuple(one) for one in merged]


def one_gauge(flood, warned):
    """(events, hits, early, false, leads) of one gauge; both masks (days,).

    Hit: a stretch of warning begins on the first day of the event or up to seven days before; early: before that day. False: a stretch with no
    event from its first day to seven days after its last, and not begun during one.
    """
    events, warnings = stretches(flood), stretches(warned)
    leads = []
    for first, _ in events:
        begun = [first - start for start, _ in warnings if 0 <= first - start <= MERGE_DAYS]
        leads.append(max(begun, default=-1))
    false = sum(not any(start <= last and first <= end + MERGE_DAYS for first, last in events) for start, end in warnings)
    return len(events), sum(one >= 0 for one in leads), sum(one >= 1 for one in leads), false, leads


def score(river, warned, days):
    """The score of warnings (days, gauges) on a slice of the days; also each gauge's (early, events, false) for paired intervals."""
    flood = river.flow >= river.level
    gauges = [one_gauge(flood[days, k], warned[days, k]) for k in range(len(river.names))]
    counts = np.array([one[:4] for one in gauges])
    total = counts.sum(axis=0).tolist()
    leads = tuple(lead for one in gauges for lead in one[4] if lead >= 1)
    gauge_years = len(river.names) * len(range(*days.indices(len(river.at)))) / 365.2425
    return Score(*total, gauge_years, leads)
