"""`hazards/<hazard>.toml`: what a hazard is detected on, by which detectors, where it goes, and what people are told."""

from __future__ import annotations

import math
import string
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from detectors import health, quality
from detectors.base import context_of, detector
from stream.region.cap_table import LEVELS, read_cap
from stream.region.fields import read_toml
from stream.region.fusion_rules import read_fusion
from stream.region.names import CATEGORIES, CHOICES, FAMILIES, HAZARD, LANGUAGES, detector_names, footprint_names
from stream.region.problems import nearest
from stream.region.rules import read_rules
from stream.region.scan_rules import read_scan
from stream.warnings.texts import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.region.fields import Fields
    from stream.region.model import CapTable, Fusion, Rules
    from stream.region.problems import Findings
    from stream.region.scan_rules import Scan

FOLDER = "hazards/"
TEXT_KEYS = ("name", *TEMPLATES["en"], *(f"instruction_{level}" for level in LEVELS))
_NUMBER = (-1e12, 1e12)


@dataclass(frozen=True, slots=True)
class DetectorDraft:
    """One `[[detectors]]` entry: the quantities it looks at (all of the hazard's unless said) and the parameters it is given."""

    name: str
    quantities: tuple[str, ...]
    parameters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class HazardDraft:
    """A hazard file, checked by itself. `quality` and `health`: by quantity, "" = for all of them; health only where the file names it."""

    hazard: str
    fields: Fields
    family: str
    category: str
    quantities: tuple[str, ...]
    conditions: tuple[str, ...]
    footprint: str
    footprint_parameters: Mapping[str, float]
    detectors: tuple[DetectorDraft, ...]
    quality: Mapping[str, Mapping[str, float]]
    health: Mapping[str, Mapping[str, float]]
    rules: Rules
    fusion: Fusion
    scan: Scan | None
    texts: Mapping[str, Mapping[str, str]]
    cap: CapTable


def read_hazard(file: str, data: bytes, findings: Findings) -> HazardDraft | None:
    """The hazard of a file; None if it cannot be read at all."""
    name = file.removeprefix(FOLDER).removesuffix(".toml")
    if not HAZARD.fullmatch(name):
        findings.add(file, 0, "", f"{name!r} is no hazard name", "name the file by lower-case letters, digits, - and _")
    top = read_toml(file, data, findings)
    if top is None:
        return None
    quantities = top.strings("quantities")
    draft = HazardDraft(
        hazard=name,
        fields=top,
        family=_one_of(top, "family", FAMILIES),
        category=_one_of(top, "category", CATEGORIES),
        quantities=quantities,
        conditions=top.strings("conditions", needed=False),
        footprint=_footprint(top),
        footprint_parameters=_footprint_parameters(top),
        detectors=_detectors(top, quantities),
        quality=_by_quantity(top, "quality", quality.PARAMETERS.names or (), quantities),
        health=_health(top, quantities),
        rules=read_rules(top.sub("rules")),
        fusion=read_fusion(top.sub("fusion"), quantities),
        scan=read_scan(top.sub("scan")),
        texts=_texts(top),
        cap=read_cap(top.sub("cap")),
    )
    for both in sorted(set(draft.quantities) & set(draft.conditions)):
        top.problem("conditions", f"{both!r} is detected on and a condition", "keep it in one of the two")
    top.no_more()
    return draft


def _one_of(top: Fields, key: str, known: Sequence[str]) -> str:
    value = top.string(key)
    if value and value not in known:
        top.problem(key, f"no such {key} {value!r}", nearest(value, known))
    return value


def _footprint(top: Fields) -> str:
    name = top.string("footprint", otherwise="")
    if name and name not in footprint_names():
        top.problem("footprint", f"no footprint {name!r} in topology/", nearest(name, footprint_names()))
        return ""
    return name


def _footprint_parameters(top: Fields) -> Mapping[str, float]:
    """The parameters as given; names and ranges are checked by the footprint's own build."""
    table = top.sub("footprint_parameters")
    if table is None:
        return {}
    if not top.table.get("footprint"):
        top.problem("footprint_parameters", "the hazard has no footprint", "add footprint = ... or remove the table")
    given = {key: table.number(key, *_NUMBER) for key in table.names()}
    return {key: value for key, value in given.items() if value is not None}


def _detectors(top: Fields, quantities: Sequence[str]) -> tuple[DetectorDraft, ...]:
    tables = top.subs("detectors")
    if not tables:
        top.problem("detectors", "the hazard has no detector", 'add [[detectors]] with name = "..."')
    found: list[DetectorDraft] = []
    for table in tables:
        name = table.string("name")
        own = table.strings("quantities", needed=False) or tuple(quantities)
        for quantity in own:
            if quantity not in quantities:
                table.problem("quantities", f"{quantity!r} is not among the hazard's quantities", nearest(quantity, quantities))
        parameters = table.sub("parameters")
        table.no_more()
        if not name:
            continue
        if name not in detector_names():
            table.problem("name", f"no detector {name!r} in detectors/", nearest(name, detector_names()))
            continue
        for other in found:
            if other.name == name and set(other.quantities) & set(own):
                table.problem("name", f"detector {name!r} stands twice for the same quantity", "merge the two entries")
            elif set(other.quantities) & set(own) and (context_of(detector(name)) is None) != (context_of(detector(other.name)) is None):
                waiting = name if context_of(detector(name)) else other.name
                what = f"{name!r} and {other.name!r} do not score a sample at the same time: {waiting!r} asks what the other stations show"
                table.problem("name", what, f"give {waiting!r} a hazard file of its own")
        known = detector(name).PARAMETERS.names or ()
        given = {} if parameters is None else _parameters(parameters, known, name)
        found.append(DetectorDraft(name, own, given))
    return tuple(found)


def _parameters(table: Fields, known: Sequence[str], owner: str) -> Mapping[str, float]:
    """Numbers by parameter name; a word is replaced by the number it stands for."""
    given: dict[str, float] = {}
    for key in table.names():
        if key not in known:
            continue
        word, choices = table.table[key], CHOICES.get((owner, key))
        if choices and isinstance(word, str):
            table.string(key)
            if word not in choices:
                table.problem(key, f"no such {key} {word!r}", nearest(word, choices))
            given[key] = choices.get(word, math.nan)
            continue
        value = table.number(key, *parameter_limits(key))
        if value is not None:
            given[key] = value
    for key in known:
        if key not in table.table:
            table.number(key, *_NUMBER)
    table.no_more()
    return given


def parameter_limits(name: str) -> tuple[float, float]:
    """The range of a detector or quality parameter by the unit in its name: durations, counts and shares are not negative.

    >>> parameter_limits("clear_fraction"), parameter_limits("period_s")[0], parameter_limits("blue")[0] < 0
    ((0.0, 1.0), 0.0, True)
    """
    if name.endswith("_fraction") or name.startswith("alpha_"):
        return 0.0, 1.0
    if name.endswith(("_s", "_n", "_h", "_count", "_factor", "_periods", "_tolerance", "_cases")) and not name.endswith("_per_h"):
        return 0.0, _NUMBER[1]
    return _NUMBER


def _by_quantity(top: Fields, key: str, known: Sequence[str], quantities: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """Parameters from the table `key`, those for all quantities ("") and those in a table of a quantity's own."""
    table = top.sub(key)
    if table is None:
        return {}
    found: dict[str, Mapping[str, float]] = {}
    for quantity in quantities:
        own = table.sub(quantity)
        if own is not None:
            found[quantity] = _parameters(own, known, key)
    found[""] = _parameters(table, known, key)
    return found


def _health(top: Fields, quantities: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """`[health]` has the stations of all quantities judged, `[health.stage]` alone those of one."""
    found = dict(_by_quantity(top, "health", health.PARAMETERS.names or (), quantities))
    if len(found) > 1 and not found[""]:
        del found[""]
    return found


def _texts(top: Fields) -> Mapping[str, Mapping[str, str]]:
    table = top.sub("texts")
    if table is None:
        top.problem("texts", "is missing", 'add [texts.zh] and [texts.en] with name = "..."')
        return {}
    found: dict[str, Mapping[str, str]] = {}
    for language in LANGUAGES:
        own = table.sub(language)
        if own is None:
            table.problem(language, "is missing", f'add [texts.{language}] with name = "..."')
            continue
        found[language] = {key: own.string(key, otherwise=None if key == "name" else "") for key in TEXT_KEYS}
        found[language] = {key: text for key, text in found[language].items() if text}
        for key, text in found[language].items():
            wrong = _template_fault(text)
            if wrong:
                own.problem(key, wrong, "write fields as {city}, {level}, {arrives} ...; a brace itself as {{ or }}")
        own.no_more()
    table.no_more()
    return found


def _template_fault(text: str) -> str:
    """What is wrong with a template, "" if nothing: only plain fields, so that a region cannot reach into the service's objects."""
    try:
        fields = [part for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        return f"is no template: {error}"
    odd = [name for _, name, form, conversion in fields if not str(name).isidentifier() or form or conversion]
    return f"holds the field {{{odd[0]}}}" if odd else ""


def build_graph(footprint: str, places: Any, parameters: Mapping[str, float]) -> Any:
    """The built graph of a footprint; raises TopologyError with every fault."""
    return import_module(f"topology.{footprint}").build(places, parameters)
