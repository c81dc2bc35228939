"""What a statement is about, and whether it is the speaker's to decide: an incident belongs to those who lead it and those above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.decide.discrepancies import note
from stream.decide.hand_reports import series_of
from stream.decide.hazard_scene import scene_of
from stream.decide.past import coordinators, owners
from stream.decide.reopening import opened
from stream.decide.roles import agreements
from stream.decide.state import Told
from stream.decide.stated import REPORT, Doubt
from stream.records.discrepancy import DiscrepancyKind

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.past import Past
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState
    from stream.decide.stated import HandReport
    from stream.records.journal import Statement
    from stream.records.output import Output


class Target(NamedTuple):
    """An incident, opened again if it was closed (None: the report opened none), and the report that was named, if it was one.

    `allowed`: it is the speaker's to decide.
    """

    scene: Scene
    incident: IncidentState | None
    report: HandReport | None
    allowed: bool


def find(partition: Partition, domain_id: str, about: str, city_id: str) -> Target | None:
    """The incident, the one of a warning, or the report of this id, and whether it is that city's to decide; None if there is none."""
    report = partition.core.domains[domain_id].by_hand.reports.get(about)
    if report is not None and (scene := scene_of(partition, domain_id, report.hazard)) is not None:
        own = next((one for one in scene.state.ordered() if series_of(about) in one.series), None)
        allowed = report.city_id == city_id or (
            own is not None and city_id in _deciders(scene, owners(scene.state, own), coordinators(own))
        )
        return Target(scene, own, report, allowed)
    for index in partition.hazards_of(domain_id):
        scene = partition.scene(domain_id, index)
        for incident in scene.state.ordered():
            told = (*incident.told.values(), *incident.bodies.values())
            if about == incident.incident_id or any(one.warning_id == about for one in told):
                allowed = city_id in _deciders(scene, owners(scene.state, incident), coordinators(incident))
                return Target(scene, incident, None, allowed)
        for incident_id, closed in sorted(scene.state.closed.items()):
            past = closed.past
            if past is not None and (about == incident_id or any(one.warning_id == about for one in past.recipients)):
                allowed = city_id in _deciders(scene, past.owners, past.coordinators)
                return Target(scene, _again(scene, incident_id, past) if allowed else None, None, allowed)
    return None


def dispute(target: Target, said: Statement, now: int) -> list[Output]:
    """What is not the speaker's to decide changes nothing, and is shown."""
    scene, incident, report, _ = target
    level = report.level if report is not None else incident.level if incident is not None else 0
    doubt = Doubt("", said.statement_id, said.city_id, scene.hazard.hazard, now, said.by, level)
    return [note(scene, DiscrepancyKind.DISPUTED, doubt, now, said.text)]


def _deciders(scene: Scene, owning: tuple[str, ...], coordinating: tuple[str, ...]) -> set[str]:
    """Who may take an incident back or correct it: whose it is, those above them, and who coordinates it."""
    above = {one for owner in owning for one in scene.region.above.get(owner, ())}
    agreed = {one.coordinator for one in agreements(scene, owning)} if owning else set()
    return ({*owning, *above, *agreed, *coordinating}) - {""}


def _again(scene: Scene, incident_id: str, past: Past) -> IncidentState:
    """A closed incident with everybody it told, as they were told last."""
    at = scene.domain.now
    incident = opened(scene.state, incident_id, at)
    for one in past.recipients:
        everybody = incident.bodies if one.body else incident.told
        everybody[one.city_id] = Told(
            one.city_id, one.warning_id, one.revision, one.level, one.msg_type, one.reason, "", (), 0.0, None, at, at,
            ended=True, role=one.role, heard_revision=one.revision,
        )  # fmt: skip
    return incident


def is_report(series: str) -> bool:
    """Whether a source is what somebody reported."""
    return series.startswith(f"{REPORT}/")
