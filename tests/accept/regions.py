"""A small region with every case ACCEPT must tell apart: three families, several units, a zone with summer time, a pinned domain."""

from __future__ import annotations

import numpy as np

from stream.region.model import Domain, Hazard, Region, Rules, SeriesTable

_DOMAINS = (
    Domain("basin", ("water",)),
    Domain("shed", ("air",), pin=3),
    Domain("travel", ("health",)),
    Domain("both", ("water", "air", "health")),
)
_SERIES = (  # series, unit, zone, domain
    ("upper/stage", "m", "Asia/Shanghai", 0),
    ("lower/discharge", "m3/s", "Europe/Berlin", 0),
    ("works/nitrobenzene", "mg/l", "", 0),
    ("roof/pm25", "ug/m3", "Asia/Shanghai", 1),
    ("roof/wind_speed", "m/s", "Asia/Shanghai", 1),
    ("north/cases", "count", "Asia/Shanghai", 2),
    ("south/influenza", "count", "Asia/Shanghai", 2),
    ("mixed/stage", "m", "Asia/Shanghai", 3),
    ("mixed/cases", "count", "Asia/Shanghai", 3),
)


def region(name: str = "small", region_hash: str = "0123456789abcdef", extra: int = 0) -> Region:
    """The small region; `extra` more stage series (`s0/stage` ...) spread over `extra // 30 + 1` domains of their own."""
    domains = _DOMAINS + tuple(Domain(f"domain{number}", ("water",)) for number in range(extra // 30 + 1) if extra)
    rows = list(_SERIES) + [(f"s{number}/stage", "m", "Asia/Shanghai", len(_DOMAINS) + number // 30) for number in range(extra)]
    rows.sort()
    ids = tuple(row[0] for row in rows)
    size = len(rows)
    table = SeriesTable(
        ids=ids,
        station=tuple(one.split("/")[0] for one in ids),
        quantity=tuple(one.split("/")[1] for one in ids),
        unit=tuple(row[1] for row in rows),
        timezone=tuple(row[2] for row in rows),
        datum=("",) * size,
        also_in=((),) * size,
        reach=("",) * size,
        domain=np.array([row[3] for row in rows], np.int32),
        city=np.full(size, -1, np.int32),
        latitude=np.full(size, np.nan),
        longitude=np.full(size, np.nan),
        reach_km=np.zeros(size),
        interval_s=np.full(size, 3600.0),
        row_of={one: row for row, one in enumerate(ids)},
    )
    flood = _hazard(
        "flood", "water", [row for row, one in enumerate(ids) if one.endswith("/stage")], Rules(max_late_s=7200, max_future_s=120)
    )
    slow = _hazard("slow", "water", [table.row_of["upper/stage"]], Rules(max_late_s=86_400, max_future_s=60))
    return Region(
        name, region_hash, {"en": name}, domains, table, (), (flood, slow), {}, {one.domain_id: at for at, one in enumerate(domains)}
    )


def _hazard(name: str, family: str, rows: list[int], rules: Rules) -> Hazard:
    empty = np.empty(0, np.int32)
    return Hazard(name, family, "", (), (), np.array(rows, np.int32), empty, empty, (), "", {}, None, (), rules, {})
