"""`agreements.toml`: what neighbours have promised each other, so that a machine can hold them to it.

An agreement names its parties (cities, or administrations that speak for all cities below them), the dangers it is about, the border
section, how soon the others are told and have to answer, who coordinates, whom to call, and how often it is drilled. Its `duties` are the
eight of China's rule on joint prevention in rivers that cross provinces (Huan Ying Ji [2020] No. 5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from stream.region.fields import read_toml
from stream.region.names import IDENTIFIER, IDENTIFIER_FIX, LANGUAGES
from stream.region.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from stream.region.fields import Fields
    from stream.region.problems import Findings

FILE = "agreements.toml"
LEVELS = ("blue", "yellow", "orange", "red")
DUTIES = ("cooperation", "assessment", "interception", "notification", "monitoring", "handling", "disputes", "support")
"""Joint working, hazard assessment and warning, interception of polluted water, mutual notification, joint monitoring, joint handling,
mediation of disputes, and what all of it rests on (people, material, drills)."""
LEAST_PARTIES = 2
_DAY_S = 86_400.0
_ANSWER_S = (60.0, 30 * _DAY_S)
_DRILL_DAYS_MAX = 3_660


@dataclass(frozen=True, slots=True)
class Contacts:
    """Whom to reach at one party: the officers on duty, and their deputies when nobody answers."""

    officers: tuple[str, ...] = ()
    deputies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement. `acknowledge_within_s` and `duties` hold only what is agreed; `section` is `reach` or `reach:kilometre`, "" = none.

    `notify_from_level`: parties that the danger does not reach are informed from this level of the incident on, within `notify_within_s`.
    `coordinator`: who takes over when the parties do not answer, "" = the lowest administration above the cities concerned. `each_officer`: a
    warning counts as acknowledged when every officer of the party has answered for himself.
    """

    agreement_id: str
    parties: tuple[str, ...]
    hazards: tuple[str, ...]
    section: str
    notify_from_level: str
    notify_within_s: float
    acknowledge_within_s: Mapping[str, float]
    coordinator: str
    contacts: Mapping[str, Contacts]
    drill_every_days: int
    each_officer: bool
    duties: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Parties:
    """What an agreement may name. `above[id]`: everybody above a city or administration; `lengths_km` of the reaches, None: no river."""

    above: Mapping[str, tuple[str, ...]]
    hazards: Collection[str]
    lengths_km: Mapping[str, float] | None = field(default=None)


def read_agreements(data: bytes, known: Parties, findings: Findings) -> tuple[Agreement, ...]:
    """The agreements of the file in the order of their ids; everything wrong with them is recorded."""
    top = read_toml(FILE, data, findings)
    if top is None:
        return ()
    found = []
    for agreement_id in sorted(top.names()):
        table = top.sub(agreement_id)
        if not IDENTIFIER.fullmatch(agreement_id):
            top.problem(agreement_id, f"{agreement_id!r} is no agreement id", IDENTIFIER_FIX)
        if table is not None:
            found.append(_agreement(agreement_id, table, known))
    if not found:
        findings.add(FILE, 0, "", "the file holds no agreement", 'add [<id>] with parties = ["...", "..."], or remove the file')
    return tuple(found)


def _agreement(agreement_id: str, table: Fields, known: Parties) -> Agreement:
    parties = _parties(table, known)
    each_officer = table.flag("each_officer")
    read = Agreement(
        agreement_id=agreement_id,
        parties=parties,
        hazards=_hazards(table, known),
        section=_section(table, known),
        notify_from_level=_level(table, "notify_from_level", otherwise="yellow"),
        notify_within_s=table.number("notify_within_s", 0, 30 * _DAY_S) or 0.0,
        acknowledge_within_s=_answers(table),
        coordinator=_coordinator(table, parties, known),
        contacts=_contacts(table, parties, each_officer=each_officer),
        drill_every_days=table.whole("drill_every_days", 1, _DRILL_DAYS_MAX) or 0,
        each_officer=each_officer,
        duties=_duties(table),
    )
    table.no_more()
    return read


def _parties(table: Fields, known: Parties) -> tuple[str, ...]:
    parties = table.strings("parties")
    for party in parties:
        if party not in known.above:
            table.problem("parties", f"nobody is called {party!r}", f"name cities or administrations; {nearest(party, known.above)}")
        elif within := [one for one in known.above[party] if one in parties]:
            table.problem("parties", f"{party!r} lies within {within[0]!r}", "name one of the two")
    if len(parties) == 1:
        table.problem("parties", "one party alone agrees with nobody", f"name at least {LEAST_PARTIES}")
    return parties


def _hazards(table: Fields, known: Parties) -> tuple[str, ...]:
    hazards = table.strings("hazards")
    for hazard in hazards:
        if hazard not in known.hazards:
            table.problem("hazards", f"the region has no hazard {hazard!r}", f"name files of hazards/; {nearest(hazard, known.hazards)}")
    return hazards


def _section(table: Fields, known: Parties) -> str:
    section = table.string("section", otherwise="")
    if not section:
        return ""
    reach, _, km = section.partition(":")
    length_km = (known.lengths_km or {}).get(reach)
    if length_km is None:
        table.problem(
            "section", f"the region has no reach {reach!r}", f"write reach or reach:kilometre; {nearest(reach, known.lengths_km or ())}"
        )
    elif km and not (km.replace(".", "", 1).isdecimal() and float(km) <= length_km):
        table.problem("section", f"{km!r} is no kilometre of reach {reach!r}", f"give a number from 0 to {length_km:g}")
    return section


def _level(table: Fields, key: str, otherwise: str) -> str:
    level = table.string(key, otherwise=otherwise)
    if level not in LEVELS:
        table.problem(key, f"no such level {level!r}", nearest(level, LEVELS))
        return otherwise
    return level


def _answers(table: Fields) -> Mapping[str, float]:
    """How soon a warning of each level has to be answered; never later for a worse one."""
    answers = table.sub("acknowledge_within_s")
    if answers is None:
        return {}
    found = {level: within_s for level in LEVELS if (within_s := answers.number(level, *_ANSWER_S)) is not None}
    answers.no_more()
    milder = [(level, found[level]) for level in LEVELS if level in found]
    for (mild, mild_s), (worse, worse_s) in pairwise(milder):
        if worse_s > mild_s:
            answers.problem(worse, f"{worse_s:g} s is more than the {mild_s:g} s of {mild}", "give the worse level at most as long")
    return found


def _coordinator(table: Fields, parties: tuple[str, ...], known: Parties) -> str:
    coordinator = table.string("coordinator", otherwise="")
    if coordinator and coordinator not in known.above:
        fix = f"name an administration of cities.geojson; {nearest(coordinator, known.above)}"
        table.problem("coordinator", f"nobody is called {coordinator!r}", fix)
    elif coordinator in parties:
        table.problem("coordinator", f"{coordinator!r} is a party", "name a body above the parties, or leave it out")
    return coordinator


def _contacts(table: Fields, parties: tuple[str, ...], *, each_officer: bool) -> Mapping[str, Contacts]:
    contacts = table.sub("contacts")
    found: dict[str, Contacts] = {}
    for party in () if contacts is None else sorted(contacts.names()):
        one = contacts.sub(party) if contacts is not None else None
        if one is None:
            continue
        if party not in parties:
            one.problem("", f"{party!r} is no party of this agreement", nearest(party, parties))
        found[party] = Contacts(one.strings("officers"), one.strings("deputies", needed=False))
        one.no_more()
    if each_officer and (absent := [party for party in parties if party not in found]):
        table.problem(
            "each_officer", f"no officers of {absent[0]!r} are named", f"add [{table.path[0]}.contacts.{absent[0]}] with officers"
        )
    return found


def _duties(table: Fields) -> Mapping[str, Mapping[str, str]]:
    duties = table.sub("duties")
    found: dict[str, Mapping[str, str]] = {}
    for duty in DUTIES if duties is not None else ():
        one = duties.sub(duty) if duties is not None else None
        if one is not None:
            found[duty] = {language: one.string(language) for language in LANGUAGES}
            one.no_more()
    if duties is not None:
        duties.no_more()
    if absent := [duty for duty in DUTIES if duty not in found]:
        table.note(
            "duties", f"says nothing on {', '.join(absent)}", "the eight duties of the rule of 2020 are there to be agreed one by one"
        )
    return found
