"""Reading GeoJSON with the line of each feature, so that a problem in a file of a thousand cities can be found."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stream.region.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.region.problems import Findings

_FEATURE = re.compile(r'"type"\s*:\s*"Feature"')


@dataclass(slots=True)
class Feature:
    """One feature: its properties and geometry (None = no place), and where it stands in the file."""

    file: str
    lines: tuple[int, int]
    properties: Mapping[str, Any]
    geometry: Mapping[str, Any] | None
    file_lines: Sequence[str]
    findings: Findings

    def problem(self, key: str, problem: str, fix: str) -> None:
        """Records a problem at the line of `key` within the feature (of the feature if the key is not found)."""
        self.findings.add(self.file, self.line(key), key, problem, fix)

    def note(self, key: str, note: str, fix: str) -> None:
        """Records a note at the line of `key`."""
        self.findings.note(self.file, self.line(key), key, note, fix)

    def line(self, key: str) -> int:
        """The line of `key` within the feature."""
        first, last = self.lines
        for number, line in enumerate(self.file_lines[first - 1 : last] if first else (), first):
            if f'"{key}"' in line:
                return number
        return first

    def string(self, key: str) -> str:
        """A property that is text, "" if it is absent."""
        value = self.properties.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.problem(key, f"{value!r} is no text", f'write "{key}": "..."')
            return ""
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """A property that is a number from `low` to `high`; NaN if it is absent or (then a problem) wrong."""
        value = self.properties.get(key)
        if value is None:
            return math.nan
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.problem(key, f"{value!r} is no number from {low:g} to {high:g}", "correct the number")
            return math.nan
        return float(value)

    def only(self, known: tuple[str, ...]) -> None:
        """Every other property is a problem."""
        for key in self.properties:
            if key not in known:
                self.problem(key, "no such property", f"remove or correct it: {nearest(key, known)}")


def read_features(file: str, data: bytes, findings: Findings) -> tuple[Feature, ...] | None:
    """The features of a FeatureCollection; None, with the problem recorded, if the file as a whole cannot be read."""
    try:
        text = data.decode("utf-8-sig")
        content = json.loads(text, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        findings.add(file, data.count(b"\n", 0, error.start) + 1, "", "is not UTF-8", "save the file as UTF-8")
        return None
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        findings.add(file, line, "", f"is no JSON: {error}", "correct the syntax")
        return None
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or content.get("type") != "FeatureCollection":
        findings.add(file, 1, "", "is no FeatureCollection", 'write {"type": "FeatureCollection", "features": [...]} (RFC 7946)')
        return None
    lines, file_lines = _lines(text, len(features)), text.split("\n")
    found = []
    for number, (feature, place) in enumerate(zip(features, lines, strict=True), 1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        if not isinstance(properties, dict) or not (geometry is None or isinstance(geometry, dict)):
            findings.add(
                file, place[0], "", f"feature {number} has no properties, or its geometry is no object", "see RFC 7946, section 3.2"
            )
            continue
        found.append(Feature(file, place, properties, geometry, file_lines, findings))
    return tuple(found)


def _no_number(constant: str) -> float:
    msg = f"{constant} is no number in JSON"
    raise ValueError(msg)


def _lines(text: str, count: int) -> list[tuple[int, int]]:
    """First and last line of each feature by its `"type": "Feature"`; (0, 0) for all if that does not identify them."""
    starts = [match.start() for match in _FEATURE.finditer(text)]
    if len(starts) != count:
        return [(0, 0)] * count
    breaks = [at for at, letter in enumerate(text) if letter == "\n"]
    first = [bisect_right(breaks, start - 1) + 1 for start in starts]
    # Each ends before the next begins; on one line they share it.
    last = [max(line, following - 1) for line, following in zip(first, [*first[1:], len(breaks) + 1], strict=False)]
    if last:
        last[-1] = len(breaks) + 1
    return list(zip(first, last, strict=True))
