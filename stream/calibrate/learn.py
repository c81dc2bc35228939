"""Everything that can be learned for a region from its history, and what it was worth on later data. Pure: region and arrays in, figures out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stream.calibrate import levels
from stream.calibrate.counting import count, replayed
from stream.calibrate.history import History, rounds
from stream.calibrate.thresholds import for_budget, scale_fields, with_decay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Samples
    from stream.calibrate.counting import Counted
    from stream.calibrate.levels import Achieved
    from stream.region.model import DetectorUse, Hazard, Region

STAGE = "stage"
"""The detector whose limits are levels of the water itself, and so have return periods."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to learn: alarms per series-year, the end of the learning data (ms), return periods by colour, first month of a hydrological year."""

    budget: float
    split_at: int
    return_years: Mapping[str, float]
    first_month: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A detector as it will be in the region: `nominal` alarms per series-year (NaN: it was given no budget), and what it did."""

    hazard: str
    detector: str
    nominal: float
    learned: Counted
    later: Counted


@dataclass(frozen=True, slots=True)
class Calibration:
    """`columns`: of stations.csv, by detector and parameter, then region row. `levels`: nominal against achieved of the return periods."""

    columns: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)
    checked: list[Checked] = field(default_factory=list)
    levels: list[Achieved] = field(default_factory=list)


def calibrate(region: Region, measured: History, plan: Plan) -> Calibration:
    """Learn from what was observed before `plan.split_at`; count on all of it."""
    found = Calibration()
    plan = replace(plan, split_at=plan.split_at + measured.shift_ms)
    for hazard in region.hazards:
        given = rounds(hazard, measured)
        for use in hazard.detectors:
            _one(found, hazard, use, _Data(measured, given), plan)
    return found


@dataclass(frozen=True, slots=True)
class _Data:
    measured: History
    given: list[Samples]


def _one(found: Calibration, hazard: Hazard, use: DetectorUse, data: _Data, plan: Plan) -> None:
    """Learn one detector of a hazard, and count what it does with what was learned."""
    places = np.full(len(hazard.rows), -1)
    places[np.searchsorted(hazard.rows, use.rows)] = np.arange(len(use.rows))
    history = replayed(use.name, places, len(use.rows), data.given)
    parameters, nominal = use.parameters.copy(), np.nan
    if use.name == STAGE and plan.return_years:
        parts = _cut(data.measured, plan.split_at)
        learned = levels.learn(parts[0], use.rows, plan.return_years, plan.first_month)
        found.levels.extend(levels.achieved(parts, learned, plan.return_years, plan.first_month))
        for colour, of_colour in learned.items():
            for place, row in enumerate(use.rows.tolist()):
                parameters[colour][place] = of_colour.get(row, parameters[colour][place])
            found.columns[use.name, colour] = of_colour
    elif scale_fields(use.name) and history.years(-np.inf, plan.split_at) > 0:
        parameters = for_budget(history, with_decay(history, parameters, plan.split_at), plan.budget, plan.split_at)
        nominal = plan.budget
        for name in (*scale_fields(use.name), "decay"):
            if name in (parameters.dtype.names or ()) and not _same(parameters[name], use.parameters[name]):
                found.columns[use.name, name] = {row: float(parameters[name][place]) for place, row in enumerate(use.rows.tolist())}
    learned_alarms, later_alarms = count(history, parameters, plan.split_at, to_the_end=True)
    found.checked.append(Checked(hazard.hazard, use.name, nominal, learned_alarms, later_alarms))


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))


def _cut(measured: History, split_at: int) -> tuple[History, History]:
    """What was observed before the instant, and from it on."""
    before = measured.observed_at < split_at
    first, rest = (
        replace(
            measured, row=measured.row[mine], observed_at=measured.observed_at[mine], value=measured.value[mine], flag=measured.flag[mine]
        )
        for mine in (before, ~before)
    )
    return first, rest
