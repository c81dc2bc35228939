"""What a measurement that raised a level did to its series can be undone as long as it is the newest: it may be corrected.

A count typed wrongly, or a value sent again with another number, has moved the detectors by then; to detect on the correction as if the wrong one
had never been there, their records from before it are kept. Only raises are kept, so it costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.decide.bound import BoundHazard
    from stream.decide.findings import Step

Before = list[tuple["NDArray[np.intp]", "NDArray[Any]"] | None]
"""By detector, which samples of a step it was given and its records of them before the step; None if it was not asked."""


class Undo(msgspec.Struct, array_like=True):
    """A series before the measurement of `observed_at`: its level and its record (empty = not used) by detector."""

    observed_at: int
    levels: bytes
    records: list[bytes]


def keep(hazard: BoundHazard, step: Step, records: Before, levels: NDArray[np.uint8], raised: NDArray[np.intp]) -> None:
    """Keep what is needed to undo the samples `raised` (indices into the step). `levels`: by detector and sample, before the step."""
    for i in raised.tolist():
        row = int(step.samples.rows[i])
        hazard.undo[row] = Undo(int(step.samples.observed_at[i]), levels[:, i].tobytes(), [_record(saved, i) for saved in records])


def _record(saved: tuple[NDArray[np.intp], NDArray[Any]] | None, i: int) -> bytes:
    if saved is None:
        return b""
    chosen, records = saved
    at = int(np.searchsorted(chosen, i))
    return records[at].tobytes() if at < len(chosen) and chosen[at] == i else b""


def undo(hazard: BoundHazard, step: Step) -> NDArray[np.bool_]:
    """Take back what the corrected measurements had raised, in place; for which samples of the step that was done."""
    undone = np.zeros(len(step.samples), np.bool_)
    if not hazard.undo:
        return undone
    for i in np.flatnonzero(step.corrects).tolist():
        row = int(step.samples.rows[i])
        kept = hazard.undo.get(row)
        if kept is None or kept.observed_at != int(step.samples.observed_at[i]):
            continue
        hazard.levels[:, row] = np.frombuffer(kept.levels, np.uint8)
        for use, record in zip(hazard.detectors, kept.records, strict=True):
            if record:
                use.state[use.compact[row]] = np.frombuffer(record, use.state.dtype)[0]
        undone[i] = True
    return undone
