"""Case counts that come in instalments: too many for what should be known by now, judged with the series' own reporting delay.

Where a period's cases are reported over the following periods, its first count is far below its last one. A baseline of last counts would
not see an outbreak in first ones, a baseline of first counts would take every instalment for one. So the baseline (`count_baseline.py`) learns
counts seven periods later, when they are final; the share F(d) that is known d periods later is learned from the instalments
(`reporting_delay.py`), and a count is compared with the expectation thinned to F(d): mean F mu, phi' = 1 + F (phi - 1).

Value = cases of a period known so far, instant = the period's end; the delay of an instalment is the number of periods that began since. p, levels
and `score` as in `negative_binomial.py`; a level raised by an instalment of an older period has the reason `late`. Before any delay
is seen all is taken to be known at once: then nothing is thinned, and nothing raised too easily.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import count_baseline, count_period, excess, hysteresis, reporting_delay
from detectors.base import Findings, Quality
from detectors.count_baseline import Prediction
from detectors.rows import NEVER, matrix, parameter_dtype, read, write
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

    Floats = NDArray[np.float64]

PARAMETERS = parameter_dtype(
    "alpha_blue alpha_yellow alpha_orange alpha_red period_s min_cases warmup_periods clear_after_n raise_after_n memory_periods"
)
"""`memory_periods`: after so many the weight of a seen delay has fallen to 1 / e."""
DEFAULTS = (1e-3, 1e-4, 1e-6, 1e-9, 604_800.0, 3.0, 52.0, 1.0, 1.0, 26.0)
LONGEST = 7
"""Periods after which a count is final; the history of a series holds as many instalments."""
_DELAYS = (LONGEST + 1,)
STATE = np.dtype(
    [
        *hysteresis.FIELDS,
        *count_baseline.FIELDS,
        ("newest_at", np.int64),
        *((name, np.float64, _DELAYS) for name in ("now", "known", "exactly", "at_most")),
    ]
)
"""`now`: cases known of the last periods by delay (NaN: none told); the rest is `reporting_delay`'s, as of the last period's beginning."""
WHY = (*hysteresis.WHY, *count_period.REASONS)


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: nothing learned, no level, `PRIOR_CASES` cases seen that were all reported at once."""
    state = hysteresis.initial(STATE, len(parameters))
    count_baseline.forget(state)
    state["newest_at"] = NEVER
    state["now"] = np.nan
    state["exactly"][:, 0] = reporting_delay.PRIOR_CASES
    state["at_most"] = reporting_delay.PRIOR_CASES
    return state


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Judge each count by what should be known of its period now, then note it (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = read(parameters, samples.rows), read(state, samples.rows)
    newest = hysteresis.is_newest(s, samples)
    begun = _begin(p, s, samples, newest)
    delay = np.clip(np.nan_to_num(np.rint((s["newest_at"] - samples.observed_at) / 1000.0 / p["period_s"])), 0, LONGEST + 1).astype(np.intp)
    counted = (samples.value >= 0.0) & (delay <= LONGEST)
    known = s["periods"] >= count_baseline.FIRST_PERIODS
    each, at = np.arange(len(samples)), np.minimum(delay, LONGEST)
    noted = counted & (samples.flag != Quality.SUSPECT)
    s["now"][each, at] = np.where(noted, samples.value, s["now"][each, at])

    expected = _thinned(p, s, samples, reporting_delay.share_known(s, 0.0)[each, at])
    count = count_period.whole(samples.value)
    log_p = excess.single(count, expected)
    told = known & counted
    score = np.where(told, -log_p / math.log(10.0), 0.0)
    alphas = matrix(p)[:, :4]
    limits = -np.log10(np.where(alphas > 0, alphas, np.nan))
    compared = np.where(counted, np.where(samples.value < p["min_cases"], 0.0, score), np.nan)
    rules = hysteresis.Rules(limits, lambda: limits, p["raise_after_n"], p["clear_after_n"])
    before = s["level"].copy()
    why = hysteresis.advance(s, samples, compared, newest, rules)
    raised_again = (s["level"] > before) & ~begun
    why = np.where(raised_again, np.where(delay > 0, count_period.LATE, count_period.CORRECTED), why)
    why = np.where(known, np.where(counted, why, count_period.CORRECTED), count_period.LEARNING).astype(np.uint8)
    trend = hysteresis.trend_per_h(s, samples, newest)
    hysteresis.remember(s, samples, newest)
    write(state, samples.rows, s)
    log_lr = np.where(told, excess.log_ratio(count, expected), np.nan)
    return Findings(s["level"].copy(), score, trend, why, np.where(told, excess.chance(log_p), np.nan), log_lr)


def _thinned(p: NDArray[Any], s: NDArray[Any], samples: Samples, share: Floats) -> Prediction:
    """What should be known of each sample's period by now."""
    final = count_baseline.predict(s, p["period_s"], samples.observed_at)
    mean, phi = reporting_delay.thinned(final.mean, final.phi, share)
    return Prediction(mean, phi, final.variance)


def _begin(p: NDArray[Any], s: NDArray[Any], samples: Samples, newest: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Begin a new period for the samples that are of one, in place: instalments are learned, what is final enters the baseline."""
    first = s["newest_at"] == NEVER
    since = np.where(first, 1.0, (samples.observed_at - s["newest_at"]) / 1000.0 / p["period_s"])
    begun: NDArray[np.bool_] = newest & (np.rint(np.nan_to_num(since)) > 0)
    passed = np.where(begun & ~first, np.minimum(np.rint(np.nan_to_num(since)), LONGEST + 1), 0.0)
    for turn in range(int(passed.max(initial=0.0))):
        rows = np.flatnonzero(passed > turn)
        moved = read(s, rows)
        _pass_one(moved, p[rows])
        write(s, rows, moved)
    np.copyto(s["newest_at"], samples.observed_at, where=begun)
    return begun


def _pass_one(s: NDArray[Any], p: NDArray[Any]) -> None:
    """Let one period pass, in place: its instalments are learned, the oldest count is final."""
    so_far = np.zeros_like(s["known"])
    so_far[:, 1:] = s["known"][:, :-1]
    reporting_delay.report(s, np.where(np.isnan(s["now"]), 0.0, s["now"] - so_far), p["memory_periods"][:, None])
    final_at = (s["newest_at"] - LONGEST * 1000.0 * p["period_s"]).astype(np.int64)
    rows = np.flatnonzero(~np.isnan(s["now"][:, -1]))
    if len(rows):
        final = s["now"][rows, -1]
        opened = count_baseline.open_period(read(s, rows), p["period_s"][rows], final_at[rows], p["warmup_periods"][rows])
        expected = count_baseline.predict(opened, p["period_s"][rows], final_at[rows])
        opened["expected"], opened["count"] = expected.mean, final
        opened["weight"] = count_baseline.weight_of(np.exp(excess.single(final, expected)), np.zeros(len(rows), np.bool_))
        write(s, rows, opened)
    s["newest_at"] += (1000.0 * p["period_s"]).astype(np.int64)
    s["now"][:, 1:] = s["now"][:, :-1].copy()
    s["now"][:, 0] = np.nan
