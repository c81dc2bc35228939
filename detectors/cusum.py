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
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from detectors import hysteresis
from detectors.base import Findings, Quality
from detectors.rows import NEVER, matrix, parameter_dtype, read, write
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


class _Seen(NamedTuple):
    """One step's samples beside what the baseline says of them."""

    observed_at: NDArray[np.int64]
    x: Floats
    elapsed_ms: Floats
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
    p, s = read(parameters, samples.rows), read(state, samples.rows)
    newest = hysteresis.is_newest(s, samples)
    trend = hysteresis.trend_per_h(s, samples, newest & (s["count"] > 0))
    learning = s["count"] < p["warmup_n"]
    seen = _compare(p, s, samples, newest)
    z = seen.residual / np.maximum(s["scale"], p["sd_min"])
    limits = matrix(p)[:, :4]
    decay = np.where(np.isnan(p["decay"]), 2.0 * p["k"], p["decay"])
    freeze_at = _LOG_P_FREEZE / -decay - _OVERSHOOT
    raised = np.maximum(0.0, s["sum"] + np.fmin(z, p["z_max"]) - p["k"])
    raised = np.minimum(raised, 2.0 * np.fmax(freeze_at, hysteresis.highest_of(limits)))
    np.copyto(s["sum"], np.where(learning, 0.0, raised), where=seen.follows)
    rules = hysteresis.Rules(limits, lambda: limits * p["clear_fraction"][:, None], p["raise_after_n"], p["clear_after_n"])
    why = hysteresis.advance(s, samples, np.where(seen.used & ~learning, s["sum"], np.nan), seen.used, rules)
    _learn(p, s, seen, freeze_at)
    np.copyto(s["observed_at"], samples.observed_at, where=seen.used)
    np.copyto(s["value"], samples.value, where=seen.used)
    write(state, samples.rows, s)
    why[learning & (s["level"] == 0)] = LEARNING
    if not seen.used.all():
        why[newest & (samples.flag == Quality.SUSPECT)] = SUSPECT
        why[~newest] = LATE
    known = ~learning & (p["k"] > 0.0)
    log_p, log_lr = np.where(s["sum"] > 0.0, -decay * (s["sum"] + _OVERSHOOT), 0.0), 2.0 * p["k"] * s["sum"]
    score = np.where(known, log_p * (-1.0 / math.log(10.0)), 0.0)
    return Findings(s["level"], score, trend, why, np.where(known, np.exp(log_p), np.nan), np.where(known, log_lr, np.nan))


def _compare(p: NDArray[Any], s: NDArray[Any], samples: Samples, newest: Mask) -> _Seen:
    """What the baseline expected of each sample, and the residual scaled to the spread of d."""
    floor = p["log_floor"]
    x = samples.value
    if not np.isnan(floor).all():
        x = np.where(floor > 0.0, np.log(np.where(floor > 0.0, np.maximum(x, floor), 1.0)), x)
    used = newest & (samples.flag != Quality.SUSPECT) & (p["tau_s"] > 0.0) & (p["k"] > 0.0)
    first = s["count"] == 0.0
    elapsed_ms = np.where(used & ~first, samples.observed_at - s["observed_at"], 0).astype(np.float64)
    follows = used & ~first & ~(elapsed_ms > p["gap_s"] * 1000.0)
    share = -np.expm1(elapsed_ms / (p["tau_s"] * -1000.0))
    gain = np.maximum(share, 1.0 / (s["count"] + 1.0))
    np.copyto(s["mean"], x, where=first & used)
    d, before = x - s["mean"], s["last"] - s["mean"]
    rho = s["product"] / np.maximum(s["variance"], _TINY)
    rho += (1.0 + 4.0 * rho) * np.maximum(1.0 / np.maximum(s["count"], 1.0), 0.5 * share)  # its bias (Marriott and Pope 1954)
    rho = np.minimum(np.maximum(rho, 0.0), _RHO_MAX)
    steps = elapsed_ms / np.maximum(s["step_ms"], 1.0)
    uneven = np.flatnonzero(steps != 1.0)  # most series keep their step, and a power is dear
    phi = rho.copy()
    phi[uneven] = rho[uneven] ** steps[uneven]
    residual = np.divide(d - phi * before, np.sqrt(1.0 - phi * phi), out=np.zeros(len(x)), where=follows)
    return _Seen(samples.observed_at, x, elapsed_ms, gain, used, follows, d, before, residual)


def _learn(p: NDArray[Any], s: NDArray[Any], seen: _Seen, freeze_at: Floats) -> None:
    """Move the baseline of the series that are not in a real alarm (or have been for too long)."""
    learned = seen.used
    beyond, since = s["sum"] >= freeze_at, s["frozen_at"]
    if beyond.any() or (since != NEVER).any():
        frozen = beyond | ((since != NEVER) & (s["level"] > 0))
        np.copyto(since, seen.observed_at, where=frozen & seen.used & (since == NEVER))
        since[seen.used & ~frozen] = NEVER
        learned = seen.used & ~(frozen & ~(seen.observed_at - since > p["freeze_s"] * 1000.0))
    gain = seen.gain * learned
    between = gain * seen.follows
    clip = _CLIP * np.sqrt(s["variance"])
    most = _CLIP * np.maximum(s["scale"], p["sd_min"])
    clip[s["count"] < _CLIP_AFTER] = most[s["count"] < _CLIP_AFTER] = np.inf
    d, before = np.minimum(np.maximum(seen.d, -clip), clip), np.minimum(np.maximum(seen.before, -clip), clip)
    size = np.minimum(np.abs(seen.residual), most)
    s["variance"] += gain * (d * d - s["variance"])
    s["product"] += between * (d * before - s["product"])
    s["scale"] += between * (_FROM_ABSOLUTE * size - s["scale"])
    s["step_ms"] += np.maximum(seen.gain, 1.0 / np.maximum(s["count"], 1.0)) * seen.follows * (seen.elapsed_ms - s["step_ms"])
    s["mean"] += gain * d
    np.copyto(s["last"], seen.x, where=seen.used)
    s["count"] += seen.used


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
