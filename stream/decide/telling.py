"""From a verdict to the record a city receives."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

import msgspec

from detectors.base import Level
from stream.decide import following, saying
from stream.decide.clusters import WHY as WHY_CLUSTER
from stream.decide.disclosure import shown
from stream.decide.foretold import PREFIX
from stream.decide.foretold import REASON as FORETOLD
from stream.decide.foretold import WHY as WHY_FORETOLD
from stream.decide.life import seconds
from stream.decide.placing import unit_of
from stream.decide.stated import REPORTED
from stream.records.instants import from_text, to_text
from stream.records.warning import AlsoWarned, CityWarning, EvidenceSummary, Exceedance, MsgType, Reason, Texts
from stream.region.administrations import name_of
from stream.warnings.texts import WORDS, render, word

if TYPE_CHECKING:
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState, SourceState, Told
    from stream.decide.wanted import Wanted
    from topology.base import Arrival

LIKELY = 0.5
"""CAP 1.2: likely means a probability above about one half."""
EVIDENCE_NAMED = 10
ALSO_NAMED = 50
ELSEWHERE_NAMED = 5
LATE = "late"
"""The reason of detectors of counts for a level raised by a count of a period that was closed."""
WITHDRAWN = "evidence_withdrawn"

CONCLUDED_KINDS = {
    (WHY_FORETOLD, MsgType.ALERT.value): "foretold",
    (WHY_FORETOLD, MsgType.UPDATE.value): "foretold_update",
    (REPORTED, MsgType.ALERT.value): "reported",
    (REPORTED, MsgType.UPDATE.value): "reported_update",
    (WHY_CLUSTER, MsgType.ALERT.value): "cluster",
    (WHY_CLUSTER, MsgType.UPDATE.value): "cluster_update",
}
"""The sentence where what leads is a report, a forecast, of which nothing was measured yet, or a cluster of cases."""

_LABELS = {int(level): level.label for level in Level}

MSG_TYPES = {
    Reason.FIRST: MsgType.ALERT,
    Reason.CLEARED: MsgType.ALL_CLEAR,
    Reason.LEFT: MsgType.ALL_CLEAR,
    Reason.CANCELLED: MsgType.CANCEL,
}
"""Everything else updates. An expired warning is an update too: it must not read as all clear."""


def level_label(level: int) -> str:
    """The word for a level."""
    return _LABELS[level]


def summary(scene: Scene, source: SourceState, reader: str = "") -> EvidenceSummary:
    """One source as it stands in messages to `reader`, "" for those that all may read."""
    value = shown(scene, source, reader)
    unit = unit_of(scene.region, source)
    score = round(source.score, 4) if math.isfinite(source.score) else 0.0
    return EvidenceSummary(
        series=source.series,
        level=level_label(source.level),
        value=value.value,
        unit=unit,
        observed_at=to_text(source.observed_at),
        score=score,
        why=source.why,
        trend_per_h=source.trend_per_h if value.to is None else None,
        p_value=source.p_value,
        log_lr=source.log_lr,
        exceedance=source.exceedance,
        reaches_next_level_in_h=source.reaches_next_level_in_h,
        reported_late=source.late or source.why == LATE,
        value_to=value.to,
    )


def expires_at(wanted: Wanted | None, at: int, validity_s: float) -> int:
    """The validity counts from now, or from when the danger should have arrived if that is later."""
    arrives = wanted.arrival.p90_at if wanted is not None and wanted.arrival is not None else at
    return max(at, arrives) + seconds(validity_s)


def warned_now(incident: IncidentState) -> tuple[AlsoWarned, ...]:
    """The cities warned of this incident now, the worst first; as many as a message may name, and one more."""
    worst = heapq.nsmallest(ALSO_NAMED + 1, ((-told.level, city) for city, told in incident.told.items() if not told.ended))
    return tuple(AlsoWarned(city, level_label(-level)) for level, city in worst)


def compose(scene: Scene, told: Told, wanted: Wanted | None, incident: IncidentState, others: tuple[AlsoWarned, ...]) -> CityWarning:
    """The record for this revision. `wanted` is None when the warning ends or is kept while its evidence is below its level."""
    city_id = told.city_id
    behind = wanted.series if wanted is not None else _seeing(scene, city_id, incident)
    named = [summary(scene, scene.state.sources[series], city_id) for series in behind if series in scene.state.sources][:EVIDENCE_NAMED]
    arrival, moved = wanted.arrival if wanted is not None else None, incident.moved.get(city_id, "")
    observed = wanted is not None and wanted.path == "same_place"
    certainty = "Possible" if not told.confirmed else "Observed" if observed else "Likely" if told.probability >= LIKELY else "Possible"
    return CityWarning(
        warning_id=told.warning_id,
        revision=told.revision,
        supersedes=told.revision - 1 or None,
        incident_id=incident.incident_id,
        city_id=city_id,
        hazard=scene.hazard.hazard,
        domain=scene.domain_id,
        lane=scene.lane,
        msg_type=told.msg_type,
        level=level_label(told.level),
        certainty=certainty,
        reason=told.reason,
        path=told.path,
        paths=wanted.paths if wanted is not None else told.paths,
        probability=told.probability,
        intensity=wanted.intensity if wanted is not None else 0.0,
        confidence=wanted.confidence if wanted is not None else 0.0,
        sent_at=to_text(told.sent_at),
        **_arrives_at(arrival),
        arrival_unknown_because=wanted.unknown_because if wanted is not None else "" if told.ended else "no_evidence_now",
        passed_at=to_text(arrival.passed_at) if arrival and arrival.passed_at is not None else None,
        exceedance=exceedance(wanted),
        expires_at=to_text(told.expires_at),
        reasons=(*(wanted.reasons if wanted is not None else _withdrawn(scene, told)), *([moved] if moved else [])),
        evidence=tuple(named),
        coverage=scene.coverage(city_id),
        role=told.role,
        agreement_id=told.agreement_id,
        coordinator=_coordinator(scene, told, incident),
        muted_by=told.muted_by,
        also_warned=tuple(other for other in others if other.city_id != city_id)[:ALSO_NAMED],
        acknowledge_by_at=to_text(told.acknowledge_by_at) if told.acknowledge_by_at is not None else None,
        exercise_id=scene.exercise,
        region=scene.region.name,
        region_hash=scene.region.region_hash,
        text=_text(scene, told, wanted, named, (moved, others)),
    )


def _seeing(scene: Scene, city_id: str, incident: IncidentState) -> list[str]:
    """The sources of the incident that can see its danger coming for the city, by their series."""
    watching = set(scene.cities().get(city_id, ()))
    return [source.series for source in scene.sources_of(incident) if source.placed is not None or source.series in watching]


def _arrives_at(arrival: Arrival | None) -> dict[str, str | None]:
    """P10/P50/P90 by the names of their fields."""
    instants = (arrival.p10_at, arrival.p50_at, arrival.p90_at) if arrival is not None else (None, None, None)
    return {f"arrives_at_p{part}": None if at is None else to_text(at) for part, at in zip((10, 50, 90), instants, strict=True)}


def exceedance(wanted: Wanted | None) -> tuple[Exceedance, ...]:
    """How likely each level is, as it stands in messages."""
    found = wanted.exceedance if wanted is not None else ()
    return tuple(Exceedance(level_label(one.level), one.probability, **_arrives_at(one.arrival)) for one in found)


def _coordinator(scene: Scene, told: Told, incident: IncidentState) -> str:
    """Who takes over if nobody answers: as agreed, else the lowest administration above all cities concerned."""
    agreed = (one.coordinator for one in scene.region.agreements if told.agreement_id and one.agreement_id == told.agreement_id)
    return next(agreed, "") or incident.coordinator


def _withdrawn(scene: Scene, told: Told) -> tuple[str, ...]:
    """Why a warning was wrong, of a city that is still there."""
    return (WITHDRAWN,) if told.reason is Reason.CANCELLED and scene.city(told.city_id) is not None else ()


def _note(language: str, scene: Scene, told: Told, lead: EvidenceSummary | None) -> str:
    """What a reader must know of the measurement: that it came late, that nothing else confirms it, that it rises, that it was corrected."""
    if _withdrawn(scene, told):
        return word(language, "corrected")
    if lead is None:
        return ""
    said = word(language, "reported_late").format(observed=minute(from_text(lead.observed_at))) if lead.reported_late else ""
    if not told.confirmed and not told.ended:
        said += word(language, "unconfirmed")
    if lead.reaches_next_level_in_h is not None:
        said += word(language, "rising").format(hours=f"{lead.reaches_next_level_in_h:.1f}")
    return said


def _text(
    scene: Scene, told: Told, wanted: Wanted | None, named: list[EvidenceSummary], around: tuple[str, tuple[AlsoWarned, ...]]
) -> Texts:
    city = scene.city(told.city_id)
    lead = named[0] if named else None
    moved, others = around
    fields = {}
    for language in WORDS:
        names = city.names if city is not None else {}
        fields[language] = {
            "city": names.get(language, told.city_id),
            "hazard": scene.hazard.texts.get(language, {}).get("name", scene.hazard.hazard),
            "level": word(language, level_label(told.level)),
            "source": lead.series.removeprefix(PREFIX) if lead else "-",
            "value": shown(scene, scene.state.sources[lead.series]).text() if lead else "-",
            "unit": lead.unit if lead else "",
            "note": _note(language, scene, told, lead) + (word(language, f"note_{moved.partition(':')[0]}") if moved else ""),
            "path": word(language, told.path),
            "arrives": _arrives(language, told.sent_at, wanted),
            "expires": to_text(told.expires_at),
            "reason": word(language, told.reason.value),
            "chance": f"{told.probability:.0%}",
            "elsewhere": ", ".join(name_of(scene.region, other.city_id, language) for other in others[:ELSEWHERE_NAMED]) or "-",
            **saying.words(scene, lead.series if lead else "", told, language),
            **following.words(scene, lead.series if lead else "", language),
        }
    kind = told.reason.value if told.reason in (Reason.EXPIRED, Reason.LEFT) else told.msg_type.value
    kind = CONCLUDED_KINDS.get((lead.why if lead else "", kind), kind)
    return render(following.kind_of(lead.series if lead else "", kind), scene.hazard.texts, fields, scene.lane)


def _arrives(language: str, at: int, wanted: Wanted | None) -> str:
    """How and when it comes, as a clause. That it should have arrived is never said as if it had been measured."""
    if wanted is None:
        return word(language, "standing")
    if wanted.path == "same_place" or ("same_place" in wanted.paths and FORETOLD not in wanted.reasons):
        return word(language, "here")
    arrival: Arrival | None = wanted.arrival
    if arrival is None:
        return word(language, "?").format(path=word(language, wanted.path), because=wanted.unknown_because)
    clause = word(language, "ahead" if at < arrival.p50_at else "due")
    instants = {name: minute(at) for name, at in (("p10", arrival.p10_at), ("p50", arrival.p50_at), ("p90", arrival.p90_at))}
    return clause.format(path=word(language, wanted.path), **instants)


def minute(at: int) -> str:
    """An instant for reading: 2005-12-01 11:46 UTC."""
    return to_text(at)[:16].replace("T", " ") + " UTC"


def restore(value: bytes) -> CityWarning:
    """The record these bytes were made of."""
    return msgspec.json.decode(value, type=CityWarning)
