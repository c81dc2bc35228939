"""Who had been told of an incident that is closed, and who answers for it: it may still turn out to have been wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.decide.stated import REPORT
from stream.records.warning import MsgType, Reason

if TYPE_CHECKING:
    from stream.decide.state import HazardState, IncidentState

LEAD = "lead"
"""The role of the place of occurrence."""


class Recipient(msgspec.Struct, array_like=True):
    """One who was told, and how that ended. `body`: not as a city that is reached."""

    city_id: str
    warning_id: str
    revision: int
    level: int
    role: str
    msg_type: MsgType
    reason: Reason
    body: bool


class Past(msgspec.Struct, array_like=True):
    """Everybody who was told of a closed incident; `owners` led or reported it."""

    owners: tuple[str, ...]
    coordinators: tuple[str, ...]
    recipients: tuple[Recipient, ...]


def owners(state: HazardState, incident: IncidentState) -> tuple[str, ...]:
    """The cities whose incident it is: those that lead or have led, and those that reported what it consists of."""
    found = {*incident.leads, *(city_id for city_id, told in incident.told.items() if told.role == LEAD)}
    for series in incident.series:
        source = state.sources.get(series)
        if source is not None and source.placed is not None and source.placed.kind == REPORT:
            found.add(source.placed.counts_as.removeprefix(f"{REPORT}/"))
    return tuple(sorted(found))


def coordinators(incident: IncidentState) -> tuple[str, ...]:
    """Who coordinates it, or took it over."""
    return tuple(sorted({incident.coordinator, incident.handed_over_to} - {""}))


def past_of(state: HazardState, incident: IncidentState) -> Past:
    """What has to be remembered of an incident that is closed."""
    found = tuple(
        Recipient(city_id, told.warning_id, told.revision, told.level, told.role, told.msg_type, told.reason, body)
        for body, everybody in ((False, incident.told), (True, incident.bodies))
        for city_id, told in sorted(everybody.items())
    )
    return Past(owners(state, incident), coordinators(incident), found)
