"""The thresholds of a detector for a budget of alarms per series-year.

A detector has one scale of thresholds, from blue to red: evidence that must be reached (`h_blue` ...) or chances that must be undercut (`alpha_blue` ...).
The whole scale is multiplied by one number, so the levels keep their distances, and the number is found by bisection over replays of the
history. Alarms beside a true event (`events.py`) are not counted. A budget of fewer than ten alarms in the whole history is beyond what it
can count: its threshold is read off the straight line of the logarithm of the rate against the evidence (or the logarithm of the chance).
Achieved / nominal in 1980-1989, each Danube gauge by itself, 0.05, 0.1 and 0.2 a year: 0.6, 0.9, 1.0; by counting alone 2.3, 1.7, 1.4; a line
against the logarithm of the evidence 0.0, 0.2, 0.6.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.base import detector
from stream.calibrate.counting import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.calibrate.counting import Replayed

_CHANCE = re.compile(r"alpha_(blue|yellow|orange|red)")
_EVIDENCE = re.compile(r"(h|rise)_(blue|yellow|orange|red)(_per_h)?")
_STEPS = 14
_FEWEST, _MORE = 10.0, 4.0
_WIDEST = 1e4
_TAIL = 0.01
_OVERSHOOT = 0.583
"""As in `detectors.cusum`: p = exp(-decay (C + 0.583))."""


def scale_fields(name: str) -> tuple[str, ...]:
    """The thresholds of a detector that a budget can set; none for those whose limits are law or come from return periods.

    >>> scale_fields("negative_binomial")
    ('alpha_blue', 'alpha_yellow', 'alpha_orange', 'alpha_red')
    >>> scale_fields("aqi")
    ()
    """
    return tuple(field for field in detector(name).PARAMETERS.names or () if _CHANCE.fullmatch(field) or _EVIDENCE.fullmatch(field))


def scaled(parameters: NDArray[Any], fields: tuple[str, ...], strictness: float) -> NDArray[Any]:
    """A copy with the thresholds `strictness` times as strict (evidence times it, chances divided by it)."""
    changed = parameters.copy()
    for field in fields:
        changed[field] = changed[field] / strictness if _CHANCE.fullmatch(field) else changed[field] * strictness
    return changed


def for_budget(history: Replayed, parameters: NDArray[Any], budget: float, split_at: int) -> NDArray[Any]:
    """The parameters with the least strict thresholds that kept within `budget` false alarms per series-year before `split_at`."""
    fields, years = scale_fields(history.name), history.years(-np.inf, split_at)
    fewest = _FEWEST / years
    strictness, rate = _least_strict(history, parameters, max(budget, fewest), split_at)
    if budget < fewest:
        easier, more = _least_strict(history, parameters, _MORE * fewest, split_at)
        strictness = beyond((easier, more), (strictness, rate), budget, logarithmic=_CHANCE.fullmatch(fields[0]) is not None)
    return scaled(parameters, fields, strictness)


def beyond(more: tuple[float, float], fewer: tuple[float, float], budget: float, *, logarithmic: bool) -> float:
    """The strictness with the rate `budget`, from two (strictness, rate) of higher rates: an exponential tail of evidence.

    >>> round(beyond((3.0, 0.8), (4.0, 0.2), 0.05, logarithmic=False), 6), round(beyond((10.0, 0.8), (40.0, 0.2), 0.05, logarithmic=True), 6)
    (5.0, 160.0)
    """
    if not more[1] > fewer[1] > budget > 0.0:
        return fewer[0]
    at = np.log([more[0], fewer[0]]) if logarithmic else np.array([more[0], fewer[0]])
    found = at[1] + (at[1] - at[0]) / np.log(more[1] / fewer[1]) * np.log(fewer[1] / budget)
    return float(np.exp(found) if logarithmic else found)


def _least_strict(history: Replayed, parameters: NDArray[Any], budget: float, split_at: int) -> tuple[float, float]:
    """The least strictness that kept within the budget before `split_at`, and its rate."""
    fields = scale_fields(history.name)
    low, high = _bounds(parameters, fields)
    rate = 0.0
    for _ in range(_STEPS):
        middle = float(np.sqrt(low * high))
        found = count(history, scaled(parameters, fields, middle), split_at, to_the_end=False)[0].per_year
        if found > budget:
            low = middle
        else:
            high, rate = middle, found
    return high, rate


def _bounds(parameters: NDArray[Any], fields: tuple[str, ...]) -> tuple[float, float]:
    """From which to which strictness to look: chances must stay below one."""
    chances = [
        float(np.nanmax(parameters[field])) for field in fields if _CHANCE.fullmatch(field) and not np.isnan(parameters[field]).all()
    ]
    if chances:
        return max(2.0 * max(chances), 1.0 / _WIDEST), _WIDEST**3
    return 1.0 / 30.0, 30.0


def with_decay(history: Replayed, parameters: NDArray[Any], split_at: int) -> NDArray[Any]:
    """The parameters with `decay` such that a p-value of 1 in 100 occurred 1 time in 100 before `split_at`; unchanged without that parameter."""
    if "decay" not in (parameters.dtype.names or ()):
        return parameters
    plain = parameters.copy()
    plain["decay"] = 1.0
    found, _ = count(history, plain, split_at, to_the_end=False)
    if len(found.p_values) < 10.0 / _TAIL:
        return parameters
    evidence = -np.log(float(np.quantile(found.p_values, _TAIL)))  # = C + 0.583 at the upper 1 %
    changed = parameters.copy()
    if evidence > _OVERSHOOT:
        changed["decay"] = -np.log(_TAIL) / evidence
    return changed
