"""What a replay came to, city by city: when it was first warned, which arrival it was told, when the danger came, how long it had."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import msgspec

from stream.records.instants import HOUR, from_text, to_text
from stream.records.warning import MsgType
from stream.warnings.reading import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from stream.records.warning import CityWarning
    from stream.region.model import Region

OBSERVED = "observed.csv"
HERE = "same_place"
OWN_STATION = "own station"


class Observed(msgspec.Struct, frozen=True):
    """When a danger really reached a city, and who published that."""

    city_id: str
    arrived_at: str
    source: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One danger of one city in a replay (a city never warned has one without a hazard). Instants are RFC 3339 texts, None where there is none.

    `first_*` is the arrival told first, `last_*` the one told last before the danger came. `arrived_at` is when it came: as published
    (`observed.csv`), else when the city's own station measured it after it was forecast; `arrived_by` says which (the source, or `own station`).
    `lead_time_h` = arrival minus first warning; `*_error_h` = forecast minus arrival, positive = forecast too late; `inside` tells whether
    it came between the 10th and 90th percentile told first.
    """

    city_id: str
    name: str
    hazard: str = ""
    first_warned_at: str | None = None
    worst_level: str = "none"
    path: str = ""
    first_forecast_at: str | None = None
    last_forecast_at: str | None = None
    window_p10_at: str | None = None
    window_p90_at: str | None = None
    arrived_at: str | None = None
    arrived_by: str = ""
    lead_time_h: float | None = None
    first_error_h: float | None = None
    last_error_h: float | None = None
    inside: bool | None = None
    note: str = ""


def observed(folder: Path) -> dict[str, Observed]:
    """What was observed, from `observed.csv` of a region folder (columns city_id, arrived_at, source); empty when there is no such file."""
    path = folder / OBSERVED
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = [Observed(row["city_id"], to_text(from_text(row["arrived_at"])), row["source"]) for row in csv.DictReader(file)]
    return {row.city_id: row for row in rows}


def outcomes(region: Region, warnings: Iterable[CityWarning], seen: Mapping[str, Observed]) -> list[Outcome]:
    """The outcome of every city and danger, those warned first before the others, the cities never warned last."""
    told: dict[str, dict[str, list[CityWarning]]] = {}
    for warning in warnings:
        if warning.msg_type in {MsgType.ALERT, MsgType.UPDATE}:
            told.setdefault(warning.city_id, {}).setdefault(warning.hazard, []).append(warning)
    found = []
    for city in region.cities:
        base = Outcome(city_id=city.city_id, name=city.names.get("en", city.city_id), note=city.note)
        mine = told.get(city.city_id, {})
        for hazard, warned in mine.items():
            ordered = sorted(warned, key=lambda warning: (from_text(warning.sent_at), warning.revision))
            found.append(_outcome(msgspec.structs.replace(base, hazard=hazard), ordered, seen.get(city.city_id)))
        if not mine:
            found.append(base)
    return sorted(found, key=lambda one: (one.first_warned_at is None, one.first_warned_at or "", one.first_forecast_at or "", one.city_id))


def _hours(later: str | None, earlier: str | None) -> float | None:
    return (from_text(later) - from_text(earlier)) / HOUR if later and earlier else None


def _outcome(base: Outcome, warnings: Sequence[CityWarning], seen: Observed | None) -> Outcome:
    base = msgspec.structs.replace(
        base,
        first_warned_at=warnings[0].sent_at,
        worst_level=max((one.level for one in warnings), key=LEVELS.index),
        path=warnings[0].path,
    )
    timed = [one for one in warnings if one.path != HERE and one.arrives_at_p50 is not None]
    if not timed:
        return base
    measured = next((one.sent_at for one in warnings if HERE in one.paths and from_text(one.sent_at) > from_text(timed[0].sent_at)), None)
    arrived_at = seen.arrived_at if seen else measured
    # What is told in the instant in which it comes foretells nothing.
    before = [one for one in timed if arrived_at is None or from_text(one.sent_at) < from_text(arrived_at)] or timed[:1]
    first, last = before[0], before[-1]
    times = [from_text(text) for text in (first.arrives_at_p10, arrived_at, first.arrives_at_p90) if text]
    return msgspec.structs.replace(
        base,
        first_forecast_at=first.arrives_at_p50,
        last_forecast_at=last.arrives_at_p50,
        window_p10_at=first.arrives_at_p10,
        window_p90_at=first.arrives_at_p90,
        arrived_at=arrived_at,
        arrived_by=seen.source if seen else (OWN_STATION if measured else ""),
        lead_time_h=_hours(arrived_at, base.first_warned_at),
        first_error_h=_hours(first.arrives_at_p50, arrived_at),
        last_error_h=_hours(last.arrives_at_p50, arrived_at),
        inside=times == sorted(times) if len(times) == 3 else None,  # noqa: PLR2004
    )
