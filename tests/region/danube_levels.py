"""How the levels and lengths of `deploy/regions/danube` were made: from data before 1980 only, and from positions of gauges.

Run as `python -m tests.region.danube_levels` it writes the tables; a test proves that the committed ones are these.
"""

from __future__ import annotations

import json

import numpy as np

from tests.region.shared import REGIONS, table
from topology.geodesy import distance_km

SINUOSITY = 1.25
RETURN_YEARS = {"blue": 1.5, "yellow": 2.0, "orange": 5.0, "red": 20.0}
FIRST_YEAR, LAST_YEAR = 1960, 1979
DISCHARGE = "rivers/danube_daily_discharge_1959_1989.csv.gz"
RIVERS = {
    "Donau": ("多瑙河", "Danube"), "Iller": ("伊勒河", "Iller"), "Inn": ("因河", "Inn"), "Isar": ("伊萨尔河", "Isar"),
    "Lech": ("莱希河", "Lech"), "Naab": ("纳布河", "Naab"), "Regen": ("雷根河", "Regen"), "Saalach": ("萨拉赫河", "Saalach"),
    "Salzach": ("萨尔察赫河", "Salzach"),
}  # fmt: skip


def annual_maxima() -> dict[str, np.ndarray]:
    """The greatest daily mean of each hydrological year (November to October) 1960-1979 by gauge, m3/s. Nothing from 1980 on is read."""
    found: dict[str, dict[int, float]] = {}
    for row in table(DISCHARGE):
        year = int(row["date"][:4]) + (row["date"][5:7] >= "11")
        if row["date"] >= "1980" or not FIRST_YEAR <= year <= LAST_YEAR:
            continue
        for gauge, value in row.items():
            if gauge != "date":
                best = found.setdefault(gauge, {})
                best[year] = max(best.get(year, 0.0), float(value))
    return {gauge: np.array([best[year] for year in range(FIRST_YEAR, LAST_YEAR + 1)]) for gauge, best in found.items()}


def levels() -> dict[str, dict[str, float]]:
    """By gauge and colour: the discharge reached once in T years, the 1 - 1/T quantile of the annual maxima (Weibull plotting positions)."""
    return {
        gauge: {colour: float(np.round(np.quantile(maxima, 1 - 1 / years, method="weibull"), 1)) for colour, years in RETURN_YEARS.items()}
        for gauge, maxima in annual_maxima().items()
    }


def reaches() -> list[tuple[str, str, float, str]]:
    """(reach, downstream, length_km, mean_discharge_m3_per_s): each gauge's way to the next one, geodesic times the sinuosity."""
    gauges = {row["gauge"]: row for row in table("rivers/danube_gauges.csv")}
    below = {row["upstream"]: row["downstream"] for row in table("rivers/danube_edges.csv")}
    rows = []
    for gauge in sorted(gauges):
        here, there = gauges[gauge], gauges.get(below.get(gauge, ""))
        straight = 0.0 if there is None else distance_km(*(float(at[name]) for at in (here, there) for name in ("Lat", "Long")))
        mean = f"{float(here['AveVol']):.6g}"
        rows.append((gauge, below.get(gauge, ""), round(SINUOSITY * float(straight), 1), mean))
    return rows


def reaches_csv() -> str:
    """reaches.csv of the region."""
    lines = ["reach,downstream,length_km,mean_discharge_m3_per_s"]
    return "\n".join(lines + [f"{reach},{down},{length:g},{mean}" for reach, down, length, mean in reaches()]) + "\n"


def stations_csv() -> str:
    """stations.csv of the region."""
    learned = levels()
    lines = ["station,quantity,city,latitude,longitude,reach,reach_km,blue,yellow,orange,red"]
    for row in table("rivers/danube_gauges.csv"):
        gauge = row["gauge"]
        limits = ",".join(f"{learned[gauge][colour]:g}" for colour in RETURN_YEARS)
        lines.append(f"{gauge},discharge,{gauge},{row['Lat']},{row['Long']},{gauge},0,{limits}")
    return "\n".join(lines) + "\n"


def cities_geojson() -> str:
    """cities.geojson of the region: every gauge stands as a city."""
    features = []
    for row in table("rivers/danube_gauges.csv"):
        gauge = row["gauge"]
        zh, en = RIVERS[row["RivNames"]]
        properties = {
            "id": gauge, "name_zh": f"{zh}{gauge}站", "name_en": f"{en} {gauge}", "level": "gauge", "radius_km": 5,
            "river": [{"reach": gauge, "km": 0}],
        }  # fmt: skip
        point = {"type": "Point", "coordinates": [float(row["Long"]), float(row["Lat"])]}
        features.append(json.dumps({"type": "Feature", "properties": properties, "geometry": point}, ensure_ascii=False))
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(features) + "\n]}\n"


FILES = {"reaches.csv": reaches_csv, "stations.csv": stations_csv, "cities.geojson": cities_geojson}

if __name__ == "__main__":
    for name, content in FILES.items():
        (REGIONS / "danube" / name).write_text(content(), encoding="utf-8", newline="\n")
