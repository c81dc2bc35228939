"""Small lasting rises that stay below every limit: a robust one-sided CUSUM on residuals freed of their autocorrelation.

Rivers remember, so a chart on the raw level alarms all the time. Per series a slow baseline (mean m), the lag-one correlation rho at the
usual step and the scale s of the residuals are learned with gains 1 - exp(-dt / tau), at first 1 / n. With d = x - m, d' the one before and
phi = rho ** (dt / usual step): z = (d - phi d') / (s sqrt(1 - phi^2)), C = max(0, C + z - k) (Page 1954; on residuals: Alwan and
Roberts 1988). Level k: C >= h_k. `log_floor` > 0 takes the logarithm (discharge). Learning is winsorised at 2.5 s and stands still from
where C is beyond chance (p < 1e-6) until the alarm is over, for at most `freeze_s`: else the baseline learns the flood and hides it. Freezing at every
chance alarm would learn from what is left only, the low values, and make ever more false alarms.
`p_value` = P(C or more on a quiet series) = exp(-decay (C + 0.583)), decay = 2 k for normal residuals (Siegmund 1985; the parameter
`decay` overrides it with what quiet history shows); `log_lr` = 2 k C, the log likelihood ratio of a shift by 2 k at its likeliest start;
`score` = -log10 p; `trend` = unit per hour. SUSPECT samples are neither learned nor added; late ones change nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import hysteresis
from detectors.base import Findings, Quality
from detectors.rows import NEVER, borrow, give_back, matrix, parameter_dtype, put, read
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

PARAMETERS = parameter_dtype(
    "h_blue h_yellow h_orange h_red k z_max decay tau_s freeze_s gap_s warmup_n sd_min log_floor clear_fraction clear_after_n raise_after_n"
)
"""`h_*`, `k`, `z_max` in standard deviations; `tau_s`: memory of the baseline; `gap_s`: after a longer silence the past value is not
compared; `warmup_n` samples are only learned; `sd_min`: smallest scale believed, `log_floor` in the unit of the series (with
`log_floor`, `sd_min` is in logarithms)."""
DEFAULTS = (np.nan, np.nan, np.nan, np.nan, 0.5, 6.0, np.nan, 2_592_000.0, 2_592_000.0, 604_800.0, 200.0, 1e-3, np.nan, 0.5, 3.0, 1.0)
STATE = np.dtype(
    [
        *hysteresis.FIELDS,
        *((name, np.float64) for name in ("last", "count", "mean", "variance", "product", "scale", "step_ms", "sum")),
        ("frozen_at", np.int64),
    ]
)
"""`last`: the newest used value, transformed; `variance` and `product`: of d, and of d with d'; `step_ms`: usual step; `sum`: C;
`frozen_at`: since when learning stands still (NEVER: it does not)."""
WHY = (*hysteresis.WHY, "learning", "late", "suspect")
LEARNING, LATE, SUSPECT = range(len(hysteresis.WHY), len(hysteresis.WHY) + 3)

_CLIP, _CLIP_AFTER = 2.5, 20
_FROM_ABSOLUTE = 1.25963  # standard deviation / mean of min(|Z|, 2.5)
_OVERSHOOT = 0.583
_RHO_MAX, _TINY = 0.999, 1e-300
_LOG_P_FREEZE = -13.8
"""Learning stops at p < 1e-6; C is kept below twice what that takes, so that an alarm can end soon after the water has."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One step's samples beside what the baseline says of them, as plain columns: a field of a record costs four times as much to read."""

    x: Floats
    count: Floats
    mean: Floats
    variance: Floats
    product: Floats
    scale: Floats
    spread: Floats
    elapsed_ms: Floats
    uneven: NDArray[np.intp]
    gain: Floats
    used: Mask
    follows: Mask
    d: Floats
    before: Floats
    residual: Floats


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: nothing learned, no evidence."""
    state = hysteresis.initial(STATE, len(parameters))
    state["frozen_at"] = state["observed_at"]
    return state


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Add each sample's residual to its series' evidence, then learn from it (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = borrow(parameters, samples.rows), borrow(state, samples.rows)
    newest, k = hysteresis.is_newest(s, samples), p["k"].copy()
    trend = hysteresis.trend_per_h(s, samples, newest)
    seen = _compare(p, s, samples, newest & (k > 0.0))
    learning = seen.count < p["warmup_n"]
    decay = p["decay"].copy()
    decay = np.where(np.isnan(decay), 2.0 * k, decay)
    freeze_at = _LOG_P_FREEZE / -decay - _OVERSHOOT
    evidence = _evidence(p, s, seen, (k, learning, freeze_at))
    counted = seen.used & ~learning
    compared = evidence if counted.all() else np.where(counted, evidence, np.nan)
    why = hysteresis.advance_few(
        s, samples, compared, seen.used, hysteresis.Limited(hysteresis.lowest_of(matrix(p)), lambda busy: _rules(read(p, busy)))
    )
    _learn(p, s, seen, samples.observed_at, freeze_at)
    put(s["observed_at"], samples.observed_at, seen.used)
    put(s["value"], samples.value, seen.used)
    give_back(state, samples.rows, s)
    if not counted.all():
        why[learning & (s["level"] == 0)] = LEARNING
        why[newest & (samples.flag == Quality.SUSPECT)] = SUSPECT
        why[~newest] = LATE
    log_p, log_lr = np.where(evidence > 0.0, -decay * (evidence + _OVERSHOOT), 0.0), 2.0 * k * evidence
    score, p_value, known = log_p * (-1.0 / math.log(10.0)), np.exp(log_p), ~learning & (k > 0.0)
    if not known.all():
        score[~known], p_value[~known], log_lr[~known] = 0.0, np.nan, np.nan
    return Findings(s["level"].copy(), score, trend, why, p_value, log_lr)


def _rules(p: NDArray[Any]) -> hysteresis.Rules:
    limits = matrix(p)[:, :4]
    return hysteresis.Rules(limits, lambda: limits * p["clear_fraction"][:, None], p["raise_after_n"], p["clear_after_n"])


def _compare(p: NDArray[Any], s: NDArray[Any], samples: Samples, asked: Mask) -> _Seen:
    """What the baseline expected of each sample, and the residual scaled to the spread of d."""
    x, tau_s = _transformed(p["log_floor"], samples.value), p["tau_s"].copy()
    count, mean, step_ms = s["count"].copy(), s["mean"].copy(), s["step_ms"].copy()
    used, first = asked & (samples.flag != Quality.SUSPECT) & (tau_s > 0.0), count == 0.0
    elapsed_ms = (samples.observed_at - s["observed_at"]).astype(np.float64)
    again = used & ~first
    if not again.all():
        elapsed_ms = np.where(again, elapsed_ms, 0.0)
        np.copyto(mean, x, where=first & used)
    follows = again & ~(elapsed_ms > p["gap_s"] * 1000.0)
    share = -np.expm1(elapsed_ms / (tau_s * -1000.0))
    d, before = x - mean, s["last"] - mean
    variance, product, scale = s["variance"].copy(), s["product"].copy(), s["scale"].copy()
    phi = product / np.maximum(variance, _TINY)
    phi += (1.0 + 4.0 * phi) * np.maximum(1.0 / np.maximum(count, 1.0), 0.5 * share)  # its bias (Marriott and Pope 1954)
    phi = np.minimum(np.maximum(phi, 0.0), _RHO_MAX)
    uneven = np.flatnonzero(elapsed_ms != step_ms)  # most series keep their step, and a power is dear
    if len(uneven):
        phi[uneven] = phi[uneven] ** (elapsed_ms[uneven] / np.maximum(step_ms[uneven], 1.0))
    residual, root = d - phi * before, np.sqrt(1.0 - phi * phi)
    residual = residual / root if follows.all() else np.divide(residual, root, out=np.zeros(len(x)), where=follows)
    spread, gain = np.maximum(scale, p["sd_min"]), np.maximum(share, 1.0 / (count + 1.0))
    return _Seen(x, count, mean, variance, product, scale, spread, elapsed_ms, uneven, gain, used, follows, d, before, residual)


def _transformed(floor: Floats, value: Floats) -> Floats:
    """The values, as logarithms where the series has a floor for them."""
    if np.isnan(floor).all():
        return value
    return np.where(floor > 0.0, np.log(np.where(floor > 0.0, np.maximum(value, floor), 1.0)), value)


def _evidence(p: NDArray[Any], s: NDArray[Any], seen: _Seen, how: tuple[Floats, Mask, Floats]) -> Floats:
    """C after each sample, also noted in `s`; kept below twice the highest of the limits and of what stops the learning."""
    k, learning, freeze_at = how
    before = s["sum"].copy()
    evidence: Floats = np.maximum(0.0, before + np.fmin(seen.residual / seen.spread, p["z_max"]) - k)
    over = np.flatnonzero(evidence > 2.0 * freeze_at)
    if len(over):
        most = 2.0 * np.fmax(freeze_at[over], hysteresis.highest_of(matrix(read(p, over))))
        evidence[over] = np.minimum(evidence[over], most)
    if learning.any():
        evidence[learning] = 0.0
    if not seen.follows.all():
        evidence = np.where(seen.follows, evidence, before)
    s["sum"] = evidence
    return evidence


def _learn(p: NDArray[Any], s: NDArray[Any], seen: _Seen, observed_at: NDArray[np.int64], freeze_at: Floats) -> None:
    """Move the baseline of the series that are not in a real alarm (or have been for too long)."""
    learned = _free_to_learn(p, s, seen.used, observed_at, freeze_at)
    gain = seen.gain if learned.all() else seen.gain * learned
    between = gain if seen.follows.all() else gain * seen.follows
    clip, most = _CLIP * np.sqrt(seen.variance), _CLIP * seen.spread
    young = np.flatnonzero(seen.count < _CLIP_AFTER)
    clip[young] = most[young] = np.inf
    d, before = np.minimum(np.maximum(seen.d, -clip), clip), np.minimum(np.maximum(seen.before, -clip), clip)
    size = np.minimum(np.abs(seen.residual), most)
    s["variance"] = seen.variance + gain * (d * d - seen.variance)
    s["product"] = seen.product + between * (d * before - seen.product)
    s["scale"] = seen.scale + between * (_FROM_ABSOLUTE * size - seen.scale)
    s["mean"] = seen.mean + gain * d
    few = seen.uneven[seen.follows[seen.uneven]]
    if len(few):
        old = s["step_ms"][few]
        s["step_ms"][few] = old + np.maximum(seen.gain[few], 1.0 / np.maximum(seen.count[few], 1.0)) * (seen.elapsed_ms[few] - old)
    put(s["last"], seen.x, seen.used)
    s["count"] = seen.count + seen.used


def _free_to_learn(p: NDArray[Any], s: NDArray[Any], used: Mask, observed_at: NDArray[np.int64], freeze_at: Floats) -> Mask:
    """Which samples may be learned; since when the others' series stand still is noted in `s`."""
    beyond = s["sum"] >= freeze_at
    few = np.flatnonzero(beyond | (s["frozen_at"] != NEVER))
    if not len(few):
        return used
    since, at, mine = s["frozen_at"][few], observed_at[few], used[few]
    frozen = beyond[few] | (s["level"][few] > 0)
    since = np.where(mine, np.where(frozen, np.where(since == NEVER, at, since), NEVER), since)
    s["frozen_at"][few] = since
    free = used.copy()
    free[few] = mine & ~(frozen & ~(at - since > p["freeze_s"][few] * 1000.0))
    return free


def arl0(h: float, k: float) -> float:
    """Samples from a start at zero to a false alarm, on average, for independent standard normal residuals (Siegmund 1985).

    A chart that looks both ways has half of it (465 for h = 5 and k = 0.5 in the textbooks); this one looks up only.

    >>> round(arl0(5.0, 0.5), 1), round(arl0(4.0, 0.5), 1)
    (938.2, 338.1)
    """
    b = h + 2.0 * _OVERSHOOT
    return (math.exp(2.0 * k * b) - 2.0 * k * b - 1.0) / (2.0 * k * k)


def threshold_for(samples_between_alarms: float, k: float) -> float:
    """The h with that many samples between false alarms of a quiet series (inverse of `arl0`; more than about 10).

    >>> round(threshold_for(938.2, 0.5), 2)
    5.0
    """
    low, high = 0.0, 100.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if arl0(middle, k) < samples_between_alarms else (low, middle)
    return 0.5 * (low + high)
