"""Crests of the upper Danube for the benchmark of travel times, and the contestants that say when a crest comes to the next gauge.

Crests are found and matched here once more, slowly and without the product's code; the windows are the product's own: its footprint is asked
with a source whose evidence began at the crest above.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stream.calibrate import history, lags
from stream.region.bundle import Bundle, bundle, region_hash
from stream.region.load import load
from topology.base import Conditions, Source, footprint

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data" / "rivers"
REGION = ROOT / "deploy" / "regions" / "danube"
SPLIT = "1980-01-01"
DAY_H = 24.0
HOUR_MS = 3_600_000
APART_DAYS = 3
ABOVE, BELOW = 0.95, 0.90
SLOWEST, FASTEST = 0.3, 10.0


@dataclass(frozen=True)
class Danube:
    """`flow` (days, gauges) m3/s from `first`, `split` the first day that is scored, `edges` upstream to downstream, `length_km` by upper gauge."""

    names: list[str]
    first: np.datetime64
    flow: np.ndarray
    split: int
    edges: list[tuple[str, str]]
    length_km: dict[str, float]


@dataclass(frozen=True)
class Events:
    """Crests at a gauge that were found at one below: instant above (h since the first day), hours to the one below."""

    at_h: np.ndarray
    lag_h: np.ndarray

    def pick(self, chosen):
        return Events(self.at_h[chosen], self.lag_h[chosen])


@dataclass(frozen=True)
class Score:
    """Of one pair, or several: crests, median and mean absolute error (h), share inside P10-P90, median width of the window (h)."""

    errors: np.ndarray
    inside: np.ndarray
    widths: np.ndarray

    @property
    def row(self):
        return f"{len(self.errors)} | {np.median(self.errors):.1f} | {np.mean(self.errors):.1f} | {np.mean(self.inside):.1%} | {np.median(self.widths):.1f}"


def read():
    edges = [tuple(row) for row in csv.reader((SHARED / "danube_edges.csv").read_text().splitlines())][1:]
    with gzip.open(SHARED / "danube_daily_discharge_1959_1989.csv.gz", "rt") as file:
        names = next(csv.reader(file))[1:]
        rows = list(csv.reader(file))
    days = np.array([row[0] for row in rows], "datetime64[D]")
    with (REGION / "reaches.csv").open() as file:
        length_km = {row["reach"]: float(row["length_km"]) for row in csv.DictReader(file)}
    flow = np.array([[float(one) for one in row[1:]] for row in rows])
    return Danube(names, days[0], flow, int(np.searchsorted(days, np.datetime64(SPLIT))), edges, length_km)


def way_km(danube, upper, lower):
    """Kilometres from one gauge to another below it, None if it is not; every gauge stands at the head of its reach."""
    below, km = dict(danube.edges), 0.0
    while upper != lower:
        if upper not in below:
            return None
        km += danube.length_km[upper]
        upper = below[upper]
    return km


def crests(values, least):
    """(hour, value) of the days that are the highest of a week and reach `least`, the hour by a parabola through three days."""
    found = []
    for day in range(1, len(values) - 1):
        week = values[max(0, day - APART_DAYS) : day + APART_DAYS + 1]
        before, top, after = values[day - 1 : day + 2]
        if top >= least and top == week.max() and top > before:
            found.append((day * DAY_H + 12.0 * (before - after) / (before - 2.0 * top + after), top))
    return found


def events(danube, upper, lower):
    """The matched crests of a pair: each the other's nearest to the middle of what a wave can take over the way."""
    km = way_km(danube, upper, lower)
    quick, slow = km / 3.6 / FASTEST, km / 3.6 / SLOWEST
    middle = math.sqrt(quick * slow)
    sides = []
    for gauge, quantile in ((upper, ABOVE), (lower, BELOW)):
        values = danube.flow[:, danube.names.index(gauge)]
        sides.append([hour for hour, _ in crests(values, np.quantile(values[: danube.split], quantile))])
    found = []
    for at in sides[0]:
        near = [one for one in sides[1] if quick - DAY_H / 2 <= one - at <= slow + DAY_H / 2]
        if not near:
            continue
        there = min(near, key=lambda one: abs(one - at - middle))
        if min(sides[0], key=lambda one: abs(there - one - middle)) == at:
            found.append((at, there - at))
    table = np.array(found).reshape(-1, 2)
    return Events(table[:, 0], table[:, 1])


def scored(danube, one, *, later):
    """The events of the learning years or of the later ones."""
    return one.pick((one.at_h >= danube.split * DAY_H) == later)


def region_with(lags_csv, **parameters):
    """The Danube's region with these lags (None: none) and footprint parameters."""
    files = dict(bundle(REGION).files)
    files.pop("lags.csv", None)
    if lags_csv is not None:
        files["lags.csv"] = lags_csv
    text = files["hazards/flood.toml"].decode()
    for name, value in parameters.items():
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    files["hazards/flood.toml"] = text.encode()
    return load(Bundle("danube", region_hash(files), files))


def learned_lags(danube):
    """lags.csv as `tocsin calibrate` makes it of the days before the split; nothing later is given to it."""
    region = region_with(None)
    rows = np.array([region.series.row_of[f"{name}/discharge"] for name in danube.names])
    days = np.arange(danube.split, dtype=np.int64) * 86_400_000
    count = len(danube.names)
    measured = history.History(
        np.tile(rows, danube.split), np.repeat(days, count), danube.flow[: danube.split].ravel(), np.ones(danube.split * count, np.uint8)
    )
    return lags.lags_csv(lags.learn_lags(region, measured, danube.split * 86_400_000))


def pairs_of(lags_csv):
    """The pairs of gauges in a lags.csv."""
    return [
        tuple(row[name].partition("/")[0] for name in ("upstream", "downstream")) for row in csv.DictReader(io.StringIO(lags_csv.decode()))
    ]


def predict(region, upper, lower):
    """Hours (P10, P50, P90) after a crest at the upper gauge, by the footprint of the region's flood."""
    [hazard] = region.hazards
    series = f"{upper}/discharge"
    row = region.series.row_of[series]
    place = (float(region.series.latitude[row]), float(region.series.longitude[row]))
    # A value without a limit of its own: what is asked is when, not how high.
    source = Source(series, upper, *place, upper, 0.0, 0, 0, None, 1.0, 1.0)
    module = footprint(hazard.footprint)
    graph = replace(hazard.graph, parameters={**hazard.graph.parameters, "min_share": 0.0})
    for impact in module.footprint(graph, source, Conditions(now=0)):
        if impact.city_id == lower:
            arrival = impact.arrival
            return tuple(at / HOUR_MS for at in (arrival.p10_at, arrival.p50_at, arrival.p90_at))
    problem = f"the footprint of {upper} does not reach {lower}"
    raise LookupError(problem)


def score(windows, given):
    """Windows (P10, P50, P90) against events, pair by pair, put together."""
    errors, inside, widths = [], [], []
    for (low, middle, high), one in zip(windows, given, strict=True):
        errors.append(np.abs(one.lag_h - middle))
        inside.append((one.lag_h >= low) & (one.lag_h <= high))
        widths.append(np.full(len(one.lag_h), high - low))
    return Score(np.concatenate(errors), np.concatenate(inside), np.concatenate(widths))
