"""A fleet of gateways that never was: one in every city of a region, with the faults that real ones have, for demonstrations, load and tests.

Pure but for chance, which follows from the seed: the same region, span, seed and faults give the same bytes. What was done to every gateway is told
(`Sent.fault`), so that a test knows what it has to find. The shares in `Faults` are settings of a plausible bad day and no measured statistics.
"""

from __future__ import annotations

import heapq
import math
import random
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.records.instants import DAY, MINUTE, SECOND, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.region.model import Region

USUAL = {
    "cases": 4.0,
    "pm25": 35.0,
    "pm10": 60.0,
    "ammonia": 0.2,
    "wind_direction": 180.0,
    "wind_speed": 3.0,
    "stage": 2.0,
    "discharge": 500.0,
}
"""A quiet day's middle by quantity; 1 for every other."""
NOWHERE = "field"
"""The gateway of stations that stand in no city."""
WAY_LEAST_MS = 200
BACKLOG_APART_MS = 20
"""A gateway that is connected again sends what it kept so quickly."""


class Fault(StrEnum):
    """What was done to a measurement. Of several the last one named."""

    NONE = "none"
    DUPLICATE = "duplicate"
    BACKLOG = "backlog"
    DRIFT = "drift"
    SKEW = "skew"


class Faults(NamedTuple):
    """How bad a day it is. Shares are of measurements (`gaps`, `duplicates`) or of gateways (`skewed`) or of series (`drifting`).

    `outages_per_day` of a gateway's link, each `outage_ms` on average, after which everything kept is sent at once. `skew_ms`: how far a skewed clock is
    off, either way. `drift_per_day`: by how much of its usual value a drifting sensor moves.
    """

    gaps: float = 0.02
    duplicates: float = 0.02
    outages_per_day: float = 2.0
    outage_ms: int = 40 * MINUTE
    skewed: float = 0.1
    skew_ms: int = 2 * MINUTE
    drifting: float = 0.03
    drift_per_day: float = 0.2


class Plan(NamedTuple):
    """From when to when (ms), with which seed and faults; `rising`: series that climb to five times their usual value towards the end."""

    begins_at: int
    ends_at: int
    seed: int = 1
    faults: Faults = Faults()
    rising: frozenset[str] = frozenset()


class Sent(NamedTuple):
    """One message as it leaves a gateway, in the order in which they arrive. `sent_at`: by a right clock; `observed_at`: as it says itself."""

    sent_at: int
    gateway: str
    row: int
    observed_at: int
    fault: Fault
    value: bytes


def fleet(region: Region, families: Sequence[str], plan: Plan) -> Iterator[Sent]:
    """Every message of all gateways, by when it is sent. `families`: of every series ("" = no door takes it). Memory does not grow with the span."""
    members: dict[str, list[int]] = {}
    for row, family in enumerate(families):
        if family:
            city = int(region.series.city[row])
            members.setdefault(region.cities[city].city_id if city >= 0 else NOWHERE, []).append(row)
    return heapq.merge(*(_gateway(region, families, (name, rows), plan) for name, rows in sorted(members.items())))


def _gateway(region: Region, families: Sequence[str], member: tuple[str, list[int]], plan: Plan) -> Iterator[Sent]:
    """One gateway's messages: while its link is down they are kept, and then sent in their order."""
    name, rows = member
    chance, faults = _chance(plan.seed, name), plan.faults
    skew_ms = chance.choice((-1, 1)) * faults.skew_ms if chance.random() < faults.skewed else 0
    kept: list[Sent] = []
    down_until = sent_at = plan.begins_at
    outages = _outages(chance, plan)
    next_outage = next(outages)
    for at, row in _due(region, rows, plan):
        if at >= next_outage[0]:
            down_until, next_outage = next_outage[1], next(outages)
        if kept and at >= down_until:
            for one in kept:
                sent_at = max(sent_at, down_until) + BACKLOG_APART_MS
                yield one._replace(sent_at=sent_at, fault=Fault.BACKLOG)
            kept.clear()
        if chance.random() < faults.gaps:
            continue
        sent_at = max(sent_at + 1, at + WAY_LEAST_MS + int(chance.expovariate(1 / SECOND)))
        one = _measured(region, families, (name, row), (sent_at, at, skew_ms), plan)
        if at < down_until:
            kept.append(one)
            continue
        yield one
        if chance.random() < faults.duplicates:
            sent_at += 1
            yield one._replace(sent_at=sent_at, fault=Fault.DUPLICATE)
    for one in kept:
        sent_at = max(sent_at, down_until) + BACKLOG_APART_MS
        yield one._replace(sent_at=sent_at, fault=Fault.BACKLOG)


def _chance(*of: str | int) -> random.Random:
    return random.Random("/".join(map(str, of)))  # noqa: S311  nothing secret


def _outages(chance: random.Random, plan: Plan) -> Iterator[tuple[int, int]]:
    """When the link goes down and comes back."""
    at = plan.begins_at
    while plan.faults.outages_per_day > 0:
        at += int(chance.expovariate(plan.faults.outages_per_day / DAY))
        back_at = at + int(chance.expovariate(1 / plan.faults.outage_ms))
        yield at, back_at
        at = back_at
    while True:
        yield plan.ends_at + DAY, plan.ends_at + DAY


def _due(region: Region, rows: list[int], plan: Plan) -> Iterator[tuple[int, int]]:
    """(instant, row) of everything that is due, in order."""

    def of(row: int) -> Iterator[tuple[int, int]]:
        step = int(region.series.interval_s[row] * SECOND)
        yield from ((at, row) for at in range(-(-plan.begins_at // step) * step, plan.ends_at, step))

    return heapq.merge(*(of(row) for row in rows))


def _measured(region: Region, families: Sequence[str], what: tuple[str, int], when: tuple[int, int, int], plan: Plan) -> Sent:
    """The message of one measurement. A value follows from seed, series and instant alone, so that a duplicate is the same."""
    (name, row), (sent_at, at, skew_ms) = what, when
    series, quantity = region.series.ids[row], region.series.quantity[row]
    chance = _chance(plan.seed, series, at)
    drifts = _chance(plan.seed, series).random() < plan.faults.drifting
    usual, through = USUAL.get(quantity, 1.0), (at - plan.begins_at) / max(1, plan.ends_at - plan.begins_at)
    value = usual * (1.0 + 0.1 * math.sin(at / DAY * 2.0 * math.pi) + chance.gauss(0.0, 0.02))
    value += usual * plan.faults.drift_per_day * (at - plan.begins_at) / DAY if drifts else 0.0
    value *= 1.0 + 4.0 * max(0.0, 2.0 * through - 1.0) if series in plan.rising else 1.0
    observed_at = at + skew_ms
    fields: dict[str, object] = {"series": series}
    if families[row] == "health":
        step = int(region.series.interval_s[row] * SECOND)
        fields |= {
            "period_start_at": to_text(at - step),
            "period_end_at": to_text(at),
            "value": max(0, round(value + chance.gauss(0.0, math.sqrt(usual)))),
        }
        observed_at, skew_ms = at, 0
    else:
        fields |= {"observed_at": to_text(observed_at), "value": round(value % 360.0 if quantity == "wind_direction" else value, 4)}
    fault = Fault.SKEW if skew_ms else Fault.DRIFT if drifts else Fault.NONE
    return Sent(sent_at, name, row, observed_at, fault, msgspec.json.encode(fields))
