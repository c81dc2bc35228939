"""Air quality: hourly concentrations -> NowCast -> index of the chosen standard -> level, with hysteresis.

NowCast (EPA-454/B-24-002) weighs the last twelve hours by w^age, w = max(1 - range / max, 1/2): nearly a mean in steady air, nearly
the last hour when it changes, so it crosses a level hours before the 24-hour mean. Real-time reports under HJ 633 use the plain hourly
value: `nowcast = 0`. Several samples in an hour are averaged. A late sample fills a missing hour; it may raise, never lower.
A SUSPECT sample is compared but not kept. `score` = index / lowest index limit, `trend` = concentration per hour.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import hourly, hysteresis
from detectors.aqi_tables import EPA_UNITS_PER_SI, SCALES, Averaging, Pollutant, Standard, Table, in_force
from detectors.base import Findings
from detectors.exceedance import exceedance
from detectors.rows import NEVER, matrix, parameter_dtype, read, write
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from detectors.base import Samples

    Floats = NDArray[np.float64]

HOURS = 12
PARAMETERS = parameter_dtype(
    "blue_aqi yellow_aqi orange_aqi red_aqi pollutant table nowcast clear_fraction clear_after_n raise_after_n error_fraction"
)
"""`pollutant`: number of an `aqi_tables.Pollutant`; `table`: of a `Table`, or of a `Standard`: its version in force when the measurement was
taken. Concentrations in ug/m3 (CO mg/m3) for every table.
`error_fraction`: standard deviation of a concentration's error as a share of it; with it a finding has its `exceedance`."""
DEFAULTS = (101.0, 151.0, 201.0, 301.0, float(Pollutant.PM25), float(Standard.HJ_633), 1.0, 0.05, 3.0, 1.0, np.nan)
STATE = np.dtype([*hysteresis.FIELDS, ("hour", np.int64), ("in_hour", np.float64), ("hourly", np.float64, (HOURS,))])
"""`hourly`: means of the last twelve hours, newest (`hour`, hours since 1970) last, NaN = missing; `in_hour`: samples in the newest."""
WHY = (*hysteresis.WHY, "too_few_hours")
TOO_FEW_HOURS = len(hysteresis.WHY)

_PRIMARY_ABOVE = 50.0
_NOWCAST_NEEDS = 2  # of the last three hours
_EIGHT_HOURS_NEED = 6  # 75 %
_PARTICULATES = (Pollutant.PM25, Pollutant.PM10)
_AMERICAN = (Table.EPA_2015, Table.EPA_2024)


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: no hour known."""
    state = hysteresis.initial(STATE, len(parameters))
    state["hour"] = NEVER
    state["hourly"] = np.nan
    return state


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Place each sample in its hour, compute the index and compare it with the limits (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = read(parameters, samples.rows), read(state, samples.rows)
    p["table"] = in_force(p["table"], samples.observed_at)
    limits = matrix(p)[:, :4]
    newest = hysteresis.is_newest(s, samples)
    seen = hourly.place(s, samples, newest)
    aqi = _current_index(p, seen)
    known = ~np.isnan(aqi)
    rules = hysteresis.Rules(limits, lambda: limits * (1.0 - p["clear_fraction"])[:, None], p["raise_after_n"], p["clear_after_n"])
    why = hysteresis.advance(s, samples, aqi, newest & known, rules)
    why[~known] = TOO_FEW_HOURS
    trend = hysteresis.trend_per_h(s, samples, newest)
    hysteresis.remember(s, samples, newest)
    write(state, samples.rows, s)
    exceeds = exceedance(aqi, hysteresis.lowest_of(limits), _error_of_index(p, seen))
    return Findings(s["level"], hysteresis.score_of(np.where(known, aqi, 0.0), limits), trend, why, exceedance=exceeds)


def index(table: Table, pollutant: Pollutant, concentration: ArrayLike, averaging: Averaging) -> Floats:
    """The individual index of a pollutant; NaN where the scale defines none. Units: see `aqi_tables.SCALES`.

    Worked examples of EPA-454/B-24-002:

    >>> print(index(Table.EPA_2024, Pollutant.PM25, [35.9, 12.0], Averaging.DAY))
    [102.  56.]
    >>> print(index(Table.EPA_2024, Pollutant.O3, 0.07853333, Averaging.EIGHT_HOURS), index(Table.EPA_2024, Pollutant.CO, 8.4, Averaging.EIGHT_HOURS))
    126.0 90.0

    HJ 633-2026, breakpoints of table 3:

    >>> print(index(Table.HJ_633_2026, Pollutant.SO2, [150, 475, 600], Averaging.DAY))
    [100. 150. 170.]
    >>> print(index(Table.HJ_633_2026, Pollutant.PM25, [60, 61], Averaging.DAY), index(Table.HJ_633_2012, Pollutant.PM25, 60, Averaging.DAY))
    [100. 101.] 82.0
    """
    scale = SCALES[table][pollutant, averaging]
    low, high = np.array(scale.low), np.array(scale.high)
    index_low, index_high = np.array(scale.index_low), np.array(scale.index_high)
    unit = 10.0**scale.decimals
    raw = np.asarray(concentration, dtype=np.float64) * unit
    shown = (np.floor(raw + 1e-6) if scale.truncates else np.rint(raw)) / unit
    piece = np.clip(np.searchsorted(low, shown + 1e-9, side="right") - 1, 0, len(low) - 1)
    fine = index_low[piece] + (index_high - index_low)[piece] / (high - low)[piece] * (shown - low[piece])
    whole: Floats = np.floor(fine + 0.5 + 1e-9) if scale.truncates else np.ceil(fine - 1e-9)
    if not scale.continues:
        whole = np.minimum(whole, index_high[-1])
    return np.where(shown < low[0] - 1e-9, np.nan, whole)


def overall(indices: Mapping[Pollutant, float]) -> tuple[float, tuple[Pollutant, ...]]:
    """The index of the air as a whole, the highest of its pollutants', and the primary pollutants.

    HJ 633: all pollutants with the highest index are primary, but none when it is not above 50. NaN = no index; NaN if there is none at all.

    >>> overall({Pollutant.PM25: 88.0, Pollutant.O3: 88.0, Pollutant.CO: 12.0})
    (88.0, (<Pollutant.PM25: 1>, <Pollutant.O3: 3>))
    >>> overall({Pollutant.PM25: 50.0, Pollutant.O3: float("nan")})
    (50.0, ())
    """
    known = {pollutant: value for pollutant, value in sorted(indices.items()) if not math.isnan(value)}
    highest = max(known.values(), default=math.nan)
    primary = tuple(pollutant for pollutant, value in known.items() if value == highest) if highest > _PRIMARY_ABOVE else ()
    return highest, primary


def nowcast(hours: Floats) -> Floats:
    """EPA's NowCast of particulates from the last twelve hourly means, (n, 12), newest last, NaN = missing.

    NaN unless two of the last three hours are there.

    >>> nowcast(np.array([[np.nan] * 9 + [10.0, 20.0, 40.0], [5.0] * 11 + [np.nan]])).round(2)
    array([30.,  5.])
    >>> nowcast(np.array([[5.0] * 10 + [np.nan] * 2]))
    array([nan])
    """
    there = ~np.isnan(hours)
    highest = np.where(there, hours, -np.inf).max(axis=1)
    lowest = np.where(there, hours, np.inf).min(axis=1)
    ratio = np.divide(lowest, highest, out=np.ones(len(hours)), where=(highest > 0) & there.any(axis=1))
    age = np.arange(HOURS - 1, -1, -1)
    weights = np.maximum(ratio, 0.5)[:, None] ** age * there
    total = weights.sum(axis=1)
    mean = np.divide((weights * np.where(there, hours, 0.0)).sum(axis=1), total, out=np.full(len(hours), np.nan), where=total > 0)
    return np.where(there[:, -3:].sum(axis=1) >= _NOWCAST_NEEDS, mean, np.nan)


def _current_index(p: NDArray[Any], hours: Floats) -> Floats:
    """The index of each row by its own table and pollutant (a loop over the few combinations that occur)."""
    aqi = np.full(len(p), np.nan)
    codes = p["table"] * 100 + p["pollutant"] * 10 + (p["nowcast"] > 0)
    for code in np.unique(codes[~np.isnan(codes)]):
        rows = codes == code
        table, pollutant = Table(int(code) // 100), Pollutant(int(code) // 10 % 10)
        aqi[rows] = _of_hours(table, pollutant, hours[rows], smooth=bool(int(code) % 10))
    return aqi


def _error_of_index(p: NDArray[Any], hours: Floats) -> Floats:
    """Standard deviation of the index's error: half of how far it moves when the concentrations do, from one deviation below to one above."""
    share = p["error_fraction"][:, None]
    if np.isnan(share).all():
        return share[:, 0]
    half: Floats = 0.5 * (_current_index(p, hours * (1.0 + share)) - _current_index(p, hours * (1.0 - share)))
    return half


def _of_hours(table: Table, pollutant: Pollutant, hours: Floats, *, smooth: bool) -> Floats:
    """The index of the newest hour by the averaging its standard wants."""
    newest = hours[:, -1]
    if pollutant in _PARTICULATES:
        return index(table, pollutant, nowcast(hours) if smooth else newest, Averaging.DAY)
    if table not in _AMERICAN:
        return index(table, pollutant, newest, Averaging.HOUR)
    scaled = hours * EPA_UNITS_PER_SI[pollutant]
    if pollutant in (Pollutant.SO2, Pollutant.NO2):
        return index(table, pollutant, scaled[:, -1], Averaging.HOUR)
    there = ~np.isnan(scaled[:, -8:])
    count = there.sum(axis=1)
    mean = np.where(there, scaled[:, -8:], 0.0).sum(axis=1) / np.maximum(count, 1)
    by_8h = index(table, pollutant, np.where(count >= _EIGHT_HOURS_NEED, mean, np.nan), Averaging.EIGHT_HOURS)
    if pollutant is Pollutant.CO:
        return by_8h
    return np.fmax(by_8h, index(table, pollutant, scaled[:, -1], Averaging.HOUR))
