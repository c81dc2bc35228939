"""`inhibitions.toml`: which lesser warnings a city is spared while it stands under a worse one.

A city that fights a red flood does not need a blue notice of the rain that feeds it. The sense is Prometheus Alertmanager's: while a warning
fits `source`, those that fit `target` are muted. Muting is bounded so that it can hide no danger: the source must be worse than the target by
its level, nothing red is ever muted, and a source elsewhere in the domain (`equal = "domain"`) mutes blue notices only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from detectors.base import Level
from stream.region.fields import read_toml
from stream.region.names import IDENTIFIER, IDENTIFIER_FIX, LANGUAGES
from stream.region.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from stream.region.fields import Fields
    from stream.region.problems import Findings

INHIBITIONS_FILE = "inhibitions.toml"
LEVELS: Mapping[str, Level] = {level.label: level for level in Level if level is not Level.NONE}
EQUAL = ("city", "domain")
"""What the source and the target must have in common. Both are always of one domain: only there one fold knows both."""


@dataclass(frozen=True, slots=True)
class Inhibition:
    """One rule: a warning of `source_hazards` at `source_from` or worse mutes those of `target_hazards` at `target_to` or milder.

    `equal`: "city" (the source is a warning that the same city was sent), or "domain" (of any city of the domain). `why` by language.
    """

    rule_id: str
    source_hazards: tuple[str, ...]
    source_from: Level
    target_hazards: tuple[str, ...]
    target_to: Level
    equal: str
    why: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dangers:
    """What a rule may name: hazards with their family; `domains`: the families of each domain, None where they could not be read."""

    families: Mapping[str, str]
    domains: Sequence[Collection[str]] | None


def read_inhibitions(data: bytes, known: Dangers, findings: Findings) -> tuple[Inhibition, ...]:
    """The rules of the file in the order of their ids; everything wrong with them is recorded."""
    top = read_toml(INHIBITIONS_FILE, data, findings)
    if top is None:
        return ()
    found = []
    for rule_id in sorted(top.names()):
        table = top.sub(rule_id)
        if not IDENTIFIER.fullmatch(rule_id):
            top.problem(rule_id, f"{rule_id!r} is no id of a rule", IDENTIFIER_FIX)
        if table is not None:
            found.append(_rule(rule_id, table, known))
    if not found:
        findings.add(
            INHIBITIONS_FILE, 0, "", "the file holds no rule", "add [<id>] with [<id>.source] and [<id>.target], or remove the file"
        )
    return tuple(found)


def _rule(rule_id: str, table: Fields, known: Dangers) -> Inhibition:
    sources, source_from = _side(table, "source", "level_from", Level.RED, known)
    targets, target_to = _side(table, "target", "level_to", Level.BLUE, known)
    equal = table.string("equal", otherwise="city")
    if equal not in EQUAL:
        table.problem("equal", f"{equal!r} is nothing two warnings have in common", nearest(equal, EQUAL))
    why = _why(table)
    table.no_more()
    _bounds(table, (source_from, target_to), equal, set(sources) & set(targets))
    _meet(table, (sources, targets), known)
    return Inhibition(rule_id, sources, source_from, targets, target_to, equal, why)


def _bounds(table: Fields, levels: tuple[Level, Level], equal: str, both: set[str]) -> None:
    """A mute must leave a city with something worse that it was told, or cost it no more than a notice."""
    source_from, target_to = levels
    target = table.sub("target") or table
    if target_to is Level.RED:
        target.problem("level_to", "nothing red is ever muted", 'write level_to = "blue", "yellow" or "orange"')
    elif source_from <= target_to:
        fix = "let level_from be worse than level_to: a city must hear of something worse instead"
        target.problem("level_to", f"{target_to.label} warnings would be muted by {source_from.label} ones", fix)
    elif equal == "domain" and target_to > Level.BLUE:
        fix = 'write level_to = "blue", or equal = "city"'
        target.problem("level_to", "cities that are not warned of the source themselves would lose more than a notice", fix)
    elif equal == "domain" and both:
        name = min(both)
        target.problem(
            "hazards", f"the notice of a {name} would be muted for those to whom it comes", 'leave it out, or write equal = "city"'
        )


def _side(table: Fields, key: str, level_key: str, otherwise: Level, known: Dangers) -> tuple[tuple[str, ...], Level]:
    side = table.sub(key)
    if side is None:
        table.problem(key, "is missing", f'add [{table.path[0]}.{key}] with hazards = ["..."] and {level_key} = "{otherwise.label}"')
        return (), otherwise
    hazards = side.strings("hazards")
    for hazard in hazards:
        if hazard not in known.families:
            side.problem("hazards", f"the region has no hazard {hazard!r}", f"name files of hazards/; {nearest(hazard, known.families)}")
    label = side.string(level_key, otherwise=otherwise.label)
    if label not in LEVELS:
        side.problem(level_key, f"no such level {label!r}", nearest(label, LEVELS))
    side.no_more()
    return hazards, LEVELS.get(label, otherwise)


def _why(table: Fields) -> Mapping[str, str]:
    why = table.sub("why")
    if why is None:
        table.problem("why", "is missing", f'add [{table.path[0]}.why] with zh = "..." and en = "...": who reads it must understand it')
        return {}
    said = {language: why.string(language) for language in LANGUAGES}
    why.no_more()
    return said


def _meet(table: Fields, sides: tuple[tuple[str, ...], tuple[str, ...]], known: Dangers) -> None:
    """Say so where a source and a target never meet in a domain: that part of the rule mutes nothing."""
    if known.domains is None:
        return
    for source in sides[0]:
        for target in sides[1]:
            pair = {known.families.get(source, ""), known.families.get(target, "")}
            if "" not in pair and not any(pair <= set(families) for families in known.domains):
                table.note("target", f"{source} and {target} meet in no domain", "one fold must know both: this pair mutes nothing")
