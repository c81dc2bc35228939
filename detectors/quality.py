"""Quality tests of one sensor's samples as they arrive, after IOOS QARTOD: gross range, spike, rate of change, flat line.

QARTOD's own spike test looks at the neighbours on both sides, so it condemns a value only when the next one is there, and its "average"
form also fails both neighbours of a spike: the first samples of a real flood. Here only the range test may FAIL. A jump is SUSPECT
until the next value confirms it: the next value lies within the threshold of the jumped one, or goes on in the same direction. A return to
the value before a suspect one is good (the suspect one was the spike: QARTOD's "differential" form).
Out-of-order samples get the range test only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.base import Quality
from detectors.history import LENGTH
from detectors.rows import MS_PER_H, matrix, parameter_dtype, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

PARAMETERS = parameter_dtype(
    "fail_min fail_max suspect_min suspect_max spike_suspect rate_suspect_per_h flat_line_tolerance flat_line_count"
)
"""In the unit of the series; NaN turns a test off. `flat_line_count`: so many values in a row (at most 8, the newest included) whose
range is below `flat_line_tolerance` are SUSPECT."""
DEFAULTS = (np.nan,) * 8

_RANK = np.zeros(256, dtype=np.uint8)  # QARTOD roll-up: missing < unknown < good < suspect < fail
_RANK[[Quality.MISSING, Quality.UNKNOWN, Quality.GOOD, Quality.SUSPECT, Quality.FAIL]] = range(5)
_FLAG = np.array([Quality.MISSING, Quality.UNKNOWN, Quality.GOOD, Quality.SUSPECT, Quality.FAIL], dtype=np.uint8)
_UNKNOWN, _GOOD, _SUSPECT, _FAIL = 1, 2, 3, 4


def flag(parameters: NDArray[Any], history: NDArray[Any], samples: Samples) -> NDArray[np.uint8]:
    """The worst of all tests that apply and of the flag the sample came with (uint8 `Quality`).

    Call it before the samples are pushed to the history.
    """
    p, h = read(parameters, samples.rows), read(history, samples.rows)
    asked = ~np.isnan(matrix(p))
    value = samples.value
    tested = asked[:, :4].any(axis=1)
    fail = (value < p["fail_min"]) | (value > p["fail_max"])
    suspect = (value < p["suspect_min"]) | (value > p["suspect_max"])
    if asked[:, 4:].any():
        in_order = samples.in_order & (samples.observed_at > h["observed_at"][:, -1])
        jumped, compared = _jumps(p, h, samples)
        flat, enough = _flat(p, h, value)
        suspect |= in_order & (jumped | flat)
        tested |= in_order & ((asked[:, 4:6].any(axis=1) & compared) | enough)
    rank = np.where(fail, _FAIL, np.where(suspect, _SUSPECT, np.where(tested, _GOOD, _UNKNOWN)))
    return _FLAG[np.maximum(rank, _RANK[samples.flag])]


def _jumps(p: NDArray[Any], h: NDArray[Any], samples: Samples) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Unconfirmed spikes and too fast changes; and where there was a value to compare with."""
    times, values = h["observed_at"], h["value"]
    last, before = values[:, -1], values[:, -2]
    change, earlier, back = samples.value - last, last - before, samples.value - before
    last_suspect, before_suspect = h["flag"][:, -1] == Quality.SUSPECT, h["flag"][:, -2] == Quality.SUSPECT
    spike, rate = p["spike_suspect"], p["rate_suspect_per_h"] / MS_PER_H
    returned = (np.abs(back) <= spike) & ~before_suspect
    goes_on = (np.abs(earlier) > spike) & (change * earlier > 0)
    jumped = (np.abs(change) > spike) & ~returned & ~goes_on
    fast = np.abs(change) > rate * (samples.observed_at - times[:, -1])
    back_fast = np.abs(back) > rate * (samples.observed_at - times[:, -2])
    fast &= ~last_suspect | before_suspect | back_fast | np.isnan(back)
    return jumped | fast, ~np.isnan(last)


def _flat(p: NDArray[Any], h: NDArray[Any], value: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Series that did not move over their `flat_line_count` values; and those with that many values."""
    tolerance, count = p["flat_line_tolerance"], p["flat_line_count"]
    enough = (h["count"] >= count - 1) & ~np.isnan(tolerance)
    if not enough.any():
        return enough, enough
    highest, lowest = value, value
    for back in range(1, LENGTH):  # column by column: a reduction over so short an axis is ten times slower
        past = np.where(back < count, h["value"][:, -back], value)
        highest, lowest = np.maximum(highest, past), np.minimum(lowest, past)
    return enough & (highest - lowest < tolerance), enough
