"""Floods of the upper Danube: warnings from the one gauge upstream that tells most, beside the fused evidence of all of them, at equal detection.

For each gauge with at least three others upstream: will it reach its 2-year level within one to seven days? It and the gauges upstream are
evidence by how rarely they stand so high, and rise so much in a day (shares of their days up to 1979, as p-values). *Single*: the one of these
series that told most until 1979. *Fused*: the sum of all of them, each with the weight that `stream.calibrate.weights` learned until 1979 - the sum
that `stream.decide.fusion` makes. *Forecast*: the chance, of the next day or of three, that the trained forecast of all gauges states (`stream.decide.forecast`),
which is what the fold warns by. All are scored on 1980-1989, with the threshold over all gauges that finds the share asked for.
Tried: flow of the gauges upstream alone (27, -13, 16 % fewer false ones at 50, 60, 70 %); with their rise and the gauge itself *.
"""

from __future__ import annotations

import csv
import gzip
from itertools import pairwise

import numpy as np

from stream.calibrate.forecasts import Gauges, Plan, stated
from stream.calibrate.forecasts import learn as learn_forecasts
from stream.calibrate.weights import Judged, learn
from stream.decide.fusion import log_e_value
from stream.region.model import Fusion
from tests.benchmarks import water_data
from tests.benchmarks.water_data import MERGE_DAYS, SHARED

SINGLE, FUSED, FORETOLD = "best single series", "fused evidence of all", "trained forecast, next day"
EARLIER = "trained forecast, three days"
METHODS = (SINGLE, FUSED, FORETOLD, EARLIER)
LEADS = (1, 7)
QUIET_DAYS_KEPT = 10
DRAWS = 1_000


def every_gauge():
    """Names and flows (days, gauges) of all gauges."""
    with gzip.open(SHARED / "danube_daily_discharge_1959_1989.csv.gz", "rt") as file:
        names = next(csv.reader(file))[1:]
        return names, np.array([[float(one) for one in row[1:]] for row in csv.reader(file)])


def evidence(flow, split):
    """Log-odds of every gauge and day: how rare so much water was before `split`."""
    found = np.empty(flow.shape)
    for k in range(flow.shape[1]):
        known = np.sort(flow[:split, k])
        rarer = (len(known) - np.searchsorted(known, flow[:, k], side="left") + 1) / (len(known) + 1)
        values, back = np.unique(rarer, return_inverse=True)
        found[:, k] = np.maximum(0.0, [log_e_value(p) for p in values])[back]
    return found


def coming(flood):
    """Days on which the level is reached one to seven days later, and not yet."""
    later = np.zeros(len(flood), bool)
    for lead in range(LEADS[0], LEADS[1] + 1):
        later[:-lead] |= flood[lead:]
    return later & ~flood


def scores_of(said, flood, upper, split):
    """(single, fused) log-odds of one gauge for every day; learned before `split`, from all days before floods and one in ten of the others."""
    label = coming(flood)
    days = np.flatnonzero(~flood[:split])
    days = days[label[days] | (days % QUIET_DAYS_KEPT == 0)]
    names = tuple(f"g{k}" for k in upper)
    fused = learn(Judged(names, said[days][:, upper], label[days]), Fusion())
    alone = [learn(Judged((name,), said[days][:, [k]], label[days]), Fusion()) for k, name in zip(upper, names, strict=True)]
    best = int(np.argmin([one.brier_after for one in alone]))
    single = said[:, upper[best]] * alone[best].weights[names[best]] + odds(alone[best].prior)
    return single, said[:, upper] @ np.array([fused.weights[name] for name in names]) + odds(fused.prior)


def odds(chance):
    return np.log(chance / (1 - chance))


def played():
    """(river, scores by method (days, gauges))."""
    river = water_data.load()
    edges = list(csv.reader((SHARED / "danube_edges.csv").read_text().splitlines()))[1:]
    names, flow = every_gauge()
    rise = np.vstack([np.zeros((1, flow.shape[1])), np.diff(np.log(flow), axis=0)])
    said = np.hstack([evidence(flow, river.split), evidence(rise, river.split)])
    flood = river.flow >= river.level
    found = {method: np.empty(river.flow.shape) for method in METHODS}
    learned = learn_forecasts(Gauges(tuple(names), river.at, np.log(flow), above(river, names, edges), 86_400.0), river.split, Plan())
    for k, name in enumerate(river.names):
        near = sorted(names.index(one) for one in {name, *water_data.upstream(name, edges)})
        upper = [*near, *(len(names) + one for one in near)]
        chances = stated(learned, name, river.level[k : k + 1])[:, 0]
        found[FORETOLD][:, k], found[EARLIER][:, k] = chances[:, 0], chances[:, learned.model.windows.index(3)]
        found[SINGLE][:, k], found[FUSED][:, k] = scores_of(said, flood[:, k], upper, river.split)
    return river, found


def above(river, names, edges):
    """By scored gauge: the places of itself and of those upstream."""
    return {name: (names.index(name), *sorted(names.index(one) for one in water_data.upstream(name, edges))) for name in river.names}


def threshold_of(river, score, share, days):
    """The highest threshold that finds this share of the events a day ahead or earlier."""
    flat = np.sort(score[days].ravel())[::-1]
    low, high = 0, len(flat) // 10
    while low < high:
        middle = (low + high) // 2
        result = water_data.score(river, score >= flat[middle], days)
        low, high = (low, middle) if result.early >= share * result.events else (middle + 1, high)
    return flat[low]


def interval(river, warned, days):
    """95 % interval of the part of false warnings saved by the second of two masks, when the years are drawn again."""
    edges = np.linspace(days.start, days.stop, round(river.years) + 1).astype(int)
    false = np.array([[water_data.score(river, one, slice(*year)).false for one in warned] for year in pairwise(edges)])
    drawn = false[np.random.default_rng(9).integers(0, len(false), (DRAWS, len(false)))].sum(axis=1)
    return np.quantile(1 - drawn[:, 1] / np.maximum(drawn[:, 0], 1), [0.025, 0.975])


def compare(shares, lines):
    """The table; returns by share the part of false warnings saved."""
    river, found = played()
    days = slice(river.split, len(river.at))
    lines += [f"## Floods: Danube, {len(river.names)} gauges, 1980-1989, warnings within {MERGE_DAYS} days are one", ""]
    lines += [
        "| asked | method | found a day ahead or more | false | a gauge-year | fewer false (95 %, years drawn again) | fewer warnings | CSI | lead, days: median (mean) |"
    ]
    lines += ["|---|---|---|---|---|---|---|---|---|"]
    saved = {}
    for share in shares:
        warned = [found[method] >= threshold_of(river, found[method], share, days) for method in METHODS]
        results = [water_data.score(river, one, days) for one in warned]
        for method, mask, one in zip(METHODS, warned, results, strict=True):
            saved[share, method] = 1 - one.false / max(results[0].false, 1)
            low, high = interval(river, [warned[0], mask], days)
            in_all = 1 - (one.hits + one.false) / max(results[0].hits + results[0].false, 1)
            told = f"{one.early}/{one.events} | {one.false} | {one.false / one.gauge_years:.2f} | {saved[share, method]:.0%} ({low:.0%} to {high:.0%})"
            lines.append(
                f"| {share:.0%} | {method} | {told} | {in_all:.0%} | {one.csi:.3f} | {np.median(one.leads):.0f} ({np.mean(one.leads):.2f}) |"
            )
    lines.append("")
    return saved
