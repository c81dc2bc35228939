"""Accepted measurements, as arrays, into journal messages: one domain a message, below the size limit, on replay lanes one instant a message."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stream.records.journal import Measurements, SignedMeasurements, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.accept.index import Home

ROW_BYTES = 4 + 8 + 8 + 1
_LENGTHS_BYTES = 4 * 5
"""Longest msgpack length prefixes of the four columns."""
_ORIGIN_BYTES = 192
"""More than the names (64 each), sequence, hash and part of a signed batch take."""


class ToJournal(NamedTuple):
    """A journal record to send. `timestamp` (ms) is set on replay lanes only; on live lanes the broker's append time is the time."""

    partition: int
    key: bytes
    value: bytes
    timestamp: int | None


class Origin(NamedTuple):
    """Who signed the batch these measurements come from, with which key, as which of his batches; see `stream.accept.envelope`."""

    principal: str
    key_id: str
    sequence: int
    batch: bytes


class Good(NamedTuple):
    """Accepted measurements in order of arrival; `home` indexes the homes."""

    home: NDArray[np.int32]
    row: NDArray[np.int32]
    at: NDArray[np.int64]
    value: NDArray[np.float64]
    flags: NDArray[np.uint8]


def cut(
    good: Good, homes: tuple[Home, ...], bytes_max: int, *, by_instant: bool, lane: str = "", origin: Origin | None = None
) -> list[ToJournal]:
    """Journal messages of these measurements, which say their lane and who signed them: homes in ascending order, inside each the order of arrival."""
    if not len(good.home):
        return []
    order = np.argsort(good.home, kind="stable")
    home, row, at, value, flags = (good.home[order], good.row[order], good.at[order], good.value[order], good.flags[order])
    breaks = home[1:] != home[:-1]
    if by_instant:
        breaks = breaks | (at[1:] != at[:-1])
    ends = [*(np.flatnonzero(breaks) + 1).tolist(), len(home)]
    # Slices of bytes cost a tenth of slices of arrays, and there may be a message for every few measurements.
    rows, ats, values = row.astype("<i4").tobytes(), at.astype("<i8").tobytes(), value.astype("<f8").tobytes()
    marks = flags.astype("u1").tobytes()
    entries: list[ToJournal] = []
    parts: Counter[int] = Counter()
    start, room = 0, bytes_max if origin is None else bytes_max - _ORIGIN_BYTES
    for end in ends:
        place = homes[home[start]]
        for a, b in _pieces(start, end, _rows_max(place, room, lane)):
            columns = rows[4 * a : 4 * b], ats[8 * a : 8 * b], values[8 * a : 8 * b], marks[a:b]
            made = Measurements(place.domain, place.region_hash, *columns, lane=lane)
            if origin is not None:
                part = parts[int(home[a])]
                parts[int(home[a])] += 1
                made = SignedMeasurements(place.domain, place.region_hash, *columns, *origin, part, lane=lane)
            entries.append(ToJournal(place.partition, place.key, encode(made), int(at[a]) if by_instant else None))
        start = end
    return entries


@lru_cache(maxsize=4096)
def _rows_max(place: Home, bytes_max: int, lane: str) -> int:
    frame = len(encode(Measurements(place.domain, place.region_hash, b"", b"", b"", b"", lane=lane))) + _LENGTHS_BYTES
    return max(1, (bytes_max - frame) // ROW_BYTES)


def _pieces(start: int, end: int, most: int) -> list[tuple[int, int]]:
    if end - start <= most:
        return [(start, end)]
    return [(first, min(first + most, end)) for first in range(start, end, most)]
