"""Faults that make a station lie plausibly: wrong unit, flipped sign, drift away from its neighbours, chatter around a limit.

They are judged at grid instants against what is expected of the station (its neighbours, or its own usual value) and become the
station's health, never a warning level. A fault is named only after `confirm_n` observations in a row point to the same one, and taken back
the same way, so a real flood that doubles a gauge is no unit mistake: factors of 10, 100 and 1000 up or down only, within `factor_tolerance`.
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


PARAMETERS = parameter_dtype("confirm_n factor_tolerance expected_min drift_max drift_tau_n chatter_max chatter_tau_n")
"""`factor_tolerance`: share by which a value divided by the factor may miss the expected one; no factor or sign is judged where the expected
value is smaller than `expected_min` (unit of the series, above 0). `drift_max`: unit of the series; NaN: off. `drift_tau_n`, `chatter_tau_n`:
memory in observations. `chatter_max`: turns of the level (up after down, down after up) an observation that are too many, in the mean over
the memory; a flood that goes up and down again has two."""
DEFAULTS = (3.0, 0.3, 0.1, np.nan, 100.0, 0.2, 20.0)
STATE = np.dtype(
    [
        ("health", np.uint8),
        ("suspected", np.uint8),
        ("run", np.uint8),
        ("level", np.uint8),
        ("direction", np.int8),
        ("unused", np.uint8, (3,)),
    ]
    + [(name, np.float64) for name in ("difference", "turns", "count")]
)
"""`suspected` for `run` observations in a row; `difference`: mean value - expected; `direction` of the last change
of level; `turns`: mean turns an observation."""
_FACTORS = (10.0, 100.0, 1000.0)
_RUN_MAX = 254


class Seen(NamedTuple):
    """One observation of each station: index into the arrays (each once), value, expected value (NaN: unknown), its warning level now."""

    rows: NDArray[np.intp]
    value: Floats
    expected: Floats
    level: NDArray[np.uint8]


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
    factor = np.ones(len(seen.rows))
    judged = able & (np.abs(seen.expected) >= p["expected_min"])
    factor[judged] = factor_of(seen.value[judged], seen.expected[judged], p["factor_tolerance"][judged])
    off = factor != 1.0
    compared = able & ~np.isnan(seen.expected) & ~off
    gain = np.where(compared, np.maximum(1.0 / p["drift_tau_n"], 1.0 / (s["count"] + 1.0)), 0.0)
    s["difference"] += gain * (np.where(compared, seen.value - seen.expected, 0.0) - s["difference"])
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
    write(state, seen.rows, s)
    health: NDArray[np.uint8] = s["health"].copy()
    return health
