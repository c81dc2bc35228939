"""Incidents that turn out to be one are merged, and one that has fallen apart is split; every city keeps its warning, its id and its numbering.

Merging is immediate: no city may stand in two incidents. The one opened first goes on; the others end, `merged_into` it. Splitting waits for the
hold time, because what falls apart for a moment mostly comes together again, and for a grid instant. The part that began first keeps the
incident, every other that wants a city warned becomes an incident of its own, `split_from` it. Cities that came from another incident are told
so at the next grid instant, or with what they are told before (`IncidentState.moved`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.decide import accounting, bodies, reopening
from stream.decide.grouping import groups
from stream.decide.life import seconds
from stream.records.warning import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.decide.grouping import Group, Part
    from stream.decide.impacts import Asked
    from stream.decide.life import Moment
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState
    from stream.records.output import Output

MERGED, SPLIT = "merged", "split"


class Arranged(NamedTuple):
    """The groups, each with one open incident at most; why the incidents among them changed, by id; and what is said of those that ended."""

    groups: list[Group]
    changed: dict[str, Reason]
    outputs: list[Output]


def arrange(scene: Scene, asked: Sequence[Asked], moment: Moment) -> Arranged:
    """Merge what has come together, split what has been apart for long enough."""
    region, hazard, state = scene.region, scene.hazard, scene.state
    found = groups(region, hazard, state, asked)
    changed: dict[str, Reason] = {}
    outputs: list[Output] = []
    for group in found:
        if len(group.incidents) > 1:
            into, *others = group.incidents
            changed[into.incident_id] = Reason.MERGED
            for other in others:
                outputs += _merge(scene, into, other, moment.at)
            group.incidents = [into]
        if group.incidents and _apart_for_long(scene, group, moment):
            changed |= dict.fromkeys(_split(scene, group, moment.at), Reason.SPLIT)
    return Arranged(groups(region, hazard, state, asked) if changed else found, changed, outputs)


def _merge(scene: Scene, into: IncidentState, other: IncidentState, at: int) -> list[Output]:
    """Let the other incident end in this one: what its cities and bodies were told moves over; what is said of that."""
    said = [accounting.merged(scene, other, into.incident_id, at)]
    reopening.close(scene.state, other, at)
    for city_id, told in other.told.items():
        standing = into.told.get(city_id)
        if standing is not None and (told.ended or not standing.ended):
            into.said[told.warning_id] = told.revision
            continue
        if standing is not None:
            into.said[standing.warning_id] = standing.revision
        into.told[city_id] = told
        if not told.ended:
            into.moved[city_id] = f"{MERGED}:{other.incident_id}"
    into.moved |= {city_id: note for city_id, note in other.moved.items() if city_id not in into.moved}
    for body_id, told in sorted(other.bodies.items()):
        if body_id not in into.bodies:
            into.bodies[body_id] = told
        elif into.bodies[body_id].ended and not told.ended:
            into.said[into.bodies[body_id].warning_id] = into.bodies[body_id].revision
            into.bodies[body_id] = told
        elif told.ended:
            into.said[told.warning_id] = told.revision
        else:
            said += bodies.give_up(scene, into, told, at)
    into.series = tuple(sorted({*into.series, *other.series}))
    if not into.handed_over_to:
        into.handed_over_to, into.handed_over_at = other.handed_over_to, other.handed_over_at
    return said


def _apart_for_long(scene: Scene, group: Group, moment: Moment) -> bool:
    """Whether the incident has consisted of several parts for the hold time, and it may be split now; since when is remembered."""
    (incident,) = group.incidents
    if len(_living(scene, group)) < 2:  # noqa: PLR2004  one part is whole
        incident.apart_since = None
        return False
    if incident.apart_since is None:
        incident.apart_since = moment.at
    return moment.grid and moment.settled >= incident.apart_since + seconds(scene.hazard.rules.hold_s)


def _living(scene: Scene, group: Group) -> list[Part]:
    """The parts that want a city warned, the one that began first coming first."""
    enough = scene.hazard.rules.min_probability
    alive = [part for part in group.parts if any(claim.impact.probability >= enough for one in part for claim in one.claims)]
    return sorted(alive, key=lambda part: min((one.state.onset_at, one.state.series) for one in part))


def _split(scene: Scene, group: Group, at: int) -> list[str]:
    """Let every part but the first become an incident of its own, with the cities that it claims most; the ids of all of them."""
    (incident,) = group.incidents
    _, *others = living = _living(scene, group)
    best: dict[str, tuple[float, int]] = {}
    for number, part in enumerate(living):
        for one in part:
            for claim in one.claims:
                city_id = claim.impact.city_id
                best[city_id] = max(best.get(city_id, (0.0, 0)), (claim.impact.probability, -number))
    ids = [incident.incident_id]
    for number, part in enumerate(others, 1):
        made = reopening.opened(scene.state, reopening.free_id(scene, [one.state for one in part]), at)
        made.split_from, made.series = incident.incident_id, tuple(sorted(one.state.series for one in part))
        for city_id in sorted(incident.warned()):
            if best.get(city_id, (0.0, 0))[1] == -number:
                made.told[city_id] = incident.told.pop(city_id)
                made.moved[city_id] = f"{SPLIT}:{incident.incident_id}"
                incident.moved.pop(city_id, None)
        incident.series = tuple(series for series in incident.series if series not in made.series)
        ids.append(made.incident_id)
    incident.apart_since = None
    return ids
