"""What each quantity's evidence was worth: the prior and weights of `[fusion]`, learned from past incidents that were judged afterwards.

Logistic regression of "was it real" on what every quantity said: logit P = logit(prior) + sum of w_q x_q, with x_q the evidence in log-odds that
the incidents' own record lists, at the revision when it was surest, before weighing. A penalty keeps weights near 1 and the prior near the
hazard's own, as if that many incidents had said so already: few incidents change little, and incidents that one quantity tells apart perfectly
do not lead to infinite weights. No weight is negative: evidence for a danger never speaks against it. (Learned logistic fusion had the best
predictive value of all in Texier et al. 2019, of 0.90 beside 0.51 of the best single method.)
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from stream.region.model import Fusion

    Floats = NDArray[np.float64]

PENALTY, PRIOR_PENALTY = 1.0, 0.25
WEIGHT_MOST = 10.0
PRIOR_LEAST = 1e-6
REAL = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_STEPS, _CONVERGED = 100, 1e-10


@dataclass(frozen=True, slots=True)
class Judged:
    """Past incidents of one hazard: by incident and quantity what was said (log-odds before weighing), and whether it was real."""

    quantities: tuple[str, ...]
    said: Floats
    real: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Learned:
    """`prior` (0..1), weights by quantity, and the Brier score before and after on the same incidents (so the second flatters)."""

    prior: float
    weights: Mapping[str, float]
    incidents: int
    real: int
    brier_before: float
    brier_after: float


def judged(lines: Iterable[str], labels: str, hazard: str, quantities: Sequence[str]) -> Judged:
    """The judged incidents of this hazard, from lines as `tocsin replay` writes them and a CSV table with `incident_id,real`.

    Incidents without a label are left out; a label that is neither yes nor no is a TocsinError.
    """
    real = _labels(labels)
    surest: dict[str, tuple[float, dict[str, float]]] = {}
    for line in lines:
        record = json.loads(line) if line.strip() else {}
        value = record.get("value") if record.get("kind") == "incidents" else None
        if not value or value["hazard"] != hazard or value["incident_id"] not in real or not value["evidence"]:
            continue
        if value["incident_id"] not in surest or value["probability"] > surest[value["incident_id"]][0]:
            surest[value["incident_id"]] = (value["probability"], _said(value["evidence"], quantities))
    names = sorted(surest)
    said = np.array([[surest[name][1][quantity] for quantity in quantities] for name in names]).reshape(len(names), len(quantities))
    return Judged(tuple(quantities), said, np.array([real[name] for name in names], dtype=np.bool_))


def learn(past: Judged, fusion: Fusion) -> Learned:
    """The prior and weights under which the labels are likeliest, kept near the hazard's own (see the module)."""
    own = np.array([fusion.weights.get(quantity, 1.0) for quantity in past.quantities])
    said = past.said / np.where(own > 0, own, 1.0)
    start = math.log(fusion.prior / (1.0 - fusion.prior))
    found = _fit(said, past.real.astype(float), start)
    prior = float(_chance(np.array([found[0]]))[0])
    before, after = _chance(start + said @ own), _chance(found[0] + said @ found[1:])
    return Learned(
        min(max(prior, PRIOR_LEAST), 1.0 - PRIOR_LEAST),
        {quantity: float(weight) for quantity, weight in zip(past.quantities, found[1:], strict=True)},
        len(past.real),
        int(past.real.sum()),
        _brier(before, past.real),
        _brier(after, past.real),
    )


def with_fusion(text: str, learned: Learned) -> str:
    r"""A hazard file's text with this prior and these weights in its `[fusion]`; everything else of the table stays.

    >>> learned = Learned(0.25, {"stage": 0.5}, 9, 3, 0.2, 0.1)
    >>> print(with_fusion("[fusion]\nk = 2\nprior = 0.1\n[rules]\nhold_s = 1", learned))
    [fusion]
    prior = 0.25
    k = 2
    [fusion.weights]
    stage = 0.5
    [rules]
    hold_s = 1
    """
    kept, table, place = [], "", None
    for line in text.splitlines():
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        table = header[1].replace(" ", "").replace('"', "") if header else table
        if table == "fusion.weights" or (table == "fusion" and re.match(r"\s*(prior|weights)\s*=", line)):
            continue
        kept.append(line)
        if table == "fusion":
            place = len(kept)
    weights = ["[fusion.weights]", *(f"{quantity} = {weight:.4g}" for quantity, weight in sorted(learned.weights.items()))]
    prior = f"prior = {learned.prior:.4g}"
    if place is None:
        kept += ["[fusion]", prior, *weights]
    else:
        first = next(at for at, line in enumerate(kept) if re.match(r"\s*\[\s*fusion\s*\]", line))
        kept[place:place] = weights
        kept.insert(first + 1, prior)
    return "\n".join(kept)


def lines(hazard: str, learned: Learned) -> Iterable[str]:
    """What was learned, for people."""
    weights = ", ".join(f"{quantity} {weight:.2f}" for quantity, weight in sorted(learned.weights.items()))
    yield f"  {hazard}/fusion: {learned.incidents} incidents judged, {learned.real} real; prior {learned.prior:.3g}, weights {weights}"
    yield f"    Brier score of these incidents {learned.brier_before:.3f} before, {learned.brier_after:.3f} after"


def _labels(text: str) -> dict[str, bool]:
    found = {}
    rows = csv.DictReader(io.StringIO(text))
    if not {"incident_id", "real"} <= set(rows.fieldnames or ()):
        msg = f"the labels need the columns incident_id and real; they have {', '.join(rows.fieldnames or ()) or 'none'}"
        raise TocsinError(msg)
    for row in rows:
        word = (row["real"] or "").strip().lower()
        if word not in REAL:
            msg = f"labels, line {rows.line_num}: real = {word!r}; write yes or no"
            raise TocsinError(msg)
        found[row["incident_id"]] = REAL[word]
    return found


def _said(evidence: Sequence[Mapping[str, object]], quantities: Sequence[str]) -> dict[str, float]:
    sums = dict.fromkeys(quantities, 0.0)
    for one in evidence:
        quantity = str(one["series"]).rpartition("/")[2]
        if quantity in sums:
            sums[quantity] += float(str(one["log_odds"]))
    return sums


def _fit(said: Floats, real: Floats, start: float) -> Floats:
    """Intercept and weights by Newton's method; a weight that would turn negative is held at 0."""
    design = np.column_stack([np.ones(len(said)), said])
    target = np.r_[start, np.ones(said.shape[1])]
    penalty = np.r_[PRIOR_PENALTY, np.full(said.shape[1], PENALTY)]
    free = np.ones(len(target), dtype=np.bool_)
    while True:
        found = _newton(design[:, free], real, target[free], penalty[free])
        full: Floats = np.zeros(len(target))
        full[free] = found
        negative = free & (full < 0) & (np.arange(len(full)) > 0)
        if not negative.any():
            full[1:] = np.minimum(full[1:], WEIGHT_MOST)
            return full
        free &= ~negative


def _newton(design: Floats, real: Floats, target: Floats, penalty: Floats) -> Floats:
    found = target.copy()
    for _ in range(_STEPS):
        chance = _chance(design @ found)
        slope = design.T @ (real - chance) - penalty * (found - target)
        curvature = (design * (chance * (1.0 - chance))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        # Far from the maximum a whole Newton step may overshoot.
        found = found + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _CONVERGED:
            break
    return found


def _chance(log_odds: Floats) -> Floats:
    chance: Floats = 0.5 * (1.0 + np.tanh(0.5 * log_odds))
    return chance


def _brier(chance: Floats, real: NDArray[np.bool_]) -> float:
    return float(np.mean((chance - real) ** 2)) if len(real) else math.nan
