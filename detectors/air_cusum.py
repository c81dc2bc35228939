"""Air that slowly becomes worse than this site knows, below every limit: a CUSUM on hourly log concentrations.

The evidence is `cusum.py`'s: residuals freed of their autocorrelation (AR(1)), one-sided, the baseline frozen in alarm. Concentrations are
multiplicative, so their logarithm is used, and they have a daily course, which is learned here (24 bins by UTC hour, as logarithms)
and taken off first: without it every evening would add evidence. The course is learned as the baseline is, from calm hours only. Findings: see
`cusum.py`; `trend` is in ug/m3 per hour.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import cusum, hysteresis
from detectors.base import Quality
from detectors.rows import MS_PER_H, NEVER, parameter_dtype, read, write
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Findings, Samples

    Floats = NDArray[np.float64]

BINS = 24
PARAMETERS = parameter_dtype(" ".join([*(cusum.PARAMETERS.names or ()), "floor_ug_per_m3", "course_days"]))
"""Those of `cusum.py` (`sd_min` in logarithms, `log_floor` unused); `floor_ug_per_m3`: smaller values count as this one; `course_days`:
memory of the daily course."""
_OWN = {
    "h_blue": 8.0, "h_yellow": 11.0, "h_orange": 15.0, "h_red": 21.0, "tau_s": 20.0 * 86_400.0, "freeze_s": 7.0 * 86_400.0, "gap_s": 12.0 * 3600.0, "warmup_n": 336.0,
    "sd_min": 0.05, "log_floor": np.nan, "floor_ug_per_m3": 3.0, "course_days": 30.0,
}  # fmt: skip
DEFAULTS = tuple({**dict(zip(cusum.PARAMETERS.names or (), cusum.DEFAULTS, strict=True)), **_OWN}.values())
STATE = np.dtype(
    [*((name, cusum.STATE[name]) for name in cusum.STATE.names or ()), ("course", np.float64, (BINS,)), ("concentration", np.float64)]
)
"""`course`: the daily course as logarithms, by UTC hour; `concentration`: the newest used value, ug/m3."""
WHY = cusum.WHY

_LEARNED_AFTER = 24.0  # samples; before that the baseline itself is a guess
_CLIP = 2.5
_LEAST = 1e-3  # ug/m3, so that a logarithm exists whatever is configured


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: nothing learned, no daily course, no evidence."""
    state = hysteresis.initial(STATE, len(parameters))
    state["frozen_at"] = NEVER
    state["concentration"] = np.nan
    return state


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Take the daily course off each logarithm and add what is left to the series' evidence (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, before = read(parameters, samples.rows), read(state, samples.rows)
    hour = (samples.observed_at // int(MS_PER_H) % BINS).astype(np.intp)[:, None]
    course = np.take_along_axis(before["course"], hour, axis=1)[:, 0]
    left = np.log(np.maximum(samples.value, np.fmax(p["floor_ug_per_m3"], _LEAST))) - course
    found = cusum.step(parameters, state, replace(samples, value=left))
    s = read(state, samples.rows)
    used = hysteresis.is_newest(before, samples) & (samples.flag != Quality.SUSPECT) & (s["count"] > before["count"])
    trend = hysteresis.trend_per_h(_with_concentration(before), samples, used & (before["count"] > 0))
    np.copyto(s["concentration"], samples.value, where=used)
    calm = used & (s["frozen_at"] == NEVER) & (before["count"] >= _LEARNED_AFTER)
    clip = _CLIP * np.sqrt(s["variance"])
    gain = np.fmax(-np.expm1(-1.0 / p["course_days"]), 1.0 / (before["count"] / BINS + 2.0))
    moved = course + np.where(calm, gain * np.clip(left - before["mean"], -clip, clip), 0.0)
    np.put_along_axis(s["course"], hour, moved[:, None], axis=1)
    drift = np.where(calm, s["course"].mean(axis=1), 0.0)  # a common part of all hours belongs to the baseline
    s["course"] -= drift[:, None]
    s["mean"] += drift
    s["last"] += drift
    write(state, samples.rows, s)
    return replace(found, trend=trend)


def _with_concentration(records: NDArray[Any]) -> NDArray[Any]:
    """The records with the concentration as `value`, for a trend in its unit."""
    seen = records.copy()
    seen["value"] = records["concentration"]
    return seen
