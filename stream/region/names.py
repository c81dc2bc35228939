"""Which names a region may use: identifiers, the detectors and footprints that are there, and words for numbered choices.

The folders `detectors/` and `topology/` are the registry: a module counts if it keeps the contract of its `base.py`.
"""

from __future__ import annotations

import pkgutil
import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import detectors
import topology
from detectors.aqi_tables import Pollutant, Standard
from detectors.aqi_tables import Table as AqiTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

IDENTIFIER = re.compile(r"[a-z0-9-]{1,64}")
IDENTIFIER_FIX = "use 1 to 64 lower-case letters a-z, digits and hyphens"
HAZARD = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
QUANTITY = re.compile(r"[a-z][a-z0-9_]{0,63}")
STATION = re.compile(r"[^\s/;,\x00-\x1f\"]{1,60}")
RESERVED_CITIES = ("late", "canary")
"""`warnings.late` and `warnings.canary` are topics of the service itself."""
FAMILIES = ("water", "air", "health")
"""The doors `measurements.<family>`."""
CATEGORIES = ("geo", "met", "safety", "security", "rescue", "fire", "health", "env", "transport", "infra", "cbrne", "other")
"""CAP 1.2 categories in lower case (OASIS CAP-v1.2, section 3.2.2)."""
LANGUAGES = ("zh", "en")

CHOICES: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("aqi", "pollutant"): {pollutant.name.lower(): float(pollutant) for pollutant in Pollutant},
    ("aqi", "table"): {table.name.lower(): float(table) for table in (*Standard, *AqiTable)},
}
"""Parameters whose numbers stand for something: (detector, parameter) -> word -> number. A hazard file may write the word."""

_DETECTOR = ("PARAMETERS", "DEFAULTS", "STATE", "WHY", "initial", "step")
_FOOTPRINT = ("PARAMETERS", "build", "footprint")


@cache
def detector_names() -> tuple[str, ...]:
    """The modules of `detectors/` that are detectors.

    >>> "stage" in detector_names(), "quality" in detector_names()
    (True, False)
    """
    return _modules_with(detectors, _DETECTOR)


@cache
def footprint_names() -> tuple[str, ...]:
    """The modules of `topology/` that are footprints.

    >>> "river_wave" in footprint_names(), "network" in footprint_names()
    (True, False)
    """
    return _modules_with(topology, _FOOTPRINT)


def _modules_with(package: ModuleType, attributes: tuple[str, ...]) -> tuple[str, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name != "base")
    found = ((name, import_module(f"{package.__name__}.{name}")) for name in names)
    return tuple(name for name, module in found if all(hasattr(module, attribute) for attribute in attributes))
