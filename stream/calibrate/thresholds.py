"""The thresholds of a detector for a budget of alarms per series-year.

A detector has one scale of thresholds, from blue to red: evidence that must be reached (`h_blue` ...) or chances that must be undercut (`alpha_blue` ...).
The whole scale is multiplied by one number, so the levels keep their distances, and the number is found by bisection over replays of the
history. Every alarm of the history counts, also those of true events: the rate of *false* alarms is at most the budget.
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
    """The parameters with the least strict thresholds that kept within `budget` alarms per series-year before `split_at`."""
    fields = scale_fields(history.name)
    low, high = _bounds(parameters, fields)
    for _ in range(_STEPS):
        middle = float(np.sqrt(low * high))
        found, _ = count(history, scaled(parameters, fields, middle), split_at, to_the_end=False)
        low, high = (middle, high) if found.per_year > budget else (low, middle)
    return scaled(parameters, fields, high)


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
