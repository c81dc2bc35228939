"""Which sources are one incident: those that claim a city together, stand at one place, confirm each other, or reach a city an incident holds.

A city is in one open incident of a hazard and domain at most. So whatever claims a city that is warned by an open incident belongs to that
incident, and sources of several incidents that come to claim one city make them one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.decide.corroboration_rules import partners
from stream.decide.instruments import stands_at

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from stream.decide.impacts import Asked
    from stream.decide.state import HazardState, IncidentState
    from stream.region.model import Hazard, Region, Rules

Part = tuple["Asked", ...]
"""Sources that hang together by what they claim."""


@dataclass(slots=True)
class Group:
    """One incident-to-be: the open incidents its sources belong to (the first opened first, none if it is new), and the parts it consists of."""

    incidents: list[IncidentState] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def sources(self) -> list[Asked]:
        """All its sources, by their numbers."""
        return sorted((one for part in self.parts for one in part), key=lambda one: one.number)


class Unions:
    """Disjoint sets of anything hashable; nearly linear in the number of joins (halving of paths)."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def root(self, one: Hashable) -> Hashable:
        """The member that stands for the set of `one`."""
        above = self._above
        above.setdefault(one, one)
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    def join(self, one: Hashable, other: Hashable) -> None:
        """Make the sets of both one; the first one's stands for it."""
        first, second = self.root(one), self.root(other)
        if first != second:
            self._above[second] = first


def least(rules: Rules) -> float:
    """The probability from which a claim on a city ties its source to the others that claim the city."""
    return min(rules.watch, rules.min_probability)


def claimed(one: Asked, rules: Rules) -> Iterable[str]:
    """The cities by which a source hangs together with others: where it stands while it lasts, and those it reaches."""
    if one.source.city_id and one.state.ended_at is None:
        yield one.source.city_id
    enough = least(rules)
    for claim in one.claims:
        if claim.impact.probability >= enough:
            yield claim.impact.city_id


def parts(region: Region, hazard: Hazard, asked: Sequence[Asked]) -> list[Part]:
    """The connected parts of sources, each in the order of its sources, the parts in the order of their first ones."""
    ties = Unions()
    for one in asked:
        ties.join(one.state.series, one.number)
        ties.join(stands_at(region, one.state), one.number)
        for city_id in claimed(one, hazard.rules):
            ties.join(("city", city_id), one.number)
    for one_series, other_series in partners(region, hazard, [one.state for one in asked]):
        ties.join(one_series, other_series)
    found: dict[Hashable, list[Asked]] = {}
    for one in asked:
        found.setdefault(ties.root(one.number), []).append(one)
    return [tuple(part) for part in found.values()]


def groups(region: Region, hazard: Hazard, state: HazardState, asked: Sequence[Asked]) -> list[Group]:
    """Every open incident with its parts (it may have none any more), then what belongs to none; no city is claimed by two of them."""
    ties, known = Unions(), state.ordered()
    found, rules = parts(region, hazard, asked), hazard.rules
    holds = {city_id: one.incident_id for one in known for city_id in one.warned()}
    member = {series: one.incident_id for one in known for series in one.series}
    for number, part in enumerate(found):
        for one in part:
            reached = (holds.get(city_id) for city_id in claimed(one, rules)) if holds else ()
            for incident_id in (member.get(one.state.series), *reached):
                if incident_id is not None:
                    ties.join(number, incident_id)
    made: dict[Hashable, Group] = {}
    for incident in known:
        made.setdefault(ties.root(incident.incident_id), Group()).incidents.append(incident)
    for number, part in enumerate(found):
        made.setdefault(ties.root(number), Group()).parts.append(part)
    together = list(made.values())
    return together if len(together) == 1 else _apart(together, rules)


def _apart(together: list[Group], rules: Rules) -> list[Group]:
    """The same groups, where every city is claimed by one only: who holds it or claims it clearly, or else who claims it most."""
    enough = least(rules)
    held = {city_id: at for at, one in enumerate(together) for incident in one.incidents for city_id in incident.warned()}
    faint: dict[str, tuple[float, int]] = {}
    for at, group in enumerate(together):
        for one in group.sources():
            for claim in one.claims:
                city_id, chance = claim.impact.city_id, claim.impact.probability
                if chance >= enough:
                    held[city_id] = at
                elif city_id not in faint or chance > faint[city_id][0]:
                    faint[city_id] = (chance, at)
    owner = {city_id: at for city_id, (_, at) in faint.items()} | held
    for at, group in enumerate(together):
        group.parts = [tuple(_owned(one, owner, at) for one in part) for part in group.parts]
    return together


def _owned(one: Asked, owner: dict[str, int], at: int) -> Asked:
    return one._replace(claims=tuple(claim for claim in one.claims if owner[claim.impact.city_id] == at))
