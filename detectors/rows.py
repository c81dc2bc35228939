"""Reading and writing the rows of a record array quickly.

`array[rows]` on a structured dtype goes through numpy's generic item copy (38 ns a row); `take` and a write through a plain
byte view move whole records (2-4 ns a row). Every step does both, so the two lines live here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER = -(2**62)
"""Instant (ms) of a series that was not observed yet; far enough back that no difference with it overflows int64."""

MS_PER_H = 3_600_000.0


def read(records: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[Any]:
    """A contiguous copy of the records at `rows`."""
    return records.take(rows)


def write(records: NDArray[Any], rows: NDArray[np.intp], new: NDArray[Any]) -> None:
    """Put the records `new` (from `read`) back at `rows`, in place."""
    raw = f"V{records.dtype.itemsize}"
    records.view(raw)[rows] = new.view(raw)


def borrow(records: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[Any]:
    """The records at `rows` to work on until `give_back`: themselves where the rows follow each other, else a copy.

    All series of a network often report at once, and two copies are then spared. Never let a finding share memory with them.
    """
    n = len(rows)
    if n and rows[-1] - rows[0] == n - 1 and (rows[1:] > rows[:-1]).all():
        return records[rows[0] : rows[0] + n]
    return records.take(rows)


def give_back(records: NDArray[Any], rows: NDArray[np.intp], borrowed: NDArray[Any]) -> None:
    """Put borrowed records back at `rows`, in place; nothing is left to do for the records themselves."""
    if borrowed.base is None:
        write(records, rows, borrowed)


def put(column: NDArray[Any], new: NDArray[Any], where: NDArray[np.bool_]) -> None:
    """`new` into the places of a column that `where` marks, in place; usually these are all, and a plain copy is cheaper than a masked one."""
    if where.all():
        column[...] = new
    else:
        np.copyto(column, new, where=where)


def matrix(records: NDArray[Any]) -> NDArray[np.float64]:
    """Records whose fields are all f8, as a (records, fields) view.

    >>> matrix(np.array([(1.0, 2.0)], dtype=[("a", "f8"), ("b", "f8")]))
    array([[1., 2.]])
    """
    seen: NDArray[np.float64] = records.view(np.float64).reshape(len(records), records.dtype.itemsize // 8)
    return seen


def parameter_dtype(names: str) -> np.dtype[Any]:
    """A parameter dtype: one f8 field per blank-separated name.

    >>> parameter_dtype("blue red").names
    ('blue', 'red')
    """
    return np.dtype([(name, np.float64) for name in names.split()])
