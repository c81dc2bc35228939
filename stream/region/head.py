"""`region.toml`: the region's name and title, its domains, and what an empty cell of `stations.csv` means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.records.canary import DOMAIN_PREFIX
from stream.region.fields import read_toml
from stream.region.model import Domain
from stream.region.names import FAMILIES, IDENTIFIER, IDENTIFIER_FIX, LANGUAGES
from stream.region.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.region.fields import Fields
    from stream.region.problems import Findings

FILE = "region.toml"
DEFAULTS = ("domain", "city", "unit", "timezone", "datum", "interval_s")
_PIN_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Head:
    """What region.toml says. `domains` in the order of their ids; `defaults`: column of stations.csv -> text for its empty cells."""

    name: str
    title: Mapping[str, str]
    domains: tuple[Domain, ...]
    defaults: Mapping[str, str]


def read_head(data: bytes, findings: Findings) -> Head | None:
    """The head of a region; None if the file cannot be read at all."""
    top = read_toml(FILE, data, findings)
    if top is None:
        return None
    name = top.string("name")
    if name and not IDENTIFIER.fullmatch(name):
        top.problem("name", f"{name!r} is no region name", IDENTIFIER_FIX)
    title = _texts(top, "title")
    domains = _domains(top)
    defaults = _defaults(top)
    top.no_more()
    return Head(name, title, domains, defaults)


def _texts(top: Fields, key: str) -> Mapping[str, str]:
    table = top.sub(key)
    if table is None:
        top.problem(key, "is missing", f'add [{key}] with zh = "..." and en = "..."')
        return {}
    texts = {language: table.string(language) for language in LANGUAGES}
    table.no_more()
    return texts


def _domains(top: Fields) -> tuple[Domain, ...]:
    tables = top.sub("domains")
    if tables is None or not tables.names():
        top.problem("domains", "the region has no domain", 'add [domains.<id>] with families = ["water"]')
        return ()
    found = []
    for domain_id in sorted(tables.names()):
        table = tables.sub(domain_id)
        if not IDENTIFIER.fullmatch(domain_id):
            tables.problem(domain_id, f"{domain_id!r} is no domain id", IDENTIFIER_FIX)
        if domain_id.startswith(DOMAIN_PREFIX):
            tables.problem(domain_id, f"{domain_id!r} is reserved: what begins with {DOMAIN_PREFIX} is the canary's", "choose another id")
        if table is None:
            continue
        families = table.strings("families")
        for family in families:
            if family not in FAMILIES:
                table.problem("families", f"no such family {family!r}", nearest(family, FAMILIES))
        found.append(Domain(domain_id, families, table.whole("pin", 0, _PIN_MAX)))
        table.no_more()
    return tuple(found)


def _defaults(top: Fields) -> Mapping[str, str]:
    table = top.sub("defaults")
    if table is None:
        return {}
    found = {}
    for column in DEFAULTS:
        if column not in table.table:
            # Asked for, so that a misspelt one is told the nearest; absent, so nothing to say.
            table.string(column, otherwise="")
        elif column == "interval_s":
            interval = table.number(column, 1e-3, 1e9)
            found[column] = "" if interval is None else repr(interval)
        else:
            found[column] = table.string(column)
    table.no_more()
    return found
