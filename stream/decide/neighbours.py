"""Which stations can speak for a station: the nearest ones that measure the same quantity in the same domain, or all of them together.

On one reach the way along the river counts, elsewhere the straight line. Resolved once, when a region is bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.region.model import SeriesTable

NEIGHBOURS = 4
NOBODY = -1
_EARTH_RADIUS_KM = 6371.0
_TO_KM = 2
"""Distances are compared to ten metres, so that ties are ties on every machine; the series' order decides them."""


def neighbours(series: SeriesTable, rows: NDArray[np.intp], wanted: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The nearest stations of each row of `rows`, (n, NEIGHBOURS), as indices into `rows`, the nearest first; NOBODY in unfilled places.

    Only rows that are `wanted` (n,) get any. A station without coordinates has neighbours on its own reach only.
    """
    found = np.full((len(rows), NEIGHBOURS), NOBODY, np.int32)
    groups: dict[tuple[int, str], list[int]] = {}
    for local, row in enumerate(rows.tolist()):
        groups.setdefault((int(series.domain[row]), series.quantity[row]), []).append(local)
    for group in groups.values():
        members = np.array(group, np.intp)
        if len(members) > 1 and wanted[members].any():
            _fill(found, series, rows, members, wanted[members])
    return found


def networks(series: SeriesTable, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """The number of the network of each row of `rows`, (n,): who measures the same quantity in the same unit and domain is in the same one."""
    numbers: dict[tuple[int, str, str], int] = {}
    keys = [(int(series.domain[row]), series.quantity[row], series.unit[row]) for row in rows.tolist()]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.intp)


def _fill(
    found: NDArray[np.int32], series: SeriesTable, rows: NDArray[np.intp], members: NDArray[np.intp], wanted: NDArray[np.bool_]
) -> None:
    there = rows[members]
    places = _unit_vectors(series.latitude[there], series.longitude[there])
    names: dict[str, int] = {}
    reach = np.array([names.setdefault(series.reach[row], len(names)) if series.reach[row] else NOBODY for row in there.tolist()])
    along_km = series.reach_km[there]
    for one in np.flatnonzero(wanted).tolist():
        chord = np.sqrt(np.square(places - places[one]).sum(axis=1))
        distance_km = 2.0 * _EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0))
        way_km = np.where((reach == reach[one]) & (reach != NOBODY), np.abs(along_km - along_km[one]), np.nan)
        distance_km = np.where(np.isnan(way_km), distance_km, way_km).round(_TO_KM)
        distance_km[one] = np.nan
        known = np.flatnonzero(~np.isnan(distance_km))
        if len(known) > NEIGHBOURS:
            known = known[distance_km[known] <= np.partition(distance_km[known], NEIGHBOURS - 1)[NEIGHBOURS - 1]]
        nearest = known[np.argsort(distance_km[known], kind="stable")][:NEIGHBOURS]
        found[members[one], : len(nearest)] = members[nearest]


def _unit_vectors(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> NDArray[np.float64]:
    north, east = np.radians(latitude), np.radians(longitude)
    return np.column_stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
