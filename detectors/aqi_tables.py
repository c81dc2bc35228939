"""Air quality index scales as dated data, with the rounding each standard prescribes.

Sources: HJ 633-2026 table 3 (in force since 2026-03-01; 1-hour columns for real-time reports, particulates' hourly means against
their 24-hour column; concentrations to whole ug/m3, CO to 0.1 mg/m3; index rounded up), HJ 633-2012 (the same with other particulate
breakpoints), EPA-454/B-24-002 of May 2024 (concentrations truncated, index rounded to nearest, open upper ends continued linearly),
EPA-454/B-18-007 of September 2018 (the same; breakpoints of fine particulates before 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Table(IntEnum):
    """Which version of a standard, whatever the date; the number is what a hazard file writes."""

    HJ_633_2012 = 1
    HJ_633_2026 = 2
    EPA_2024 = 3
    EPA_2015 = 4


class Standard(IntEnum):
    """A standard in the version that was in force when a measurement was taken; the number is what a hazard file writes."""

    HJ_633 = 101
    EPA = 102


IN_FORCE: dict[Standard, tuple[tuple[datetime, Table], ...]] = {
    Standard.HJ_633: (
        (datetime.fromisoformat("2012-02-29T00:00+08:00"), Table.HJ_633_2012),
        (datetime.fromisoformat("2026-03-01T00:00+08:00"), Table.HJ_633_2026),
    ),
    Standard.EPA: (
        (datetime.fromisoformat("2015-12-28T00:00-05:00"), Table.EPA_2015),
        (datetime.fromisoformat("2024-05-06T00:00-04:00"), Table.EPA_2024),
    ),
}
"""From when each version applies, oldest first; what is older than the oldest is judged by it. HJ 633-2012 was issued on 2012-02-29, used by the
first cities (Beijing among them) from that year on and everywhere from 2016-01-01. EPA: 80 FR 65292 (ozone) and 89 FR 16202 (particulates)."""


def in_force(table: NDArray[np.float64], observed_at: NDArray[np.int64]) -> NDArray[np.float64]:
    """The number of the `Table` each measurement is judged by, (n,): a `Standard` by its date (ms since 1970, UTC), a `Table` as it is.

    >>> at = [int(datetime.fromisoformat(day + "T12:00+08:00").timestamp() * 1000) for day in ("2014-02-20", "2026-02-28", "2026-03-01")]
    >>> [Table(int(one)).name for one in in_force(np.full(3, 101.0), np.array(at))]
    ['HJ_633_2012', 'HJ_633_2012', 'HJ_633_2026']
    """
    chosen = table
    for standard, versions in IN_FORCE.items():
        by_date = table == standard
        if by_date.any():
            for number, (start, version) in enumerate(versions):
                since = by_date if number == 0 else by_date & (observed_at >= int(start.timestamp() * 1000))
                chosen = np.where(since, float(version), chosen)
    return chosen


class Pollutant(IntEnum):
    """Which pollutant; the number is what a hazard file writes."""

    PM25 = 1
    PM10 = 2
    O3 = 3
    NO2 = 4
    SO2 = 5
    CO = 6


class Averaging(IntEnum):
    """Over how many hours the concentration was averaged."""

    HOUR = 1
    EIGHT_HOURS = 8
    DAY = 24


@dataclass(frozen=True, slots=True)
class Scale:
    """A piecewise linear scale: `low[i]..high[i]` (after rounding) maps to `index_low[i]..index_high[i]`.

    `decimals` is the number kept of the concentration; `truncates`: cut instead of rounded, and the index to nearest instead of up.
    `continues`: the last piece goes on beyond its end; otherwise the index stays at its end.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    index_low: tuple[float, ...]
    index_high: tuple[float, ...]
    decimals: int
    truncates: bool
    continues: bool


_HJ_INDEX = (0.0, 50.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0)


def _hj(*breaks: float, decimals: int = 0) -> Scale:
    index = _HJ_INDEX[: len(breaks)]
    return Scale(breaks[:-1], breaks[1:], index[:-1], index[1:], decimals, truncates=False, continues=False)


def _epa(*pieces: tuple[float, float], first: int = 0, decimals: int = 0, continues: bool = True) -> Scale:
    """EPA since 2024: the highest piece goes from 301 to 500."""
    return _cut(pieces, ((0.0, 51.0, 101.0, 151.0, 201.0, 301.0), (50.0, 100.0, 150.0, 200.0, 300.0, 500.0)), first, decimals, continues)


def _epa_400(*pieces: tuple[float, float], first: int = 0, decimals: int = 0) -> Scale:
    """EPA before 2024: a piece from 301 to 400 and one from 401 to 500."""
    index = (0.0, 51.0, 101.0, 151.0, 201.0, 301.0, 401.0), (50.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0)
    return _cut(pieces, index, first, decimals, True)


def _cut(
    pieces: tuple[tuple[float, float], ...], index: tuple[tuple[float, ...], tuple[float, ...]], first: int, decimals: int, continues: bool
) -> Scale:
    low, high, part = tuple(p[0] for p in pieces), tuple(p[1] for p in pieces), slice(first, first + len(pieces))
    return Scale(low, high, index[0][part], index[1][part], decimals, truncates=True, continues=continues)


_HJ_GASES = {
    (Pollutant.SO2, Averaging.DAY): _hj(0, 50, 150, 475, 800, 1600, 2100, 2620),
    (Pollutant.SO2, Averaging.HOUR): _hj(0, 150, 500, 650, 800),
    (Pollutant.NO2, Averaging.DAY): _hj(0, 40, 80, 180, 280, 565, 750, 940),
    (Pollutant.NO2, Averaging.HOUR): _hj(0, 100, 200, 700, 1200, 2340, 3090, 3840),
    (Pollutant.CO, Averaging.DAY): _hj(0, 2, 4, 14, 24, 36, 48, 60, decimals=1),
    (Pollutant.CO, Averaging.HOUR): _hj(0, 5, 10, 35, 60, 90, 120, 150, decimals=1),
    (Pollutant.O3, Averaging.EIGHT_HOURS): _hj(0, 100, 160, 215, 265, 800),
    (Pollutant.O3, Averaging.HOUR): _hj(0, 160, 200, 300, 400, 800, 1000, 1200),
}

_EPA_GASES = {
    (Pollutant.O3, Averaging.EIGHT_HOURS): _epa(
        (0, 0.054), (0.055, 0.070), (0.071, 0.085), (0.086, 0.105), (0.106, 0.200), decimals=3, continues=False
    ),
    (Pollutant.O3, Averaging.HOUR): _epa((0.125, 0.164), (0.165, 0.204), (0.205, 0.404), (0.405, 0.604), first=2, decimals=3),
    (Pollutant.CO, Averaging.EIGHT_HOURS): _epa((0, 4.4), (4.5, 9.4), (9.5, 12.4), (12.5, 15.4), (15.5, 30.4), (30.5, 50.4), decimals=1),
    (Pollutant.SO2, Averaging.HOUR): _epa((0, 35), (36, 75), (76, 185), (186, 304), continues=False),
    (Pollutant.SO2, Averaging.DAY): _epa((305, 604), (605, 1004), first=4),
    (Pollutant.NO2, Averaging.HOUR): _epa((0, 53), (54, 100), (101, 360), (361, 649), (650, 1249), (1250, 2049)),
}
_EPA_GASES_2015 = _EPA_GASES | {
    (Pollutant.O3, Averaging.HOUR): _epa_400(
        (0.125, 0.164), (0.165, 0.204), (0.205, 0.404), (0.405, 0.504), (0.505, 0.604), first=2, decimals=3
    ),
    (Pollutant.CO, Averaging.EIGHT_HOURS): _epa_400(
        (0, 4.4), (4.5, 9.4), (9.5, 12.4), (12.5, 15.4), (15.5, 30.4), (30.5, 40.4), (40.5, 50.4), decimals=1
    ),
    (Pollutant.SO2, Averaging.DAY): _epa_400((305, 604), (605, 804), (805, 1004), first=4),
    (Pollutant.NO2, Averaging.HOUR): _epa_400((0, 53), (54, 100), (101, 360), (361, 649), (650, 1249), (1250, 1649), (1650, 2049)),
}

SCALES: dict[Table, dict[tuple[Pollutant, Averaging], Scale]] = {
    Table.HJ_633_2012: {
        **_HJ_GASES,
        (Pollutant.PM25, Averaging.DAY): _hj(0, 35, 75, 115, 150, 250, 350, 500),
        (Pollutant.PM10, Averaging.DAY): _hj(0, 50, 150, 250, 350, 420, 500, 600),
    },
    Table.HJ_633_2026: {
        **_HJ_GASES,
        (Pollutant.PM25, Averaging.DAY): _hj(0, 35, 60, 115, 150, 250, 350, 500),
        (Pollutant.PM10, Averaging.DAY): _hj(0, 50, 120, 250, 350, 420, 500, 600),
    },
    Table.EPA_2024: {
        **_EPA_GASES,
        (Pollutant.PM25, Averaging.DAY): _epa(
            (0, 9.0), (9.1, 35.4), (35.5, 55.4), (55.5, 125.4), (125.5, 225.4), (225.5, 325.4), decimals=1
        ),
        (Pollutant.PM10, Averaging.DAY): _epa((0, 54), (55, 154), (155, 254), (255, 354), (355, 424), (425, 604)),
    },
    Table.EPA_2015: {
        **_EPA_GASES_2015,
        (Pollutant.PM25, Averaging.DAY): _epa_400(
            (0, 12.0), (12.1, 35.4), (35.5, 55.4), (55.5, 150.4), (150.5, 250.4), (250.5, 350.4), (350.5, 500.4), decimals=1
        ),
        (Pollutant.PM10, Averaging.DAY): _epa_400((0, 54), (55, 154), (155, 254), (255, 354), (355, 424), (425, 504), (505, 604)),
    },
}
"""Units: HJ ug/m3 (CO mg/m3); EPA ug/m3 for particulates, ppm for O3 and CO, ppb for SO2 and NO2. EPA's 1-hour ozone scale starts at
0.125 ppm and its 24-hour SO2 scale at 305 ppb: below, no index is defined there."""

_MOLAR_VOLUME_L = 24.45  # 25 degrees C, 1013.25 hPa
EPA_UNITS_PER_SI: dict[Pollutant, float] = {
    Pollutant.PM25: 1.0,
    Pollutant.PM10: 1.0,
    Pollutant.O3: _MOLAR_VOLUME_L / 47.998 / 1000.0,
    Pollutant.NO2: _MOLAR_VOLUME_L / 46.0055,
    Pollutant.SO2: _MOLAR_VOLUME_L / 64.066,
    Pollutant.CO: _MOLAR_VOLUME_L / 28.010,
}
"""Factor from ug/m3 (CO: mg/m3) to the unit of EPA's scale of that pollutant."""
