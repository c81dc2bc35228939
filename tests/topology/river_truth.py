"""Synthetic rivers with a known truth: the field of log slowness is drawn, the front runs through it, and stations see it with errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tests.topology.places import HOUR, NOW, river_city, source
from topology import river_wave
from topology.base import Conditions, Passage, Places, Reach

STATIONS_KM = (50.0, 120.0, 230.0, 340.0, 480.0, 590.0)
LENGTH_KM = 600.0
SPEED_M_PER_S = 1.0
FLOOR_H = 2.0
LOG_SD = 0.4
CORRELATION_KM = 1000.0
Z = (-1.6448536, -1.2815516, 1.2815516, 1.6448536)


class Covered(NamedTuple):
    """Share of cases inside P10 to P90 and P5 to P95, the mean width of P10 to P90 over the median, and the cases."""

    p80: float
    p90: float
    width: float
    cases: int


def draw(rivers: int, seed: int, correlation_km: float = CORRELATION_KM, log_sd: float = LOG_SD) -> np.ndarray:
    """Hours from the source at which each station first finds the front, errors included: (rivers, stations + 1), the source's own first."""
    rng = np.random.default_rng(seed)
    km = np.arange(0.5, LENGTH_KM)
    alike = np.exp(-np.abs(np.subtract.outer(km, km)) / correlation_km)
    field = rng.standard_normal((rivers, len(km))) @ np.linalg.cholesky(alike + 1e-9 * np.eye(len(km))).T * log_sd
    hours = np.concatenate([np.zeros((rivers, 1)), np.cumsum(np.exp(field) / 3.6 / SPEED_M_PER_S, axis=1)], axis=1)
    true = hours[:, [0, *(int(at) for at in STATIONS_KM)]]
    return true + rng.standard_normal(true.shape) * FLOOR_H / (1.2815516 * np.sqrt(2.0))


GRAPH = river_wave.build(
    Places(
        tuple(river_city(f"c{number}", ("r", km)) for number, km in enumerate(STATIONS_KM, start=1)),
        (Reach("r", "", LENGTH_KM, celerity_m_per_s=SPEED_M_PER_S),),
    ),
    {"log_sd": LOG_SD, "correlation_km": CORRELATION_KM, "floor_h": FLOOR_H},
)


def coverage(seen: np.ndarray, passages: int) -> Covered:
    """Forecast the stations below the first `passages` ones from these, through the footprint itself, and count."""
    inner, outer, widths = 0, 0, []
    for row in seen:
        at = [NOW + round(hours * HOUR) for hours in row.tolist()]
        known = tuple(Passage("r", km, front_at) for km, front_at in zip(STATIONS_KM[:passages], at[1:], strict=False))
        asked = source(reach="r", reach_km=0.0, onset_at=at[0], observed_at=at[0])
        for ahead in river_wave.forecasts(GRAPH, asked, Conditions(now=10**15, passages=known)):
            number = int(ahead.reached.city_id[1:])
            if number > passages:
                low, p10, p90, high = (ahead.at(z) for z in Z)
                inner += p10 <= at[number] <= p90
                outer += low <= at[number] <= high
                widths.append((p90 - p10) / (ahead.at(0.0) - ahead.start_at))
    return Covered(inner / len(widths), outer / len(widths), float(np.mean(widths)), len(widths))
