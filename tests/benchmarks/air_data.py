"""Beijing's hourly fine particles and weather as arrays, cut into what is tuned on (to June 2014) and what is scored (the year after)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from detectors import aqi
from tests.benchmarks.air_ridge import HOURS, NETWORK_HOURS, day_mean, inputs, windows
from tests.benchmarks.air_scoring import Span, events
from tests.region.shared import POINTS, table

LIMITS = (115.0, 150.0, 250.0)
TUNED_BEFORE, SCORED_BEFORE = "2014-07-01", "2015-07-01"
WARMUP_H = 48


@dataclass(frozen=True)
class Air:
    """`hourly`, `mean24`, `nowcast`: (hours, sites), ug/m3, NaN = missing; `everywhere`: as `hourly`, all stations. `weather`: (hours, columns). `events`: by (limit, site)."""

    sites: tuple[str, ...]
    local_hour: np.ndarray
    hourly: np.ndarray
    everywhere: np.ndarray
    mean24: np.ndarray
    nowcast: np.ndarray
    network: np.ndarray
    weather: np.ndarray
    tuned: Span
    scored: Span
    events: dict = field(repr=False)

    def raw(self, site, *, network, weather):
        """The columns of `air_forecast.inputs` for a site; `weather`: "none", "wind" or "all"."""
        around = windows(self.network, NETWORK_HOURS) if network else None
        columns = {"none": None, "wind": self.weather[:, WIND], "all": self.weather}[weather]
        return inputs(windows(self.hourly[:, site], HOURS), around, self.local_hour, columns)


WIND = [3, 4, 5, 6, 7]


def _weather(rows):
    """Temperature, pressure, dew point, log wind, eastward and northward wind, their 12-hour means, 24-hour change of pressure, dryness."""
    number = lambda text: float(text) if text else np.nan  # noqa: E731
    columns = np.array([[number(row[name]) for name in ("TEMP", "PRES", "DEWP", "WSPM")] for row in rows])
    angle = np.radians([POINTS.index(row["wd"]) * 22.5 if row["wd"] in POINTS else np.nan for row in rows])
    temperature, pressure, dew, speed = columns.T
    east, north = -speed * np.sin(angle), -speed * np.cos(angle)
    smooth = [_known_mean(windows(one, 12)) for one in (east, north)]
    change = pressure - np.concatenate([np.full(24, np.nan), pressure[:-24]])
    return np.column_stack([temperature, pressure, dew, np.log1p(speed), east, north, *smooth, change, temperature - dew])


def _known_mean(block):
    there = ~np.isnan(block)
    return np.divide(np.where(there, block, 0.0).sum(axis=1), there.sum(axis=1), out=np.full(len(block), np.nan), where=there.any(axis=1))


def load(sites=None, without_h=0):
    """The data set, all twelve sites or the first few, all hours or without the first ones; the network's mean is always over all sites."""
    files = ("air/beijing12_pm25_hourly_201303_201506.csv.gz", "air/beijing_weather_hourly_201303_201506.csv.gz")
    rows, weather = (table(file)[without_h:] for file in files)
    times = [row["time"] for row in rows]
    assert times == [row["time"] for row in weather], "the two files must have the same hours"
    first = int(datetime.fromisoformat(times[0] + "+00:00").timestamp()) // 3600
    names = tuple(name for name in rows[0] if name != "time")
    everywhere = np.array([[float(row[name]) if row[name] else np.nan for name in names] for row in rows])
    hourly = everywhere[:, :sites]
    mean24 = np.column_stack([day_mean(windows(one, HOURS)) for one in hourly.T])
    cut, end = (next((i for i, time in enumerate(times) if time >= day), len(times)) for day in (TUNED_BEFORE, SCORED_BEFORE))
    return Air(
        sites=names[:sites],
        local_hour=first + np.arange(len(times)),
        hourly=hourly,
        everywhere=everywhere,
        mean24=mean24,
        nowcast=np.column_stack([aqi.nowcast(windows(one, aqi.HOURS)) for one in hourly.T]),
        network=_known_mean(everywhere),
        weather=_weather(weather),
        tuned=Span(WARMUP_H, cut),
        scored=Span(cut, end),
        events={(limit, site): events(mean24[:, site], limit) for limit in LIMITS for site in range(hourly.shape[1])},
    )
