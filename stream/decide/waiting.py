"""Samples that wait for the next grid instant of their domain, because a detector asks what the other series show (`detectors.base.Context`).

A message may be cut anywhere, so within one no series can know of another. At a grid instant all that was measured up to it is in the
history, however it came; the samples that waited are then scored in the order in which each series sent them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from detectors.base import Samples
from detectors.network_mean import network_mean
from stream.decide.findings import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from stream.decide.bound import Bound, BoundHazard


class Waiting(msgspec.Struct, array_like=True):
    """A sound sample as it was when it came: see `Samples` and `Step`."""

    observed_at: int
    value: float
    flag: int
    in_order: bool
    late: bool
    corrects: bool


def hold(hazard: BoundHazard, waits: NDArray[np.bool_], step: Step) -> Step:
    """Keep the samples of series that wait; the step without them."""
    samples = step.samples
    mine = waits[samples.rows]
    for i in np.flatnonzero(mine).tolist():
        one = Waiting(
            int(samples.observed_at[i]),
            float(samples.value[i]),
            int(samples.flag[i]),
            bool(samples.in_order[i]),
            bool(step.late[i]),
            bool(step.corrects[i]),
        )
        hazard.waiting.setdefault(int(samples.rows[i]), []).append(one)
    return step.pick(~mine)


def release(bound: Bound, hazard: BoundHazard, domain_id: str) -> Iterator[Step]:
    """The samples of the domain that wait, with what the others show now, as steps of at most one a series; they do not wait any more.

    Of each step `unit` is its number, `place` the row.
    """
    members = bound.members[domain_id]
    rows = sorted(set(members.tolist()).intersection(hazard.waiting))
    queues = [(row, hazard.waiting.pop(row)) for row in rows]
    for turn in range(max((len(queue) for _, queue in queues), default=0)):
        yield _step(bound, turn, [(row, queue[turn]) for row, queue in queues if turn < len(queue)])


def _step(bound: Bound, turn: int, given: list[tuple[int, Waiting]]) -> Step:
    rows = np.array([row for row, _ in given], np.intp)
    observed_at = np.array([one.observed_at for _, one in given], np.int64)
    samples = Samples(
        rows,
        observed_at,
        np.array([one.value for _, one in given], np.float64),
        np.array([one.flag for _, one in given], np.uint8),
        np.array([one.in_order for _, one in given], np.bool_),
        network_mean(bound.history, bound.network, rows, observed_at),
    )
    return Step(
        samples,
        np.full(len(rows), turn, np.int64),
        rows.astype(np.int64),
        np.array([one.late for _, one in given], np.bool_),
        np.array([one.corrects for _, one in given], np.bool_),
        bound.history,
    )
