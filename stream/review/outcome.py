"""What a replay came to, city by city: when it was first warned, which arrival it was told, what was observed, how long it had."""

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


class Observed(msgspec.Struct, frozen=True):
    """When a danger really reached a city, and who published that."""

    city_id: str
    arrived_at: str
    source: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One city of a replay. Instants are RFC 3339 texts, None where there is none.

    `first_*` is the arrival told first, `last_*` the one told last before the observed arrival (before the end, where none was
    observed). `lead_time_h` = observed arrival minus first warning; `*_error_h` = forecast minus observed, positive = forecast too late.
    """

    city_id: str
    name: str
    first_warned_at: str | None = None
    worst_level: str = "none"
    path: str = ""
    first_forecast_at: str | None = None
    last_forecast_at: str | None = None
    window_p10_at: str | None = None
    window_p90_at: str | None = None
    observed_at: str | None = None
    lead_time_h: float | None = None
    first_error_h: float | None = None
    last_error_h: float | None = None
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
    """The outcome of every city of the region, the first warned first, those never warned last."""
    told: dict[str, list[CityWarning]] = {}
    for warning in warnings:
        if warning.msg_type in {MsgType.ALERT, MsgType.UPDATE}:
            told.setdefault(warning.city_id, []).append(warning)
    found = []
    for city in region.cities:
        one = seen.get(city.city_id)
        name = city.names.get("en", city.city_id)
        mine = sorted(told.get(city.city_id, []), key=lambda warning: (from_text(warning.sent_at), warning.revision))
        base = Outcome(city_id=city.city_id, name=name, observed_at=one.arrived_at if one else None, note=city.note)
        found.append(_outcome(base, mine) if mine else base)
    return sorted(found, key=lambda one: (one.first_warned_at is None, one.first_warned_at or "", one.city_id))


def _hours(later: str | None, earlier: str | None) -> float | None:
    return (from_text(later) - from_text(earlier)) / HOUR if later and earlier else None


def _outcome(base: Outcome, warnings: Sequence[CityWarning]) -> Outcome:
    before = [one for one in warnings if base.observed_at is None or from_text(one.sent_at) <= from_text(base.observed_at)]
    timed = [one for one in before if one.arrives_at_p50 is not None and one.path != "same_place"]
    first, last = (timed[0], timed[-1]) if timed else (None, None)
    return msgspec.structs.replace(
        base,
        first_warned_at=warnings[0].sent_at,
        worst_level=max((one.level for one in warnings), key=LEVELS.index),
        path=warnings[0].path,
        first_forecast_at=first and first.arrives_at_p50,
        last_forecast_at=last and last.arrives_at_p50,
        window_p10_at=first and first.arrives_at_p10,
        window_p90_at=first and first.arrives_at_p90,
        lead_time_h=_hours(base.observed_at, warnings[0].sent_at),
        first_error_h=_hours(first.arrives_at_p50 if first else None, base.observed_at),
        last_error_h=_hours(last.arrives_at_p50 if last else None, base.observed_at),
    )
