"""Who does what: the place of occurrence leads, whom it reaches assists or is affected, and the lowest common administration coordinates.

An agreement governs a city in an incident when it is about the hazard, the city belongs to one of its parties, and so does a place of
occurrence (where that is no city, any agreement of the city does).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from stream.decide.placing import city_of, concluded
from stream.decide.telling import level_label
from topology.hierarchy import Hierarchy, lowest_common_ancestor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState
    from stream.region.agreements import Agreement
    from stream.region.model import Region

SAME_PLACE = "same_place"
_NEVER = float("inf")


class Role(StrEnum):
    """What the one who gets a message is in the incident."""

    LEAD = "lead"
    """The danger is measured there: the place of occurrence."""
    AFFECTED = "affected"
    """The danger comes there."""
    ASSIST = "assist"
    """The danger comes there, and an agreement binds it to those who lead."""
    COORDINATOR = "coordinator"
    """Stands above cities that do not answer, and takes over."""
    INFORMED = "informed"
    """Is not reached, but was promised to be told; or has coordinated, and need not any more."""


def leads(scene: Scene, incident: IncidentState) -> tuple[str, ...]:
    """The cities in which the danger was found, by their ids. What is only foretold was not found yet."""
    return tuple(
        sorted(
            {city_id for source in scene.sources_of(incident) if not concluded(source.placed) if (city_id := city_of(scene.region, source))}
        )
    )


def party_of(region: Region, agreement: Agreement, city_id: str) -> str:
    """The party of the agreement that speaks for a city: itself or the nearest above it; "" if none does."""
    return next((one for one in (city_id, *region.above.get(city_id, ())) if one in agreement.parties), "")


def agreements(scene: Scene, led_by: Iterable[str]) -> tuple[Agreement, ...]:
    """The agreements about this hazard to which a place of occurrence belongs; all about it where nobody leads."""
    region, lead = scene.region, tuple(led_by)
    return tuple(
        one
        for one in region.agreements
        if scene.hazard.hazard in one.hazards and (not lead or any(party_of(region, one, city_id) for city_id in lead))
    )


def governing(scene: Scene, incident: IncidentState, city_id: str, level: int) -> Agreement | None:
    """Of the agreements that govern a city in an incident, the one that asks for the soonest answer at this level."""
    if not scene.region.agreements:
        return None
    bound = [one for one in agreements(scene, incident.leads) if party_of(scene.region, one, city_id)]
    return min(bound, key=lambda one: (one.acknowledge_within_s.get(level_label(level), _NEVER), one.agreement_id), default=None)


def agreement(region: Region, agreement_id: str) -> Agreement | None:
    """The agreement of this id; None where the region has none (any more)."""
    return next((one for one in region.agreements if one.agreement_id == agreement_id), None)


def role(incident: IncidentState, city_id: str, path: str, bound: Agreement | None) -> Role:
    """What a warned city is in the incident; `bound`: the agreement that governs it."""
    if path == SAME_PLACE or city_id in incident.leads:
        return Role.LEAD
    return Role.AFFECTED if bound is None else Role.ASSIST


def answer_within_s(scene: Scene, bound: Agreement | None, level: int) -> float:
    """How soon a warning of this level has to be answered, by the agreement or the hazard's rules, whichever asks sooner; 0 = it need not."""
    label = level_label(level)
    asked = [getattr(scene.hazard.rules, f"acknowledge_{label}_s", 0.0), bound.acknowledge_within_s.get(label, 0.0) if bound else 0.0]
    return min((within_s for within_s in asked if within_s > 0), default=0.0)


def joint_body(region: Region, city_ids: Iterable[str]) -> str:
    """The lowest administration above all of these cities; "" where they share none, or are one city."""
    concerned = [one for one in city_ids if one in region.above]
    found = lowest_common_ancestor(Hierarchy(region.above), concerned)
    return "" if found is None or found in concerned else found


def body_above(scene: Scene, incident: IncidentState, city_id: str, agreement_id: str) -> str:
    """Who takes over for a city: the agreement's coordinator, the joint body of all cities concerned, or whoever stands next above the city."""
    bound = agreement(scene.region, agreement_id) if agreement_id else None
    if bound is not None and bound.coordinator:
        return bound.coordinator
    return incident.coordinator or next(iter(scene.region.above.get(city_id, ())), "")


def next_level(region: Region, body: str) -> str:
    """The administration next above a body; "" where there is none."""
    return next(iter(region.above.get(body, ())), "")
