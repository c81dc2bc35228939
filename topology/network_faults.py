"""What can be wrong with `reaches.csv`, all of it at once: a network with one bad edge warns the wrong cities or none.

Each fault names the line, so that a table of ten thousand reaches can be repaired in one go. Arrays pick the rows that can be wrong at all,
so a million sound rows cost a second; only those few are then looked at one by one and put into words.

A reversed reach shows in three ways. Next to an unreversed one it makes a circle of two. Where the drainage area is given, water would run
from more to less of it. Where only mean discharges are given, a fall to less than a tenth from one reach to the next is taken for a
mistake too: water lost on the way is no reason to guess, its row can leave the discharge out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from topology.base import Fault
from topology.reach_columns import columns_of, rows_at
from topology.reach_ids import by_name, find
from topology.tree_order import OUTLET, stuck, topological_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from topology.base import Reach
    from topology.reach_columns import ReachColumns

TABLE = "reaches.csv"
FRACTION_TOLERANCE = 1e-6
DISCHARGE_FALL = 0.1
"""A mean discharge below this part of the one above it is no river."""
AREA_TOLERANCE = 0.999
"""Drainage areas are rounded in the tables."""
_COLUMNS = ("length_km", "celerity_m_per_s", "velocity_m_per_s", "residence_h", "mean_discharge_m3_per_s", "drainage_area_km2")
_SAME = (*_COLUMNS, "drawn", "left", "right")


def network_faults(rows: Sequence[Reach]) -> tuple[Fault, ...]:
    """Every fault of the rows by line: missing ids, duplicate edges, dangling ids, lengths, speeds, fractions, reversed reaches, cycles."""
    return column_faults(columns_of(rows))


def column_faults(columns: ReachColumns) -> tuple[Fault, ...]:
    """`network_faults` of columns; n rows take O(n log n)."""
    faults: list[Fault] = []
    if not len(columns):
        return ()
    ordered = by_name(columns.reach)
    names = columns.reach[ordered]
    is_first = np.append([True], names[1:] != names[:-1])
    # The number of each row's reach: reaches count from 0 in the order of their ids.
    number = np.empty(len(columns), dtype=np.int64)
    number[ordered] = np.cumsum(is_first) - 1
    has_below = columns.downstream != b""
    to = np.where(has_below, find(names[is_first], np.arange(is_first.sum(), dtype=np.int32), columns.downstream), OUTLET)
    branches = np.bincount(number)
    at_outlet = np.bincount(number, weights=has_below)[number] == 0
    dangling = has_below & (to == OUTLET)
    for at in np.flatnonzero(_suspicious(columns, at_outlet) | dangling).tolist():
        faults.extend(_row_faults(rows_at(columns, [at])[0], dangling=bool(dangling[at]), at_outlet=bool(at_outlet[at])))
    for same in _several(ordered[(branches > 1)[number[ordered]]], number):
        faults.extend(_reach_faults(rows_at(columns, same)))
    lone = branches[number] == 1
    for at in np.flatnonzero(lone & (np.abs(columns.fraction - 1.0) > FRACTION_TOLERANCE)).tolist():
        faults.extend(_reach_faults(rows_at(columns, [at])))
    faults.extend(_reversed_faults(columns, number, to, lone))
    faults.extend(_cycle_faults(rows_at(columns, _in_circles(number, to, lone))))
    return tuple(sorted(faults, key=lambda f: (f.line, f.field, f.problem)))


def _suspicious(columns: ReachColumns, at_outlet: NDArray[np.bool_]) -> NDArray[np.bool_]:
    length = columns.length_km
    bad = (columns.reach == b"") | np.isinf(length) | ~((length > 0.0) | ((length == 0.0) & at_outlet))
    for name in _COLUMNS[1:]:
        value = getattr(columns, name)
        bad |= (value < 0.0) | np.isinf(value)
    return np.asarray(bad | (columns.fraction <= 0.0) | (columns.fraction > 1.0 + FRACTION_TOLERANCE))


def _row_faults(row: Reach, *, dangling: bool, at_outlet: bool) -> Iterator[Fault]:
    if not row.reach:
        yield Fault(TABLE, row.line, "reach", "the id is empty", "give each reach an id")
    if dangling:
        fix = "add that reach, or leave downstream empty at an outlet"
        yield Fault(TABLE, row.line, "downstream", f"{row.downstream!r} is not a reach of this table", fix)
    if not (row.length_km > 0.0 or (row.length_km == 0.0 and at_outlet)) or math.isinf(row.length_km):
        yield Fault(TABLE, row.line, "length_km", f"{row.length_km:g} is not a length", "give km > 0 (0 only at an outlet)")
    for field in _COLUMNS[1:]:
        value: float = getattr(row, field)
        if value < 0.0 or math.isinf(value):
            yield Fault(TABLE, row.line, field, f"{value:g} is out of range", "give a number >= 0 or leave it empty")
    if row.fraction <= 0.0 or row.fraction > 1.0 + FRACTION_TOLERANCE:
        yield Fault(TABLE, row.line, "fraction", f"{row.fraction:g} is out of range", "give a share above 0 and up to 1")


def _several(ordered: NDArray[np.int32], number: NDArray[np.int64]) -> Iterator[list[int]]:
    """The rows of each reach that has several of them."""
    if not len(ordered):
        return
    cuts = np.flatnonzero(np.diff(number[ordered])) + 1
    for part in np.split(ordered, cuts):
        yield part.tolist()


def _reach_faults(same: Sequence[Reach]) -> Iterator[Fault]:
    """Faults between the rows of one reach: its branches must differ, agree on the reach itself, and share out all of the flow."""
    first, seen = same[0], {same[0].downstream: same[0].line}
    for row in same[1:]:
        if row.downstream in seen:
            to = f"{row.downstream!r}" if row.downstream else "the outlet"
            yield Fault(TABLE, row.line, "downstream", f"edge {row.reach!r} -> {to} repeats line {seen[row.downstream]}", "remove one")
        seen.setdefault(row.downstream, row.line)
        for field in _SAME:
            value, expected = getattr(row, field), getattr(first, field)
            if value != expected and not (value != value and expected != expected):  # noqa: PLR0124  NaN
                problem = f"{value!r} differs from {expected!r} in line {first.line} for the same reach {row.reach!r}"
                yield Fault(TABLE, row.line, field, problem, "give every branch row of a reach the same value")
    missing = [row for row in same if math.isnan(row.fraction)]
    if len(same) > 1 and missing:
        for row in missing:
            yield Fault(
                TABLE, row.line, "fraction", f"reach {row.reach!r} splits but this branch has no share", "give the share of the flow"
            )
    elif not missing:
        total = math.fsum(row.fraction for row in same)
        if abs(total - 1.0) > FRACTION_TOLERANCE:
            yield Fault(TABLE, first.line, "fraction", f"the shares of reach {first.reach!r} add up to {total:g}", "make them add up to 1")


def _reversed_faults(columns: ReachColumns, number: NDArray[np.int64], to: NDArray[np.int64], lone: NDArray[np.bool_]) -> Iterator[Fault]:
    """Reaches that flow from more water to less without a split."""
    row_of = np.zeros(number.max() + 1, dtype=np.int64)
    row_of[number] = np.arange(len(number))
    below = row_of[np.maximum(to, 0)]
    checked = lone & (to != OUTLET)
    for field, part, unit in (("drainage_area_km2", AREA_TOLERANCE, "km2"), ("mean_discharge_m3_per_s", DISCHARGE_FALL, "m3/s")):
        value = getattr(columns, field)
        # 0 counts as not given: it says nothing about what flows.
        for at in np.flatnonzero(checked & (value[below] > 0.0) & (value[below] < part * value)).tolist():
            above_row, below_row = rows_at(columns, [at, int(below[at])])
            problem = (
                f"water would run from {above_row.reach!r} with {value[at]:g} {unit} to {below_row.reach!r} "
                f"with {value[below[at]]:g} {unit}: one of them is reversed or wrongly joined"
            )
            fix = "turn it, or correct the number" + ("" if unit == "km2" else ", or leave it empty where the river loses its water")
            yield Fault(TABLE, above_row.line, field, problem, fix)
        # Where areas are known they decide: a river may lose its water, but not its drainage area.
        checked &= ~((value > 0.0) & (value[below] > 0.0))


def _in_circles(number: NDArray[np.int64], to: NDArray[np.int64], lone: NDArray[np.bool_]) -> list[int]:
    """The rows, in their order, of all reaches that lead into a cycle or lie on one."""
    reaches = int(number.max()) + 1
    if lone.all():
        down = np.full(reaches, OUTLET)
        down[number] = to
        never = stuck(down)
    else:
        by_number = np.argsort(number, kind="stable")
        start = np.concatenate(([0], np.cumsum(np.bincount(number))))
        never = np.ones(reaches, dtype=np.bool_)
        never[topological_order(start, to[by_number])] = False
    return np.flatnonzero(never[number]).tolist()


def _cycle_faults(rows: Sequence[Reach]) -> Iterator[Fault]:
    """One fault per edge that closes a cycle (depth first, in the order of the table), with the cycle written out."""
    branches: dict[str, list[Reach]] = {}
    for row in rows:
        branches.setdefault(row.reach, []).append(row)
    yield from _closing(branches)


def _closing(branches: Mapping[str, Sequence[Reach]]) -> Iterator[Fault]:
    state: dict[str, int] = {}  # absent: new, 0.. : position on the current path, -1: done
    for root in branches:
        if root in state:
            continue
        path: list[str] = [root]
        todo = [iter(branches[root])]
        state[root] = 0
        while todo:
            row = next(todo[-1], None)
            if row is None:
                todo.pop()
                state[path.pop()] = -1
            elif not row.downstream or row.downstream not in branches or state.get(row.downstream, 0) == -1:
                continue
            elif row.downstream in state:
                circle = [*path[state[row.downstream] :], row.downstream]
                fix = "turn or remove one of these edges"
                if len(circle) == 3:  # noqa: PLR2004  there and back
                    fix = "one of the two is reversed: turn it"
                yield Fault(TABLE, row.line, "downstream", f"water runs in a circle: {' -> '.join(circle)}", fix)
            else:
                state[row.downstream] = len(path)
                path.append(row.downstream)
                todo.append(iter(branches[row.downstream]))
