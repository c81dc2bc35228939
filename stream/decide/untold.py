"""Dangers that rose and were over while nobody spoke for a partition, as the version that takes it over finds them (`standing.py`).

Who was in danger is not alarmed afterwards: nothing is left to be done, and an alarm for what is over teaches to pass over the next one. Where the
incident still goes on elsewhere, the city is told what it was and that it is over there, by the record that was decided. Where the incident is
over, too, its own record says it, for who coordinates and for auditors: a closed one that names cities, as none does that was told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide import telling
from stream.records.incident import Incident
from stream.records.instants import HOUR, to_text
from stream.records.warning import AlsoWarned, Reason
from stream.warnings.envelope import of_incident

if TYPE_CHECKING:
    from collections.abc import Container

    from stream.decide.scene import Scene
    from stream.decide.state import Closed, Told
    from stream.records.output import Output

RECENT_MS = 24 * HOUR
"""Of what was closed longer ago than this nobody can say any more whether it was told: numbers of old warnings are not taken over for ever."""
_OVER = frozenset({Reason.CLEARED, Reason.LEFT, Reason.EXPIRED})


def ended(told: Told) -> bool:
    """Whether a city's danger is over; one that was wrong is nobody's news."""
    return told.ended and told.reason in _OVER


def record(scene: Scene, known: Container[str], at: int) -> list[Output]:
    """The records of incidents that are closed, and of whose warnings none was ever published (`known`: by id)."""
    outputs: list[Output] = []
    for incident_id, closed in sorted(scene.state.closed.items()):
        past = closed.past
        if past is None or closed.closed_at < at - RECENT_MS or any(one.warning_id in known for one in past.recipients):
            continue
        cities = tuple(
            AlsoWarned(one.city_id, telling.level_label(one.level)) for one in past.recipients if not one.body and one.reason in _OVER
        )
        if cities:
            closed.revision += 1
            outputs.append(of_incident(_closed(scene, incident_id, closed, cities, at), sent_at=at))
    return outputs


def _closed(scene: Scene, incident_id: str, closed: Closed, cities: tuple[AlsoWarned, ...], at: int) -> Incident:
    coordinators = closed.past.coordinators if closed.past is not None else ()
    return Incident(
        incident_id=incident_id,
        revision=closed.revision,
        hazard=scene.hazard.hazard,
        domain=scene.domain_id,
        lane=scene.lane,
        state="closed",
        level=telling.level_label(0),
        opened_at=to_text(closed.opened_at),
        as_of_at=to_text(at),
        closed_at=to_text(closed.closed_at),
        reason=Reason.CLEARED,
        sources=(),
        probability=0.0,
        confirmed=True,
        evidence=(),
        cities=cities,
        coordinator=next(iter(coordinators), ""),
        posture=scene.domain.posture.posture,
        region=scene.region.name,
        region_hash=scene.region.region_hash,
    )
