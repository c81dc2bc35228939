"""What a person saw, as a source of an incident: a spill, a breach, a telephone call. It stands where it was seen and counts as its city's witness.

One person never gives red: a report of it counts as orange until another person confirms it. A report nobody stands behind but its reporter
is unconfirmed, and warns no higher than the hazard allows for one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from detectors.base import Level, Quality
from stream.decide.incident import evaluate
from stream.decide.life import Moment
from stream.decide.state import HazardState, SourceState
from stream.decide.stated import REPORT, Placed

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.records.journal import Statement
    from stream.records.output import Output

ALONE_MOST = Level.ORANGE
"""The highest level one person's word gives."""
UNCONFIRMED_WEIGHT = 0.5
"""Of the log-odds of a report that nobody else stands behind."""
DETECTOR = "report"
LEVELS = {level.label: int(level) for level in Level}


def series_of(statement_id: str) -> str:
    """The name of a report among the sources of an incident."""
    return f"{REPORT}/{statement_id}"


def report(partition: Partition, said: Statement, now: int) -> list[Output] | None:
    """A report becomes a source; one that is known already, and one of a hazard the region does not have, change nothing."""
    index = _hazard(partition, said.domain, said.hazard)
    if index is None:
        return None
    scene = partition.scene(said.domain, index)
    series = series_of(said.statement_id)
    if series in scene.state.sources:
        return []
    scene.state.sources[series] = _source(said, series)
    return evaluate(scene, Moment(now, partition.settled(now)))


def _hazard(partition: Partition, domain_id: str, hazard: str) -> int | None:
    """The hazard's index, with a state of its own in the domain from now on; None where the region has no such hazard."""
    for index, one in enumerate(partition.bound(domain_id).hazards):
        if one.hazard.hazard == hazard:
            partition.core.domains[domain_id].hazards.setdefault(hazard, HazardState())
            return index
    return None


def _source(said: Statement, series: str) -> SourceState:
    level = min(LEVELS[said.level], ALONE_MOST)
    value = math.nan if said.value is None else said.value
    source = SourceState(
        series, int(level), int(level), said.starts_at, said.received_at, value, 0.0, None, DETECTOR, "reported", int(Quality.GOOD)
    )
    source.placed = Placed(
        city_id=said.place_city,
        latitude=said.latitude,
        longitude=said.longitude,
        reach=said.reach,
        reach_km=said.km,
        counts_as=f"{REPORT}/{said.city_id}",
        weight=1.0 if said.confirmed else UNCONFIRMED_WEIGHT,
        kind=REPORT,
        domain_id=said.domain,
        unit=said.unit,
        confirmed=said.confirmed,
    )
    return source
