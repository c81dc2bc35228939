"""Reports of people, judged one by one: the domain and its river, the place on it, and the instants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.accept.cut import ToJournal
from stream.accept.moment import instant
from stream.accept.refusal import Fault, Refused, quoted
from stream.records.journal import Report, encode
from stream.region.river_network import reach_length_km

if TYPE_CHECKING:
    from datetime import datetime

    from stream.accept.index import SeriesIndex
    from stream.records.lanes import Lane
    from stream.records.report import InterventionReport

INTERVENTION = "intervention"


class _UnusableError(ValueError):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


def report_entry(report: InterventionReport, index: SeriesIndex, appended_at: int | None, lane: Lane) -> ToJournal | Fault:
    """The journal record of a report, or the first thing wrong with it, in this order: domain, reach, kilometre, instants, period.

    `appended_at` (ms): of its door record on live lanes; None on replay lanes, where it was made at `reported_at`, else at `starts_at`.
    """
    found = index.rivers.get(report.domain)
    if found is None:
        return Fault(Refused.UNKNOWN_REACH, f"no active region has a domain of family water called {quoted(report.domain)}")
    home, region = found
    length_km = reach_length_km(region, report.reach)
    if length_km is None:
        return Fault(Refused.UNKNOWN_REACH, f"region {region.name} has no reach {quoted(report.reach)}")
    if report.km > length_km:
        return Fault(Refused.OUT_OF_RANGE, f"km {report.km:g} is outside reach {quoted(report.reach)} (0 to {length_km:g})")
    try:
        starts_at = _instant(report.starts_at)
        ends_at = None if report.ends_at is None else _instant(report.ends_at)
        said_at = starts_at if report.reported_at is None else _instant(report.reported_at)
    except _UnusableError as error:
        return error.fault
    if ends_at is not None and ends_at <= starts_at:
        return Fault(Refused.PERIOD_INVALID, "")
    message = Report(
        domain=home.domain,
        region_hash=home.region_hash,
        kind=INTERVENTION,
        act=report.act,
        reach=report.reach,
        km=report.km,
        starts_at=starts_at,
        ends_at=ends_at,
        hours=report.hours,
        factor=report.factor,
        by=report.by,
        note=report.note,
        reported_at=said_at if appended_at is None else appended_at,
        lane=lane.value,
    )
    return ToJournal(home.partition, home.key, encode(message), said_at if appended_at is None else None)


def _instant(moment: datetime | float) -> int:
    found = instant(moment, None)
    if isinstance(found, Fault):
        raise _UnusableError(found)
    return found
