"""The last accepted samples of each series: what makes a duplicate, a correction or a late sample recognisable.

Each record holds the newest eight samples, sorted by time, newest last; unfilled places (on the left) have the instant NEVER. Sorted
places instead of a ring with a moving start keep every question ("the one before", "the last four") a plain column.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.rows import NEVER, borrow, give_back, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

LENGTH = 8
HISTORY = np.dtype(
    [
        ("observed_at", np.int64, (LENGTH,)),
        ("value", np.float64, (LENGTH,)),
        ("flag", np.uint8, (LENGTH,)),
        ("count", np.uint8),
        ("unused", np.uint8, (7,)),  # a field, not padding: padding is not copied, so it would make equal snapshots differ
    ]
)
_WORDS = HISTORY.itemsize // 8
_FLAGS = 2 * LENGTH
"""A record is 18 words of eight bytes: the instants, the values, the flags (a byte each), the count."""


class Arrival(IntEnum):
    """How a sample relates to the samples of its series that came before it."""

    NEW = 0
    """Later than all of them."""
    OUT_OF_ORDER = 1
    """Between them, or before all of them while fewer than eight are known."""
    DUPLICATE = 2
    """Same instant and value as one of them."""
    CORRECTION = 3
    """Same instant as one of them, another value."""
    TOO_OLD = 4
    """Before the oldest of eight: what it would have been compared with is no longer known."""


def initial(n: int) -> NDArray[Any]:
    """Empty histories of `n` series."""
    history = np.zeros(n, dtype=HISTORY)
    history["observed_at"] = NEVER
    history["value"] = np.nan
    return history


def classify(
    history: NDArray[Any], rows: NDArray[np.intp], observed_at: NDArray[np.int64], value: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """The `Arrival` of each sample (uint8); each series at most once. Nothing is changed."""
    codes = np.full(len(rows), Arrival.NEW, dtype=np.uint8)
    not_new = observed_at <= history["observed_at"][rows, -1]
    if not_new.any():
        codes[not_new] = _not_new(read(history, rows[not_new]), observed_at[not_new], value[not_new])
    return codes


def _not_new(h: NDArray[Any], observed_at: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.uint8]:
    same_time = h["observed_at"] == observed_at[:, None]
    codes = np.full(len(h), Arrival.OUT_OF_ORDER, dtype=np.uint8)
    codes[observed_at < h["observed_at"][:, 0]] = Arrival.TOO_OLD  # an unfilled first place is NEVER, so this needs a full history
    codes[same_time.any(axis=1)] = Arrival.CORRECTION
    codes[(same_time & (h["value"] == value[:, None])).any(axis=1)] = Arrival.DUPLICATE
    return codes


def push(history: NDArray[Any], samples: Samples) -> None:
    """Remember the samples, in place: a correction replaces its value, others go to their place in time; the oldest falls out.

    Duplicates change nothing, a sample older than a full history is dropped.
    """
    h = borrow(history, samples.rows)
    if (samples.observed_at > h["observed_at"][:, -1]).all():
        _append(h, samples)
    else:
        _insert(h, samples)
        h["count"] = (h["observed_at"] != NEVER).sum(axis=1)
    give_back(history, samples.rows, h)


def _append(h: NDArray[Any], samples: Samples) -> None:
    """The usual case, every sample the newest: all records move one word to the left at once, then what must stay is put back."""
    words = h.view(np.int64).reshape(-1)
    flags = words[_FLAGS::_WORDS].astype("<u8") >> np.uint64(8)  # little-endian: the oldest flag is the lowest byte
    count = np.minimum(h["count"] + np.uint8(1), np.uint8(LENGTH))
    words[:-1] = words[1:]
    words[_FLAGS::_WORDS] = flags.view("<i8")
    words[_FLAGS + 1 :: _WORDS] = 0
    h["observed_at"][:, -1], h["value"][:, -1], h["flag"][:, -1] = samples.observed_at, samples.value, samples.flag
    h["count"] = count


def _insert(h: NDArray[Any], samples: Samples) -> None:
    """The general case: replace at equal instants, else sort the sample in and keep the newest eight."""
    same_time = h["observed_at"] == samples.observed_at[:, None]
    np.copyto(h["value"], samples.value[:, None], where=same_time)
    np.copyto(h["flag"], samples.flag[:, None], where=same_time)
    added = ~same_time.any(axis=1)
    times = np.column_stack([h["observed_at"], np.where(added, samples.observed_at, NEVER)])
    order = np.argsort(times, axis=1, kind="stable")[:, 1:]
    joined = {
        "observed_at": times,
        "value": np.column_stack([h["value"], np.where(added, samples.value, np.nan)]),
        "flag": np.column_stack([h["flag"], np.where(added, samples.flag, 0).astype(np.uint8)]),
    }
    for name, column in joined.items():
        h[name] = np.take_along_axis(column, order, axis=1)


def newest(history: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Newest instant and value of every series, and a mask of the series that have one (else NEVER and NaN)."""
    return history["observed_at"][:, -1], history["value"][:, -1], history["count"] > 0
