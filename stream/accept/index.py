"""All series of the active regions as arrays, so that a batch is looked up at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from stream.errors import TocsinError
from stream.records.canary import REGION_HASH as CANARY
from stream.records.journal import partition_of
from stream.region.model import Rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from stream.region.model import Region

DOORS = ("water", "air", "health")
RIVERS = "water"
"""The family, and the door, of reports about a river."""
CASES = "cases"
COUNT = "count"
"""The unit of case counts: series in it come through the health door, and no others do."""


class Home(NamedTuple):
    """Where a series' measurements go: a domain of a region, its journal key and partition."""

    region: str
    region_hash: str
    domain: str
    key: bytes
    partition: int


@dataclass(frozen=True, slots=True)
class SeriesIndex:
    """Series of several regions, numbered; arrays are indexed by that number. `home`: index into `homes`.

    `rivers`: the regions and homes of the domains of family water, for reports about a river. `unit_of`: a unit's place in `units`, -1 for None (no unit given). `doors`: bit i set = may come through DOORS[i]. `late_ms` / `future_ms`: the most tolerant of the hazards that use the series.
    """

    number_of: Mapping[str, int]
    names: tuple[str, ...]
    homes: tuple[Home, ...]
    home: NDArray[np.int32]
    row: NDArray[np.int32]
    units: tuple[str, ...]
    unit_of: Mapping[str | None, int]
    unit: NDArray[np.int32]
    zones: tuple[ZoneInfo | None, ...]
    doors: NDArray[np.uint8]
    late_ms: NDArray[np.int64]
    future_ms: NDArray[np.int64]
    rivers: Mapping[str, tuple[Home, Region]]


def index(regions: Sequence[Region], partitions: int) -> SeriesIndex:
    """The index of these regions. Of a series that two regions have, the region first by name (then by hash) gets the measurements."""
    number_of: dict[str, int] = {}
    homes: list[Home] = []
    units: dict[str, int] = {}
    zones: list[ZoneInfo | None] = []
    parts: list[tuple[NDArray[np.int64], ...]] = []
    rivers: dict[str, tuple[Home, Region]] = {}
    for region in sorted(regions, key=lambda region: (region.name, region.region_hash)):
        series = region.series
        first_home = len(homes)
        homes.extend(
            Home(region.name, region.region_hash, one.domain_id, one.domain_id.encode(), partition_of(one.domain_id, partitions, one.pin))
            for one in region.domains
        )
        for one, home_of in zip(region.domains, homes[first_home:], strict=True):
            if RIVERS in one.families and region.region_hash != CANARY:
                rivers.setdefault(one.domain_id, (home_of, region))
        kept = np.array([row for row, name in enumerate(series.ids) if name not in number_of], np.int64)
        for row in kept.tolist():
            number_of[series.ids[row]] = len(number_of)
            zones.append(_zone(series.timezone[row], series.ids[row]))
        unit = np.array([units.setdefault(name, len(units)) for name in series.unit], np.int64)
        late, future = _tolerances(region)
        home = series.domain.astype(np.int64) + first_home
        parts.append(tuple(column[kept] for column in (home, np.arange(len(series.ids)), unit, _doors(region), late, future)))
    columns = [np.concatenate([part[at] for part in parts]) if parts else np.empty(0, np.int64) for at in range(6)]
    unit_of: dict[str | None, int] = {None: -1}
    unit_of.update(units)
    return SeriesIndex(
        number_of=number_of,
        names=tuple(number_of),
        homes=tuple(homes),
        home=columns[0].astype(np.int32),
        row=columns[1].astype(np.int32),
        units=tuple(units),
        unit_of=unit_of,
        unit=columns[2].astype(np.int32),
        zones=tuple(zones),
        doors=columns[3].astype(np.uint8),
        late_ms=columns[4].astype(np.int64),
        future_ms=columns[5].astype(np.int64),
        rivers=rivers,
    )


def _zone(name: str, series: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        msg = f"time zone {name!r} of series {series!r} is not known on this machine; install tzdata"
        raise TocsinError(msg) from error


def _doors(region: Region) -> NDArray[np.int64]:
    """Bits of the doors each series may come through."""
    of_domain = np.array([sum(1 << bit for bit, door in enumerate(DOORS) if door in one.families) for one in region.domains], np.int64)
    counts = np.array([unit == COUNT for unit in region.series.unit], bool)
    health = 1 << DOORS.index("health")
    return np.where(counts, health, ~health) & of_domain[region.series.domain]


def _tolerances(region: Region) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How late and how far ahead a value of each series may be (ms): the largest of its hazards', the defaults where it has none."""
    late = np.full(len(region.series.ids), -1, np.int64)
    future = late.copy()
    for hazard in region.hazards:
        rows = np.concatenate([hazard.rows, hazard.condition_rows]).astype(np.int64)
        late[rows] = np.maximum(late[rows], int(hazard.rules.max_late_s * 1000))
        future[rows] = np.maximum(future[rows], int(hazard.rules.max_future_s * 1000))
    default = Rules()
    return np.where(late < 0, int(default.max_late_s * 1000), late), np.where(future < 0, int(default.max_future_s * 1000), future)
