"""What detection hands to the judgement of dangers: one record for everything that is worth looking at, none for what is usual."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.decide.clusters import Clustered
from stream.decide.foretold import Foreseen

if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from detectors.base import Findings, Samples
    from stream.decide.state import FrontState


class Run(NamedTuple):
    """Measurements of several messages as parallel arrays: `unit` numbers the message, `rows` are local rows."""

    unit: NDArray[np.int64]
    rows: NDArray[np.intp]
    observed_at: NDArray[np.int64]
    value: NDArray[np.float64]
    flags: NDArray[np.uint8]

    def pick(self, keep: NDArray[Any]) -> Run:
        """The measurements selected by a mask or an index array."""
        return Run(self.unit[keep], self.rows[keep], self.observed_at[keep], self.value[keep], self.flags[keep])


class Step(NamedTuple):
    """The sound samples of one round: the message each came in, its place there, whether it came late or corrects the newest one.

    `history`: that of all series, with these samples in it.
    """

    samples: Samples
    unit: NDArray[np.int64]
    place: NDArray[np.int64]
    late: NDArray[np.bool_]
    corrects: NDArray[np.bool_]
    history: NDArray[Any]

    def pick(self, keep: NDArray[Any]) -> Step:
        """The samples selected by a mask or an index array."""
        return Step(self.samples.pick(keep), self.unit[keep], self.place[keep], self.late[keep], self.corrects[keep], self.history)


Said = tuple["NDArray[np.intp]", "Findings"] | None
"""What a detector said of the chosen samples of a step; None if it was not asked."""


class Finding(NamedTuple):
    """A measurement of a series that is, was, or became unusual; `old` and `new` are the series' levels for this hazard.

    `score` to `why` are those of the detector with the highest level; `reaches_h`: hours until the next limit at the present rate;
    `corrects`: it replaces the measurement that had raised the level, and what that one did is undone. NaN: not known. `looked_at`: when the
    series was measured before, None if never. `shown`: this measurement shows the level or some lower one, and does not only not end it yet.
    """

    hazard: int
    row: int
    old: int
    new: int
    observed_at: int
    value: float
    quality: int
    score: float
    trend: float
    p_value: float
    log_lr: float
    exceedance: float
    reaches_h: float
    detector: int
    why: int
    late: bool
    corrects: bool
    looked_at: int | None
    shown: bool


class Returned(NamedTuple):
    """A silent series was heard again."""

    hazard: int
    row: int


class Informing(NamedTuple):
    """A measurement of a series that only informs footprints."""

    row: int
    observed_at: int
    value: float


class Failed(NamedTuple):
    """The first of one or more measurements of a series that are not believed; `why` is a `refused.Refused`.

    `levels`: those of the series at that time, by hazard.
    """

    row: int
    observed_at: int
    value: float
    why: int
    levels: tuple[int, ...]


class Traced(NamedTuple):
    """What a measurement says of a substance's first trace at its station: the front it belongs to, None if it shows none."""

    hazard: int
    row: int
    observed_at: int
    front: FrontState | None


Found = Finding | Returned | Informing | Failed | Traced | Foreseen | Clustered
