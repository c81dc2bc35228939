"""Where a city's own report does not agree with its sensors or its neighbours, comes late or is taken back: made visible, never punished.

A report that says less than orange-or-worse evidence contradicts it: that of the city's own stations, or that of others whose danger should be
there by now. A report of orange or red contradicts the city's own stations once they have had time to see it and show at least two levels less.
It is looked at with every statement and at the grid instants of open incidents, as long as reports stand, and costs nothing otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from detectors.base import Level
from stream.decide.disclosure import FAMILY
from stream.decide.hazard_scene import scene_of
from stream.decide.identity import discrepancy_id
from stream.decide.placing import city_of
from stream.decide.stated import Doubt
from stream.decide.telling import level_label
from stream.records.discrepancy import Discrepancy, DiscrepancyKind
from stream.records.instants import SECOND, to_text
from stream.region.administrations import name_of
from stream.warnings.envelope import of_discrepancy
from stream.warnings.texts import WORDS, render, word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.decide.state import SourceState
    from stream.decide.stated import HandReport
    from stream.records.output import Output

GRAVE = int(Level.ORANGE)
APART = 2
"""So many levels below a report its city's stations contradict it."""
INTERVALS = 2
"""Stations have had time to see something after so many of their intervals."""
SERIES_NAMED = 10


class Found(NamedTuple):
    """What contradicts a report: how, at which level, by which series."""

    kind: DiscrepancyKind
    level: int
    series: tuple[str, ...]


def look(partition: Partition, domain_id: str, at: int) -> list[Output]:
    """Compare every standing report with what is measured; what began, changed or ended of contradictions."""
    by_hand = partition.core.domains[domain_id].by_hand
    if not by_hand.reports and not by_hand.doubts:
        return []
    outputs: list[Output] = []
    standing: set[str] = set()
    for _, report in sorted(by_hand.reports.items()):
        scene = scene_of(partition, domain_id, report.hazard)
        found = None if scene is None or report.lapsed else _contradicted(scene, report, at)
        if scene is None or found is None:
            continue
        name = discrepancy_id(found.kind.value, report.statement_id, scene.lane.value)
        standing.add(name)
        if name not in by_hand.doubts:
            by_hand.doubts[name] = Doubt(found.kind.value, report.statement_id, report.city_id, report.hazard, at, report.by, report.level)
            outputs.append(_record(scene, name, by_hand.doubts[name], found, at))
    for name in sorted(by_hand.doubts.keys() - standing):
        doubt = by_hand.doubts.pop(name)
        if (scene := scene_of(partition, domain_id, doubt.hazard)) is not None:
            outputs.append(_record(scene, name, doubt, Found(DiscrepancyKind(doubt.kind), -1, ()), at))
    return outputs


def _contradicted(scene: Scene, report: HandReport, at: int) -> Found | None:
    measured = [one for one in scene.state.sources.values() if one.placed is None and one.ended_at is None]
    own = [one for one in measured if city_of(scene.region, one) == report.about_city]
    level = max((one.level for one in own), default=0)
    if level >= GRAVE and report.level < level:
        return Found(DiscrepancyKind.CONTRADICTS_SENSORS, level, _names(one for one in own if one.level == level))
    if report.level >= GRAVE and level + APART <= report.level:
        seeing, interval = _stations(scene, report.about_city)
        if seeing and at > report.starts_at + INTERVALS * interval:
            return Found(DiscrepancyKind.CONTRADICTS_SENSORS, level, seeing)
    incident = next((one for one in scene.state.ordered() if report.about_city in one.warned()), None)
    if incident is None:
        return None
    told = incident.told[report.about_city]
    if told.level < GRAVE or report.level >= told.level:
        return None
    others = [one for one in measured if one.series in incident.series and one not in own]
    due = told.arrives_at_p50 is not None and told.arrives_at_p50 <= at
    return Found(DiscrepancyKind.CONTRADICTS_NEIGHBOURS, told.level, _names(others)) if others and due else None


def _names(sources: Iterable[SourceState]) -> tuple[str, ...]:
    return tuple(sorted(one.series for one in sources))[:SERIES_NAMED]


def _stations(scene: Scene, city_id: str) -> tuple[tuple[str, ...], int]:
    """The stations of a city that report, and the longest of their intervals (ms)."""
    table = scene.region.series
    at = scene.region.domain_index.get(scene.domain_id, -1)
    rows = [row for row in scene.hazard.stations_in.get(city_id, ()) if int(table.domain[row]) == at]
    rows = [row for row in rows if table.ids[row] not in scene.state.silent]
    longest = max((float(table.interval_s[row]) for row in rows), default=0.0)
    return tuple(sorted(table.ids[row] for row in rows))[:SERIES_NAMED], round(longest * SECOND)


def note(scene: Scene, kind: DiscrepancyKind, doubt: Doubt, at: int, text: str) -> Output:
    """Something that happened once: late, withdrawn, disputed."""
    name = discrepancy_id(kind.value, doubt.statement_id, scene.lane.value)
    return _record(scene, name, doubt, Found(kind, -1, ()), at, text="" if scene.hazard.family == FAMILY else text)


def _record(scene: Scene, name: str, doubt: Doubt, found: Found, at: int, *, text: str | None = None) -> Output:
    state = "noted" if text is not None else "settled" if found.level < 0 else "open"
    fields = {
        language: {
            "city": name_of(scene.region, doubt.city_id, language),
            "hazard": scene.hazard.texts.get(language, {}).get("name", scene.hazard.hazard),
            "level": word(language, level_label(doubt.level)),
            "found": word(language, level_label(max(found.level, 0))),
            "by": doubt.by,
            "source": ", ".join(found.series) or "-",
            "note": f" {text}" if text else "",
        }
        for language in WORDS
    }
    kind = "discrepancy_settled" if state == "settled" else f"discrepancy_{found.kind.value}"
    record = Discrepancy(
        discrepancy_id=name,
        kind=found.kind,
        state=state,
        domain=scene.domain_id,
        hazard=scene.hazard.hazard,
        city_id=doubt.city_id,
        statement_id=doubt.statement_id,
        by=doubt.by,
        stated_level=level_label(doubt.level),
        found_level=level_label(found.level) if found.level >= 0 else "",
        series=found.series,
        since_at=to_text(doubt.since_at),
        as_of_at=to_text(at),
        note=text or "",
        lane=scene.lane,
        text=render(kind, scene.hazard.texts, fields, scene.lane),
        region=scene.region.name,
        region_hash=scene.region.region_hash,
    )
    return of_discrepancy(record, sent_at=at)
