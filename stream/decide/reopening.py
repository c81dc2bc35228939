"""A closed incident may open again under the same id: numbering then goes on, because revisions never go back.

An incident is named after the evidence that opened it. A measurement that was corrected away ends it, and another correction of the same
measurement opens it once more: the same series, the same instant, so the same incident and the same warning ids. A city may also have been
told of an incident under the id of another one, which was merged into it.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from stream.decide import identity
from stream.decide.past import past_of
from stream.decide.state import Closed, IncidentState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.decide.scene import Scene
    from stream.decide.state import HazardState, SourceState, Told

REMEMBERED = 64
"""Closed incidents of a hazard in a domain, the last ones: only evidence that is still remembered can be corrected."""

RECALLED = 8
"""Of so many it is remembered whom they told: an incident may be taken back after it is over."""


def free_id(scene: Scene, sources: Sequence[SourceState]) -> str:
    """The id of an incident that these sources open: after the earliest evidence still standing after which none is named that is open."""
    standing = sorted(sources, key=lambda one: (one.ended_at is not None, one.onset_at, one.series))
    lane = scene.lane.value
    for one in standing:
        found = identity.incident_id(scene.hazard.hazard, scene.domain_id, one.series, one.onset_at, lane)
        if found not in scene.state.incidents:
            return found
    first = standing[0]
    names = (f"{first.series}/{number}" for number in count(1))
    made = (identity.incident_id(scene.hazard.hazard, scene.domain_id, name, first.onset_at, lane) for name in names)
    return next(one for one in made if one not in scene.state.incidents)


def opened(state: HazardState, incident_id: str, at: int) -> IncidentState:
    """The incident of this id, opened at `at`, or again: then with what it said last."""
    before = state.closed.pop(incident_id, None)
    incident = IncidentState(incident_id, at)
    if before is not None:
        incident = IncidentState(incident_id, before.opened_at, before.revision, said=before.said)
    state.incidents[incident_id] = incident
    return incident


def said(incident: IncidentState) -> dict[str, int]:
    """The last revision of every warning of an incident, by its id."""
    standing = (*incident.told.values(), *incident.bodies.values())
    return incident.said | {told.warning_id: told.revision for told in standing}


def next_revision(state: HazardState, warning_id: str) -> int:
    """The revision that a warning begins with, or begins again with."""
    known = (*(one.said for one in state.incidents.values()), *(one.said for one in state.closed.values()))
    return 1 + max((one[warning_id] for one in known if warning_id in one), default=0)


def reclaim(state: HazardState, incident: IncidentState, city_id: str, warning_id: str) -> Told | None:
    """What the city was told under this id, if that stands in another open incident, where it has ended: it goes on here."""
    for other in state.incidents.values():
        told = other.told.get(city_id)
        if other is not incident and told is not None and told.ended and told.warning_id == warning_id:
            incident.told[city_id] = other.told.pop(city_id)
            return told
    return None


def close(state: HazardState, incident: IncidentState, at: int) -> None:
    """Close an open incident, and remember what it said last."""
    state.closed[incident.incident_id] = Closed(incident.opened_at, at, incident.revision, said(incident), past_of(state, incident))
    del state.incidents[incident.incident_id]
    forget(state)


def forget(state: HazardState) -> None:
    """Forget the incidents that were closed longest ago."""
    for one in sorted(state.closed.values(), key=lambda one: -one.closed_at)[RECALLED:]:
        one.past = None
    while len(state.closed) > REMEMBERED:
        del state.closed[min(state.closed, key=lambda one: (state.closed[one].closed_at, one))]
