"""Faults that make a station lie plausibly: wrong unit, flipped sign, drift away from its neighbours, chatter around a limit.

They are judged at grid instants against what is expected of the station (its neighbours, or its own usual value) and become the
station's health, never a warning level. A fault is named only after `confirm_n` observations in a row point to the same one, and taken back
the same way, so a real flood that doubles a gauge is no unit mistake: factors of 10, 100 and 1000 up or down only, within `factor_tolerance`.
Once it is named, a value that is a hundred times off or more stays in the wrong unit while the water moves: nearer to the wrong scale than to
the right one. A value near the station's usual one is never a mistake, whatever was believed just before it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from detectors.rows import parameter_dtype, read, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Health(IntEnum):
    """What is wrong with a station; the first that applies."""

    SOUND = 0
    UNIT_MISTAKE = 1
    """Off by a power of ten, as centimetres sent for metres."""
    SIGN_FLIP = 2
    DRIFTING = 3
    """The difference to the expected value grew slowly and stays beyond `drift_max`."""
    CHATTERING = 4
    """The warning level changes so often that it says nothing."""


PARAMETERS = parameter_dtype("confirm_n factor_tolerance factor_min expected_min drift_max drift_tau_n chatter_max chatter_tau_n")
"""`factor_tolerance`: share by which a value divided by the factor may miss the expected one; no factor or sign is judged where the expected
value is smaller than `expected_min` (unit of the series, above 0), no factor below `factor_min` (50: a brook may well rise tenfold between
two samples). `drift_max`: unit of the series; NaN: off. `drift_tau_n`, `chatter_tau_n`: memory in observations. `chatter_max`: turns of the
level (up after down, down after up) an observation that are too many, in the mean over the memory; a flood that goes up and down again has
two."""
DEFAULTS = (3.0, 0.3, 10.0, 0.1, np.nan, 100.0, 0.2, 20.0)
STATE = np.dtype(
    [
        ("health", np.uint8),
        ("suspected", np.uint8),
        ("run", np.uint8),
        ("level", np.uint8),
        ("direction", np.int8),
        ("unused", np.uint8, (3,)),
    ]
    + [(name, np.float64) for name in ("difference", "turns", "count", "usual", "heard")]
)
"""`suspected` for `run` observations in a row; `difference`: mean value - expected; `direction` of the last change
of level; `turns`: mean turns an observation; `usual`: the slow mean of the `heard` sound values."""
_FACTORS = (10.0, 100.0, 1000.0)
_RUN_MAX = 254
_FAR = 1.5
"""Decades: half way to a factor of a thousand, beyond what water does between two samples of a gauge that is known to send the wrong unit."""
_NEAR = 3.0
"""A value within this factor of the usual one is near it."""
_USUAL_TAU = 10.0
"""The usual value moves ten times as slowly as the drift that is looked for."""


class Seen(NamedTuple):
    """One observation of each station: index into the arrays (each once), value, expected value (NaN: unknown), its warning level now.

    `around`: how far the neighbours are from their own usual values now (NaN: unknown). Where it is given, drift is judged against the
    station's usual value plus it, otherwise against `expected`, too.
    """

    rows: NDArray[np.intp]
    value: Floats
    expected: Floats
    level: NDArray[np.uint8]
    around: Floats | None = None


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: every station is sound."""
    return np.zeros(len(parameters), dtype=STATE)


def factor_of(value: Floats, expected: Floats, tolerance: Floats | float) -> Floats:
    """The power of ten (0.001 to 1000) or -1 by which each value (n,) is off its expectation (n,); 1 if by none of them.

    >>> factor_of(np.array([212.0, 2.4, -2.1, 0.021]), np.full(4, 2.0), 0.3)
    array([ 1.e+02,  1.e+00, -1.e+00,  1.e-02])
    """
    ratio = np.divide(value, expected, out=np.ones(len(value)), where=expected != 0.0)
    found = np.ones(len(value))
    for factor in (*_FACTORS, *(1.0 / one for one in _FACTORS), -1.0):
        found[np.abs(ratio / factor - 1.0) <= tolerance] = factor
    return found


def observe(parameters: NDArray[Any], state: NDArray[Any], seen: Seen) -> NDArray[np.uint8]:
    """The health (uint8 `Health`) of each station after this observation; `state[seen.rows]` is updated in place."""
    p, s = read(parameters, seen.rows), read(state, seen.rows)
    able = ~np.isnan(seen.value)
    factor = _factors(p, s, seen, able)
    off = factor != 1.0
    expected = seen.expected if seen.around is None else s["usual"] + np.where(s["heard"] > 0.0, seen.around, np.nan)
    compared = able & ~np.isnan(expected) & ~off
    gain = np.where(compared, np.maximum(1.0 / p["drift_tau_n"], 1.0 / (s["count"] + 1.0)), 0.0)
    s["difference"] += gain * (np.where(compared, seen.value - expected, 0.0) - s["difference"])
    s["count"] += compared
    direction = np.sign(seen.level.astype(np.int8) - s["level"].astype(np.int8))
    s["turns"] += np.where(able, 1.0 / p["chatter_tau_n"], 0.0) * ((direction * s["direction"] < 0) - s["turns"])
    np.copyto(s["direction"], direction, where=able & (direction != 0))
    np.copyto(s["level"], seen.level, where=able)
    drifting = (np.abs(s["difference"]) > p["drift_max"]) & (s["count"] >= p["drift_tau_n"])
    now = np.where(s["turns"] > p["chatter_max"], Health.CHATTERING, Health.SOUND)
    now = np.where(drifting, Health.DRIFTING, now)
    now = np.where(off, np.where(factor == -1.0, Health.SIGN_FLIP, Health.UNIT_MISTAKE), now).astype(np.uint8)
    run = np.where(now == s["suspected"], np.minimum(s["run"], _RUN_MAX) + 1, 1)
    np.copyto(s["run"], run.astype(np.uint8), where=able)
    np.copyto(s["suspected"], now, where=able)
    np.copyto(s["health"], now, where=able & (run >= p["confirm_n"]))
    usual_gain = np.maximum(1.0 / (_USUAL_TAU * p["drift_tau_n"]), 1.0 / (s["heard"] + 1.0))
    learned = able & (now == Health.SOUND) & (s["health"] == Health.SOUND)
    s["usual"] += np.where(learned, usual_gain * (np.where(able, seen.value, 0.0) - s["usual"]), 0.0)
    s["heard"] += learned
    write(state, seen.rows, s)
    health: NDArray[np.uint8] = s["health"].copy()
    return health


def suspected_factor(parameters: NDArray[Any], value: Floats, expected: Floats, usual: Floats) -> Floats:
    """The factor or sign by which each value is off what is expected of it (row by row), 1 where there is none or none is judged.

    `usual`: the station's usual value, NaN where it is not known.

    >>> p = np.array([DEFAULTS, DEFAULTS, (3.0, 0.3, 50.0, 0.1, np.nan, 100.0, 0.2, 20.0)], dtype=PARAMETERS)
    >>> suspected_factor(p, np.full(3, 21.0), np.full(3, 2.0), np.array([np.nan, 30.0, np.nan]))
    array([10.,  1.,  1.])
    """
    factor = np.ones(len(value))
    judged = ~np.isnan(value) & (np.abs(expected) >= parameters["expected_min"])
    factor[judged] = factor_of(value[judged], expected[judged], parameters["factor_tolerance"][judged])
    small = np.maximum(factor, 1.0 / np.abs(factor)) < parameters["factor_min"]
    factor[(small & (factor > 0.0)) | _near(value, usual)] = 1.0
    return factor


def usual_of(state: NDArray[Any], parameters: NDArray[Any]) -> Floats:
    """The usual value of each station, NaN until `confirm_n` sound ones were heard."""
    return np.where(state["heard"] >= parameters["confirm_n"], state["usual"], np.nan)


def _near(value: Floats, usual: Floats) -> NDArray[np.bool_]:
    ratio = np.divide(value, usual, out=np.zeros(len(value)), where=usual != 0.0)
    near: NDArray[np.bool_] = (ratio >= 1.0 / _NEAR) & (ratio <= _NEAR)
    return near


def _factors(p: NDArray[Any], s: NDArray[Any], seen: Seen, able: NDArray[np.bool_]) -> Floats:
    """The factor of each observation; one that is known to send the wrong unit does so while it is far off."""
    usual = usual_of(s, p)
    factor = suspected_factor(p, seen.value, seen.expected, usual)
    known = able & (s["health"] == Health.UNIT_MISTAKE) & (np.abs(seen.expected) >= p["expected_min"]) & (seen.value != 0.0)
    known &= ~_near(seen.value, usual)
    if known.any():
        decades = np.log10(np.abs(seen.value[known] / seen.expected[known]))
        factor[known] = np.where(np.abs(decades) >= _FAR, 10.0 ** np.rint(decades), factor[known])
    return factor
