"""Everything that can be learned for a region from its history, and what it was worth on later data. Pure: region and arrays in, figures out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import hysteresis
from detectors.rows import matrix
from stream.calibrate import events, levels, spans
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
COUNTED = "health"
"""The family whose values are counts of cases: what no season showed before is an outbreak there, not a broken sensor."""
QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to learn: false alarms per series-year, end of the learning data (ms), return periods by colour, first month of a hydrological year."""

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
    """`columns`: of stations.csv, by detector (or `quality`) and parameter, then region row.

    `levels`: nominal against achieved of the return periods; `spans`: by hazard, what each season showed, and how much of later data lay outside.
    """

    columns: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)
    checked: list[Checked] = field(default_factory=list)
    levels: list[Achieved] = field(default_factory=list)
    spans: dict[str, spans.Spans] = field(default_factory=dict)


def calibrate(region: Region, measured: History, plan: Plan) -> Calibration:
    """Learn from what was observed before `plan.split_at`; count on all of it."""
    found = Calibration()
    plan = replace(plan, split_at=plan.split_at + measured.shift_ms)
    for hazard in region.hazards:
        data = _Data(measured, rounds(hazard, measured), np.full(len(hazard.rows), np.nan))
        for use in sorted(hazard.detectors, key=lambda use: use.name != STAGE):  # levels first: they say which alarms were right
            _one(found, hazard, use, data, plan)
        if hazard.family != COUNTED:
            _seasons(found, hazard, spans.learn(data.given, plan.split_at))
    return found


@dataclass(frozen=True, slots=True)
class _Data:
    """`lowest`: the lowest level of each of the hazard's rows, as it will be."""

    measured: History
    given: list[Samples]
    lowest: NDArray[np.float64]


def _seasons(found: Calibration, hazard: Hazard, learned: spans.Spans) -> None:
    """Note the spans of the hazard's series."""
    found.spans[hazard.hazard] = learned
    for name, cells in learned.columns.items():
        if cells:
            found.columns.setdefault((QUALITY, name), {}).update({int(hazard.rows[place]): value for place, value in cells.items()})


def _one(found: Calibration, hazard: Hazard, use: DetectorUse, data: _Data, plan: Plan) -> None:
    """Learn one detector of a hazard, and count what it does with what was learned."""
    places = np.full(len(hazard.rows), -1)
    own = np.searchsorted(hazard.rows, use.rows)
    places[own] = np.arange(len(use.rows))
    happened = events.reached(data.given, data.lowest) if use.name != STAGE and not np.isnan(data.lowest).all() else ()
    history = replayed(use.name, places, len(use.rows), data.given, happened)
    parameters, nominal = use.parameters.copy(), np.nan
    if use.name == STAGE:
        if plan.return_years:
            _levels(found, use, parameters, data, plan)
        data.lowest[own] = hysteresis.lowest_of(matrix(parameters))
    elif scale_fields(use.name) and history.years(-np.inf, plan.split_at) > 0:
        parameters = for_budget(history, with_decay(history, parameters, plan.split_at), plan.budget, plan.split_at)
        nominal = plan.budget
        for name in (*scale_fields(use.name), "decay"):
            if name in (parameters.dtype.names or ()) and not _same(parameters[name], use.parameters[name]):
                found.columns[use.name, name] = {row: float(parameters[name][place]) for place, row in enumerate(use.rows.tolist())}
    learned_alarms, later_alarms = count(history, parameters, plan.split_at, to_the_end=True)
    found.checked.append(Checked(hazard.hazard, use.name, nominal, learned_alarms, later_alarms))


def _levels(found: Calibration, use: DetectorUse, parameters: NDArray[Any], data: _Data, plan: Plan) -> None:
    """Learn the levels of return periods into `parameters`."""
    parts = _cut(data.measured, plan.split_at)
    learned = levels.learn(parts[0], use.rows, plan.return_years, plan.first_month)
    found.levels.extend(levels.achieved(parts, learned, plan.return_years, plan.first_month))
    for colour, of_colour in learned.items():
        for place, row in enumerate(use.rows.tolist()):
            parameters[colour][place] = of_colour.get(row, parameters[colour][place])
        found.columns[use.name, colour] = of_colour


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
