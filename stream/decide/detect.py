"""From measurements to findings: many messages at once, series by series independent, in a defined order.

A run is a stretch of the journal in which no deadline fires. Its measurements are scored together; because no series looks at another,
the findings are the same as if every message had been scored alone. They are handed back by message (`unit`) and by place in it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from detectors import history, quality
from detectors.base import Quality, Samples
from detectors.rows import NEVER, read
from stream.decide import fronts, refused, undo, waiting
from stream.decide.disclosure import FAMILY, limit_reached
from stream.decide.findings import Failed, Finding, Found, Informing, Returned, Run, Said, Step
from stream.decide.outlook import reaches_h
from stream.records.journal import Flag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

    from stream.decide.bound import Bound, BoundHazard
    from stream.decide.counts import Counts

Placed = list[tuple[int, int, Found]]
"""Findings with their message and their place in it."""
_NAN = float("nan")
RESTING = ("held", "lowered")
"""What detectors say of a measurement below the limit of a level that still stands."""


def detect(bound: Bound, counts: Counts, run: Run) -> dict[int, list[Found]]:
    """Score a run in place; the findings of every unit that has any, in the order of its measurements."""
    found: Placed = []
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
    another = ordered[1:] != ordered[:-1]
    if another.all():
        yield order
        return
    starts = np.flatnonzero(np.r_[True, another])
    rank = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))
    for turn in range(int(rank.max()) + 1):
        yield order[rank == turn]


def _score(bound: Bound, counts: Counts, run: Run, place: NDArray[np.int64]) -> Placed:
    """One round: classify, judge quality, remember, let every detector step."""
    kind = history.classify(bound.history, run.rows, run.observed_at, run.value)
    usable = (kind != history.Arrival.DUPLICATE) & (kind != history.Arrival.TOO_OLD)
    if not usable.all():
        counts.duplicate += int((kind == history.Arrival.DUPLICATE).sum())
        counts.too_old += int((kind == history.Arrival.TOO_OLD).sum())
        run, place, kind = run.pick(usable), place[usable], kind[usable]
    in_order = kind == history.Arrival.NEW
    corrects = np.zeros(len(kind), np.bool_)
    if not in_order.all():
        corrects = (kind == history.Arrival.CORRECTION) & (run.observed_at == bound.history["observed_at"][run.rows, -1])
        counts.correction += int((kind == history.Arrival.CORRECTION).sum())
        counts.out_of_order += int((kind == history.Arrival.OUT_OF_ORDER).sum())
    sent = np.where(run.flags & Flag.SUSPECT, np.uint8(Quality.SUSPECT), np.uint8(Quality.GOOD))
    samples = Samples(run.rows, run.observed_at, run.value, sent, in_order)
    flag = quality.flag(bound.quality, bound.history, samples)
    found: Placed = []
    why = refused.refuse(bound, samples, flag, corrects)
    if why is not None:
        found += _refused(bound, counts, (run, place), samples, why)
        sound = why == refused.Refused.NO
        run, place, flag, in_order, corrects = run.pick(sound), place[sound], flag[sound], in_order[sound], corrects[sound]
    samples = Samples(run.rows, run.observed_at, run.value, flag, in_order)
    history.push(bound.history, samples)
    step = Step(samples, run.unit, place, run.flags & Flag.LATE != 0, corrects, bound.history)
    counts.scored += len(run.rows)
    counts.late += int(step.late.sum())
    return found + score(bound, step)


def _refused(bound: Bound, counts: Counts, where: tuple[Run, NDArray[np.int64]], samples: Samples, why: NDArray[np.uint8]) -> Placed:
    """Keep what is not believed; the first of each series in a row is said."""
    run, place = where
    bad = np.flatnonzero(why)
    counts.failed += len(bad)
    first = bad[refused.remember(bound, samples.pick(bad), why[bad])]
    found: Placed = []
    for i in first.tolist():
        row = int(run.rows[i])
        levels = tuple(int(hazard.levels[:, row].max()) for hazard in bound.hazards)
        found.append((int(run.unit[i]), int(place[i]), Failed(row, int(run.observed_at[i]), float(run.value[i]), int(why[i]), levels)))
    return found


def score(bound: Bound, step: Step) -> Placed:
    """What every hazard finds in sound samples that are in the history already."""
    found: Placed = []
    for index, hazard in enumerate(bound.hazards):
        found += _informing(hazard, step) + _returned(index, hazard, step)
        found += _findings(index, hazard, step if hazard.waits is None else waiting.hold(hazard, hazard.waits, step))
    return found


def score_waiting(bound: Bound, domain_id: str) -> list[Found]:
    """What is found in the samples of a domain that waited for a grid instant, now that it is there."""
    found: Placed = []
    for index, hazard in enumerate(bound.hazards):
        for step in waiting.release(bound, hazard, domain_id) if hazard.waiting else ():
            found += _findings(index, hazard, step)
    return [one for _, _, one in sorted(found, key=lambda one: one[:2])]


def _informing(hazard: BoundHazard, step: Step) -> Placed:
    samples = step.samples
    return [
        (int(step.unit[i]), int(step.place[i]), Informing(int(samples.rows[i]), int(samples.observed_at[i]), float(samples.value[i])))
        for i in np.flatnonzero(hazard.informs[samples.rows])
    ]


def _returned(index: int, hazard: BoundHazard, step: Step) -> Placed:
    rows = step.samples.rows
    # What came late says nothing of now: whoever looks would be told "clear" because of last week's water.
    hits = np.flatnonzero(hazard.silent[rows] & ~step.late)
    hazard.silent[rows[hits]] = False
    return [(int(step.unit[i]), int(step.place[i]), Returned(index, int(rows[i]))) for i in hits]


def _findings(index: int, hazard: BoundHazard, step: Step) -> Placed:
    """Let the hazard's detectors step; report every sample whose series is above none now or was before."""
    samples = step.samples
    rows = samples.rows
    levels, undone = hazard.levels.take(rows, axis=1), step.corrects
    old = levels.max(axis=0)
    if undone.any():
        undone = undo.undo(hazard, step)
        levels = hazard.levels.take(rows, axis=1)
    before: undo.Before = []
    said: list[Said] = []
    for number, use in enumerate(hazard.detectors):
        mine = use.compact[rows]
        chosen = np.flatnonzero(mine >= 0)
        if not len(chosen):
            said.append(None)
            before.append(None)
            continue
        picked = samples.pick(chosen) if len(chosen) < len(rows) else samples
        # A correction whose forerunner was undone is the newest sample; the detectors have not seen that instant.
        in_order = picked.in_order | undone[chosen] if undone.any() else picked.in_order
        given = Samples(mine[chosen].astype(np.intp), picked.observed_at, picked.value, picked.flag, in_order, picked.context)
        before.append((chosen, read(use.state, given.rows)))
        findings = use.module.step(use.parameters, use.state, given)
        hazard.levels[number, rows[chosen]] = findings.level
        said.append((chosen, findings))
    new = hazard.levels.take(rows, axis=1).max(axis=0)
    traced: Placed = [] if hazard.traces is None else [*fronts.seen(index, hazard.traces, step, (old == 0) & (new > 0))]
    above = np.flatnonzero((old > 0) | (new > 0))
    if not len(above):
        return traced
    undo.keep(hazard, step, before, levels, above[new[above] > levels[:, above].max(axis=0)])
    return traced + [
        (int(step.unit[i]), int(step.place[i]), _finding(hazard, said, step, i, (index, int(old[i]), int(new[i]), bool(undone[i]))))
        for i in above.tolist()
    ]


def _finding(hazard: BoundHazard, said: list[Said], step: Step, i: int, judged: tuple[int, int, int, bool]) -> Finding:
    """The finding of the detector with the highest level (the first of equals) for sample `i`."""
    samples = step.samples
    row = int(samples.rows[i])
    lead = int(hazard.levels[:, row].argmax())
    index, old, new, corrects = judged
    score_, trend, why, p_value, log_lr, exceedance = _NAN, _NAN, 0, _NAN, _NAN, _NAN
    answer = said[lead] if lead < len(said) else None
    if answer is not None:
        chosen, findings = answer
        at = int(np.searchsorted(chosen, i))
        score_, trend, why = float(findings.score[at]), float(findings.trend[at]), int(findings.why[at])
        p_value, log_lr, exceedance = (
            _NAN if one is None else float(one[at]) for one in (findings.p_value, findings.log_lr, findings.exceedance)
        )
    shown = hazard.detectors[lead].module.WHY[why] not in RESTING or not score_ < 1.0
    if hazard.hazard.family == FAMILY:  # of how unusual a count is, no more goes on than its level says
        p_value, log_lr, exceedance = limit_reached(hazard.detectors[lead], row, new), _NAN, _NAN
        score_ = -math.log10(p_value)
    return Finding(
        hazard=index,
        row=row,
        old=old,
        new=new,
        observed_at=int(samples.observed_at[i]),
        value=float(samples.value[i]),
        quality=int(samples.flag[i]),
        score=score_,
        trend=trend,
        p_value=p_value,
        log_lr=log_lr,
        exceedance=exceedance,
        reaches_h=reaches_h(hazard, said, row, i, float(samples.value[i])) if new and hazard.hazard.family != FAMILY else _NAN,
        detector=lead,
        why=why,
        late=bool(step.late[i]),
        corrects=corrects,
        looked_at=_looked_before(step.history[row], int(samples.observed_at[i])) if new and (corrects or not old) else None,
        shown=shown,
    )


def _looked_before(one: Any, at: int) -> int | None:
    """When a series (its history) was measured last before an instant."""
    earlier = one["observed_at"][one["observed_at"] < at]
    return int(earlier[-1]) if len(earlier) and earlier[-1] != NEVER else None
