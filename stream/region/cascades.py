"""`cascades/<name>.toml`: what one danger brings after it. A flood is followed by water that makes ill, a failing dam by a flood.

A cascade says which danger follows which, in which cities, how likely, how long after, and until when it is expected. It only ever gives a
less certain and never a higher warning than its cause: the effect is forecast, not measured. What is measured of the effect itself counts
beside it, and more.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from detectors.base import Level
from stream.region.fields import read_toml
from stream.region.names import HAZARD, LANGUAGES
from stream.region.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from stream.region.fields import Fields
    from stream.region.hazards import HazardDraft
    from stream.region.problems import Findings

CASCADES_FOLDER = "cascades/"
SAME, INTAKES, BELOW, LISTED = "same", "intakes", "below", "listed"
WHERE = (SAME, INTAKES, BELOW, LISTED)
"""The cities that the cause reaches; those of them with a named point on the river (a water intake); what the effect's own footprint
reaches from the place of the cause; the cities named, whichever the cause reaches."""
LEVELS: Mapping[str, Level] = {level.label: level for level in Level if level is not Level.NONE}
_MOST_H = 366 * 24.0


@dataclass(frozen=True, slots=True)
class Delay:
    """How long after its cause the effect comes (h): quantiles."""

    p10_h: float
    p50_h: float
    p90_h: float


@dataclass(frozen=True, slots=True)
class Cascade:
    """One rule. `probability` of the effect where the cause is certain; `weight`: factor of its log-odds in the fusion of the effect.

    From `min_level` of the cause on; the effect is `level_drop` levels below it, at least blue. Without evidence of its own the effect ends
    `lasts_h` after the latest instant at which it should have come. `domain`: where the effect is judged, "" = where its hazard is watched.
    """

    name: str
    cause: str
    effect: str
    where: str
    cities: tuple[str, ...]
    min_level: Level
    level_drop: int
    probability: float
    weight: float
    delay: Delay
    lasts_h: float
    domain: str
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Effects:
    """What a cascade may name: hazards by name, cities, and the families of each domain by its id."""

    hazards: Mapping[str, HazardDraft]
    cities: Collection[str]
    domains: Mapping[str, Sequence[str]]


def read_cascade(file: str, data: bytes, known: Effects, findings: Findings) -> Cascade | None:
    """The cascade of a file; everything wrong with it is recorded. None if it cannot be read at all."""
    name = file.removeprefix(CASCADES_FOLDER).removesuffix(".toml")
    if not HAZARD.fullmatch(name):
        findings.add(file, 0, "", f"{name!r} is no name of a cascade", "name the file by lower-case letters, digits, - and _")
    top = read_toml(file, data, findings)
    if top is None:
        return None
    cause, effect = _hazard(top, "cause", known), _hazard(top, "effect", known)
    if cause and cause == effect:
        top.problem("effect", f"{effect!r} would follow itself", "name another hazard: how one danger spreads is its footprint")
    where = top.string("where", otherwise=SAME)
    read = Cascade(
        name=name,
        cause=cause,
        effect=effect,
        where=where,
        cities=_cities(top, where, known),
        min_level=_level(top),
        level_drop=top.whole("level_drop", 0, int(Level.RED)) or 0,
        probability=_needed(top, "probability", 0.001, 1.0),
        weight=_given(top, "weight", 0.0, 10.0, 1.0),
        delay=_delay(top),
        lasts_h=_needed(top, "lasts_h", 0.01, _MOST_H),
        domain=_domain(top, effect, known),
        texts=_texts(top),
    )
    if where not in WHERE:
        top.problem("where", f"no such place {where!r}", nearest(where, WHERE))
    elif where == BELOW and effect in known.hazards and not known.hazards[effect].footprint:
        top.problem("where", f"{effect!r} has no footprint that could say where", f'write where = "{SAME}", or give the hazard a footprint')
    top.no_more()
    return read


def read_cascades(files: Mapping[str, bytes], known: Effects, findings: Findings) -> tuple[Cascade, ...]:
    """The cascades of a region folder in the order of their names; a ring of them is noted."""
    names = [name for name in sorted(files) if is_cascade(name)]
    found = tuple(one for name in names if (one := read_cascade(name, files[name], known, findings)) is not None)
    for ring in rings(found):
        findings.note(
            CASCADES_FOLDER, 0, "", f"{' -> '.join((*ring, ring[0]))} is a ring", "a link that comes back to where it began is refused"
        )
    return found


def is_cascade(name: str) -> bool:
    """Whether a file of a region folder is a cascade.

    >>> is_cascade("cascades/flood-outbreak.toml"), is_cascade("cascades/readme.md")
    (True, False)
    """
    return name.startswith(CASCADES_FOLDER) and name.endswith(".toml")


def rings(cascades: Sequence[Cascade]) -> tuple[tuple[str, ...], ...]:
    """Hazards that follow from themselves by way of others, each ring once, beginning with its first name.

    >>> rings([])
    ()
    """
    after: dict[str, list[str]] = {}
    for one in cascades:
        after.setdefault(one.cause, []).append(one.effect)
    found: set[tuple[str, ...]] = set()

    def walk(way: tuple[str, ...]) -> None:
        for following in after.get(way[-1], ()):
            if following == way[0] == min(way):
                found.add(way)
            elif following not in way:
                walk((*way, following))

    for hazard in sorted(after):
        walk((hazard,))
    return tuple(sorted(found))


def _hazard(top: Fields, key: str, known: Effects) -> str:
    hazard = top.string(key)
    if hazard and hazard not in known.hazards:
        top.problem(key, f"the region has no hazard {hazard!r}", f"name a file of hazards/; {nearest(hazard, known.hazards)}")
    return hazard


def _cities(top: Fields, where: str, known: Effects) -> tuple[str, ...]:
    cities = top.strings("cities", needed=where == LISTED)
    for city in cities:
        if city not in known.cities:
            top.problem("cities", f"no city {city!r} in cities.geojson", nearest(city, known.cities))
    if cities and where != LISTED:
        top.problem("cities", f"are named, but where = {where!r}", f'write where = "{LISTED}", or remove them')
    return cities


def _level(top: Fields) -> Level:
    label = top.string("min_level", otherwise="yellow")
    if label not in LEVELS:
        top.problem("min_level", f"no such level {label!r}", nearest(label, LEVELS))
    return LEVELS.get(label, Level.YELLOW)


def _domain(top: Fields, effect: str, known: Effects) -> str:
    """The domain named; it must be one in which the effect can be judged."""
    domain = top.string("domain", otherwise="")
    if domain and domain not in known.domains:
        top.problem("domain", f"no domain {domain!r} in region.toml", nearest(domain, known.domains))
    elif domain and effect in known.hazards and known.hazards[effect].family not in known.domains[domain]:
        family = known.hazards[effect].family
        top.problem("domain", f"{domain!r} has no {family!r} among its families", f"add it in region.toml, or name a domain of {effect!r}")
    return domain


def _delay(top: Fields) -> Delay:
    table = top.sub("delay")
    if table is None:
        top.problem("delay", "is missing", "add [delay] with p10_h, p50_h and p90_h")
        return Delay(0.0, 0.0, 0.0)
    given = {name: _needed(table, name, 0.0, _MOST_H) for name in ("p10_h", "p50_h", "p90_h")}
    table.no_more()
    for (early, early_h), (late, late_h) in pairwise(given.items()):
        if late_h < early_h:
            table.problem(late, f"{late_h:g} h is before the {early_h:g} h of {early}", "give p10_h <= p50_h <= p90_h")
    return Delay(**given)


def _texts(top: Fields) -> Mapping[str, str]:
    table = top.sub("texts")
    if table is None:
        top.problem("texts", "is missing", 'add [texts] with zh = "..." and en = "...": why one follows the other, and what to look for')
        return {}
    said = {language: table.string(language) for language in LANGUAGES}
    table.no_more()
    return said


def _needed(table: Fields, key: str, low: float, high: float) -> float:
    value = table.number(key, low, high)
    if key not in table.table:
        table.problem(key, "is missing", f"give a number from {low:g} to {high:g}")
    return low if value is None else value


def _given(table: Fields, key: str, low: float, high: float, usual: float) -> float:
    value = table.number(key, low, high)
    return usual if value is None else value
