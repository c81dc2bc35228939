"""What a person saw, as a source of an incident: a spill, a breach, a telephone call. It stands where it was seen and counts as its city's witness.

One person never gives red: a report of it counts as orange until another person confirms it. A report nobody stands behind but its reporter
is unconfirmed. It ends when it is withdrawn (it was wrong) or at the time its reporter named (it is over). Otherwise it stands for the
validity of the hazard's warnings after it was last confirmed; then it is as if its station had fallen silent, which clears nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from detectors.base import Level, Quality
from stream.decide.discrepancies import note
from stream.decide.hazard_scene import scene_of
from stream.decide.incident import evaluate
from stream.decide.life import Moment, seconds
from stream.decide.state import SourceState
from stream.decide.stated import REPORT, REPORTED, Doubt, HandReport, Placed
from stream.records.discrepancy import DiscrepancyKind

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.decide.stated import ByHand
    from stream.records.journal import Statement
    from stream.records.output import Output
    from stream.region.model import Rules

ALONE_MOST = int(Level.ORANGE)
"""The highest level one person's word gives."""
UNCONFIRMED_WEIGHT = 0.5
"""Of the log-odds of a report that nobody else stands behind."""
REPORTS_MOST = 500
"""Reports that stand in a domain: state must not grow with what somebody writes."""
EARLY_MOST = 32
"""Confirmations of reports that have not come."""
DETECTOR = "report"
LEVELS = {level.label: int(level) for level in Level}


def series_of(statement_id: str) -> str:
    """The name of a report among the sources of an incident.

    >>> series_of("stm-1f")
    'report/stm-1f'
    """
    return f"{REPORT}/{statement_id}"


def report(partition: Partition, said: Statement, now: int) -> list[Output] | None:
    """A report becomes a source; one that is known already, and one of a hazard the region does not have, change nothing."""
    known = partition.core.domains[said.domain].by_hand.reports
    scene = scene_of(partition, said.domain, said.hazard)
    if scene is None or said.level not in LEVELS or (said.statement_id not in known and len(known) >= REPORTS_MOST):
        return None
    if said.statement_id in known:
        return []
    one = HandReport(
        said.statement_id,
        said.city_id,
        said.hazard,
        said.by,
        LEVELS[said.level],
        said.starts_at,
        said.received_at,
        said.ends_at,
        said.text,
        said.place_city or said.city_id,
    )
    _stand(one, said.received_at, scene.hazard.rules)
    known[said.statement_id] = one
    one.confirmed_by = _early(partition.core.domains[said.domain].by_hand, said.statement_id)
    late = said.received_at - said.starts_at > seconds(scene.hazard.rules.max_late_s)
    noted = [note(scene, DiscrepancyKind.LATE, _doubt(one, now), now, said.text)] if late else []
    if not one.level:
        return noted
    series = series_of(said.statement_id)
    scene.state.sources[series] = _source(scene, said, one, late=late)
    return noted + judge(partition, scene, now)


def _doubt(known: HandReport, now: int) -> Doubt:
    return Doubt("", known.statement_id, known.city_id, known.hazard, now, known.by, known.level)


def judge(partition: Partition, scene: Scene, now: int, *, withdrawn: bool = False, corrected: str = "") -> list[Output]:
    """Judge the hazard again, now. `withdrawn`: a source was wrong; `corrected`: one is another than it was, in a person's word."""
    return evaluate(scene, Moment(now, partition.settled(now), withdrawn, corrected=corrected))


def _source(scene: Scene, said: Statement, known: HandReport, *, late: bool) -> SourceState:
    series, level = series_of(known.statement_id), counted(known)
    value = math.nan if said.value is None else said.value
    source = SourceState(
        series, level, level, said.starts_at, said.received_at, value, 0.0, None, DETECTOR, REPORTED, int(Quality.GOOD)
    )  # fmt: skip
    source.late = late
    source.placed = placed(scene, said)
    if known.confirmed_by:
        source.placed.confirmed, source.placed.weight = True, 1.0
    return source


def placed(scene: Scene, said: Statement) -> Placed:
    """Where it was seen: as the report says, or in the city it names, at the first of its places on the river."""
    latitude, longitude, reach, km = said.latitude, said.longitude, said.reach, said.km
    city = scene.city(said.place_city) if said.place_city else None
    if city is not None and latitude is None and not reach:
        latitude, longitude = city.place.latitude, city.place.longitude
        reach, km = city.place.river[0] if city.place.river else ("", None)
    return Placed(
        city_id=said.place_city,
        latitude=latitude,
        longitude=longitude,
        reach=reach,
        reach_km=km,
        counts_as=f"{REPORT}/{said.city_id}",
        weight=1.0 if said.confirmed else UNCONFIRMED_WEIGHT,
        kind=REPORT,
        domain_id=said.domain,
        unit=said.unit,
        confirmed=said.confirmed,
    )


def confirm(partition: Partition, said: Statement, now: int) -> list[Output] | None:
    """Somebody stands behind a report: it is confirmed, and if it is another person than its reporter, it may be red."""
    known = partition.core.domains[said.domain].by_hand.reports.get(said.about)
    scene = None if known is None else scene_of(partition, said.domain, known.hazard)
    if known is None or scene is None:
        by_hand = partition.core.domains[said.domain].by_hand
        by_hand.early = [
            *by_hand.early[1 - EARLY_MOST :],
            (said.about, said.by),
        ]  # it may have overtaken its report on another city's topic
        return None
    if said.by not in known.confirmed_by:
        known.confirmed_by = (*known.confirmed_by, said.by)
    _stand(known, said.received_at, scene.hazard.rules)
    source = scene.state.sources.get(series_of(known.statement_id))
    if source is None or source.placed is None:
        return []
    source.placed.confirmed, source.placed.weight = True, 1.0
    source.observed_at = max(source.observed_at, said.received_at)
    scene.state.silent.discard(source.series)
    if source.ended_at is None:
        source.level = counted(known)
        source.peak = max(source.peak, source.level)
    return judge(partition, scene, now)


def _early(by_hand: ByHand, statement_id: str) -> tuple[str, ...]:
    """Who confirmed a report before it came."""
    found = tuple(dict.fromkeys(by for about, by in by_hand.early if about == statement_id))
    by_hand.early = [one for one in by_hand.early if one[0] != statement_id]
    return found


def counted(known: HandReport) -> int:
    """The level a report counts as: red only if two different persons stand behind it."""
    alone = all(_same(one, known.by) for one in known.confirmed_by)
    return min(known.level, ALONE_MOST) if alone else known.level


def _same(one: str, other: str) -> bool:
    """Whether two names are one person's, whatever the case and the spaces."""
    return one.casefold().split() == other.casefold().split()


def withdraw(partition: Partition, said: Statement, now: int) -> list[Output] | None:
    """Its city takes a report back: it was wrong, so whoever was warned because of nothing else hears that, and it counts no more."""
    reports = partition.core.domains[said.domain].by_hand.reports
    known = reports.get(said.about)
    scene = None if known is None else scene_of(partition, said.domain, known.hazard)
    if known is None or scene is None:
        return None
    if known.city_id != said.city_id:
        disputed = Doubt("", said.statement_id, said.city_id, known.hazard, now, said.by, known.level)
        return [note(scene, DiscrepancyKind.DISPUTED, disputed, now, said.text)]
    del reports[said.about]
    scene.state.silent.discard(series_of(said.about))
    noted = [note(scene, DiscrepancyKind.WITHDRAWN, _doubt(known, now), now, said.text)]
    if scene.state.sources.pop(series_of(said.about), None) is None:
        return noted
    return noted + judge(partition, scene, now, withdrawn=True)


def _stand(known: HandReport, since_at: int, rules: Rules) -> None:
    """Let a report stand from now on for as long as a warning would."""
    known.stands_until = max(known.stands_until, since_at + seconds(rules.validity_s))
    # By then nothing stands any more that was said because of it.
    known.gone_at = known.stands_until + seconds(rules.blind_limit_s) + seconds(rules.validity_s)
    known.lapsed = False


def due(known: HandReport) -> int:
    """When something changes about a report by itself."""
    if known.ends_at is not None:
        return known.ends_at
    return known.gone_at if known.lapsed else known.stands_until


def let_pass(partition: Partition, domain_id: str, known: HandReport) -> str | None:
    """What is due happens: the report is over, or too old to be relied on. The hazard that is to be judged, None where nothing was said."""
    scene = scene_of(partition, domain_id, known.hazard)
    source = None if scene is None else scene.state.sources.get(series_of(known.statement_id))
    if scene is None or source is None:
        del partition.core.domains[domain_id].by_hand.reports[known.statement_id]
        return None
    if known.ends_at is None and not known.lapsed:
        known.lapsed = True
        scene.state.silent.add(source.series)
        return known.hazard
    if known.lapsed:
        del scene.state.sources[source.series]
    else:
        source.level, source.ended_at = 0, due(known)
    scene.state.silent.discard(source.series)
    del partition.core.domains[domain_id].by_hand.reports[known.statement_id]
    return known.hazard
