"""Puts what the files say together: the series as arrays, and each hazard with its rows, detectors, graph and observers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stream.region.binding import bind_detectors, bind_health, bind_quality
from stream.region.model import Hazard, SeriesTable
from stream.region.observers import observers
from stream.region.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from stream.region.hazards import HazardDraft
    from stream.region.model import City, DetectorUse
    from stream.region.places import Graphs
    from stream.region.stations import Series, Stations


STAGE = "stage"
"""The detector whose limits are levels of the water itself."""
COLOURS = ("blue", "yellow", "orange", "red")


def series_table(series: Sequence[Series]) -> SeriesTable:
    """The series as read-only columns; `series` in the order of their ids."""

    def texts(field: str) -> tuple[str, ...]:
        return tuple(getattr(one, field) for one in series)

    def integers(field: str) -> NDArray[np.int32]:
        column = np.array([getattr(one, field) for one in series], dtype=np.int32)
        column.flags.writeable = False
        return column

    def numbers(field: str) -> NDArray[np.float64]:
        column = np.array([getattr(one, field) for one in series], dtype=np.float64)
        column.flags.writeable = False
        return column

    return SeriesTable(
        ids=texts("series"),
        station=texts("station"),
        quantity=texts("quantity"),
        unit=texts("unit"),
        timezone=texts("timezone"),
        datum=texts("datum"),
        also_in=tuple(one.also_in for one in series),
        reach=texts("reach"),
        domain=integers("domain"),
        city=integers("city"),
        latitude=numbers("latitude"),
        longitude=numbers("longitude"),
        reach_km=numbers("reach_km"),
        interval_s=numbers("interval_s"),
        row_of={one.series: row for row, one in enumerate(series)},
    )


def assemble_hazard(
    draft: HazardDraft,
    stations: Stations,
    cells: Mapping[str, NDArray[np.float64]],
    families: Sequence[tuple[str, ...]] | None,
    graphs: Graphs,
) -> Hazard:
    """The hazard over the region's series. `families`: of each domain (None: not known); only series of a domain with its family count."""
    rows = _rows(draft.quantities, draft, stations, families)
    _check_quantities(draft, stations, families, rows)
    graph = graphs.build(draft)
    cities = graphs.cities.cities if graphs.cities else ()
    detectors = bind_detectors(draft, rows, stations, cells, graphs.findings)
    return Hazard(
        hazard=draft.hazard,
        family=draft.family,
        category=draft.category,
        quantities=draft.quantities,
        conditions=draft.conditions,
        rows=rows,
        condition_rows=_rows(draft.conditions, draft, stations, families),
        quality=bind_quality(draft, rows, stations, cells),
        detectors=detectors,
        footprint=draft.footprint,
        footprint_parameters=draft.footprint_parameters,
        graph=graph,
        observers=observers(draft.footprint if graph is not None else "", graph, rows, stations.series, cities),
        rules=draft.rules,
        texts=draft.texts,
        health=bind_health(draft, rows, stations, cells),
        limits=_limits(detectors, stations, cities),
        fusion=draft.fusion,
        scan=draft.scan,
        stations_in=_stations_in(rows, stations, cities),
        cap=draft.cap,
    )


def _stations_in(rows: NDArray[np.int32], stations: Stations, cities: Sequence[City]) -> dict[str, tuple[int, ...]]:
    """By city, the rows of the hazard's series that stand in it."""
    found: dict[str, tuple[int, ...]] = {}
    for row in rows.tolist():
        city = stations.series[row].city
        if city >= 0:
            found[cities[city].city_id] = (*found.get(cities[city].city_id, ()), row)
    return found


def _limits(detectors: Sequence[DetectorUse], stations: Stations, cities: Sequence[City]) -> dict[str, dict[str, tuple[float, ...]]]:
    """By city and series in it, the levels of the gauge itself."""
    found: dict[str, dict[str, tuple[float, ...]]] = {}
    for use in detectors:
        if use.name != STAGE:
            continue
        for row, levels in zip(use.rows.tolist(), use.parameters[list(COLOURS)].tolist(), strict=True):
            one = stations.series[row]
            if one.city >= 0:
                found.setdefault(cities[one.city].city_id, {})[one.series] = tuple(levels)
    return found


def _rows(
    quantities: Sequence[str], draft: HazardDraft, stations: Stations, families: Sequence[tuple[str, ...]] | None
) -> NDArray[np.int32]:
    rows = [
        row
        for row, one in enumerate(stations.series)
        if one.quantity in quantities and (families is None or one.domain < 0 or draft.family in families[one.domain])
    ]
    found = np.array(rows, dtype=np.int32)
    found.flags.writeable = False
    return found


def _check_quantities(draft: HazardDraft, stations: Stations, families: Sequence[tuple[str, ...]] | None, rows: NDArray[np.int32]) -> None:
    """Every quantity named must be measured by some series; a hazard that no series belongs to is a problem."""
    measured = {one.quantity for one in stations.series}
    if not measured:
        return
    absent = False
    for key, quantities in (("quantities", draft.quantities), ("conditions", draft.conditions)):
        for quantity in quantities:
            if quantity not in measured:
                absent = True
                draft.fields.problem(
                    key, f"no series measures {quantity!r}", f"correct it or add the series: {nearest(quantity, measured)}"
                )
    if not len(rows) and not absent and draft.quantities and families is not None:
        fix = f'add "{draft.family}" to the families of their domain in region.toml'
        draft.fields.problem("family", f"no series of these quantities is in a domain of family {draft.family!r}", fix)
