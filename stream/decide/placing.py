"""Where a source stands and what it is worth as a witness: a series of the region, or one that was placed (`stream.decide.stated`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stream.decide.stated import FORECAST, LINKED, REPORT, SCAN
from stream.records.instants import SECOND
from stream.region.river_network import reach_length_km
from topology.base import Source

if TYPE_CHECKING:
    from stream.decide.state import SourceState
    from stream.decide.stated import Placed
    from stream.region.model import Region


def place(region: Region, state: SourceState, incident_id: str = "") -> Source:
    """A source as footprints take it: where it stands, and what was found there."""
    city_id, latitude, longitude, reach, reach_km = _ground(region, state)
    return Source(
        series=state.series,
        city_id=city_id,
        latitude=latitude,
        longitude=longitude,
        reach=reach,
        reach_km=reach_km,
        onset_at=state.onset_at,
        observed_at=state.observed_at,
        ended_at=state.ended_at,
        value=state.value,
        score=state.score,
        incident_id=incident_id,
    )


def _ground(region: Region, state: SourceState) -> tuple[str, float, float, str, float]:
    if state.placed is not None:
        one = state.placed
        length_km = reach_length_km(region, one.reach) if one.reach else None
        on_river = length_km is not None and 0.0 <= known(one.reach_km) <= length_km  # a newer region may have lost the reach
        return one.city_id, known(one.latitude), known(one.longitude), one.reach if on_river else "", known(one.reach_km)
    table, row = region.series, region.series.row_of[state.series]
    city = int(table.city[row])
    city_id = region.cities[city].city_id if city >= 0 else ""
    return city_id, float(table.latitude[row]), float(table.longitude[row]), table.reach[row], float(table.reach_km[row])


def city_of(region: Region, state: SourceState) -> str:
    """The city in which a source stands; "" for none."""
    return _ground(region, state)[0]


def known(value: float | None) -> float:
    """A number, NaN where it is not known.

    >>> known(1.5), known(None)
    (1.5, nan)
    """
    return math.nan if value is None else value


def station_of(region: Region, state: SourceState) -> str:
    """The station a source counts as."""
    return state.placed.counts_as if state.placed is not None else region.series.station[region.series.row_of[state.series]]


def quantity_of(region: Region, state: SourceState) -> str:
    """What was measured; "" for what no instrument measured."""
    row = region.series.row_of.get(state.series)
    return "" if row is None else region.series.quantity[row]


def unit_of(region: Region, state: SourceState) -> str:
    """The unit of the source's value."""
    row = region.series.row_of.get(state.series)
    if row is None:
        return state.placed.unit if state.placed is not None else ""
    return region.series.unit[row]


def interval_of(region: Region, state: SourceState) -> int:
    """How soon its next measurement is due (ms); 0 where none is. What another danger may bring is not out of date before it should have come."""
    if follows(state.placed):
        reaches = state.placed.reaches if state.placed is not None else ()
        return max((one[3] for one in reaches), default=state.observed_at) - state.observed_at
    row = region.series.row_of.get(state.series)
    return 0 if row is None else round(float(region.series.interval_s[row]) * SECOND)


def domain_of(region: Region, state: SourceState) -> int:
    """The index of the domain in which a source counts."""
    if state.placed is not None and state.placed.domain_id in region.domain_index:
        return region.domain_index[state.placed.domain_id]
    row = region.series.row_of.get(state.series)
    return -1 if row is None else int(region.series.domain[row])


def concluded(placed: Placed | None) -> bool:
    """Whether it is a forecast or a scan: a conclusion from what the stations of the domain show, so no witness beside them."""
    return placed is not None and placed.kind in (FORECAST, SCAN)


def follows(placed: Placed | None) -> bool:
    """Whether it is what another danger may bring: a forecast, so it confirms no measurement."""
    return placed is not None and placed.kind == LINKED


def doubted(placed: Placed | None) -> bool:
    """Whether it is a report that nobody else stands behind."""
    return placed is not None and placed.kind == REPORT and not placed.confirmed
