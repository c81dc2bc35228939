"""From measurements to findings: many messages at once, series by series independent, in a defined order.

A run is a stretch of the journal in which no deadline fires. Its measurements are scored together; because no series looks at another,
the findings are the same as if every message had been scored alone. They are handed back by message (`unit`) and by place in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors import history, quality
from detectors.base import Findings, Quality, Samples
from stream.records.journal import Flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.decide.bound import Bound, BoundHazard
    from stream.decide.state import Counts


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


class Finding(NamedTuple):
    """A measurement of a series that is, was, or became unusual; `old` and `new` are the series' levels for this hazard."""

    hazard: int
    row: int
    old: int
    new: int
    observed_at: int
    value: float
    quality: int
    score: float
    trend: float
    detector: int
    why: int
    late: bool


class Returned(NamedTuple):
    """A silent series was heard again."""

    hazard: int
    row: int


class Informing(NamedTuple):
    """A measurement of a series that only informs footprints."""

    row: int
    observed_at: int
    value: float


Found = Finding | Returned | Informing
Said = tuple[NDArray[np.intp], Findings] | None
"""What a detector said of the chosen samples of a step; None if it was not asked."""


class Step(NamedTuple):
    """The sound samples of one round, with the message each came in, its place there, and whether it came late."""

    samples: Samples
    unit: NDArray[np.int64]
    place: NDArray[np.int64]
    late: NDArray[np.bool_]


def detect(bound: Bound, counts: Counts, run: Run) -> dict[int, list[Found]]:
    """Score a run in place; the findings of every unit that has any, in the order of its measurements."""
    found: list[tuple[int, int, Found]] = []
    place = np.arange(len(run.rows))
    for chosen in _rounds(run.rows):
        found += _score(bound, counts, run.pick(chosen), place[chosen])
    found.sort(key=lambda one: one[:2])
    by_unit: dict[int, list[Found]] = {}
    for unit, _, finding in found:
        by_unit.setdefault(unit, []).append(finding)
    return by_unit


def _rounds(rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Split repeated series into rounds, each series at most once a round, by row: detectors are quickest on rows that follow each other."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    if len(starts) == len(rows):
        yield order
        return
    rank = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))
    for turn in range(int(rank.max()) + 1):
        yield order[rank == turn]


def _score(bound: Bound, counts: Counts, run: Run, place: NDArray[np.int64]) -> list[tuple[int, int, Found]]:
    """One round: classify, judge quality, remember, let every detector step."""
    kind = history.classify(bound.history, run.rows, run.observed_at, run.value)
    usable = (kind != history.Arrival.DUPLICATE) & (kind != history.Arrival.TOO_OLD)
    if not usable.all():
        counts.duplicate += int((kind == history.Arrival.DUPLICATE).sum())
        counts.too_old += int((kind == history.Arrival.TOO_OLD).sum())
        run, place, kind = run.pick(usable), place[usable], kind[usable]
    in_order = kind == history.Arrival.NEW
    if not in_order.all():
        counts.correction += int((kind == history.Arrival.CORRECTION).sum())
        counts.out_of_order += int((kind == history.Arrival.OUT_OF_ORDER).sum())
    sent = np.where(run.flags & Flag.SUSPECT, np.uint8(Quality.SUSPECT), np.uint8(Quality.GOOD))
    samples = Samples(run.rows, run.observed_at, run.value, sent, in_order)
    flag = quality.flag(bound.quality, bound.history, samples)
    sound = flag != Quality.FAIL
    if not sound.all():
        counts.failed += int((~sound).sum())
        run, place, flag, in_order = run.pick(sound), place[sound], flag[sound], in_order[sound]
    samples = Samples(run.rows, run.observed_at, run.value, flag, in_order)
    history.push(bound.history, samples)
    step = Step(samples, run.unit, place, run.flags & Flag.LATE != 0)
    counts.scored += len(run.rows)
    counts.late += int(step.late.sum())
    found: list[tuple[int, int, Found]] = []
    for index, hazard in enumerate(bound.hazards):
        found += _informing(hazard, step) + _returned(index, hazard, step) + _findings(index, hazard, step)
    return found


def _informing(hazard: BoundHazard, step: Step) -> list[tuple[int, int, Found]]:
    samples = step.samples
    return [
        (int(step.unit[i]), int(step.place[i]), Informing(int(samples.rows[i]), int(samples.observed_at[i]), float(samples.value[i])))
        for i in np.flatnonzero(hazard.informs[samples.rows])
    ]


def _returned(index: int, hazard: BoundHazard, step: Step) -> list[tuple[int, int, Found]]:
    rows = step.samples.rows
    hits = np.flatnonzero(hazard.silent[rows])
    hazard.silent[rows[hits]] = False
    return [(int(step.unit[i]), int(step.place[i]), Returned(index, int(rows[i]))) for i in hits]


def _findings(index: int, hazard: BoundHazard, step: Step) -> list[tuple[int, int, Found]]:
    """Let the hazard's detectors step; report every sample whose series is above none now or was before."""
    samples = step.samples
    rows = samples.rows
    old = hazard.levels[:, rows].max(axis=0)
    said: list[Said] = []
    for number, use in enumerate(hazard.detectors):
        mine = use.compact[rows]
        chosen = np.flatnonzero(mine >= 0)
        if not len(chosen):
            said.append(None)
            continue
        picked = samples.pick(chosen) if len(chosen) < len(rows) else samples
        given = Samples(mine[chosen].astype(np.intp), picked.observed_at, picked.value, picked.flag, picked.in_order)
        findings = use.module.step(use.parameters, use.state, given)
        hazard.levels[number, rows[chosen]] = findings.level
        said.append((chosen, findings))
    new = hazard.levels[:, rows].max(axis=0)
    return [
        (int(step.unit[i]), int(step.place[i]), _finding(index, hazard, said, step, int(i), (int(old[i]), int(new[i]))))
        for i in np.flatnonzero((old > 0) | (new > 0))
    ]


def _finding(index: int, hazard: BoundHazard, said: list[Said], step: Step, i: int, levels: tuple[int, int]) -> Finding:
    """The finding of the detector with the highest level (the first of equals) for sample `i`."""
    samples = step.samples
    row = int(samples.rows[i])
    lead = int(hazard.levels[:, row].argmax())
    score, trend, why = float("nan"), float("nan"), 0
    answer = said[lead] if lead < len(said) else None
    if answer is not None:
        chosen, findings = answer
        at = int(np.searchsorted(chosen, i))
        score, trend, why = float(findings.score[at]), float(findings.trend[at]), int(findings.why[at])
    return Finding(
        hazard=index,
        row=row,
        old=levels[0],
        new=levels[1],
        observed_at=int(samples.observed_at[i]),
        value=float(samples.value[i]),
        quality=int(samples.flag[i]),
        score=score,
        trend=trend,
        detector=lead,
        why=why,
        late=bool(step.late[i]),
    )
