"""`lags.csv`: what history taught about the ways between gauges, row by row. Whether the second lies below the first, the footprint checks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stream.region.problems import nearest
from stream.region.tables import Columns, read_table
from topology.base import Lag
from topology.lags import LAGS_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.region.problems import Findings
    from stream.region.stations import Series, Stations
    from stream.region.tables import Row

_NEEDED = ("upstream", "downstream", "lag_h", "log_sd", "events")
_REGRESSION = {"intercept": (-1e3, 1e3), "slope": (0.0, 10.0), "residual_sd": (0.0, 10.0)}


def read_lags(data: bytes, stations: Stations, lengths: Mapping[str, float] | None, findings: Findings) -> tuple[Lag, ...]:
    """The learned lags of a region, those whose rows are right. `lengths`: km of every reach, None if that is not known.

    Gauges that are not on the network are a problem of stations.csv, where it was said: their lags are left out without another word.
    """
    series = {one.series: one for one in stations.series}
    nowhere = {one.series for one in stations.series if lengths is not None and not one.reach_km <= lengths.get(one.reach, -1.0)}
    found: dict[tuple[str, str], Lag] = {}
    for row in read_table(LAGS_FILE, data, Columns(_NEEDED, tuple(_REGRESSION)), findings).rows:
        lag = _lag(row, series, findings)
        if lag is None:
            continue
        pair = (lag.upstream_series, lag.downstream_series)
        if pair in found:
            findings.add(
                LAGS_FILE, row.line, "upstream", f"{' to '.join(pair)} stands twice, first in line {found[pair].line}", "remove one"
            )
        elif not nowhere.intersection(pair):
            found[pair] = lag
    return tuple(found.values())


def _lag(row: Row, series: Mapping[str, Series], findings: Findings) -> Lag | None:
    """The lag of a row; None with its problems noted. A lag of 0 h is none: no wave is everywhere at once."""
    upper, lower = (_gauge(row, column, series, findings) for column in ("upstream", "downstream"))
    lag_h = row.needed_number("lag_h", 1e-3, 8760.0, findings)
    log_sd = row.needed_number("log_sd", 0.0, 2.0, findings)
    events = row.needed_number("events", 1.0, 1e9, findings)
    intercept, slope, residual_sd = (row.number(name, *limits, findings) for name, limits in _REGRESSION.items())
    given = [name for name in _REGRESSION if row.text(name)]
    if given and len(given) < len(_REGRESSION):
        absent = next(name for name in _REGRESSION if name not in given)
        findings.add(LAGS_FILE, row.line, absent, f"is empty although {given[0]} is given", "give all three of a regression, or none")
    if upper is None or lower is None or math.isnan(lag_h + log_sd + events):
        return None
    return Lag(
        (upper.reach, upper.reach_km),
        (lower.reach, lower.reach_km),
        lag_h,
        log_sd,
        int(events),
        upper.series,
        lower.series,
        intercept,
        slope,
        residual_sd,
        row.line,
    )


def _gauge(row: Row, column: str, series: Mapping[str, Series], findings: Findings) -> Series | None:
    name = row.text(column)
    one = series.get(name)
    if one is None:
        findings.add(LAGS_FILE, row.line, column, f"no series {name!r} in stations.csv", nearest(name, series))
    elif not one.reach or math.isnan(one.reach_km):
        findings.add(
            LAGS_FILE, row.line, column, f"{name!r} stands on no reach", "give its reach and reach_km in stations.csv, or remove the row"
        )
        return None
    return one
