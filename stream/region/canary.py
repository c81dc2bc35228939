"""The canary's region, made in code: a reserved domain in every journal partition, which measurements of every door reach.

It stands beside the active regions where ACCEPT looks series up, and nowhere else: it has no city and no hazard, and is never activated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stream.records.canary import DOMAIN_PREFIX, PRINCIPAL, REGION_HASH
from stream.records.lanes import Lane
from stream.region.model import Domain, Region, SeriesTable
from stream.region.names import FAMILIES
from stream.region.principals import OWN_DOOR, Principal

if TYPE_CHECKING:
    from collections.abc import Sequence

QUANTITY, CASES = "canary", "canary_cases"
"""No region can name them: neither is a quantity of `stream.region.quantities`."""
COUNT, UNIT = "count", "m"
INTERVAL_S = 30.0


class _Row(NamedTuple):
    series: str
    quantity: str
    unit: str
    domain: int


def series_of(door: str, journal_partition: int) -> str:
    """The series that a measurement names to be decided in this journal partition. At the health door case counts come in, and only there.

    >>> series_of("air", 3), series_of("health", 3)
    ('canary-3/canary', 'canary-3/canary_cases')
    """
    return f"{DOMAIN_PREFIX}{journal_partition}/{CASES if door == 'health' else QUANTITY}"


def canary_region(partitions: int) -> Region:
    """The canary's region for so many journal partitions: domain `canary-<p>` in partition p, with a measurement and a case count.

    >>> [(one.domain_id, one.pin) for one in canary_region(2).domains]
    [('canary-0', 0), ('canary-1', 1)]
    """
    domains = tuple(Domain(f"{DOMAIN_PREFIX}{number}", FAMILIES, number) for number in range(partitions))
    rows = sorted(
        _Row(f"{domain.domain_id}/{quantity}", quantity, unit, at)
        for at, domain in enumerate(domains)
        for quantity, unit in ((QUANTITY, UNIT), (CASES, COUNT))
    )
    own_door = Principal(
        PRINCIPAL, OWN_DOOR, (f"{DOMAIN_PREFIX}*",), (FAMILIES[0],), tuple(lane.value for lane in Lane), audience=REGION_HASH
    )
    return Region(
        name="canary",
        region_hash=REGION_HASH,
        title={},
        domains=domains,
        series=_table(rows, domains),
        cities=(),
        hazards=(),
        domain_index={domain.domain_id: at for at, domain in enumerate(domains)},
        principals=(own_door,),
    )


def with_canary(regions: Sequence[Region], partitions: int) -> list[Region]:
    """The active regions, and the canary's: what the doors of a lane take."""
    return [*regions, canary_region(partitions)]


def _table(rows: Sequence[_Row], domains: Sequence[Domain]) -> SeriesTable:
    nowhere = np.full(len(rows), np.nan)
    none = ("",) * len(rows)
    return SeriesTable(
        ids=tuple(row.series for row in rows),
        station=tuple(domains[row.domain].domain_id for row in rows),
        quantity=tuple(row.quantity for row in rows),
        unit=tuple(row.unit for row in rows),
        timezone=none,
        datum=none,
        also_in=((),) * len(rows),
        reach=none,
        domain=np.array([row.domain for row in rows], np.int32),
        city=np.full(len(rows), -1, np.int32),
        latitude=nowhere,
        longitude=nowhere,
        reach_km=nowhere,
        interval_s=np.full(len(rows), INTERVAL_S),
        row_of={row.series: at for at, row in enumerate(rows)},
    )
