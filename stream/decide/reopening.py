"""A closed incident may open again under the same id: numbering then goes on, because revisions never go back.

An incident is named after the evidence that opened it. A measurement that was corrected away ends it, and another correction of the same
measurement opens it once more: the same series, the same instant, so the same incident and the same warning ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide.state import Closed, IncidentState

if TYPE_CHECKING:
    from stream.decide.state import HazardState

REMEMBERED = 16
"""Closed incidents of a hazard in a domain, the last ones: only evidence that is still remembered can be corrected."""


def opened(state: HazardState, incident_id: str, at: int) -> IncidentState:
    """The incident of this id, opened at `at`, or again: then with what it said last."""
    before = state.closed.pop(incident_id, None)
    incident = IncidentState(incident_id, at)
    if before is not None:
        incident = IncidentState(incident_id, before.opened_at, before.revision, said=before.said)
    state.incidents[incident_id] = incident
    return incident


def close(state: HazardState, incident: IncidentState, at: int) -> None:
    """Close the open incident, and remember what it said last."""
    said = incident.said | {city_id: told.revision for city_id, told in incident.told.items()}
    state.closed[incident.incident_id] = Closed(incident.opened_at, at, incident.revision, said)
    del state.incidents[incident.incident_id]
    if len(state.closed) > REMEMBERED:
        del state.closed[min(state.closed, key=lambda one: (state.closed[one].closed_at, one))]
