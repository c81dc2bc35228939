"""What is told of stations: a record for every change of a station's health, so that somebody can mend it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from detectors.health import Health
from detectors.rows import NEVER
from stream.decide.disclosure import FAMILY
from stream.records.instants import to_text
from stream.records.warning import StationHealth, StationState
from stream.warnings.envelope import of_station_health

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.decide.partition import Partition
    from stream.records.output import Output

SILENT, MAINTENANCE = 9, 10
"""Beside the codes of `detectors.health.Health`."""
STATES = {
    int(Health.SOUND): StationState.SOUND,
    int(Health.UNIT_MISTAKE): StationState.UNIT_MISTAKE,
    int(Health.SIGN_FLIP): StationState.SIGN_FLIP,
    int(Health.DRIFTING): StationState.DRIFTING,
    int(Health.CHATTERING): StationState.CHATTERING,
    SILENT: StationState.SILENT,
    MAINTENANCE: StationState.MAINTENANCE,
}


def tell(partition: Partition, domain_id: str, rows: Iterable[int], state: int, at: int) -> list[Output]:
    """Say that these stations are in this state now, where that was not the last that was said of them."""
    bound = partition.bound(domain_id)
    outputs: list[Output] = []
    for row in sorted(rows, key=bound.series):
        before = int(bound.watch["told"][row])
        if before == state or bound.maintained[row]:  # which is said before it counts
            continue
        bound.watch["told"][row] = state
        series = bound.series(row)
        station, _, quantity = series.rpartition("/")
        believed_at, believed = int(bound.history["observed_at"][row, -1]), float(bound.history["value"][row, -1])
        refused_at, refused = int(bound.watch["refused_at"][row]), float(bound.watch["value"][row])
        observed_at, value = max((believed_at, believed), (refused_at, refused))
        counts = any(hazard.member[row] and hazard.hazard.family == FAMILY for hazard in bound.hazards)
        record = StationHealth(
            domain=domain_id,
            series=series,
            station=station,
            quantity=quantity,
            state=STATES[state],
            previous_state=STATES[before],
            observed_at=None if observed_at == NEVER else to_text(observed_at),
            value=None if counts or math.isnan(value) else value,
            believed=None if counts or math.isnan(believed) else believed,
            unit=bound.region.series.unit[int(bound.rows[row])],
            lane=partition.lane,
            as_of_at=to_text(at),
            region=bound.region.name,
            region_hash=bound.region.region_hash,
        )
        outputs.append(of_station_health(record, sent_at=at))
    return outputs
