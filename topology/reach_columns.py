"""Rows of `reaches.csv` as columns: what a network is built from, whether it came from a small table or as a million reaches."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from topology.base import Fault, Reach, TopologyError
from topology.reach_ids import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

TEXTS = ("reach", "downstream", "left", "right")
DEFAULTS: dict[str, float] = {
    "length_km": float("nan"),
    "fraction": float("nan"),
    "celerity_m_per_s": float("nan"),
    "velocity_m_per_s": float("nan"),
    "residence_h": float("nan"),
    "mean_discharge_m3_per_s": float("nan"),
    "drainage_area_km2": float("nan"),
    "drawn": 0.0,
}


@dataclass(frozen=True, slots=True, eq=False)
class ReachColumns:
    """The fields of `Reach`, one array each and all of one length; ids as UTF-8 bytes. `line` is 0 where there is no table."""

    reach: NDArray[np.bytes_]
    downstream: NDArray[np.bytes_]
    left: NDArray[np.bytes_]
    right: NDArray[np.bytes_]
    length_km: NDArray[np.float64]
    fraction: NDArray[np.float64]
    celerity_m_per_s: NDArray[np.float64]
    velocity_m_per_s: NDArray[np.float64]
    residence_h: NDArray[np.float64]
    mean_discharge_m3_per_s: NDArray[np.float64]
    drainage_area_km2: NDArray[np.float64]
    drawn: NDArray[np.bool_]
    line: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.reach)


def columns_of(rows: Sequence[Reach]) -> ReachColumns:
    """The rows as columns."""
    given: dict[str, ArrayLike] = {name: encode(getattr(row, name) for row in rows) for name in TEXTS}
    given.update({name: [getattr(row, name) for row in rows] for name in (*DEFAULTS, "line")})
    return reach_columns(given)


def reach_columns(given: Mapping[str, ArrayLike]) -> ReachColumns:
    """Columns from arrays named like the fields of `Reach`; only `reach`, `downstream` and `length_km` are needed.

    Ids may be text, UTF-8 bytes or whole numbers (0 in `downstream` is then an outlet, as in HydroRIVERS and the National Water Model).
    Raises `TopologyError` for unknown or missing columns and different lengths.

    >>> columns = reach_columns({"reach": [7, 8], "downstream": [8, 0], "length_km": [1.5, 2.0]})
    >>> columns.reach.tolist(), columns.downstream.tolist(), columns.fraction.tolist()
    ([b'7', b'8'], [b'8', b''], [nan, nan])
    """
    known = {field.name for field in fields(ReachColumns)}
    faults = [Fault("reaches", 0, name, "no such column", f"known are {', '.join(sorted(known))}") for name in sorted(set(given) - known)]
    faults += [
        Fault("reaches", 0, name, "the column is missing", "give it") for name in ("reach", "downstream", "length_km") if name not in given
    ]
    counts = {name: len(np.asarray(column)) for name, column in given.items()}
    if len(set(counts.values())) > 1:
        faults.append(Fault("reaches", 0, "", f"columns of different lengths: {counts}", "give one value a row in each"))
    if faults:
        raise TopologyError(tuple(faults))
    rows = counts["reach"]
    texts: dict[str, NDArray[Any]] = {
        name: _bytes(np.asarray(given[name]), name) if name in given else np.zeros(rows, dtype="S1") for name in TEXTS
    }
    numbers: dict[str, NDArray[Any]] = {
        name: np.array(given.get(name, np.full(rows, default)), dtype=np.bool_ if name == "drawn" else np.float64)
        for name, default in DEFAULTS.items()
    }
    line = np.array(given.get("line", np.zeros(rows)), dtype=np.int64)
    return ReachColumns(**texts, **numbers, line=line)


def rows_at(columns: ReachColumns, positions: Iterable[int]) -> list[Reach]:
    """Some rows as they would stand in the table."""
    return [Reach(**_row(columns, at)) for at in positions]


def _row(columns: ReachColumns, at: int) -> dict[str, Any]:
    row: dict[str, Any] = {name: bytes(getattr(columns, name)[at]).decode() for name in TEXTS}
    row.update({name: getattr(columns, name)[at].item() for name in (*DEFAULTS, "line")})
    return row


def _bytes(ids: NDArray[np.generic], name: str) -> NDArray[np.bytes_]:
    if ids.dtype.kind == "S":
        return np.asarray(ids, dtype=np.bytes_)
    if ids.dtype.kind in "iu":
        width = max(len(str(ids.min(initial=0))), len(str(ids.max(initial=0))))
        texts = ids.astype(f"S{width}")
        return np.where(ids == 0, b"", texts) if name != "reach" else texts
    return encode(str(text) for text in ids.tolist())
