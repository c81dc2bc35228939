"""Quality tests of one sensor's samples as they arrive, after IOOS QARTOD: gross range, spike, rate of change, flat line, and more.

QARTOD's own spike test looks at the neighbours on both sides, so it condemns a value only when the next one is there, and its "average"
form also fails both neighbours of a spike: the first samples of a real flood. Here only the range test and an impossible date may FAIL. A
jump is SUSPECT until the next value confirms it: the next value lies within the threshold of the jumped one, or goes on in the same
direction. A return to the value before a suspect one is good (the suspect one was the spike: QARTOD's "differential" form). At grid
instants a neighbour may confirm it too (`corroboration.py`).
Out-of-order samples get the tests that need no earlier sample only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import attenuated, climatology, timing
from detectors.base import Quality
from detectors.history import LENGTH
from detectors.rows import MS_PER_H, borrow, matrix, parameter_dtype, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

_FIRST = "fail_min fail_max suspect_min suspect_max spike_suspect rate_suspect_per_h flat_line_tolerance flat_line_count"
PARAMETERS = parameter_dtype(f"{_FIRST} {attenuated.FIELDS} {climatology.FIELDS} {timing.FIELDS}")
"""In the unit of the series; NaN turns a test off. `flat_line_count`: so many values in a row (2 to 8, the newest included) whose
range is below `flat_line_tolerance` are SUSPECT. The rest: see the file of each test."""
DEFAULTS = (np.nan,) * len(PARAMETERS.names or ())
_FURTHER = len(_FIRST.split())

_RANK = np.zeros(256, dtype=np.uint8)  # QARTOD roll-up: missing < unknown < good < suspect < fail
_RANK[[Quality.MISSING, Quality.UNKNOWN, Quality.GOOD, Quality.SUSPECT, Quality.FAIL]] = range(5)
_FLAG = np.array([Quality.MISSING, Quality.UNKNOWN, Quality.GOOD, Quality.SUSPECT, Quality.FAIL], dtype=np.uint8)
_UNKNOWN, _GOOD, _SUSPECT, _FAIL = 1, 2, np.uint8(3), np.uint8(4)
_PAIR = 2.0
"""The smallest `flat_line_count`: a value and the one before it."""


def roll_up(*flags: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The worst of several flags of each sample, as QARTOD orders them: MISSING < UNKNOWN < GOOD < SUSPECT < FAIL.

    >>> roll_up(np.array([1, 9, 2], dtype=np.uint8), np.array([3, 2, 9], dtype=np.uint8))
    array([3, 2, 2], dtype=uint8)
    """
    ranks = [_RANK.take(one) for one in flags]
    worst: NDArray[np.uint8] = _FLAG.take(np.asarray(np.max(np.stack(ranks), axis=0)))
    return worst


def flag(parameters: NDArray[Any], history: NDArray[Any], samples: Samples) -> NDArray[np.uint8]:
    """The worst of all tests that apply and of the flag the sample came with (uint8 `Quality`).

    Call it before the samples are pushed to the history.
    """
    p, value = borrow(parameters, samples.rows), samples.value
    last_at, last = history["observed_at"][samples.rows, -1], history["value"][samples.rows, -1]
    elapsed, change = samples.observed_at - last_at, np.abs(value - last)
    in_order = samples.in_order & (elapsed > 0)
    fail = (value < p["fail_min"]) | (value > p["fail_max"])
    suspect = (value < p["suspect_min"]) | (value > p["suspect_max"])
    jumped = (change > p["spike_suspect"]) | (change > p["rate_suspect_per_h"] / MS_PER_H * elapsed)
    _judge(suspect, jumped & in_order, _unconfirmed, (p, history, samples))
    _judge(suspect, _still(p, history, samples, (change < p["flat_line_tolerance"]) & in_order), _flat, (p, history, samples))
    rank = _RANK.take(samples.flag)
    untested = rank < _GOOD
    if untested.any():
        tested = _tested(p, history["count"][samples.rows], in_order)
        rank = np.maximum(rank, np.where(tested, _GOOD, _UNKNOWN).astype(np.uint8))
    if not np.isnan(matrix(p)[:, _FURTHER:]).all():
        rank = np.maximum(rank, _further(p, history, samples, in_order))
    return _FLAG.take(np.maximum(rank, np.maximum(suspect * _SUSPECT, fail * _FAIL)))


def _judge(suspect: NDArray[np.bool_], screened: NDArray[np.bool_], test: Any, inputs: tuple[NDArray[Any], NDArray[Any], Samples]) -> None:
    """Run a test on the few samples that a cheap necessary condition has left, and mark those it suspects."""
    if screened.any():
        few = np.flatnonzero(screened)
        p, history, samples = inputs
        suspect[few] |= test(read(p, few), read(history, samples.rows[few]), samples.pick(few))


def _unconfirmed(p: NDArray[Any], h: NDArray[Any], samples: Samples) -> NDArray[np.bool_]:
    """Which jumps and too fast changes no earlier sample confirms."""
    times, values = h["observed_at"], h["value"]
    last, before = values[:, -1], values[:, -2]
    change, earlier, back = samples.value - last, last - before, samples.value - before
    last_suspect, before_suspect = h["flag"][:, -1] == Quality.SUSPECT, h["flag"][:, -2] == Quality.SUSPECT
    spike, rate = p["spike_suspect"], p["rate_suspect_per_h"] / MS_PER_H
    returned = (np.abs(back) <= spike) & (np.abs(back) < np.abs(earlier)) & ~before_suspect  # the one before had left, and came back
    goes_on = (np.abs(earlier) > spike) & (change * earlier > 0)
    jumped = (np.abs(change) > spike) & ~returned & ~goes_on
    fast = np.abs(change) > rate * (samples.observed_at - times[:, -1])
    back_fast = np.abs(back) > rate * (samples.observed_at - times[:, -2])
    fast &= ~last_suspect | before_suspect | back_fast | np.isnan(back)
    unconfirmed: NDArray[np.bool_] = jumped | fast
    return unconfirmed


def _still(p: NDArray[Any], history: NDArray[Any], samples: Samples, unmoved: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the series that have not moved since their last value, those that had not moved before it either, where that counts; few are left."""
    some = np.flatnonzero(unmoved)
    if len(some):
        before = history["value"][samples.rows[some], -2]
        moved = (np.abs(samples.value[some] - before) >= p["flat_line_tolerance"][some]) & (p["flat_line_count"][some] > _PAIR)
        unmoved[some[moved]] = False
    return unmoved


def _flat(p: NDArray[Any], h: NDArray[Any], samples: Samples) -> NDArray[np.bool_]:
    """Series that did not move over their `flat_line_count` values."""
    value, count = samples.value, p["flat_line_count"]
    highest, lowest = value, value
    for back in range(1, LENGTH):  # column by column: a reduction over so short an axis is ten times slower
        past = np.where(back < count, h["value"][:, -back], value)
        highest, lowest = np.maximum(highest, past), np.minimum(lowest, past)
    flat: NDArray[np.bool_] = (h["count"] >= count - 1) & (highest - lowest < p["flat_line_tolerance"])
    return flat


def _tested(p: NDArray[Any], count: NDArray[np.uint8], in_order: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Samples that at least one of the first four tests could judge."""
    asked = ~np.isnan(matrix(p)[:, :_FURTHER])
    compared = np.asarray(asked[:, 4:6].any(axis=1)) & (count > 0)
    ranged = np.asarray(asked[:, :4].any(axis=1))
    tested: NDArray[np.bool_] = np.logical_or(ranged, in_order & (compared | (asked[:, 6] & (count >= p["flat_line_count"] - 1))))
    return tested


def _further(p: NDArray[Any], history: NDArray[Any], samples: Samples, in_order: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The worst rank of the tests that few series use."""
    h = read(history, samples.rows)
    flags = (attenuated.flag(p, h, samples), climatology.flag(p, samples), timing.flag(p, h, samples))
    attenuation, season, time = (_RANK.take(one) for one in flags)
    worst: NDArray[np.uint8] = np.maximum(np.maximum(season, time), np.where(in_order, attenuation, 0)).astype(np.uint8)
    return worst
