"""What people reported about a river, remembered by the domain for as long as it can matter to what is still under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide.state import Reported
from stream.records.instants import DAY
from stream.region.river_network import reach_length_km
from topology.base import Act, Intervention

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.records.journal import Report
    from stream.region.model import Region

KEEP_MS = 60 * DAY
"""So long after its end an intervention may still have delayed something that is on its way."""


def remember(reports: list[Reported], report: Report, now: int) -> None:
    """Add a report, in place: it replaces one on the same act, place and start, unless that was made later; what ended long ago is forgotten."""
    new = Reported(
        report.act, report.reach, report.km, report.starts_at, report.ends_at, report.hours, report.factor, report.by, report.reported_at
    )
    known = {_about(one): one for one in reports}
    before = known.get(_about(new))
    if before is None or new.reported_at >= before.reported_at:
        known[_about(new)] = new
    kept = (one for one in known.values() if one.ends_at is None or one.ends_at > now - KEEP_MS)
    reports[:] = sorted(kept, key=lambda one: (one.starts_at, _about(one)))


def interventions(region: Region, reports: Sequence[Reported]) -> tuple[Intervention, ...]:
    """The reports as footprints take them, in order of their start; those about a reach that the region does not have (any more) are left out."""
    found = []
    for one in reports:
        length_km = reach_length_km(region, one.reach)
        if length_km is not None and one.km <= length_km:
            found.append(Intervention(Act(one.act), one.reach, one.km, one.starts_at, one.ends_at, one.hours, one.factor))
    return tuple(found)


def _about(one: Reported) -> tuple[str, str, float, int]:
    return one.act, one.reach, one.km, one.starts_at
