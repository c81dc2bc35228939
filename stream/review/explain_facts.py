"""Everything that is still kept about one revision of one warning, chosen from records: what `tocsin explain` speaks of.

The records come from topics or from a replay; nothing is computed here that they do not say, and what is no longer kept is named
(`Missing`) instead of being left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from stream.records import journal
from stream.records.instants import HOUR, SECOND, from_text
from stream.warnings.reading import LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from stream.records.incident import Incident
    from stream.records.warning import CityWarning, Evidence, EvidenceSummary, StationHealth
    from stream.region.model import Hazard, Region

BEFORE_INTERVALS = 6
"""So many of a series' intervals before the measurement that counted are looked at."""
SHOWN_BEFORE = 4
NOT_MEASURED = ("report/", "linked/", "forecast/", "scan/")
"""How sources are called that no station measures: reports, what follows from other dangers, forecasts, clusters of cases."""
LONGEST_MS = 31 * 24 * HOUR


class Missing(StrEnum):
    """What is not kept any more, or was never there."""

    REGION = "region"
    """The region that the warning was made with: no limits, distances and rules can be named."""
    REVISIONS = "revisions"
    """Earlier revisions of the warning."""
    INCIDENT = "incident"
    INCIDENT_THEN = "incident_then"
    """The record of the incident as it was at the decision: a later one stands for it."""
    EVIDENCE = "evidence"
    MEASUREMENTS = "measurements"


class Measured(NamedTuple):
    """One measurement as it stands in the journal."""

    observed_at: int
    value: float
    flags: int


class Heard(NamedTuple):
    """One journal message and its timestamp (ms)."""

    timestamp: int
    message: journal.Message


@dataclass(slots=True)
class Kept:
    """The records at hand, in the order of their topics. `late`: warnings that were never sent in time."""

    warnings: list[CityWarning] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    health: list[StationHealth] = field(default_factory=list)
    journal: list[Heard] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one revision. Evidence, measurements and health by series, oldest first, none from after the decision.

    `behind`: what it rests on, the leading one first. `revisions`: all of this warning that are kept. `incident`: as it was at the decision, or the earliest record after it; `newest`: as it was
    recorded last. `statements` of people and `links` from other domains, in their order. `own`: the newest measurement of each station of the hazard in the city itself; `conditions`: of what else footprints go by.
    """

    warning: CityWarning
    behind: tuple[EvidenceSummary, ...]
    revisions: tuple[CityWarning, ...]
    incident: Incident | None
    newest: Incident | None
    evidence: Mapping[str, tuple[Evidence, ...]]
    measured: Mapping[str, tuple[Measured, ...]]
    own: Mapping[str, Measured]
    conditions: Mapping[str, Measured]
    health: Mapping[str, StationHealth]
    statements: tuple[journal.Statement, ...]
    links: tuple[journal.Linked, ...]
    region: Region | None
    missing: tuple[Missing, ...]

    @property
    def at(self) -> int:
        """The instant of the decision (ms)."""
        return from_text(self.warning.sent_at)

    @property
    def before(self) -> CityWarning | None:
        """The revision before the one explained, if it is kept."""
        return next((one for one in self.revisions if one.revision == self.warning.revision - 1), None)

    @property
    def hazard(self) -> Hazard | None:
        """The hazard as the region has it."""
        return None if self.region is None else hazard_of(self.region, self.warning.hazard)


def hazard_of(region: Region, name: str) -> Hazard | None:
    """The region's hazard of that name, None if it has none."""
    return next((one for one in region.hazards if one.hazard == name), None)


def behind(warning: CityWarning, incident: Incident | None) -> tuple[EvidenceSummary, ...]:
    """What a warning rests on, the leading one first; of a body that coordinates or is informed, what the event rests on."""
    if warning.evidence or warning.path or incident is None:
        return warning.evidence
    return tuple(sorted(incident.sources, key=lambda one: -LEVELS.index(one.level)))


def window(warning: CityWarning, rests_on: Sequence[EvidenceSummary], region: Region | None) -> tuple[int, int]:
    """From when to when (ms) the journal is read for a warning: the measurements that counted, and some before each."""
    until = from_text(warning.sent_at)
    begins = [until]
    for one in rests_on:
        row = None if region is None else region.series.row_of.get(one.series)
        interval = HOUR if region is None or row is None else round(float(region.series.interval_s[row]) * SECOND)
        begins.append(from_text(one.observed_at) - BEFORE_INTERVALS * interval)
    hazard = None if region is None else hazard_of(region, warning.hazard)
    if region is not None and hazard is not None:
        own = hazard.stations_in.get(warning.city_id, ())
        begins += [until - 2 * round(float(region.series.interval_s[row]) * SECOND) for row in own]
    return max(min(begins), until - LONGEST_MS, 0), until


def facts(warning: CityWarning, kept: Kept, source: Callable[[str], Region | None]) -> Facts:
    """What is known of a revision; `source` gives a region by its hash, None where it is not at hand."""
    at, region = from_text(warning.sent_at), source(warning.region_hash)
    revisions = {one.revision: one for one in kept.warnings if one.warning_id == warning.warning_id} | {warning.revision: warning}
    records = [one for one in kept.incidents if one.incident_id == warning.incident_id]
    then = _then(records, at)
    rests_on = behind(warning, then)
    series_behind = tuple(one.series for one in rests_on)
    hazard = None if region is None else hazard_of(region, warning.hazard)
    ours = _rows(region, hazard, warning.city_id)
    heard = [one for one in kept.journal if one.timestamp <= at and getattr(one.message, "domain", "") == warning.domain]
    measured = _measured(heard, source, {*series_behind, *ours.own, *ours.conditions}, window(warning, rests_on, region))
    evidence = {
        series: tuple(sorted(_evidence(kept.evidence, warning, series, at), key=lambda one: (one.observed_at, one.as_of_at)))
        for series in series_behind
    }
    found = Facts(
        warning=warning,
        behind=rests_on,
        revisions=tuple(revisions[number] for number in sorted(revisions)),
        incident=then,
        newest=max(records, key=lambda one: one.revision, default=None),
        evidence={series: some for series, some in evidence.items() if some},
        measured={series: measured[series] for series in series_behind if series in measured},
        own=_last(measured, ours.own),
        conditions=_last(measured, ours.conditions),
        health={one.series: one for one in kept.health if one.series in series_behind or one.series in ours.own},
        statements=tuple(one.message for one in heard if isinstance(one.message, journal.Statement)),
        links=tuple(one.message for one in heard if isinstance(one.message, journal.Linked)),
        region=region,
        missing=(),
    )
    return replace(found, missing=_missing(found))


class _Rows(NamedTuple):
    """Series beside those behind a warning: those of the city itself, and the conditions of its domain."""

    own: tuple[str, ...]
    conditions: tuple[str, ...]


def _rows(region: Region | None, hazard: Hazard | None, city_id: str) -> _Rows:
    if region is None or hazard is None:
        return _Rows((), ())
    ids = region.series.ids
    return _Rows(
        tuple(ids[row] for row in hazard.stations_in.get(city_id, ())), tuple(ids[int(row)] for row in hazard.condition_rows.tolist())
    )


def _evidence(found: Iterable[Evidence], warning: CityWarning, series: str, at: int) -> list[Evidence]:
    unique = {(one.series, one.observed_at, one.level, one.why, one.detector): one for one in found if one.series == series}
    return [one for one in unique.values() if one.hazard == warning.hazard and from_text(one.as_of_at) <= at]


def _then(records: Sequence[Incident], at: int) -> Incident | None:
    """The newest record up to the decision, else the first one after it."""
    by_revision = sorted(records, key=lambda one: one.revision)
    past = [one for one in by_revision if from_text(one.as_of_at) <= at]
    return past[-1] if past else next(iter(by_revision), None)


def _measured(
    heard: Iterable[Heard], source: Callable[[str], Region | None], wanted: set[str], between: tuple[int, int]
) -> dict[str, tuple[Measured, ...]]:
    """The measurements of the wanted series between two instants, by series and time; the last word on an instant counts."""
    begins, until = between
    found: dict[str, dict[int, Measured]] = {}
    for one in heard:
        message = one.message
        if not isinstance(message, journal.Measurements) or not begins <= one.timestamp <= until:
            continue
        region = source(message.region_hash)
        if region is None:
            continue
        rows = {region.series.row_of[series]: series for series in wanted if series in region.series.row_of}
        columns = journal.columns(message)
        for place, row in enumerate(columns.rows.tolist()):
            if (series := rows.get(row)) is not None:
                at = int(columns.observed_at[place])
                found.setdefault(series, {})[at] = Measured(at, float(columns.value[place]), int(columns.flags[place]))
    return {series: tuple(some[at] for at in sorted(some)) for series, some in found.items()}


def _last(measured: Mapping[str, tuple[Measured, ...]], series: Iterable[str]) -> dict[str, Measured]:
    return {one: measured[one][-1] for one in series if measured.get(one)}


def _missing(found: Facts) -> tuple[Missing, ...]:
    warning, incident = found.warning, found.incident
    kept = {one.revision for one in found.revisions}
    measured = [one.series for one in found.behind if not one.series.startswith(NOT_MEASURED)]
    absent = {
        Missing.REGION: found.region is None,
        Missing.REVISIONS: any(number not in kept for number in range(1, warning.revision)),
        Missing.INCIDENT: incident is None,
        Missing.INCIDENT_THEN: incident is not None and from_text(incident.as_of_at) > found.at,
        Missing.EVIDENCE: any(series not in found.evidence for series in measured),
        Missing.MEASUREMENTS: any(series not in found.measured for series in measured),
    }
    return tuple(name for name, is_so in absent.items() if is_so)
