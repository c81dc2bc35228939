"""Where the shared measurements lie, and the converters that turn their wide tables into rows for `tocsin feed`. Nothing is copied."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared" / "data"
REGIONS = REPOSITORY / "deploy" / "regions"
POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")


def shared_file(name: str) -> Path:
    """The path of a shared file; without it the test is skipped, and fails where CI is true."""
    path = SHARED / name
    if not path.exists():
        say = f"needs ../shared/data/{name} beside the repository"
        if os.environ.get("CI") == "true":
            pytest.fail(say)
        pytest.skip(say)
    return path


def table(name: str) -> list[dict[str, str]]:
    """The rows of a shared table."""
    path = shared_file(name)
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def danube_rows(start: str, end: str) -> Iterator[tuple[str, str, str]]:
    """(series, observed_at, value) of the Danube's daily discharge, start <= date < end; a day's mean is stamped with its first instant."""
    for row in table("rivers/danube_daily_discharge_1959_1989.csv.gz"):
        if start <= row["date"] < end:
            for gauge, value in row.items():
                if gauge != "date" and value:
                    yield f"{gauge}/discharge", f"{row['date']}T00:00:00Z", value


def beijing_rows(start: str, end: str) -> Iterator[tuple[str, str, str]]:
    """(series, observed_at, value) of Beijing's hourly PM2.5 and wind, start <= time < end (China Standard Time, as in the files)."""
    for row in table("air/beijing12_pm25_hourly_201303_201506.csv.gz"):
        if start <= row["time"] < end:
            for site, value in row.items():
                if site != "time" and value:
                    yield f"{site.lower()}/pm25", instant(row["time"]), value
    for row in table("air/beijing_weather_hourly_201303_201506.csv.gz"):
        if start <= row["time"] < end:
            if row["WSPM"]:
                yield "beijing-weather/wind_speed", instant(row["time"]), row["WSPM"]
            if row["wd"] in POINTS:
                yield "beijing-weather/wind_direction", instant(row["time"]), str(POINTS.index(row["wd"]) * 22.5)


def instant(time: str) -> str:
    """RFC 3339 of a time in China Standard Time."""
    return f"{time.replace(' ', 'T')}+08:00"


def write_feed(path: Path, rows: Iterator[tuple[str, str, str]]) -> Path:
    """Writes rows as a file for `tocsin feed`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("series", "observed_at", "value"))
        writer.writerows(rows)
    return path
