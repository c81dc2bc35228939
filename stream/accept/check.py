"""Who, what and when of decoded measurements, judged on whole arrays; only what is at fault is looked at one by one.

The first fault of a measurement counts, in this order: lane, series, speaker, door, unit, time, period, future, value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from stream.accept.convert import conversion
from stream.accept.cut import Good
from stream.accept.index import CASES, DOORS
from stream.accept.moment import ahead, instants
from stream.accept.refusal import Fault, Refused, other_lane, quoted
from stream.records.journal import Flag
from stream.records.lanes import Lane, belongs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

    from stream.accept.index import SeriesIndex
    from stream.accept.speakers import Speaker

DOUBTFUL = frozenset({"suspect", "fail", "missing", "doubtful", "questionable", "bad", "3", "4", "9"})
"""Qualities (QARTOD names and numbers, and everyday words) that mark a value as doubtful."""


class Arrival(NamedTuple):
    """How a batch came: its door, and for each measurement the append time of its record (ms); `now`: this process's clock (ms).

    Either clock may be wrong, so nothing is of the future unless both say so, and nothing is late unless both do.
    `live`: append times are the broker's, so lateness and future can be judged; on replay lanes they are not. `lane`: of the door.
    `speaker`: who handed it in, None where everybody may hand in everything. `history`: all of it is late, by the door it came to.
    """

    door: str
    appended_at: NDArray[np.int64]
    now: int
    live: bool
    lane: Lane
    speaker: Speaker | None = None
    history: bool = False


class Checked(NamedTuple):
    """The good measurements as arrays, and the faults of the others by position."""

    good: Good
    faults: dict[int, Fault]


def check(items: Sequence[Any], arrival: Arrival, index: SeriesIndex) -> Checked:
    """Judge decoded measurements (of the health door: case counts). Faults of case counts say nothing of what was sent."""
    cases = arrival.door == "health"
    faults = _of_other_lanes(items, arrival.lane)
    name_of = _area_name if cases else _station_name
    names = [item.series or name_of(item) for item in items]
    number = np.array([index.number_of.get(name, -1) for name in names], np.int64)
    _note(faults, number < 0, lambda position: _unknown(names[position]))
    number = np.maximum(number, 0)  # whatever series: what is computed from it is dropped, the first fault is noted
    if arrival.speaker is not None and index.names:
        speaker = arrival.speaker
        _note(faults, ~speaker.may[number], lambda position: speaker.fault(index.names[number[position]]))
    if index.names:
        good = _judge(items, arrival, index, number, faults)
    else:
        good = _take(index, number, np.empty(0, np.int64), (number, number.astype(np.float64), number.astype(np.uint8)))
    return Checked(good, {position: Fault(fault.reason, "") for position, fault in faults.items()} if cases else faults)


def _of_other_lanes(items: Sequence[Any], lane: Lane) -> dict[int, Fault]:
    said = [item.lane for item in items]
    if lane is not Lane.EXERCISE and not any(said):  # the usual batch
        return {}
    return {at: other_lane(one, lane) for at, one in enumerate(said) if not belongs(one, lane)}


def _judge(items: Sequence[Any], arrival: Arrival, index: SeriesIndex, number: NDArray[np.int64], faults: dict[int, Fault]) -> Good:
    door = DOORS.index(arrival.door)
    _note(
        faults,
        (index.doors[number] >> door) & 1 == 0,
        lambda position: Fault(Refused.WRONG_FAMILY, f"series {quoted(index.names[number[position]])} at the {arrival.door} door"),
    )
    value = np.array([item.value for item in items], np.float64)
    _convert(items, value, faults, index, number)
    at = _times(items, faults, index, number, cases=arrival.door == "health")
    late = np.full(len(items), arrival.history)
    if arrival.live:
        reference_at, came_at = np.maximum(arrival.appended_at, arrival.now), np.minimum(arrival.appended_at, arrival.now)
        _note(
            faults,
            at > reference_at + index.future_ms[number],
            lambda position: ahead(int(at[position]), int(reference_at[position]), int(index.future_ms[number[position]])),
        )
        late |= came_at - at > index.late_ms[number]
    _note(faults, ~np.isfinite(value), lambda _: Fault(Refused.NOT_FINITE, "the value does not fit a double after conversion of its unit"))
    flags = np.where(late, Flag.LATE, 0).astype(np.uint8)
    if arrival.door != "health":
        _mark_doubtful(items, flags)
    kept = np.ones(len(items), bool)
    kept[list(faults)] = False
    return _take(index, number, np.flatnonzero(kept), (at, value, flags))


def _note(faults: dict[int, Fault], wrong: NDArray[np.bool_], fault_of: Callable[[int], Fault]) -> None:
    """Remember a fault for each wrong position that has none yet."""
    if wrong.any():
        for position in np.flatnonzero(wrong).tolist():
            if position not in faults:
                faults[position] = fault_of(position)


def _take(
    index: SeriesIndex,
    number: NDArray[np.int64],
    kept: NDArray[np.int64],
    columns: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]],
) -> Good:
    number = number[kept]
    at, value, flags = columns
    return Good(index.home[number], index.row[number], at[kept], value[kept], flags[kept])


def _station_name(item: Any) -> str:
    return f"{item.station}/{item.quantity}" if item.station and item.quantity else ""


def _area_name(item: Any) -> str:
    return f"{item.area}/{item.quantity or CASES}" if item.area else ""


def _unknown(name: str) -> Fault:
    if not name:
        return Fault(Refused.MISSING_FIELD, "neither series nor station and quantity (counts: area)")
    return Fault(Refused.UNKNOWN_SERIES, quoted(name))


def _convert(
    items: Sequence[Any], value: NDArray[np.float64], faults: dict[int, Fault], index: SeriesIndex, number: NDArray[np.int64]
) -> None:
    """Multiply, in place, the values that come in another unit than their series is kept in."""
    given = np.array([index.unit_of.get(item.unit, -2) for item in items], np.int32)
    for position in np.flatnonzero((given != -1) & (given != index.unit[number])).tolist():
        factor = conversion(items[position].unit, index.units[index.unit[number[position]]])
        if isinstance(factor, Fault):
            faults.setdefault(position, factor)
        else:
            with np.errstate(over="ignore"):  # an overflow is found, and refused, with the other values that are not finite
                value[position] *= factor


def _times(
    items: Sequence[Any], faults: dict[int, Fault], index: SeriesIndex, number: NDArray[np.int64], *, cases: bool
) -> NDArray[np.int64]:
    """The instant of each measurement; of a case count the end of its period, which must lie after its start."""

    def zone_of(position: int) -> ZoneInfo | None:
        return index.zones[int(number[position])]

    at, wrong = instants([item.period_end_at if cases else item.observed_at for item in items], zone_of)
    for position, fault in wrong.items():
        faults.setdefault(position, fault)
    if cases:
        start_at, wrong = instants([item.period_start_at for item in items], zone_of)
        for position, fault in wrong.items():
            faults.setdefault(position, fault)
        _note(faults, start_at >= at, lambda _: Fault(Refused.PERIOD_INVALID, ""))
    return at


def _mark_doubtful(items: Sequence[Any], flags: NDArray[np.uint8]) -> None:
    qualities = [item.quality for item in items]
    if any(qualities):
        doubtful = [quality is not None and quality.lower() in DOUBTFUL for quality in qualities]
        flags |= np.where(doubtful, Flag.SUSPECT, 0).astype(np.uint8)
