"""Reading CSV tables strictly: known columns, full rows, and cells that keep their line for whoever finds them wrong."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.region.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.region.problems import Findings

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its file, its line, and its cells by column (blanks around a value stripped)."""

    file: str
    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """The cell's text, "" if empty or if the table has no such column."""
        return self.cells.get(column, "")

    def number(self, column: str, low: float, high: float, findings: Findings) -> float:
        """The cell as a finite number from `low` to `high`; NaN if it is empty or (then a problem) wrong."""
        text = self.cells.get(column, "")
        if not text:
            return NAN
        try:
            value = float(text)
        except ValueError:
            value = NAN
        if not math.isfinite(value):
            findings.add(self.file, self.line, column, f"{text!r} is no finite number", f"give a number from {low:g} to {high:g}")
            return NAN
        if not low <= value <= high:
            findings.add(self.file, self.line, column, f"{text} is out of range", f"give a number from {low:g} to {high:g}")
            return NAN
        return value

    def needed_number(self, column: str, low: float, high: float, findings: Findings) -> float:
        """As `number`, but an empty cell is a problem."""
        if not self.cells.get(column):
            findings.add(self.file, self.line, column, "is empty", f"give a number from {low:g} to {high:g}")
            return NAN
        return self.number(column, low, high, findings)


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV table: its header and rows."""

    file: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """What columns a table has: needed ones, optional ones, and whether further ones are looked at by somebody else."""

    needed: Sequence[str]
    optional: Sequence[str] = ()
    further: bool = False


def read_table(file: str, data: bytes, columns: Columns, findings: Findings) -> Table:
    """The table in `data`; missing, unknown and doubled columns and rows with too many or too few cells are problems."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        findings.add(
            file, data.count(b"\n", 0, error.start) + 1, "", "is not UTF-8", "save the file as UTF-8 (in a spreadsheet: CSV UTF-8)"
        )
        return Table(file, (), ())
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    header: tuple[str, ...] = ()
    try:
        header = tuple(name.strip() for name in next(reader, []))
        if not _header_is_usable(file, header, columns, findings):
            return Table(file, header, ())
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                findings.add(file, reader.line_num, "", f"has {len(cells)} cells, the header {len(header)}", "add or remove commas")
                continue
            rows.append(Row(file, reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
    except csv.Error as error:
        findings.add(file, reader.line_num, "", f"is no CSV: {error}", "close every quote; double a quote inside a quoted cell")
    return Table(file, header, tuple(rows))


def _header_is_usable(file: str, header: Sequence[str], columns: Columns, findings: Findings) -> bool:
    if not any(header):
        findings.add(file, 1, "", "is empty", f"write the header {','.join(columns.needed)} and one row each")
        return False
    usable = True
    for name in columns.needed:
        if name not in header:
            usable = False
            findings.add(file, 1, name, "the column is missing", f"add the column {name} to the header")
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            usable = False
            findings.add(file, 1, name, "the column stands twice", "keep one of the two")
        elif not name:
            usable = False
            findings.add(file, 1, "", "a column has no name", "name or remove it")
        elif not columns.further and name not in columns.needed and name not in columns.optional:
            findings.add(file, 1, name, "no such column", f"remove or correct it: {nearest(name, (*columns.needed, *columns.optional))}")
    return usable
