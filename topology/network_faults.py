"""What can be wrong with `reaches.csv`, all of it at once: a network with one bad edge warns the wrong cities or none.

Each fault names the line, so that a table of ten thousand reaches can be repaired in one go.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from topology.base import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from topology.base import Reach

TABLE = "reaches.csv"
FRACTION_TOLERANCE = 1e-6
_COLUMNS = ("length_km", "celerity_m_per_s", "velocity_m_per_s", "residence_h", "mean_discharge_m3_per_s")


def network_faults(rows: Sequence[Reach]) -> tuple[Fault, ...]:
    """Every fault of the rows by line: missing ids, duplicate edges, dangling ids, lengths, speeds, fractions, cycles."""
    branches: dict[str, list[Reach]] = {}
    for row in rows:
        branches.setdefault(row.reach, []).append(row)
    faults = [fault for row in rows for fault in _row_faults(row, branches)]
    for same in branches.values():
        faults.extend(_reach_faults(same))
    faults.extend(_cycle_faults(branches))
    return tuple(sorted(faults, key=lambda f: (f.line, f.field, f.problem)))


def _row_faults(row: Reach, branches: Mapping[str, Sequence[Reach]]) -> Iterator[Fault]:
    if not row.reach:
        yield Fault(TABLE, row.line, "reach", "the id is empty", "give each reach an id")
    if row.downstream and row.downstream not in branches:
        fix = "add that reach, or leave downstream empty at an outlet"
        yield Fault(TABLE, row.line, "downstream", f"{row.downstream!r} is not a reach of this table", fix)
    at_outlet = all(not r.downstream for r in branches[row.reach])
    if not (row.length_km > 0.0 or (row.length_km == 0.0 and at_outlet)) or math.isinf(row.length_km):
        yield Fault(TABLE, row.line, "length_km", f"{row.length_km:g} is not a length", "give km > 0 (0 only at an outlet)")
    for field in _COLUMNS[1:]:
        value: float = getattr(row, field)
        if value < 0.0 or math.isinf(value):
            yield Fault(TABLE, row.line, field, f"{value:g} is out of range", "give a number >= 0 or leave it empty")
    if row.fraction <= 0.0 or row.fraction > 1.0 + FRACTION_TOLERANCE:
        yield Fault(TABLE, row.line, "fraction", f"{row.fraction:g} is out of range", "give a share above 0 and up to 1")


def _reach_faults(same: Sequence[Reach]) -> Iterator[Fault]:
    """Faults between the rows of one reach: its branches must differ, agree on the reach itself, and share out all of the flow."""
    first, seen = same[0], {same[0].downstream: same[0].line}
    for row in same[1:]:
        if row.downstream in seen:
            to = f"{row.downstream!r}" if row.downstream else "the outlet"
            yield Fault(TABLE, row.line, "downstream", f"edge {row.reach!r} -> {to} repeats line {seen[row.downstream]}", "remove one")
        seen.setdefault(row.downstream, row.line)
        for field in _COLUMNS:
            value, expected = getattr(row, field), getattr(first, field)
            if value != expected and not (math.isnan(value) and math.isnan(expected)):
                problem = f"{value:g} differs from {expected:g} in line {first.line} for the same reach {row.reach!r}"
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


def _cycle_faults(branches: Mapping[str, Sequence[Reach]]) -> Iterator[Fault]:
    """One fault per edge that closes a cycle (depth first, in the order of the table), with the cycle written out."""
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
                cycle = " -> ".join([*path[state[row.downstream] :], row.downstream])
                yield Fault(TABLE, row.line, "downstream", f"water runs in a circle: {cycle}", "turn or remove one of these edges")
            else:
                state[row.downstream] = len(path)
                path.append(row.downstream)
                todo.append(iter(branches[row.downstream]))
