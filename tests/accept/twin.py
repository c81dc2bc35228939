"""ACCEPT once more, slow and obvious: one measurement at a time, Python's own JSON, no arrays. The oracle of the fast path."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from stream.accept.refusal import Refused
from stream.records.journal import partition_of
from stream.region.model import Rules
from stream.region.quantities import factor, unit_is_known

TEXTS = ("series", "station", "quantity", "area", "unit", "quality", "id")
DOUBTFUL = ("suspect", "fail", "missing", "doubtful", "questionable", "bad", "3", "4", "9")


class No(Exception):
    def __init__(self, reason: Refused) -> None:
        self.reason = reason


def twin(door, records, now, regions, settings):
    """(accepted rows as (partition, timestamp, domain, hash, row, at, value, flags), refusals as (offset, index, reason, payload))."""
    good, refused = [], []
    for record in records:
        try:
            parts = elements(record.value, settings)
        except No as no:
            refused.append((record.offset, None, no.reason, None if door == "health" else record.value))
            continue
        for index, (payload, value) in enumerate(parts):
            try:
                good.append(measurement(door, value, record, now, regions, settings))
            except No as no:
                place = index if isinstance(json.loads(record.value), list) else None
                refused.append((record.offset, place, no.reason, None if door == "health" else payload))
    return good, refused


def elements(value, settings):
    if value is None:
        raise No(Refused.TOMBSTONE)
    if len(value) > settings.door_bytes_max:
        raise No(Refused.TOO_LARGE)
    if not value.strip():
        raise No(Refused.EMPTY)
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise No(Refused.NOT_UTF8) from None
    try:
        whole = json.loads(text, parse_constant=constant)
    except ValueError:
        raise No(Refused.NOT_JSON) from None
    if whole == []:
        raise No(Refused.EMPTY)
    if not isinstance(whole, list):
        return [(value, whole)]
    return [(json.dumps(one).encode(), one) for one in whole]


def constant(_):
    raise No(Refused.NOT_FINITE)


def measurement(door, value, record, now, regions, settings):
    live = settings.clock == "broker"
    fields(door, value)
    region, row = series(door, value, regions)
    domain = region.domains[region.series.domain[row]]
    is_count = region.series.unit[row] == "count"
    if door not in domain.families or (door == "health") != is_count:
        raise No(Refused.WRONG_FAMILY)
    number = convert(float(value["value"]), value.get("unit"), region.series.unit[row])
    zone = region.series.timezone[row]
    at = instant(value["period_end_at" if door == "health" else "observed_at"], zone)
    if door == "health" and instant(value["period_start_at"], zone) >= at:
        raise No(Refused.PERIOD_INVALID)
    rules = [one.rules for one in region.hazards if row in one.rows or row in one.condition_rows] or [Rules()]
    if live and at > max(record.timestamp, now) + 1000 * max(one.max_future_s for one in rules):
        raise No(Refused.TIME_FUTURE)
    if not math.isfinite(number):
        raise No(Refused.NOT_FINITE)
    late = live and at < min(record.timestamp, now) - 1000 * max(one.max_late_s for one in rules)
    flags = (1 if late else 0) + (2 if str(value.get("quality")).lower() in DOUBTFUL else 0)
    partition = partition_of(domain.domain_id, settings.partitions, domain.pin)
    return (partition, None if live else at, domain.domain_id, region.region_hash, row, at, number, flags)


def fields(door: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise No(Refused.WRONG_TYPE)
    times = ("period_start_at", "period_end_at") if door == "health" else ("observed_at",)
    texts = [name for name in TEXTS if name not in (("station", "quality") if door == "health" else ("area",))]
    for name, one in value.items():
        if name in times:
            time(one)
        elif name == "value":
            number(one, whole=door == "health")
        elif name in texts:
            if one is not None and not isinstance(one, str):
                raise No(Refused.WRONG_TYPE)
            if isinstance(one, str) and not 1 <= len(one) <= 128:
                raise No(Refused.OUT_OF_RANGE)
        elif door == "health":
            raise No(Refused.UNKNOWN_FIELD)
    if any(name not in value for name in (*times, "value")):
        raise No(Refused.MISSING_FIELD)


def time(one: Any) -> None:
    if isinstance(one, bool) or not isinstance(one, str | int | float):
        raise No(Refused.WRONG_TYPE)
    if isinstance(one, str):
        try:
            datetime.fromisoformat(one)
        except ValueError:
            raise No(Refused.TIME_INVALID) from None
    elif not math.isfinite(one):
        raise No(Refused.NOT_FINITE)


def number(one: Any, *, whole: bool) -> None:
    if isinstance(one, bool) or not isinstance(one, int if whole else int | float):
        raise No(Refused.WRONG_TYPE)
    if whole and not 0 <= one <= 100_000_000:
        raise No(Refused.OUT_OF_RANGE)
    if not math.isfinite(one):
        raise No(Refused.NOT_FINITE)


def series(door, value, regions):
    name = value.get("series")
    if name is None and door == "health" and value.get("area"):
        name = value["area"] + "/" + (value.get("quantity") or "cases")
    elif name is None and value.get("station") and value.get("quantity"):
        name = value["station"] + "/" + value["quantity"]
    if name is None:
        raise No(Refused.MISSING_FIELD)
    for region in sorted(regions, key=lambda one: one.name):
        if name in region.series.ids:
            return region, region.series.ids.index(name)
    raise No(Refused.UNKNOWN_SERIES)


def convert(number: float, unit: str | None, kept: str) -> float:
    if unit is None or unit == kept:
        return number
    if not unit_is_known(unit):
        raise No(Refused.UNIT_UNKNOWN)
    try:
        return number * factor(unit, kept)
    except ValueError:
        raise No(Refused.UNIT_INCOMPATIBLE) from None


def instant(one: Any, zone: str) -> int:
    if isinstance(one, str):
        moment = datetime.fromisoformat(one)
        if moment.tzinfo is None:
            if not 2 < moment.year < 9998:
                raise No(Refused.TIME_ABSURD if zone else Refused.TIME_AMBIGUOUS)
            moments = {moment.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)} if zone else set()
            if len(moments) != 1:
                raise No(Refused.TIME_AMBIGUOUS)
            moment = moments.pop()
        seconds = moment - datetime(1970, 1, 1, tzinfo=UTC)
        at = math.floor((Fraction(seconds.days * 86_400 + seconds.seconds) + Fraction(seconds.microseconds, 10**6)) * 1000)
    else:
        at = round(one * 1000) if abs(one) < 1e12 else -1
    if not 0 <= at <= 7_258_118_400_000:
        raise No(Refused.TIME_ABSURD)
    return at
