"""CSV (RFC 4180, any delimiter) with a header: one measurement a row, or one row a time with a column for each quantity.

Without a mapping the columns are named as our own fields. With `[csv]` in gateway.toml they are what the sender calls them. Of case counts no other
column is let through, and nothing of a row is quoted.
"""

from __future__ import annotations

import csv
import io
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from stream.accept.refusal import Fault, Refused, quoted
from stream.gateways.mapping import Use
from stream.gateways.readings import local, measurement, scaled, time_of
from stream.gateways.verdict import Item, Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from stream.gateways.dialect import Asked
    from stream.gateways.mapping import Columns

NAME = "csv_rows"
CONTENT_TYPES: tuple[str, ...] = ("text/csv", "application/csv")
TIMES = ("observed_at", "period_start_at", "period_end_at")
PLAIN = ("series", "station", "quantity", "area", "unit", "quality", "id")
ONE = Use("", "")


class _Row(NamedTuple):
    line: int
    cells: Mapping[str, str]
    counts: bool


def decode(payload: bytes, ask: Asked) -> list[Item | Wrong]:
    """The measurements in a file. Empty lines are skipped; a row with too many or too few cells is at fault by itself."""
    columns = ask.mapping.columns
    try:
        text = payload.decode("utf-8-sig" if columns.encoding.lower().replace("-", "") == "utf8" else columns.encoding)
    except UnicodeDecodeError as error:
        return [
            Wrong("line 1", Fault(Refused.NOT_UTF8, f"byte {error.start}: {error.reason} (read as {columns.encoding}, see gateway.toml)"))
        ]
    rows = _rows(text, columns)
    first = next(rows, None)
    if first is None:
        return [Wrong("line 1", Fault(Refused.EMPTY, "no header and no row"))]
    if isinstance(first, Wrong):
        return [first]
    header = [name.strip() for name in first[1]]
    if wrong := _unusable(header, columns):
        return [Wrong(f"line {first[0]}", wrong)]
    made = list(chain.from_iterable(_of_row(one, header, columns) for one in rows))
    return made or [Wrong("line 1", Fault(Refused.EMPTY, "a header, and no row"))]


def _rows(text: str, columns: Columns) -> Iterator[tuple[int, list[str]] | Wrong]:
    """Rows that are not empty, each with the line it ends on; what cannot be read ends them."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=columns.delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        yield Wrong(
            f"line {reader.line_num}",
            Fault(
                Refused.WRONG_TYPE, f"no CSV from here on: {error}", "quote cells that hold a separator, a quote or a line end (RFC 4180)"
            ),
        )


def _unusable(header: Sequence[str], columns: Columns) -> Fault | None:
    """Why nothing can be read under this header."""
    if len(set(header)) != len(header):
        return Fault(Refused.UNKNOWN_FIELD, "a column stands twice in the header")
    named = {ours: columns.names.get(ours, ours) for ours in (*TIMES, *PLAIN, "value")}
    counts = named["area"] in header
    wanted = [named[one] for one in (("area", "period_start_at", "period_end_at") if counts else ("observed_at",))]
    wanted += [*columns.values] if columns.values and not counts else [named["value"]]
    if missing := [one for one in wanted if one not in header]:
        return Fault(Refused.MISSING_FIELD, f"no column {missing[0]} in the header", "name the columns under [csv] in gateway.toml")
    if counts and set(header) - set(named.values()):
        return Fault(Refused.UNKNOWN_FIELD, "a column that is not in the schema")
    return None


def _of_row(row: tuple[int, list[str]] | Wrong, header: Sequence[str], columns: Columns) -> Iterator[Item | Wrong]:
    if isinstance(row, Wrong):
        yield row
        return
    line, cells = row
    counts = columns.names.get("area", "area") in header
    if len(cells) != len(header):
        yield Wrong(
            f"line {line}",
            Fault(
                Refused.WRONG_TYPE, f"{len(cells)} cells, the header has {len(header)}", "give every line as many cells as the header has"
            ),
        )
        return
    found = _Row(line, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}, counts)
    fields = _fields(found, columns)
    if isinstance(fields, Wrong):
        yield fields
    elif columns.values and not counts:
        for name, use in columns.values.items():
            if found.cells[name] not in columns.missing:
                yield _wide(found, name, use, (fields, columns))
    else:
        yield _long(found, fields, columns)


def _fields(row: _Row, columns: Columns) -> dict[str, object] | Wrong:
    """What a row says besides its values."""
    fields: dict[str, object] = {}
    for ours in PLAIN:
        cell = row.cells.get(columns.names.get(ours, ours), "")
        if cell:
            fields[ours] = columns.stations.get(cell, cell) if ours in {"station", "area"} else cell
    for ours in TIMES:
        name = columns.names.get(ours, ours)
        if name in row.cells:
            at = _time(row.cells[name], columns, columns.zone)
            if isinstance(at, Fault):
                return Wrong(f"line {row.line}, column {name}", Fault(at.reason, "") if row.counts else at)
            fields[ours] = at
    return fields


def _time(cell: str, columns: Columns, zone: ZoneInfo | None) -> str | float | Fault:
    if not columns.time_format:
        return time_of(cell, zone)
    try:
        return local(datetime.strptime(cell, columns.time_format), zone)  # noqa: DTZ007  `local` knows the zone
    except (ValueError, OverflowError):
        return Fault(Refused.TIME_INVALID, f"{quoted(cell[:200])} is not of the form {columns.time_format}")


def _long(row: _Row, fields: dict[str, object], columns: Columns) -> Item | Wrong:
    """The one measurement of a row."""
    name = columns.names.get("value", "value")
    path, number = f"line {row.line}, column {name}", scaled(ONE, row.cells[name])
    if row.cells[name] in columns.missing:
        return Wrong(path, Fault(Refused.NOT_FINITE, "no value"))
    if isinstance(number, Fault):
        return Wrong(path, Fault(number.reason, "") if row.counts else number)
    whole = row.counts and number.is_integer()
    fields["value"] = int(number) if whole else number
    item_id = fields.get("id")
    return Item(path, fields, item_id if isinstance(item_id, str) else None)


def _wide(row: _Row, name: str, use: Use, of: tuple[dict[str, object], Columns]) -> Item | Wrong:
    """The measurement in one of several columns."""
    fields, columns = of
    path, number = f"line {row.line}, column {name}", scaled(use, row.cells[name])
    station = use.station or fields.get("station")
    if isinstance(number, Fault):
        return Wrong(path, number)
    if not isinstance(station, str):
        column = columns.names.get("station", "station")
        return Wrong(
            path,
            Fault(
                Refused.MISSING_FIELD,
                f"no station: neither in column {column} nor in gateway.toml",
                "fill the column, or give a station in gateway.toml",
            ),
        )
    at = fields["observed_at"]
    if use.zone is not None:
        at = _time(row.cells[columns.names.get("observed_at", "observed_at")], columns, use.zone)
    if isinstance(at, Fault):
        return Wrong(path, at)
    made = measurement(Use(station, use.quantity, use.unit), number, at if isinstance(at, str | float) else 0.0)
    return Item(path, made | {one: fields[one] for one in ("quality",) if one in fields})
