"""What is said on `evidence`: every change of what a detector finds, and what was measured but not believed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from detectors.base import Quality
from detectors.health import Health
from stream.decide.disclosure import FAMILY, Shown, banded
from stream.decide.fusion import SUSPECT_WEIGHT
from stream.decide.refused import Refused
from stream.decide.telling import level_label
from stream.records.instants import to_text
from stream.records.warning import Evidence
from stream.warnings.envelope import of_evidence

if TYPE_CHECKING:
    from stream.decide.findings import Failed, Finding
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.records.output import Output

LATE, CORRECTED = "late", "corrected"
"""Reasons that detectors of counts know, too (`detectors/count_period.py`)."""
_DIGITS = 6


def known(value: float, digits: int = _DIGITS) -> float | None:
    """A number as it is told: to so many significant digits, None where it is not known.

    >>> known(0.123456789), known(1.5e-13), known(float("nan"))
    (0.123457, 1.5e-13, None)
    """
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def of_finding(scene: Scene, series: str, one: Finding, at: int) -> list[Output]:
    """What is said of a finding: nothing, unless the series' level for this hazard changed."""
    if one.old == one.new:
        return []
    use = scene.bound.detectors[one.detector]
    why = CORRECTED if one.corrects and one.new < one.old else use.module.WHY[one.why]
    station, _, quantity = series.rpartition("/")
    value = banded(one.value) if scene.hazard.family == FAMILY else Shown(one.value)
    record = Evidence(
        domain=scene.domain_id,
        hazard=scene.hazard.hazard,
        series=series,
        station=station,
        quantity=quantity,
        observed_at=to_text(one.observed_at),
        value=value.value,
        unit=scene.region.series.unit[scene.region.series.row_of[series]],
        level=level_label(one.new),
        previous_level=level_label(one.old),
        detector=use.name,
        score=round(one.score, 4) if math.isfinite(one.score) else 0.0,
        trend_per_h=known(one.trend) if value.to is None else None,
        weight=SUSPECT_WEIGHT if one.quality == Quality.SUSPECT else 1.0,
        quality=one.quality,
        why=why,
        lane=scene.lane,
        as_of_at=to_text(at),
        p_value=known(one.p_value),
        log_lr=known(one.log_lr),
        exceedance=known(one.exceedance),
        reaches_next_level_in_h=known(one.reaches_h, 3),
        reported_late=one.late or why == LATE,
        value_to=value.to,
    )
    return [of_evidence(record, sent_at=at)]


def of_failed(partition: Partition, domain_id: str, one: Failed, at: int) -> list[Output]:
    """A measurement that is kept but moves nothing, for each hazard that would have used it."""
    bound = partition.bound(domain_id)
    series = bound.series(one.row)
    station, _, quantity = series.rpartition("/")
    fault = Health(int(bound.health["health"][one.row])).name.lower() if one.why == Refused.STATION_IN_FAULT else ""
    outputs: list[Output] = []
    for hazard, reached in zip(bound.hazards, one.levels, strict=True):
        if not hazard.member[one.row]:
            continue
        level = level_label(reached)
        value = banded(one.value) if hazard.hazard.family == FAMILY else Shown(one.value)
        record = Evidence(
            domain=domain_id,
            hazard=hazard.hazard.hazard,
            series=series,
            station=station,
            quantity=quantity,
            observed_at=to_text(one.observed_at),
            value=value.value,
            unit=bound.region.series.unit[int(bound.rows[one.row])],
            level=level,
            previous_level=level,
            detector="quality",
            score=0.0,
            trend_per_h=None,
            weight=0.0,
            quality=int(Quality.FAIL),
            why=fault or Refused(one.why).name.lower(),
            lane=partition.lane,
            as_of_at=to_text(at),
            value_to=value.to,
        )
        outputs.append(of_evidence(record, sent_at=at))
    return outputs
