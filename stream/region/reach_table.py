"""A table of very many reaches as columns: what `reaches.csv` says, read a hundred times quicker and with a tenth of the memory.

Row by row a million reaches would take a minute and a gigabyte; such a network is read once, checked, and kept as `reaches.npz`.
"""

from __future__ import annotations

import csv
import math
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from stream.region.problems import Findings, RegionError, nearest
from stream.region.reaches import LINE_KM, REACH_NUMBERS, SINUOSITY
from topology.network import network_of
from topology.reach_columns import TEXTS, reach_columns
from topology.reach_ids import encode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from topology.network import Network
    from topology.reach_columns import ReachColumns

_LIMITS = {**REACH_NUMBERS, "line_km": LINE_KM, "sinuosity": SINUOSITY}
_NEEDED = ("reach", "downstream", "length_km")
_SHOWN = 1_000
"""More faults of one column than a person reads are counted, not listed."""
_PART = 100_000


def network_of_table(path: Path) -> Network:
    """The network of a table like `reaches.csv`. Raises `RegionError` with the faults of its cells, or `TopologyError` with those between rows."""
    return network_of(read_table_columns(path))


def read_table_columns(path: Path) -> ReachColumns:
    """The columns of the table; `length_km` is completed from `line_km` and `sinuosity`. Raises `RegionError` with what is wrong."""
    findings = Findings()
    given, rows = _cells(path, findings)
    columns: dict[str, Any] = {}
    line = np.arange(2, rows + 2)
    for name, parts in given.items():
        cells = np.concatenate(parts)
        columns[name] = cells if name in TEXTS else _numbers(path.name, name, cells, line, findings)
    if findings.problems:
        raise RegionError(findings.sorted_problems())
    line_km, sinuosity = columns.pop("line_km", None), columns.pop("sinuosity", None)
    columns["drawn"] = np.isnan(columns["length_km"]) if line_km is not None else np.zeros(len(line), dtype=np.bool_)
    if line_km is not None:
        stretched = line_km if sinuosity is None else line_km * np.where(np.isnan(sinuosity), 1.0, sinuosity)
        columns["length_km"] = np.where(columns["drawn"], stretched, columns["length_km"])
    return reach_columns({**columns, "line": line})


def _cells(path: Path, findings: Findings) -> tuple[dict[str, list[NDArray[np.bytes_]]], int]:
    """The cells of each column as UTF-8 bytes, in parts, and the number of rows. Row n stands in line n + 2: no cell may hold a line break."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        header = [name.strip() for name in next(reader, [])]
        known = (*TEXTS, *_LIMITS)
        for name in _NEEDED:
            if name not in header:
                findings.add(path.name, 1, name, "the column is missing", f"add the column {name} to the header")
        for name in sorted({name for name in header if name not in known or header.count(name) > 1}):
            findings.add(path.name, 1, name or "header", "no such column, or it stands twice", nearest(name, known))
        found: dict[str, list[NDArray[np.bytes_]]] = {name: [] for name in header}
        if findings.problems:
            raise RegionError(findings.sorted_problems())
        count = 0
        while rows := list(islice(reader, _PART)):
            _check_width(path.name, rows, len(header), count + 2, findings)
            for name, cells in zip(header, zip(*rows, strict=True), strict=True):
                found[name].append(encode(cell.strip() for cell in cells))
            count += len(rows)
            if reader.line_num != count + 1:
                findings.add(path.name, 0, "", "holds a line break inside a cell", "write every reach in one line")
                raise RegionError(findings.sorted_problems())
    if not count:
        findings.add(path.name, 1, "", "holds no reach", "add a row for each reach")
        raise RegionError(findings.sorted_problems())
    return found, count


def _check_width(file: str, rows: Sequence[Sequence[str]], width: int, begin: int, findings: Findings) -> None:
    for number, row in enumerate(rows, begin):
        if len(row) != width:
            findings.add(file, number, "", f"has {len(row)} cells, the header {width}", "add or remove commas; leave no empty line")
    if findings.problems:
        raise RegionError(findings.sorted_problems())


def _numbers(file: str, name: str, cells: NDArray[np.bytes_], line: NDArray[np.int64], findings: Findings) -> NDArray[np.float64]:
    """The cells as finite numbers within the limits of the column, NaN where empty."""
    low, high = _LIMITS[name]
    empty = cells == b""
    filled = np.where(empty, b"nan", cells)
    try:
        values = filled.astype(np.float64)
    except ValueError:
        values = np.array([_number(cell) for cell in filled.tolist()])
    wrong = np.flatnonzero(~empty & ~((values >= low) & (values <= high)))
    for at in wrong[:_SHOWN].tolist():
        what = f"{bytes(cells[at]).decode()!r} is no finite number from {low:g} to {high:g}"
        findings.add(file, int(line[at]), name, what, "correct the number")
    if len(wrong) > _SHOWN:
        findings.add(file, 0, name, f"{len(wrong) - _SHOWN:,} more such cells", "correct the numbers")
    return np.asarray(values, dtype=np.float64)


def _number(cell: bytes) -> float:
    """The cell as a number, inf (never within limits) when it is none."""
    try:
        return float(cell)
    except ValueError:
        return math.inf
