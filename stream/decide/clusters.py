"""Cases of neighbouring places looked at together (`space_time.py`), at grid instants: what no single place could tell from chance.

Counts and what was expected of them come from the detectors' own states, so a scan looks at as many periods as they keep: the newest and the one
before. Zones are a place with its nearest, by travel where the hazard has a travel graph, else by distance. The cluster that is least likely by
chance is one source for the cities of its zone: it is made of the same counts as their own alarms, so it is no witness beside them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detectors.count_baseline import FIELDS, FIRST_PERIODS
from detectors.rows import NEVER, read
from stream.decide.space_time import scan, zones_of
from topology.geodesy import distance_km
from topology.travel import TravelGraph

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from stream.decide.bound import BoundDetector, BoundHazard
    from stream.region.model import Hazard, Region

PREFIX = "scan/"
WHY, REASON = "cluster", "cluster"
PERIODS = 2
_NEEDED = {name for name, *_ in FIELDS}


class BoundScan(NamedTuple):
    """The scan of a hazard in a domain: the detector, its records of the places, their cities, the unit of their counts, the zones of places."""

    hazard: int
    domain_id: str
    detector: int
    records: NDArray[np.intp]
    cities: tuple[str, ...]
    unit: str
    zones: tuple[tuple[int, ...], ...]


class Clustered(NamedTuple):
    """The likeliest cluster of a domain now, at `level` (0: nothing unusual).

    `p_value`: that at which the level is reached, as the scan's own would tell the cases. `cases` in `unit` where `usual` are expected, the `cities` of its zone, in how many places there are more than usual (`above`), and the end of
    its newest period. `unreported`: all cities with a place that has no count of that period yet.
    """

    hazard: int
    level: int
    p_value: float
    cases: float
    usual: float
    unit: str
    cities: tuple[str, ...]
    above: int
    period_at: int
    unreported: frozenset[str]


def bind_scans(region: Region, hazards: Sequence[BoundHazard], rows: NDArray[np.intp]) -> tuple[BoundScan, ...]:
    """The scans of all hazards that ask for one, in every domain with places that have a baseline and stand in a city; `rows`: the region's."""
    return tuple(one for index, hazard in enumerate(hazards) if hazard.hazard.scan for one in _bind(region, (index, hazard), rows))


def _bind(region: Region, of: tuple[int, BoundHazard], rows: NDArray[np.intp]) -> Iterator[BoundScan]:
    index, hazard = of
    table = region.series
    for number, use in enumerate(hazard.detectors):
        local = np.flatnonzero((use.compact >= 0) & (table.city[rows] >= 0))
        if not _has_baseline(use) or hazard.hazard.scan is None:
            continue
        for domain in np.unique(table.domain[rows[local]]).tolist():
            mine = local[table.domain[rows[local]] == domain]
            cities = tuple(region.cities[int(city)].city_id for city in table.city[rows[mine]])
            zones = zones_of(_apart(region, hazard.hazard, rows[mine], cities), hazard.hazard.scan.zone_most)
            unit = table.unit[int(rows[mine[0]])]
            yield BoundScan(index, region.domains[domain].domain_id, number, use.compact[mine].astype(np.intp), cities, unit, zones)
        return


def _has_baseline(use: BoundDetector) -> bool:
    return set(use.state.dtype.names or ()) >= _NEEDED


def _apart(region: Region, hazard: Hazard, rows: NDArray[np.intp], cities: Sequence[str]) -> NDArray[np.float64]:
    """(n, n) how far places are from each other: by the likelier way of travel between their cities, else in km; infinite where unknown."""
    if isinstance(hazard.graph, TravelGraph):
        at = [hazard.graph.index[city] for city in cities]
        lengths = hazard.graph.lengths[np.ix_(at, at)]
        found: NDArray[np.float64] = np.minimum(lengths, lengths.T)
        same = np.equal.outer(at, at)
        return np.where(same, 0.0, found)
    latitude, longitude = region.series.latitude[rows], region.series.longitude[rows]
    away = distance_km(latitude[:, None], longitude[:, None], latitude[None, :], longitude[None, :])
    return np.nan_to_num(away, nan=math.inf)


def clusters(scans: Sequence[BoundScan], hazards: Sequence[BoundHazard], domain_id: str) -> list[Clustered]:
    """What the scans of a domain find now."""
    looked = [_look(one, hazards[one.hazard]) for one in scans if one.domain_id == domain_id]
    return [one for one in looked if one is not None]


def _look(bound: BoundScan, hazard: BoundHazard) -> Clustered | None:
    use, rule = hazard.detectors[bound.detector], hazard.hazard.scan
    s, p = read(use.state, bound.records), read(use.parameters, bound.records)
    opened_at = s["opened_at"]
    newest = int(opened_at.max(initial=NEVER))
    if rule is None or newest == NEVER:
        return None
    period_ms = np.round(p["period_s"] * 1_000)
    behind = np.where(opened_at == NEVER, np.inf, (newest - opened_at) / period_ms)
    known = s["periods"] >= FIRST_PERIODS
    now, one_ago = known & (behind < 0.5), known & (behind >= 0.5) & (behind < 1.5)  # noqa: PLR2004  half a period
    counts, means = np.full((PERIODS, len(s)), np.nan), np.zeros((PERIODS, len(s)))
    for row, field, mine in ((1, "", now), (0, "_before", now), (0, "", one_ago)):
        counts[row, mine], means[row, mine] = s[f"count{field}"][mine], np.nan_to_num(s[f"expected{field}"][mine])
    found = scan(counts, means, s["phi"], bound.zones)
    if found is None:
        return None
    zone = list(bound.zones[found.zone])
    window = slice(PERIODS - found.periods, PERIODS)
    above = np.nansum(counts[window][:, zone], axis=0) > np.where(np.isnan(counts[window][:, zone]), 0.0, means[window][:, zone]).sum(
        axis=0
    )
    level = rule.level(found.p_value, found.cases)
    return Clustered(
        bound.hazard,
        level,
        rule.limit(level),
        found.cases,
        found.baseline,
        bound.unit,
        tuple(dict.fromkeys(bound.cities[place] for place in zone)),
        int(above.sum()),
        newest,
        frozenset(bound.cities[place] for place in np.flatnonzero(~(behind < 0.5)).tolist()),  # noqa: PLR2004
    )
