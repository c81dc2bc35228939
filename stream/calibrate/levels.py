"""Levels from return periods: the value a gauge reaches once in T years, from the highest value of each complete year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detectors import return_levels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from stream.calibrate.history import History

COLOURS = ("blue", "yellow", "orange", "red")
YEARS_MIN = 10
"""With fewer complete years the levels of a series are left as they are."""


@dataclass(frozen=True, slots=True)
class Achieved:
    """One return period, all series together: years that reached the level, of how many, before and after the split."""

    colour: str
    return_years: float
    learned: tuple[int, int]
    later: tuple[int, int]


def learn(measured: History, rows: NDArray[np.int32], return_years: Mapping[str, float], first_month: int) -> dict[str, dict[int, float]]:
    """Levels by colour and region row, from the history given (cut it to the learning years first).

    The sorted maxima are read off (Weibull plotting positions); a return period longer than the record comes from a fitted GEV.
    """
    found: dict[str, dict[int, float]] = {colour: {} for colour in return_years}
    periods = np.array(list(return_years.values()))
    for row in rows.tolist():
        maxima = _maxima(measured, row, first_month)
        if len(maxima) < YEARS_MIN or maxima.min() == maxima.max():
            continue
        read_off = return_levels.empirical(maxima, periods)
        values = np.where(np.isnan(read_off), return_levels.level(return_levels.fit(maxima), periods), read_off)
        for colour, value in zip(return_years, values.tolist(), strict=True):
            found[colour][row] = value
    return found


def _maxima(measured: History, row: int, first_month: int) -> NDArray[np.float64]:
    mine = measured.row == row
    return return_levels.annual_maxima(measured.observed_at[mine], measured.value[mine], first_month=first_month)


def achieved(
    parts: tuple[History, History], levels: Mapping[str, Mapping[int, float]], return_years: Mapping[str, float], first_month: int
) -> list[Achieved]:
    """In how many complete years each level was reached, before and after the split."""
    rows = sorted({row for of_colour in levels.values() for row in of_colour})
    maxima = [{row: _maxima(part, row, first_month) for row in rows} for part in parts]
    found = []
    for colour, of_colour in levels.items():
        counts = [
            (sum(int((part[row] >= level).sum()) for row, level in of_colour.items()), sum(len(part[row]) for row in of_colour))
            for part in maxima
        ]
        found.append(Achieved(colour, return_years[colour], counts[0], counts[1]))
    return found
