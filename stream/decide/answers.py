"""What stands in the record of an incident about answers: who answered what, whose warning went up and to whom it was handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stream.decide.escalation import Rung
from stream.records.acknowledgement import Answered, Escalated
from stream.records.instants import to_text

if TYPE_CHECKING:
    from stream.decide.state import IncidentState
    from stream.records.incident import Incident

NAMED_MOST = 200
"""So many answers, the newest, stand in a record; every one is in the journal."""


def recorded(incident: IncidentState) -> dict[str, Any]:
    """The fields of `Incident` that tell it."""
    everybody = {**incident.bodies, **incident.told}
    said = sorted(
        (one.received_at, city_id, action, by, one)
        for city_id, told in everybody.items()
        for action, by_officer in told.acknowledged.items()
        for by, one in by_officer.items()
    )
    return {
        "coordinator": incident.coordinator,
        "handed_over_to": incident.handed_over_to,
        "handed_over_at": None if incident.handed_over_at is None else to_text(incident.handed_over_at),
        "answers": tuple(
            Answered(city_id, one.revision, action, by, to_text(at), one.note) for at, city_id, action, by, one in said[-NAMED_MOST:]
        ),
        "escalated": tuple(
            Escalated(city_id, Rung(told.rung).name.lower(), told.escalated_because, to_text(told.escalated_at))
            for city_id, told in sorted(incident.told.items())
            if told.rung > Rung.CITY and not told.ended and told.escalated_at is not None
        ),
    }


def shape(record: Incident) -> list[str]:
    """What makes a new record necessary, besides the cities and sources: empty as long as nobody was asked."""
    parts = (record.answers, record.escalated, record.handed_over_to)
    return [repr(parts)] if any(parts) else []
