"""A synthetic region of quiet gauges and their history: a stationary AR(1) around each gauge's own mean, daily, known to the last parameter."""

from __future__ import annotations

import json

import numpy as np

GAUGES = 12
DAYS = 365 * 9
SPLIT = "2005-01-01"
START = np.datetime64("2000-01-01")

HEAD = """
# a comment that must survive
name = "still"
[title]
zh = "静水（合成）"
en = "Still (synthetic)"
[domains.still]
families = ["water"]
"""
HAZARD = """
family = "water"
category = "met"
quantities = ["stage"]
[[detectors]]
name = "stage"
[[detectors]]
name = "cusum"
[detectors.parameters]
h_blue = 4
h_yellow = 6
[texts.zh]
name = "洪水"
[texts.en]
name = "flood"
"""


def region(folder):
    """Write the region's folder; gauge `g00` has no levels of its own beyond a red one out of reach."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [110 + n / 10, 30]},
            "properties": {"id": f"c{n:02d}", "name_zh": f"城{n}", "name_en": f"City {n}", "level": "city", "radius_km": 3},
        }
        for n in range(GAUGES)
    ]
    stations = [
        "station,quantity,domain,unit,city,interval_s,timezone,red",
        *(f"g{n:02d},stage,still,m,c{n:02d},86400,UTC,99" for n in range(GAUGES)),
    ]
    files = {
        "region.toml": HEAD,
        "stations.csv": "\n".join(stations) + "\n",
        "cities.geojson": json.dumps({"type": "FeatureCollection", "features": features}),
        "hazards/flood.toml": HAZARD,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def values(seed=0):
    """Stages, (days, gauges)."""
    rng = np.random.default_rng(seed)
    left = np.zeros((DAYS, GAUGES))
    for day in range(1, DAYS):
        left[day] = 0.7 * left[day - 1] + rng.normal(size=GAUGES) * 0.1
    return 2.0 + np.arange(GAUGES) / 4.0 + left


def history(path, stages, start=START):
    """Write the stages as a file for `tocsin calibrate`."""
    lines = ["station,quantity,observed_at,value"]
    for day, row in enumerate(stages):
        lines += [f"g{n:02d},stage,{start + day}T00:00:00Z,{stage:.4f}" for n, stage in enumerate(row)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
