"""What detection found in one message changes the domain: sources, silence, conditions; then the hazards it touched are judged."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from detectors.base import Quality
from stream.decide.conditions import remember
from stream.decide.detect import Finding, Found, Informing, Returned
from stream.decide.incident import evaluate
from stream.decide.life import Moment
from stream.decide.state import SourceState
from stream.decide.status import statuses
from stream.decide.telling import level_label
from stream.records.instants import to_text
from stream.records.warning import Evidence
from stream.warnings.envelope import of_evidence

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.records.output import Output

SUSPECT_WEIGHT = 0.3


def take(partition: Partition, domain_id: str, at: int, found: list[Found]) -> list[Output]:
    """Apply one message's findings (in order) at the domain's instant `at`."""
    outputs: list[Output] = []
    domain = partition.core.domains[domain_id]
    bound = partition.bound(domain_id)
    judged: set[int] = set()
    seen: dict[int, set[str]] = {}
    for one in found:
        if isinstance(one, Informing):
            remember(domain.conditions, bound.series(one.row), one.observed_at, one.value)
            continue
        scene = partition.scene(domain_id, one.hazard)
        if isinstance(one, Returned):
            seen.setdefault(one.hazard, set()).update(_sighted(partition, scene, one))
            continue
        if _source(scene, bound.series(one.row), one):
            judged.add(one.hazard)
        if one.old != one.new:
            outputs.append(of_evidence(_evidence(scene, bound.series(one.row), one, at), sent_at=at))
    for index in partition.hazards_of(domain_id):
        scene = partition.scene(domain_id, index)
        open_incident = scene.state.incident is not None
        if index in judged or (open_incident and (partition.observed or index in seen)):
            outputs += evaluate(scene, Moment(at, partition.settled(at)))
        elif index in seen or not scene.state.status:
            outputs += statuses(scene, seen.get(index, set()) if scene.state.status else scene.cities(), at)
    partition.wind(domain_id)
    return outputs


def _sighted(partition: Partition, scene: Scene, one: Returned) -> tuple[str, ...]:
    """A series reports again: the cities that see more for it."""
    bound = partition.bound(scene.domain_id)
    series = bound.series(one.row)
    if series not in scene.state.silent:
        return ()
    scene.state.silent.discard(series)
    cities = scene.bound.cities_of.get(series, ())
    for city in cities:
        scene.fresh[city] += 1
    clock = partition.clocks[scene.domain_id]
    due = int(bound.history["observed_at"][one.row, -1] + scene.bound.silent_after[one.row])
    clock.silent_at[one.hazard] = min(clock.silent_at[one.hazard], due)
    return cities


def _source(scene: Scene, series: str, one: Finding) -> bool:
    """Keep the source of this series up to date; whether cities must be judged at once."""
    use = scene.bound.detectors[one.detector]
    source = scene.state.sources.get(series)
    trend = round(one.trend, 6) if math.isfinite(one.trend) else None
    if source is None:
        if not one.new:
            return False
        why = use.module.WHY[one.why]
        scene.state.sources[series] = SourceState(
            series, one.new, one.new, one.observed_at, one.observed_at, one.value, one.score, trend, use.name, why, one.quality, one.late
        )
        return True
    changed = one.new != source.level or (source.late and not one.late)
    source.level, source.peak = one.new, max(source.peak, one.new)
    source.late = source.late and one.late
    source.ended_at = None if one.new else source.ended_at if source.ended_at is not None else one.observed_at
    if one.observed_at >= source.observed_at:
        source.observed_at, source.value, source.score, source.trend_per_h = one.observed_at, one.value, one.score, trend
        source.quality = one.quality
    if one.new:
        source.detector, source.why = use.name, use.module.WHY[one.why]
    return changed


def _evidence(scene: Scene, series: str, one: Finding, at: int) -> Evidence:
    use = scene.bound.detectors[one.detector]
    station, _, quantity = series.rpartition("/")
    return Evidence(
        domain=scene.domain_id,
        hazard=scene.hazard.hazard,
        series=series,
        station=station,
        quantity=quantity,
        observed_at=to_text(one.observed_at),
        value=one.value,
        unit=scene.region.series.unit[scene.region.series.row_of[series]],
        level=level_label(one.new),
        previous_level=level_label(one.old),
        detector=use.name,
        score=round(one.score, 4) if math.isfinite(one.score) else 0.0,
        trend_per_h=round(one.trend, 6) if math.isfinite(one.trend) else None,
        weight=SUSPECT_WEIGHT if one.quality == Quality.SUSPECT else 1.0,
        quality=one.quality,
        why=use.module.WHY[one.why],
        lane=scene.lane,
        as_of_at=to_text(at),
    )
