"""What a statement is about, and whether it is the speaker's to decide: an incident belongs to those who lead it and those above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.decide.hand_reports import scene_of, series_of
from stream.decide.stated import REPORT

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState
    from stream.decide.stated import HandReport


class Target(NamedTuple):
    """An open incident (None: the report opened none), and the report that was named, if it was one."""

    scene: Scene
    incident: IncidentState | None
    report: HandReport | None


def find(partition: Partition, domain_id: str, about: str) -> Target | None:
    """The incident, the one of a warning, or the report of this id; None if the domain has none (any more)."""
    report = partition.core.domains[domain_id].by_hand.reports.get(about)
    if report is not None and (scene := scene_of(partition, domain_id, report.hazard)) is not None:
        own = (one for one in scene.state.ordered() if series_of(about) in members(scene, one))
        return Target(scene, next(own, None), report)
    for index in partition.hazards_of(domain_id):
        scene = partition.scene(domain_id, index)
        for incident in scene.state.ordered():
            told = (*incident.told.values(), *incident.bodies.values())
            if about == incident.incident_id or any(one.warning_id == about for one in told):
                return Target(scene, incident, None)
    return None


def members(scene: Scene, incident: IncidentState) -> tuple[str, ...]:  # noqa: ARG001  (a hazard has one incident)
    """The sources of an incident."""
    return tuple(sorted(scene.state.sources))


def entitled(target: Target, city_id: str) -> bool:
    """Whether a city may take back or correct it: its own report, or an incident that it leads, reported or coordinates, or stands above."""
    scene, incident, report = target
    if report is not None and report.city_id == city_id:
        return True
    if incident is None:
        return False
    reports = scene.domain.by_hand.reports.values()
    reporters = {one.city_id for one in reports if series_of(one.statement_id) in members(scene, incident)}
    owners = {*incident.leads, *reporters}
    above = {one for owner in owners for one in scene.region.above.get(owner, ())}
    agreed = {
        one.coordinator for one in scene.region.agreements if any(told.agreement_id == one.agreement_id for told in incident.told.values())
    }
    return city_id in {*owners, *above, *agreed, incident.coordinator, incident.handed_over_to}


def is_report(series: str) -> bool:
    """Whether a source is what somebody reported."""
    return series.startswith(f"{REPORT}/")
