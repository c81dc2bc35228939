"""The history of a region as arrays: read from CSV files like those of `feed`, and put through the same quality control."""

from __future__ import annotations

import csv
import gzip
import math
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from detectors import history, quality
from detectors.base import Quality, Samples
from stream.accept.check import DOUBTFUL
from stream.errors import TocsinError
from stream.records.instants import from_datetime
from stream.region.quantities import factor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from stream.region.model import Hazard, Region

HASH_DIGITS = 16
PROBLEMS_SHOWN = 20
CALENDAR_MS = 146_097 * 86_400_000


@dataclass(frozen=True, slots=True)
class History:
    """Measurements in order of observation: region row, instant (ms), value in the unit of the series, quality it came with.

    `shift_ms` was added to every instant: 400 years (whole weeks, the same calendar) where the history begins before 1970, which is where
    the service's instants begin.
    """

    row: NDArray[np.intp]
    observed_at: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    shift_ms: int = 0


def data_hash(paths: Sequence[Path]) -> str:
    """SHA-256 over the bytes of the files in the order given, first 16 hex digits."""
    digest = sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:HASH_DIGITS]


def read(region: Region, paths: Sequence[Path]) -> History:
    """The measurements in these CSV files (columns as for `tocsin feed`), in order of observation; TocsinError lists what is wrong in them.

    Unlike the doors, history may be older than 1970.
    """
    found: list[tuple[int, int, float, int]] = []
    problems: list[str] = []
    for path in paths:
        for number, fields in _lines(path):
            try:
                found.append(_measurement(region, fields))
            except ValueError as error:
                problems.append(f"{path}:{number}: {error}")
    if problems or not found:
        more = f"\n  and {len(problems) - PROBLEMS_SHOWN} more" if len(problems) > PROBLEMS_SHOWN else ""
        what = f"{len(problems)} lines are wrong:\n  " + "\n  ".join(problems[:PROBLEMS_SHOWN]) + more
        raise TocsinError(what if problems else f"no measurement in {', '.join(map(str, paths))}")
    found.sort(key=lambda one: one[:2])  # stable: of two of one series at one instant the later in the files stays last
    observed_at, row, value, flag = (np.array(column) for column in zip(*found, strict=True))
    shift_ms = CALENDAR_MS if observed_at[0] < 0 else 0
    return History(row.astype(np.intp), observed_at.astype(np.int64) + shift_ms, value.astype(np.float64), flag.astype(np.uint8), shift_ms)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows with a value, with their line numbers."""
    if not path.is_file():
        msg = f"{path} is no file"
        raise TocsinError(msg)
    with gzip.open(path, "rt", encoding="utf-8-sig") if path.suffix == ".gz" else path.open(encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines)
        names = set(rows.fieldnames or ())
        wanted = ({"series", "station", "area"}, {"observed_at", "period_end_at"}, {"value"})
        absent = [" or ".join(sorted(choice)) for choice in wanted if not choice & names]
        if absent:
            msg = f"{path}: the header has no column {', '.join(absent)}; it has {', '.join(sorted(names)) or 'nothing'}"
            raise TocsinError(msg)
        for row in rows:
            if (row["value"] or "").strip():
                yield rows.line_num, row


def _measurement(region: Region, fields: dict[str, str]) -> tuple[int, int, float, int]:
    """(observed_at, row, value, flag) of a line; ValueError says what is wrong with it."""
    table = region.series
    station = fields.get("station") or fields.get("area") or ""
    series = fields.get("series") or f"{station}/{fields.get('quantity') or 'cases'}"
    row = table.row_of.get(series)
    if row is None:
        msg = f"the region has no series {series!r}"
        raise ValueError(msg)
    moment = datetime.fromisoformat(fields.get("observed_at") or fields.get("period_end_at") or "")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(table.timezone[row] or "UTC"))
    value = float(fields["value"])
    if not math.isfinite(value):
        msg = f"value {value} is not finite"
        raise ValueError(msg)
    unit = fields.get("unit")
    scale = factor(unit, table.unit[row]) if unit else 1.0
    doubtful = (fields.get("quality") or "").lower() in DOUBTFUL
    return from_datetime(aware), row, value * scale, Quality.SUSPECT if doubtful else Quality.GOOD


def rounds(hazard: Hazard, measured: History) -> list[Samples]:
    """What the hazard's detectors would be given, instant by instant: `rows` are places in `hazard.rows`; what fails its tests is left out."""
    place = np.full(max(int(measured.row.max(initial=0)), int(hazard.rows.max(initial=0))) + 1, -1)
    place[hazard.rows] = np.arange(len(hazard.rows))
    mine = place[measured.row]
    keep = (mine >= 0) & (measured.flag < Quality.FAIL) & np.isfinite(measured.value)
    past = history.initial(len(hazard.rows))
    one = History(mine[keep].astype(np.intp), measured.observed_at[keep], measured.value[keep], measured.flag[keep])
    return [samples for given in _instants(one) if len(samples := _sound(hazard, past, given))]


def _instants(measured: History) -> Iterator[Samples]:
    """The measurements of each instant together; of two of one series at one instant the later in the files."""
    edges = [0, *(np.flatnonzero(np.diff(measured.observed_at)) + 1).tolist(), len(measured.row)]
    for start, end in pairwise(edges) if len(measured.row) else ():
        rows, last = np.unique(measured.row[start:end][::-1], return_index=True)
        at = end - 1 - last
        yield Samples(rows, measured.observed_at[at], measured.value[at], measured.flag[at], np.ones(len(rows), dtype=np.bool_))


def _sound(hazard: Hazard, past: NDArray[Any], given: Samples) -> Samples:
    """The samples that pass, with the flag of the quality tests; the history is updated."""
    flag = quality.flag(hazard.quality, past, given)
    sound = flag < Quality.FAIL
    samples = Samples(given.rows[sound], given.observed_at[sound], given.value[sound], flag[sound], given.in_order[sound])
    history.push(past, samples)
    return samples
