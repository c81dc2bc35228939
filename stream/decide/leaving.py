"""A series leaves its domain, or a domain its region, while an incident stands on it.

That a station is measured elsewhere from now on, or not at all, says nothing about the danger. So what it had found stays as a source of its
incident, as sure as when it left, like that of a station that fell silent, but nobody misses it: it is retired. Cities that nothing else sees are
blind, are told so and no more than that, and what rests on it ends by the hazard's limit. If it comes back it is a series like any other.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from stream.decide.incident import evaluate
from stream.decide.life import Moment, seconds
from stream.decide.stated import RETIRED, Placed

if TYPE_CHECKING:
    from stream.decide.bound import Bound, BoundHazard
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.decide.state import SourceState
    from stream.records.output import Output
    from stream.region.model import Region

FOR_EVER = 2**62


def retire(partition: Partition, domain_id: str, old: Bound, new: Bound, at: int) -> None:
    """Keep the sources of series that the domain has no more, and take back those that it has again; before the new region is admitted."""
    domain = partition.core.domains[domain_id]
    here = {new.series(row) for row in new.members[domain_id]}
    before = {hazard.hazard.hazard: hazard for hazard in old.hazards}
    for hazard in new.hazards:
        state = domain.hazards.get(hazard.hazard.hazard)
        if state is None:
            continue
        rules = hazard.hazard.rules
        for series, source in state.sources.items():
            if source.placed is None and series not in here:
                source.placed = _placed(old.region, source, domain_id)
                state.retired[series] = at + seconds(rules.blind_limit_s) + seconds(rules.validity_s)
                state.silent.add(series)
            elif source.placed is not None and source.placed.kind == RETIRED and series in here:
                source.placed = None
                del state.retired[series]
                _found_before(new, hazard, source)
        if (was := before.get(hazard.hazard.hazard)) is not None:
            state.unwatched |= set(was.watchers.get(domain_id, ()))
        state.unwatched -= set(hazard.watchers.get(domain_id, ()))
    domain.conditions = {series: recent for series, recent in domain.conditions.items() if series in new.region.series.row_of}


def dissolve(partition: Partition, domain_id: str, at: int) -> list[Output]:
    """A domain that is no more, while its region is still the old one: what it warned of ends as not known any more, never as over."""
    outputs: list[Output] = []
    for index in partition.hazards_of(domain_id):
        scene = partition.scene(domain_id, index)
        scene.state.sources.clear()
        outputs += evaluate(replace(scene, behind=True), Moment(at, FOR_EVER))
    return outputs


def let_pass(scene: Scene, settled: int) -> bool:
    """Drop what has stood for so long; whether anything did."""
    over = [series for series, gone_at in scene.state.retired.items() if gone_at <= settled]
    for series in over:
        del scene.state.retired[series]
        scene.state.silent.discard(series)
        if (source := scene.state.sources.get(series)) is not None and source.placed is not None and source.placed.kind == RETIRED:
            del scene.state.sources[series]
    return bool(over)


def _placed(region: Region, source: SourceState, domain_id: str) -> Placed:
    """Where the series stood, by the region that had it."""
    table, row = region.series, region.series.row_of[source.series]
    city = int(table.city[row])
    return Placed(
        city_id=region.cities[city].city_id if city >= 0 else "",
        latitude=_known(float(table.latitude[row])),
        longitude=_known(float(table.longitude[row])),
        reach=table.reach[row],
        reach_km=_known(float(table.reach_km[row])),
        counts_as=table.station[row],
        weight=1.0,
        kind=RETIRED,
        domain_id=domain_id,
        unit=table.unit[row],
    )


def _found_before(bound: Bound, hazard: BoundHazard, source: SourceState) -> None:
    """Let the series stand at the level it left with, so that its next measurement says whether that is over."""
    row = int(bound.local[bound.region.series.row_of[source.series]])
    used = [number for number, use in enumerate(hazard.detectors) if use.compact[row] >= 0]
    for number in sorted(used, key=lambda one: hazard.detectors[one].name != source.detector)[:1]:
        hazard.levels[number, row] = source.level


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
