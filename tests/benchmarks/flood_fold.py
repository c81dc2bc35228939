"""The floods of the upper Danube through the whole fold: what cities are told, and not only what a model states.

The shipped region with the benchmark's levels (yellow: 2 years, orange: 5 years) and forecasts learned until 1979 is replayed day by day. A city
is warned of a level on every day on which a warning of at least that level is in force for it.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stream.calibrate.forecasts import Gauges, Plan, learn
from stream.decide.fold import Fold
from stream.records.journal import Columns, Command, Entry, encode, measurements
from stream.records.output import Kind
from stream.records.warning import Lane
from stream.region.bundle import bundle
from stream.region.forecasts import forecasts_json
from stream.region.load import load
from tests.benchmarks.water_data import SHARED, upstream

REGION = Path(__file__).parents[2] / "deploy" / "regions" / "danube"
LEVELS = {2.0: "yellow", 5.0: "orange"}
WORDS = ("none", "blue", "yellow", "orange", "red")
WINDOWS = (1, 2, 3, 5)
"""The steps of the product's calibration within which the region's warnings are valid."""


def learned_for_all(floods):
    """Forecasts of every gauge with another one above it, as `tocsin calibrate` learns them."""
    edges = list(csv.reader((SHARED / "danube_edges.csv").read_text().splitlines()))[1:]
    above = {name: sorted(floods.names.index(one) for one in upstream(name, edges)) for name in floods.names}
    targets = {f"{name}/discharge": (floods.names.index(name), *found) for name, found in above.items() if found}
    gauges = Gauges(tuple(f"{name}/discharge" for name in floods.names), floods.at, np.log(floods.flow), targets, 86_400.0)
    return learn(gauges, floods.split, Plan(windows=WINDOWS))


def region_of(floods, learned, folder):
    """The shipped region with these levels and forecasts (none if `learned` is None)."""
    shutil.copytree(REGION, folder)
    rows = list(csv.DictReader((folder / "stations.csv").read_text("utf-8").splitlines()))
    for row in rows:
        for years, colour in LEVELS.items():
            row[colour] = floods.level[years].get(row["station"], row[colour])
        row["blue"] = min(float(row["blue"]), float(row["yellow"]))
        row["red"] = max(float(row["red"]), float(row["orange"]) + 1.0)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (folder / "stations.csv").write_text(text.getvalue(), "utf-8")
    (folder / "forecasts.json").unlink(missing_ok=True)
    if learned is not None:
        (folder / "forecasts.json").write_bytes(forecasts_json((learned.model,)))
    return load(bundle(folder))


def replayed(floods, learned, days):
    """(level in force by city (n,), messages, region): the region replayed on these days (a range of rows)."""
    with TemporaryDirectory() as folder:
        region = region_of(floods, learned, Path(folder) / "danube")
    fold = Fold({region.region_hash: region}.__getitem__, lane=Lane.TEST, clock="observed", partitions=1)
    state = fold.initial(0)
    fold.apply(state, [Entry(0, 0, encode(Command("activate", region.name, region.region_hash)))])
    rows = np.array([region.series.row_of[f"{name}/discharge"] for name in floods.names], "<i4")
    force, now, messages = {name: np.zeros(len(floods.at), np.int8) for name in floods.names}, dict.fromkeys(floods.names, 0), []
    for day in days:
        at = np.full(len(rows), floods.at[day], "<i8")
        message = measurements("danube", region.region_hash, Columns(rows, at, floods.flow[day].astype("<f8"), np.zeros(len(rows), "u1")))
        told = [
            json.loads(one.value)
            for one in fold.apply(state, [Entry(day, int(floods.at[day]), encode(message))])
            if one.kind is Kind.CITY and b'"type":"warning"' in one.value
        ]
        messages += told
        for one in told:
            over = one["msg_type"] in ("all_clear", "cancel") or one["reason"] == "expired"
            now[one["city_id"]] = 0 if over else WORDS.index(one["level"])
        for name, level in now.items():
            force[name][day - 1] = level  # an instant of a replay is decided when the next one comes
    return force, messages, region


def warned(floods, force, years):
    """By scored gauge: the days on which a warning of the level of this return period is in force."""
    return {name: force[name] >= WORDS.index(LEVELS[years]) for name in floods.above}
