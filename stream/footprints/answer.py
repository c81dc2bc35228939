"""The answer to a question: the impacts of the footprint, who leads and assists, and what there is to draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stream.decide.gauges import at_gauge
from stream.errors import TocsinError
from stream.footprints.spread import ways_of_the_wind
from stream.records.instants import to_text
from stream.region.administrations import hierarchy, levels, name_of
from stream.region.river_network import network_of
from topology.base import TopologyError, footprint
from topology.hierarchy import roles
from topology.network import jurisdictions
from topology.river_slick import slicks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.footprints.course import Line
    from stream.footprints.question import Question
    from topology.base import Impact
    from topology.hierarchy import Roles
    from topology.river_slick import Slick

WIND, SOLUTE = "wind", "river_solute"


@dataclass(frozen=True, slots=True)
class Answer:
    """`impacts` soonest first. `lines`: the river. `outline`: where the wind may carry it (shapely, degrees, longitude first), or None.

    `slicks`: by city, front, peak and tail of what a river carries.
    """

    question: Question
    impacts: tuple[Impact, ...]
    roles: Roles | None
    lines: tuple[Line, ...]
    outline: Any
    slicks: Mapping[str, Slick]


def answer(question: Question) -> Answer:
    """Ask the footprint. TocsinError where it refuses the place."""
    hazard, source = question.hazard, question.source
    try:
        impacts = footprint(hazard.footprint).footprint(hazard.graph, source, question.conditions)
    except TopologyError as error:
        raise TocsinError(str(error)) from error
    impacts = tuple(_at_gauge(question, impact) for impact in impacts)
    places = _places_of_occurrence(question)
    held = roles(hierarchy(question.region), levels(question.region), places, impacts) if places or impacts else None
    outline = ways_of_the_wind(source, question.conditions, hazard.graph.parameters) if hazard.footprint == WIND else None
    found = slicks(hazard.graph, source, question.conditions) if hazard.footprint == SOLUTE else ()
    lines = question.course.lines(source) if question.course else ()
    return Answer(question, impacts, held, lines, outline, {slick.city_id: slick for slick in found})


def _at_gauge(question: Question, impact: Impact) -> Impact:
    """The impact with what to expect at the city's gauge, where the value at the source says so."""
    source = question.source
    found = at_gauge(question.region, question.hazard, (source.series, source.value), impact)
    return impact if found is None else found.impact


def _places_of_occurrence(question: Question) -> tuple[str, ...]:
    """The city of the source, and on a border reach both sides of the river."""
    source, network = question.source, network_of(question.region)
    banks = jurisdictions(network, source.reach) if network is not None and source.reach in network.index else ()
    return ((source.city_id,) if source.city_id else ()) + tuple(bank for bank in banks if bank != source.city_id)


def row(answer: Answer, impact: Impact) -> dict[str, object]:
    """One city as fields for scripts and GeoJSON; instants RFC 3339, None = unknown."""
    arrival, expected, slick = impact.arrival, impact.expected, answer.slicks.get(impact.city_id)
    city = answer.question.region.cities[answer.question.region.city_index[impact.city_id]]
    return {
        "city_id": impact.city_id,
        "name_en": city.names.get("en", impact.city_id),
        "name_zh": city.names.get("zh", impact.city_id),
        "path": impact.path.value,
        "probability": round(impact.probability, 6),
        "arrives_at_p10": to_text(arrival.p10_at) if arrival else None,
        "arrives_at_p50": to_text(arrival.p50_at) if arrival else None,
        "arrives_at_p90": to_text(arrival.p90_at) if arrival else None,
        "passed_at": to_text(arrival.passed_at) if arrival and arrival.passed_at is not None else None,
        "peak_at": to_text(slick.peak_at) if slick else None,
        "peak_value": float(f"{slick.peak:.4g}") if slick and not math.isnan(slick.peak) else None,
        "unknown_because": impact.unknown_because,
        "intensity": round(impact.intensity, 6),
        "confidence": round(impact.confidence, 3),
        "reasons": list(impact.reasons),
        "asset": impact.asset,
        "expected": None
        if expected is None
        else {"series": expected.series, "p10": expected.p10, "p50": expected.p50, "p90": expected.p90},
    }


def source_row(answer: Answer) -> dict[str, object]:
    """The source as fields; what is not known is None."""
    source = answer.question.source

    def known(number: float) -> float | None:
        return None if math.isnan(number) else number

    return {
        "source": source.series,
        "city_id": source.city_id or None,
        "reach": source.reach or None,
        "reach_km": known(source.reach_km),
        "at": to_text(source.onset_at),
        "value": known(source.value),
        "hazard": answer.question.hazard.hazard,
        "footprint": answer.question.hazard.footprint,
        "region": answer.question.region.name,
        "region_hash": answer.question.region.region_hash,
    }


def roles_row(answer: Answer) -> dict[str, object] | None:
    """Who leads, assists and what they share, by id; None when nobody is concerned."""
    held = answer.roles
    if held is None:
        return None
    body = held.joint.administration_id
    name = name_of(answer.question.region, body) if body else None
    return {
        "lead": list(held.lead),
        "assist": list(held.assist),
        "joint": body or None,
        "joint_name": name,
        "scope": held.joint.scope.value,
    }
