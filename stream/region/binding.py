"""Parameters by series: the detector's default, overridden by the hazard file, overridden by a cell of `stations.csv`.

A further column of stations.csv is named after a parameter (`blue`, `limit`, `fail_max`) of any detector that a hazard of the region uses
or of the quality tests, or `detector.parameter` where only one of several is meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import health, quality
from detectors.base import detector
from stream.region.hazards import FOLDER, parameter_limits
from stream.region.model import DetectorUse
from stream.region.names import CHOICES
from stream.region.problems import nearest
from stream.region.stations import FILE, NEEDED, OPTIONAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from stream.region.hazards import DetectorDraft, HazardDraft
    from stream.region.problems import Findings
    from stream.region.stations import Stations

    Cells = Mapping[str, NDArray[np.float64]]

QUALITY, HEALTH = "quality", "health"
_COLOUR = re.compile(r"(?:^|(?<=_))(blue|yellow|orange|red)(?=_|$)")


def read_cells(stations: Stations, drafts: Sequence[HazardDraft], findings: Findings) -> Cells:
    """The further columns of stations.csv as numbers by series (NaN = empty), keyed `owner.parameter`; unknown columns are problems."""
    names = {use.name for draft in drafts for use in draft.detectors}
    known = {f"{name}.{field}" for name in names for field in detector(name).PARAMETERS.names or ()}
    known |= {f"{QUALITY}.{field}" for field in quality.PARAMETERS.names or ()}
    if any(draft.health for draft in drafts):
        known |= {f"{HEALTH}.{field}" for field in health.PARAMETERS.names or ()}
    plain = {name.partition(".")[2] for name in known}
    cells: dict[str, NDArray[np.float64]] = {}
    for column in sorted(stations.further, key=lambda name: "." in name):  # the exact name wins over the plain one
        meant = [name for name in known if column in {name, name.partition(".")[2]}]
        if not meant:
            findings.add(
                FILE, 1, column, "unknown column", f"remove or correct it: {nearest(column, {*plain, *known, *NEEDED, *OPTIONAL})}"
            )
            continue
        limits = parameter_limits(column.rpartition(".")[2])
        values = np.array([one.row.number(column, *limits, findings) for one in stations.series], dtype=np.float64)
        for name in meant:
            cells[name] = np.where(np.isnan(values), cells.get(name, np.nan), values)
    return cells


def bind_quality(draft: HazardDraft, rows: NDArray[np.int32], stations: Stations, cells: Cells) -> NDArray[Any]:
    """The quality parameters of the hazard's rows."""
    bound = _defaults(quality.PARAMETERS, quality.DEFAULTS, len(rows))
    quantity = np.array([stations.series[row].quantity for row in rows.tolist()], dtype=object)
    _fill(bound, draft.quality, quantity)
    _override(bound, QUALITY, rows, cells)
    return _frozen(bound)


def bind_health(draft: HazardDraft, rows: NDArray[np.int32], stations: Stations, cells: Cells) -> NDArray[Any] | None:
    """The health parameters of the hazard's rows, `confirm_n` NaN where the hazard file does not ask for it; None if it does nowhere."""
    if not draft.health:
        return None
    bound = _defaults(health.PARAMETERS, health.DEFAULTS, len(rows))
    quantity = np.array([stations.series[row].quantity for row in rows.tolist()], dtype=object)
    _fill(bound, draft.health, quantity)
    _override(bound, HEALTH, rows, cells)
    asked = np.array(["" in draft.health or one in draft.health for one in quantity], dtype=np.bool_)
    bound["confirm_n"][~asked] = np.nan
    return _frozen(bound)


def _fill(bound: NDArray[Any], tables: Mapping[str, Mapping[str, float]], quantity: NDArray[Any]) -> None:
    """Put the hazard file's parameters in, in place, those for all quantities first."""
    for meant in sorted(tables):
        for field, value in tables[meant].items():
            bound[field][(quantity == meant) if meant else slice(None)] = value


def bind_detectors(
    draft: HazardDraft, rows: NDArray[np.int32], stations: Stations, cells: Cells, findings: Findings
) -> tuple[DetectorUse, ...]:
    """Every detector of the hazard with the parameters of the series it can find something in.

    A detector without any limit for a series leaves it out; a series that no detector can find anything in is a problem.
    """
    uses, watched = [], np.zeros(len(rows), dtype=np.bool_)
    for use in draft.detectors:
        mine = np.array([stations.series[row].quantity in use.quantities for row in rows.tolist()], dtype=np.bool_)
        module = detector(use.name)
        bound = _defaults(module.PARAMETERS, module.DEFAULTS, int(mine.sum()))
        _choose_by_quantity(draft, use, bound, [stations.series[row].quantity for row in rows[mine].tolist()])
        for field, value in use.parameters.items():
            bound[field] = value
        _override(bound, use.name, rows[mine], cells)
        _check_order(draft, use, bound, rows[mine], stations, findings)
        able = _has_limits(bound, _limit_fields(use.name))
        watched[np.flatnonzero(mine)[able]] = True
        if able.any():
            uses.append(DetectorUse(use.name, _frozen(rows[mine][able]), _frozen(bound[able])))
    for row in rows[~watched].tolist() if draft.detectors else ():
        one = stations.series[row]
        wanted = sorted({field for use in draft.detectors if one.quantity in use.quantities for field in _limit_fields(use.name)})
        fix = f"give at least one of {', '.join(wanted)}" if wanted else f"add a detector for {one.quantity} to {FOLDER}{draft.hazard}.toml"
        findings.add(FILE, one.row.line, "", f"series {one.series!r} has no limit: hazard {draft.hazard!r} never finds anything in it", fix)
    return tuple(uses)


def _defaults(dtype: np.dtype[Any], defaults: Sequence[Any], count: int) -> NDArray[Any]:
    return np.full(count, np.array([tuple(defaults)], dtype=dtype)[0], dtype=dtype)


def _override(bound: NDArray[Any], owner: str, rows: NDArray[np.int32], cells: Cells) -> None:
    for field in bound.dtype.names or ():
        given = cells.get(f"{owner}.{field}")
        if given is not None:
            values = given[rows]
            bound[field] = np.where(np.isnan(values), bound[field], values)


def _choose_by_quantity(draft: HazardDraft, use: DetectorDraft, bound: NDArray[Any], quantities: Sequence[str]) -> None:
    """The air index needs to know which pollutant it looks at: the series' quantity says so, unless the hazard file does."""
    choices = CHOICES.get((use.name, "pollutant"))
    if choices is None or "pollutant" in use.parameters:
        return
    for quantity in sorted(set(use.quantities)):
        if quantity not in choices:
            draft.fields.problem("quantities", f"detector {use.name!r} knows no pollutant {quantity!r}", nearest(quantity, choices))
    bound["pollutant"] = [choices.get(quantity, np.nan) for quantity in quantities]


def _limit_groups(names: Sequence[str]) -> list[list[str]]:
    """Parameters that differ only in the colour of the level, each group from blue to red."""
    groups: dict[str, dict[str, str]] = {}
    for name in names:
        colour = _COLOUR.search(name)
        if colour:
            groups.setdefault(_COLOUR.sub("*", name), {})[colour[1]] = name
    return [[group[colour] for colour in ("blue", "yellow", "orange", "red") if colour in group] for group in groups.values()]


def _limit_fields(name: str) -> list[str]:
    """The parameters of a detector without any of which it finds nothing: limits that have no default."""
    module = detector(name)
    unset = [field for field, value in zip(module.PARAMETERS.names or (), module.DEFAULTS, strict=True) if np.isnan(value)]
    return [field for field in unset if _COLOUR.search(field) or field == "limit"]


def _has_limits(bound: NDArray[Any], needed: Sequence[str]) -> NDArray[np.bool_]:
    able = np.full(len(bound), not needed)
    for field in needed:
        able |= ~np.isnan(bound[field])
    return able


def _check_order(
    draft: HazardDraft, use: DetectorDraft, bound: NDArray[Any], rows: NDArray[np.int32], stations: Stations, findings: Findings
) -> None:
    """Limits must go one way from blue to red: up, or down where the detector's own defaults do (chances)."""
    module = detector(use.name)
    default = dict(zip(module.PARAMETERS.names or (), module.DEFAULTS, strict=True))
    for group in _limit_groups(bound.dtype.names or ()):
        sign = -1.0 if default[group[-1]] < default[group[0]] else 1.0
        highest, above = np.full(len(bound), -np.inf), np.full(len(bound), "", dtype=object)
        for field in group:
            wrong = sign * bound[field] <= highest
            for at in np.flatnonzero(wrong).tolist():
                one = stations.series[int(rows[at])]
                what = f"{bound[field][at]:g} is not {'above' if sign > 0 else 'below'} {above[at]} ({sign * highest[at]:g})"
                fix = f"make the levels of {one.series!r} {'rise' if sign > 0 else 'fall'} from blue to red"
                column = next((name for name in (f"{use.name}.{field}", field) if name in stations.further), None)
                if column and one.row.text(column):
                    findings.add(FILE, one.row.line, column, what, fix)
                else:
                    findings.add(draft.fields.file, 0, field, what, fix)
            set_ = ~np.isnan(bound[field])
            highest, above = np.where(set_, sign * bound[field], highest), np.where(set_, field, above)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
