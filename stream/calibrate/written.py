"""What was learned, put into a copy of the region's files: columns of stations.csv, and in region.toml when and from what it was learned."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.region.head import FILE as HEAD_FILE
from stream.region.stations import FILE as STATIONS_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MARK = "# Calibrated "


@dataclass(frozen=True, slots=True)
class Source:
    """Where the numbers come from: day of the calibration, first day not learned from, hash of the data, words on the settings."""

    day: str
    learned_before: str
    data_hash: str
    settings: str


def with_calibration(
    files: Mapping[str, bytes], columns: Mapping[tuple[str, str], Mapping[str, float]], source: Source
) -> dict[str, bytes]:
    """The files with the learned columns (by detector and parameter, then series id) and a note of their source."""
    changed = dict(files)
    changed[STATIONS_FILE] = _with_columns(files[STATIONS_FILE], columns)
    changed[HEAD_FILE] = _with_note(files[HEAD_FILE], columns, source)
    return changed


def _with_columns(data: bytes, columns: Mapping[tuple[str, str], Mapping[str, float]]) -> bytes:
    """stations.csv with the cells of these series replaced; a missing column is added at the end, named `detector.parameter`."""
    table = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    header = [name for name in table[0] if name] if table else []
    for (detector, parameter), cells in columns.items():
        name = _column(header, detector, parameter)
        if name not in header:
            header.append(name)
        for row in table:
            value = cells.get(f"{row['station'].strip()}/{row['quantity'].strip()}")
            if value is not None and not math.isnan(value):
                row[name] = f"{value:.6g}"
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue().encode()


def _column(header: Sequence[str], detector: str, parameter: str) -> str:
    """The column that says this parameter: the exact name if there is one, else the plain one, else a new exact one."""
    exact = f"{detector}.{parameter}"
    return parameter if parameter in header and exact not in header else exact


def _with_note(data: bytes, columns: Mapping[tuple[str, str], object], source: Source) -> bytes:
    """region.toml with a comment at its top; one of an earlier calibration is replaced."""
    kept = [line for line in data.decode("utf-8").splitlines() if not line.startswith(_MARK)]
    learned = ", ".join(f"{detector}.{parameter}" for detector, parameter in columns) or "nothing"
    note = (
        f"{_MARK}{source.day} by `tocsin calibrate` from data before {source.learned_before} "
        f"(SHA-256 of the data {source.data_hash}; {source.settings}): {learned}."
    )
    return ("\n".join([note, *kept]) + "\n").encode()
