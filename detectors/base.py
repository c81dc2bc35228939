"""The contract every detector keeps, and the few words all of them share.

A detector is a *module* of this package; its file name is the key used in `hazards/*.toml`. It offers

- `PARAMETERS`: a numpy structured dtype, one field per parameter (name carries the unit; `f8` NaN = not set);
- `DEFAULTS`: a value for every field, in the same order;
- `STATE`: a numpy structured dtype, one record per series;
- `WHY`: names of the reasons a finding can have, `WHY[0] == "quiet"`;
- `initial(parameters) -> state` for an array of series;
- `step(parameters, state, samples) -> Findings`, which reads and updates `state[samples.rows]` in place.

State lives outside the detector, so a snapshot is `state.tobytes()` and restoring it is exact. A step never looks
at another series, at a clock, at a file or at a random number.

A detector that gains from what the other series show may say so by `CONTEXT = Context.NETWORK_MEAN`: its samples then wait for the next grid
instant of their domain and come with `Samples.context`. It must do without where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Level(IntEnum):
    """Warning levels, ordered so that `max` is the worse one (China: blue IV, yellow III, orange II, red I)."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4

    @property
    def label(self) -> str:
        """The lower-case word used on topics: `none`, `blue`, `yellow`, `orange`, `red`."""
        return self.name.lower()


class Quality(IntEnum):
    """QARTOD quality flags (IOOS QARTOD manual, primary level flags)."""

    GOOD = 1
    UNKNOWN = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class Context(StrEnum):
    """What a detector may be told beside each sample."""

    NETWORK_MEAN = "network_mean"
    """The mean of the other series of the same quantity in the domain at that time (`network_mean.py`)."""


@dataclass(frozen=True, slots=True)
class Samples:
    """One step's measurements, as parallel arrays; every series (`rows`) occurs at most once.

    `rows`: index into the parameter and state arrays (intp). `observed_at`: milliseconds since 1970-01-01 UTC (int64).
    `value`: in the unit of the series (float64, finite). `flag`: `Quality` (uint8), never FAIL or MISSING here.
    `in_order`: False where a later sample of the series was already scored: such a sample may raise a level,
    but must not move time-dependent state backwards nor lower a level. `context`: what the detector's `CONTEXT` names (float64, in the unit of the
    series; NaN = not known); None = not known for any.
    """

    rows: NDArray[np.intp]
    observed_at: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    in_order: NDArray[np.bool_]
    context: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def pick(self, keep: NDArray[Any]) -> Samples:
        """The samples selected by a mask or an index array."""
        context = None if self.context is None else self.context[keep]
        return Samples(self.rows[keep], self.observed_at[keep], self.value[keep], self.flag[keep], self.in_order[keep], context)


@dataclass(frozen=True, slots=True)
class Findings:
    """What one detector says of each sample of a step (same order and length as the samples).

    `level`: the series' level *after* the step, hysteresis included (uint8, `Level`). `score`: how unusual, dimensionless,
    1.0 = at the lowest threshold of a limit detector, or minus log10 of the p-value of a statistical one (float64).
    `trend`: change per hour in the unit of the series, NaN if unknown (float64). `why`: index into the detector's `WHY` (uint8).

    What can be fused, None where a detector does not give it, NaN where it cannot be said of a sample: a *statistical* detector's `p_value`
    (calibrated, under its baseline) and `log_lr` (natural log of the likelihood ratio of something unusual to the baseline); a *limit*
    detector's `exceedance` (probability that the true value is at or above the lowest threshold, given the measurement's error).
    """

    level: NDArray[np.uint8]
    score: NDArray[np.float64]
    trend: NDArray[np.float64]
    why: NDArray[np.uint8]
    p_value: NDArray[np.float64] | None = None
    log_lr: NDArray[np.float64] | None = None
    exceedance: NDArray[np.float64] | None = None


class Detector(Protocol):
    """The shape of a detector module (see the module docstring)."""

    PARAMETERS: np.dtype[Any]
    DEFAULTS: tuple[Any, ...]
    STATE: np.dtype[Any]
    WHY: tuple[str, ...]

    def initial(self, parameters: NDArray[Any]) -> NDArray[Any]:
        """Fresh state for the series that `parameters` describes."""

    def step(self, parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
        """Score the samples and update their series' state in place."""


def detector(name: str) -> Detector:
    """The detector module called `name` (the registry is the folder).

    >>> detector("stage").WHY[0]
    'quiet'
    """
    return cast("Detector", import_module(f"detectors.{name}"))


def context_of(module: Detector) -> Context | None:
    """What the detector wants to be told beside each sample, None if nothing.

    >>> context_of(detector("stage")) is None
    True
    """
    return getattr(module, "CONTEXT", None)
