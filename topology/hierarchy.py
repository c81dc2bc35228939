"""Who stands above whom, who leads and who assists: the chain of administrations, without any geometry.

An incident belongs to the jurisdiction of its source; the others it reaches assist, the soonest reached first; and what they share is the
lowest administration above all of them: the city itself, a province, the nation, or, where they share none, a transboundary channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from topology.base import Fault, TopologyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from topology.base import Impact

TABLE = "cities.geojson"


class Scope(StrEnum):
    """How far up the administrations meet that an incident concerns."""

    CITY = "city"
    PROVINCE = "province"
    NATION = "nation"
    TRANSBOUNDARY = "transboundary"
    UNKNOWN = "unknown"
    """Nobody is known above one of the cities: the region's file does not say."""


# What regions call the levels of their administrations.
SCOPES: Mapping[str, Scope] = MappingProxyType(
    {
        **dict.fromkeys(("site", "gauge", "town", "district", "county", "city", "prefecture"), Scope.CITY),
        **dict.fromkeys(("province", "state", "autonomous_region", "municipality"), Scope.PROVINCE),
        **dict.fromkeys(("country", "nation"), Scope.NATION),
    }
)


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Every administration and the ones above it, nearest first (`above[id]`, empty at a root)."""

    above: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Joint:
    """The lowest administration above all concerned, "" where they share none, and how far up that is."""

    administration_id: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Roles:
    """Who leads (the source's cities), who assists (reached, soonest first, unknown times last), and what they share."""

    lead: tuple[str, ...]
    assist: tuple[str, ...]
    joint: Joint


def build_hierarchy(parents: Mapping[str, str]) -> Hierarchy:
    """The hierarchy from each id's parent ("" at a root). Raises `TopologyError` for unknown parents and for cycles, all of them.

    >>> build_hierarchy({"harbin": "heilongjiang", "heilongjiang": ""}).above["harbin"]
    ('heilongjiang',)
    """
    faults = [
        Fault(TABLE, 0, "parent", f"parent {parent!r} of {child!r} is not known", "add it, or leave the parent empty")
        for child, parent in parents.items()
        if parent and parent not in parents
    ]
    above: dict[str, tuple[str, ...]] = {}
    circling: set[str] = set()
    for child in parents:
        chain, at = [child], parents[child]
        while at in parents and at not in chain:
            chain.append(at)
            at = parents[at]
        if at in parents and not circling.intersection(chain):
            circle = chain[chain.index(at) :]
            circling.update(circle)
            text = " -> ".join([*circle, at])
            faults.append(Fault(TABLE, 0, "parent", f"parents run in a circle: {text}", "correct one of these parents"))
        above[child] = tuple(chain[1:])
    if faults:
        raise TopologyError(tuple(faults))
    return Hierarchy(MappingProxyType(above))


def lowest_common_ancestor(hierarchy: Hierarchy, ids: Iterable[str]) -> str | None:
    """The lowest administration that contains all of `ids` (one id: itself); None when they share none or `ids` is empty.

    An id that is not in the hierarchy raises KeyError.

    >>> tree = build_hierarchy({"harbin": "heilongjiang", "jiamusi": "heilongjiang", "heilongjiang": "", "khabarovsk": ""})
    >>> lowest_common_ancestor(tree, ["harbin", "jiamusi"])
    'heilongjiang'
    >>> lowest_common_ancestor(tree, ["harbin", "khabarovsk"]) is None
    True
    """
    chains = [(one, *hierarchy.above[one]) for one in ids]
    if not chains:
        return None
    shared = set(chains[0]).intersection(*chains[1:])
    return next((one for one in chains[0] if one in shared), None)


def joint(hierarchy: Hierarchy, levels: Mapping[str, str], ids: Sequence[str]) -> Joint:
    """What these cities share, by `lowest_common_ancestor`. An id that is not in the hierarchy raises KeyError; `ids` holds at least one.

    `levels` (id -> its level as the region's file names it) decides where `SCOPES` knows the word; else a city of `ids` is a city, a root a
    nation, and what stands between a province. Where nations meet only in a body above them (a river commission), that body is the
    administration and the scope is transboundary; UNKNOWN where nobody is known above a city at all.

    >>> tree = build_hierarchy({"harbin": "heilongjiang", "mulan": "harbin", "heilongjiang": "china", "china": "", "khabarovsk": "russia", "russia": ""})
    >>> joint(tree, {}, ["mulan", "harbin"])
    Joint(administration_id='harbin', scope=<Scope.CITY: 'city'>)
    >>> joint(tree, {"china": "country"}, ["harbin", "khabarovsk"]).scope.value
    'transboundary'
    """
    found = lowest_common_ancestor(hierarchy, ids)
    if found is None:
        return Joint("", Scope.TRANSBOUNDARY if all(hierarchy.above[one] for one in ids) else Scope.UNKNOWN)
    named = SCOPES.get(levels.get(found, ""))
    if named is not None:
        return Joint(found, named)
    if found in ids:
        return Joint(found, Scope.CITY)
    chains = [(one, *hierarchy.above[one]) for one in ids]
    below = {one for chain in chains for one in chain[: chain.index(found)]}
    if any(SCOPES.get(levels.get(one, "")) is Scope.NATION for one in below):
        return Joint(found, Scope.TRANSBOUNDARY)
    return Joint(found, Scope.PROVINCE if hierarchy.above[found] else Scope.NATION)


def roles(hierarchy: Hierarchy, levels: Mapping[str, str], source_city_ids: Sequence[str], impacts: Iterable[Impact]) -> Roles:
    """Lead, assist and joint body of an incident found in `source_city_ids` (empty: in no city, then nobody leads by place).

    "The place of occurrence leads": a city of the source never assists. `impacts` as a footprint returns them. Raises KeyError for an
    unknown id, ValueError when nobody is concerned.
    """
    lead = tuple(dict.fromkeys(source_city_ids))
    soonest: dict[str, tuple[bool, int]] = {}
    for impact in impacts:
        key = (impact.arrival is None, impact.arrival.p50_at if impact.arrival else 0)
        soonest[impact.city_id] = min(key, soonest.get(impact.city_id, key))
    assist = tuple(sorted((one for one in soonest if one not in lead), key=lambda one: (soonest[one], one)))
    if not lead and not assist:
        raise ValueError("an incident concerns at least one city")
    return Roles(lead, assist, joint(hierarchy, levels, (*lead, *assist)))
