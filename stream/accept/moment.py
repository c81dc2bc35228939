"""From what a sender wrote as a time to integer milliseconds UTC, for a whole batch at once where all are of the usual kind."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from stream.accept.refusal import Fault, Refused
from stream.records.instants import EARLIEST_AT, LATEST_AT, SECOND, from_datetime, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

# Up to here (2106) a double holds seconds to better than half a microsecond, so rounding to whole microseconds is exact.
_EXACT_S = float(2**32)
# Beyond every instant we take and still far inside an int64 of milliseconds.
_FAR_S = 1e12
_MILLISECONDS_S = 1e11
"""A number above this is not seconds (year 5138) but most likely milliseconds."""


def instants(moments: Sequence[datetime | float], zone_of: Callable[[int], ZoneInfo | None]) -> tuple[NDArray[np.int64], dict[int, Fault]]:
    """Milliseconds of each moment (0 where there is a fault), and the faults by position. `zone_of(position)`: the station's zone.

    >>> at, faults = instants([1.5, datetime.fromisoformat("2005-11-13T13:45:00+08:00"), 1e12], lambda _: None)
    >>> at.tolist(), faults[2].reason.value
    ([1500, 1131860700000, 0], 'time_absurd')
    """
    kinds = set(map(type, moments))
    if kinds == {datetime} and None not in [moment.tzinfo for moment in moments]:  # type: ignore[union-attr]
        seconds = np.fromiter(map(datetime.timestamp, moments), np.float64, len(moments))  # type: ignore[arg-type]
        if seconds.min() >= 0 and seconds.max() < _EXACT_S:
            return np.rint(seconds * 1e6).astype(np.int64) // 1000, {}
    elif kinds == {float}:
        at = np.rint(np.clip(np.array(moments, np.float64), -_FAR_S, _FAR_S) * SECOND).astype(np.int64)
        if at.min() >= EARLIEST_AT and at.max() <= LATEST_AT:
            return at, {}
    return _one_by_one(moments, zone_of)


def _one_by_one(
    moments: Sequence[datetime | float], zone_of: Callable[[int], ZoneInfo | None]
) -> tuple[NDArray[np.int64], dict[int, Fault]]:
    at = np.zeros(len(moments), np.int64)
    faults: dict[int, Fault] = {}
    for position, moment in enumerate(moments):
        found = instant(moment, zone_of(position) if isinstance(moment, datetime) and moment.tzinfo is None else None)
        if isinstance(found, Fault):
            faults[position] = found
        else:
            at[position] = found
    return at, faults


def instant(moment: datetime | float, zone: ZoneInfo | None) -> int | Fault:
    """Milliseconds of one moment; a moment without an offset is local time in `zone`, if that names exactly one instant."""
    if not isinstance(moment, datetime):
        if abs(moment) > _MILLISECONDS_S:
            return Fault(Refused.TIME_ABSURD, f"{moment:.17g} as seconds since 1970 (milliseconds for seconds?)")
        return _possible(round(moment * SECOND), f"{moment:.17g} as seconds since 1970")
    if moment.tzinfo is not None:
        return _possible(from_datetime(moment), moment.isoformat())
    return _local(moment, zone)


def _local(moment: datetime, zone: ZoneInfo | None) -> int | Fault:
    if zone is None:
        return Fault(Refused.TIME_AMBIGUOUS, f"{moment.isoformat()} has no offset from UTC and the station no time zone")
    try:
        early = moment.replace(tzinfo=zone, fold=0)
        same = early.utcoffset() == moment.replace(tzinfo=zone, fold=1).utcoffset()
    except OverflowError:  # the first and last day a datetime can hold have no neighbours to look a zone's rules up in
        return Fault(Refused.TIME_ABSURD, moment.isoformat())
    if not same:
        return Fault(Refused.TIME_AMBIGUOUS, f"{moment.isoformat()} in {zone.key}: clocks changed, it names two instants or none")
    return _possible(from_datetime(early), moment.isoformat())


def _possible(at: int, shown: str) -> int | Fault:
    return at if EARLIEST_AT <= at <= LATEST_AT else Fault(Refused.TIME_ABSURD, shown)


def ahead(at: int, reference_at: int, allowed_ms: int) -> Fault:
    """The fault of an instant in the future."""
    seconds = (at - reference_at) / SECOND
    return Fault(
        Refused.TIME_FUTURE, f"{to_text(at)} is {seconds:.0f} s after its arrival, at most {allowed_ms / SECOND:.0f} s are allowed"
    )
