"""Planned maintenance of a station: announced with its end, shown as such, and over by itself.

While it lasts the station's measurements are kept and not believed, so that a test signal raises nothing; its cities see less, as if it did
not report, and are told why. Then it counts as silent until it is heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stream.decide.stated import Maintenance
from stream.decide.station_health import MAINTENANCE, SILENT, tell
from stream.decide.stations import stop_reporting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.decide.bound import Bound
    from stream.decide.partition import Partition
    from stream.decide.state import DomainState
    from stream.records.journal import Statement
    from stream.records.output import Output

MAINTAINED_MOST = 1_000
"""Stations in maintenance that a domain remembers."""


def maintain(partition: Partition, said: Statement, now: int) -> list[Output] | None:
    """A station (or one of its series) will be, or is, in maintenance until it ends; said again, the newer word counts."""
    maintained = partition.core.domains[said.domain].by_hand.maintained
    if said.ends_at is None or said.ends_at <= now or not len(rows_of(partition.bound(said.domain), said.domain, said.about)):
        return None
    before = maintained.get(said.about)
    if before is None and len(maintained) >= MAINTAINED_MOST:
        return None
    under_way = before is not None and before.under_way
    maintained[said.about] = Maintenance(said.city_id, said.by, said.starts_at, said.ends_at, said.text, under_way)
    if under_way or said.starts_at > now:
        return []
    return _begin(partition, said.domain, said.about, now)


def end_maintain(partition: Partition, said: Statement, now: int) -> list[Output] | None:
    """It is over sooner."""
    if said.about not in partition.core.domains[said.domain].by_hand.maintained:
        return None
    return _end(partition, said.domain, said.about, now)


def due(one: Maintenance) -> int:
    """When it begins, or once it has, when it ends."""
    return one.ends_at if one.under_way else one.starts_at


def let_pass(partition: Partition, domain_id: str, about: str, at: int) -> list[Output]:
    """What is due happens: it begins or ends."""
    under_way = partition.core.domains[domain_id].by_hand.maintained[about].under_way
    return (_end if under_way else _begin)(partition, domain_id, about, at)


def rows_of(bound: Bound, domain_id: str, about: str) -> NDArray[np.intp]:
    """The local rows of a station's series, or of one series, in a domain."""
    table = bound.region.series
    members = bound.members[domain_id]
    ours = [about in (table.station[row], table.ids[row]) for row in bound.rows[members].tolist()]
    return members[np.array(ours, np.bool_)]


def mark(bound: Bound, domain_id: str, domain: DomainState) -> None:
    """Set which rows are in maintenance, after anything changed about it."""
    bound.maintained[bound.members[domain_id]] = False
    for about, one in domain.by_hand.maintained.items():
        if one.under_way:
            bound.maintained[rows_of(bound, domain_id, about)] = True
    bound.maintains = bool(bound.maintained.any())


def _begin(partition: Partition, domain_id: str, about: str, at: int) -> list[Output]:
    domain, bound = partition.core.domains[domain_id], partition.bound(domain_id)
    rows = rows_of(bound, domain_id, about)
    domain.by_hand.maintained[about].under_way = True
    outputs = tell(partition, domain_id, rows.tolist(), MAINTENANCE, at)
    mark(bound, domain_id, domain)
    return outputs + stop_reporting(partition, domain_id, rows, at)


def _end(partition: Partition, domain_id: str, about: str, at: int) -> list[Output]:
    domain, bound = partition.core.domains[domain_id], partition.bound(domain_id)
    if not domain.by_hand.maintained.pop(about).under_way:
        return []
    mark(bound, domain_id, domain)
    rows = rows_of(bound, domain_id, about)
    rows = rows[~bound.maintained[rows]]
    # What it sent meanwhile says nothing about its health.
    bound.watch["checked_at"][rows] = np.maximum(bound.watch["checked_at"][rows], bound.watch["refused_at"][rows])
    outputs: list[Output] = []
    for row in rows.tolist():
        outputs += tell(partition, domain_id, [row], int(bound.health["health"][row]) or SILENT, at)
    return outputs
