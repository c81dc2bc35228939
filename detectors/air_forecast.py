"""A short forecast of the 24-hour mean concentration, `lead_h` (6 to 24) hours ahead, and the level it will have then.

The running 24-hour mean is what standards and health advice refer to. Of the hours it will hold, 24 - lead_h are measured already; the mean of the
other ones is forecast by a regression on the means of the last 1, 3, 6, 12 and 24 hours (persistence and trend), the time of day, both crossed,
and by how much the other stations of the domain exceeded this one in the last 1, 3, 6 and 12 hours: what is on its way here has reached some of
them (`CONTEXT`; where they are not known they count as equal to this one). Every series learns its own coefficients, hour by hour
(`recursive_regression.py`), from persistence on; they drift, for the weather regime of a season is no other season's. The error is learned in
proportion to the forecast.

Level k is reached where P(24-hour mean in lead_h hours >= limit k) >= `chance_fraction`, that is where the forecast's quantile of that chance is
at the limit: `score` = this quantile / lowest limit, `exceedance` = P for the lowest limit, `trend` = concentration per hour, measured. Hours,
late and suspect samples: `hourly.py`. Weather is another series and not looked at; what it would add: tests/benchmarks/detection_air.py.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import hourly, hysteresis, recursive_regression
from detectors.base import Context, Findings
from detectors.normal import upper_tail
from detectors.rows import NEVER, matrix, parameter_dtype, read, write
from detectors.usable import all_usable, step_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

    Floats = NDArray[np.float64]

DAY = 24
MEANS_H = (1, 3, 6, 12, 24)
BESIDE_H = (1, 3, 6, 12)
COLUMNS = 22
CONTEXT = Context.NETWORK_MEAN
PARAMETERS = parameter_dtype("blue_mean yellow_mean orange_mean red_mean lead_h chance_fraction clear_fraction raise_after_n clear_after_n")
"""Limits of the 24-hour mean in the unit of the series; the lowest is also the measure the regression is scaled with. A level is left at once by
default: a mean of 24 hours does not flicker, and a warning that stands too long is a false one for the next day."""
DEFAULTS = (np.nan, np.nan, np.nan, np.nan, 10.0, 0.35, 0.0, 1.0, 1.0)
STATE = np.dtype(
    [
        *hysteresis.FIELDS,
        ("hour", np.int64),
        ("in_hour", np.float64),
        ("hourly", np.float64, (2 * DAY,)),
        ("beside", np.float64, (2 * DAY,)),
        ("coefficients", np.float64, (COLUMNS,)),
        ("covariance", np.float64, (COLUMNS, COLUMNS)),
        ("error_variance", np.float64),
        ("learned", np.float64),
    ]
)
"""`beside`: by how much the others exceeded this series, by hour; `error_variance`: of the mean of the hours forecast, relative to what was forecast; `learned`: how many hours."""
WHY = (*hysteresis.WHY, "too_few_hours")
TOO_FEW_HOURS = len(hysteresis.WHY)

PRIOR = np.array([0.0, 0.0, 0.5, 0.0, 0.0, 0.5, *[0.0] * 16])
PRIOR_SD = np.array([0.1, *[0.6] * 5, *[0.15] * 12, *[0.1] * 4])
_DRIFT_AN_HOUR = 2e-6  # of the prior variance
_NOISE = 0.4  # standard deviation of an observation, in the lowest limit
_FIRST_ERROR, _ERROR_MEMORY_H, _ERROR_PRIOR_H = 0.3, 2000.0, 100.0
_CLIP = 6.0  # standard deviations: what is farther off is learned as this far, so that one absurd value teaches little
_BASE = 0.2  # lowest limits: an error is never taken as smaller in proportion
_NEEDED = 0.25  # share of the hours that must be known to forecast
_NEEDED_TO_LEARN = 0.75


def initial(parameters: NDArray[Any]) -> NDArray[Any]:
    """Fresh state: no hour known, the coefficients of persistence."""
    state = hysteresis.initial(STATE, len(parameters))
    state["hour"] = NEVER
    state["hourly"] = state["beside"] = np.nan
    state["coefficients"] = PRIOR
    state["covariance"] = np.diag(PRIOR_SD**2)
    state["error_variance"] = _FIRST_ERROR**2
    return state


def step(parameters: NDArray[Any], state: NDArray[Any], samples: Samples) -> Findings:
    """Learn from the hours that are over, place each sample in its hour, forecast and compare (see `base.py` for shapes)."""
    if not all_usable(samples):
        return step_usable(step, parameters, state, samples)
    p, s = read(parameters, samples.rows), read(state, samples.rows)
    limits = matrix(p)[:, :4]
    lowest = hysteresis.lowest_of(limits)
    scale = np.where(lowest > 0, lowest, np.nan)
    lead = np.clip(np.nan_to_num(np.rint(p["lead_h"]), nan=DAY), 1, DAY).astype(np.intp)
    newest = hysteresis.is_newest(s, samples)
    _learn_hours(s, lead, scale, newest & (samples.observed_at // 3_600_000 > s["hour"]))
    more = np.full(len(s), np.nan) if samples.context is None else samples.context - samples.value
    beside = hourly.place_beside(s, samples, newest, "beside", more)
    seen = hourly.place(s, samples, newest)
    mean, deviation = forecast(s, (seen, beside), lead, scale)
    known = ~np.isnan(mean)
    reach = mean + deviation * _quantile(p["chance_fraction"])
    rules = hysteresis.Rules(limits, lambda: limits * (1.0 - p["clear_fraction"])[:, None], p["raise_after_n"], p["clear_after_n"])
    why = hysteresis.advance(s, samples, reach, newest & known, rules)
    why[~known] = TOO_FEW_HOURS
    trend = hysteresis.trend_per_h(s, samples, newest)
    hysteresis.remember(s, samples, newest)
    write(state, samples.rows, s)
    score = hysteresis.score_of(np.nan_to_num(reach), limits)
    return Findings(s["level"].copy(), score, trend, why, exceedance=upper_tail((lowest - mean) / deviation))


def forecast(s: NDArray[Any], hours: tuple[Floats, Floats], lead: NDArray[np.intp], scale: Floats) -> tuple[Floats, Floats]:
    """The 24-hour mean expected `lead` hours ahead and the standard deviation of its error, (n,); NaN where too few hours are known.

    `hours`: the last 48 hourly means and by how much the others exceeded them, (n, 48) each, newest last. `scale`: what the regression is scaled with, in the unit of the series.
    """
    sums, beside = (hourly.Sums(one) for one in hours)
    now = np.zeros(len(s), dtype=np.intp)
    x = regressors((sums, beside), now, s["hour"], scale)
    rest = np.maximum(recursive_regression.predict(s["coefficients"], np.nan_to_num(x)), 0.0)
    share = lead / DAY
    measured = np.where(lead < DAY, sums.mean(now, DAY - lead, _NEEDED), 0.0)
    told = ~np.isnan(x).any(axis=1)
    mean = np.where(told, (1.0 - share) * measured + share * rest * scale, np.nan)
    deviation = share * np.sqrt(s["error_variance"]) * (rest + _BASE) * scale
    return mean, deviation


def regressors(of: tuple[hourly.Sums, hourly.Sums], newest: NDArray[np.intp], hour: NDArray[np.int64], scale: Floats) -> Floats:
    """The columns of the regression at `hour`, which lies `newest` hours before the newest one, (n, 22); NaN where too few hours are known.

    `of`: the hourly means, and by how much the others exceeded them.
    """
    sums, beside = of
    day = 2.0 * math.pi * (hour % DAY) / DAY
    cycle = [np.sin(day), np.cos(day), np.sin(2.0 * day), np.cos(2.0 * day)]
    means = [sums.mean(newest, n, _NEEDED if n == DAY else 0.0) / scale for n in MEANS_H]
    means[0] = np.where(np.isnan(means[0]), means[1], means[0])
    crossed = [mean * wave for mean in (means[0], means[-1]) for wave in cycle]
    others = np.nan_to_num(np.column_stack([beside.mean(newest, n) / scale for n in BESIDE_H]))
    return np.column_stack([np.ones(len(hour)), *means, *cycle, *crossed, others])


def _learn_hours(s: NDArray[Any], lead: NDArray[np.intp], scale: Floats, over: NDArray[np.bool_]) -> None:
    """Where an hour is over (`over`), learn from the mean of the last `lead` hours and what was known before them, in place."""
    rows = np.flatnonzero(over)
    if not len(rows):
        return
    sums, back = hourly.Sums(s["hourly"][rows]), lead[rows]
    x = regressors((sums, hourly.Sums(s["beside"][rows])), back, s["hour"][rows] - back, scale[rows])
    seen = sums.mean(np.zeros(len(rows), dtype=np.intp), back, _NEEDED_TO_LEARN) / scale[rows]
    known = ~(np.isnan(x).any(axis=1) | np.isnan(seen))
    rows, x, seen = rows[known], x[known], seen[known]
    if not len(rows):
        return
    mine = read(s, rows)
    expected = recursive_regression.predict(mine["coefficients"], x)
    base = np.maximum(expected, 0.0) + _BASE
    farthest = _CLIP * np.sqrt(mine["error_variance"]) * base
    error = np.clip(seen - expected, -farthest, farthest)
    recursive_regression.learn(mine["coefficients"], mine["covariance"], x, error, np.full(len(rows), _NOISE**2))
    recursive_regression.drift(mine["covariance"], _DRIFT_AN_HOUR * PRIOR_SD**2)
    gain = np.maximum(1.0 / _ERROR_MEMORY_H, 1.0 / (mine["learned"] + _ERROR_PRIOR_H))
    mine["error_variance"] += gain * ((error / base) ** 2 - mine["error_variance"])
    mine["learned"] += 1.0
    write(s, rows, mine)


def _quantile(chance: Floats) -> Floats:
    """How many standard deviations above the forecast lies what is reached with this chance; NaN for none between 0 and 1."""
    deviations = np.full(len(chance), np.nan)
    for one in np.unique(chance[(chance > 0.0) & (chance < 1.0)]):
        deviations[chance == one] = NormalDist().inv_cdf(1.0 - float(one))
    return deviations
