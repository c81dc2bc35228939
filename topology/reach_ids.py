"""Ids of a million reaches as two flat arrays: a dict of them would take ten times the memory and could not be memory-mapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ReachNames(Sequence[str]):
    """The id of each reach by its index; `encoded` holds them as UTF-8 bytes of fixed width."""

    encoded: NDArray[np.bytes_]

    def __len__(self) -> int:
        return len(self.encoded)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...
    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        if isinstance(at, slice):
            return tuple(name.decode() for name in self.encoded[at].tolist())
        return bytes(self.encoded[at]).decode()


@dataclass(frozen=True, slots=True, eq=False)
class ReachIndex(Mapping[str, int]):
    """The index of each reach by its id, found by bisection: `by_name` lists the indices in the order of their ids."""

    encoded: NDArray[np.bytes_]
    by_name: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.encoded)

    def __iter__(self) -> Iterator[str]:
        return iter(ReachNames(self.encoded))

    def __getitem__(self, reach: str) -> int:
        # Bisection by hand: searchsorted with a sorter would first look at the whole array.
        key, low, high = reach.encode(), 0, len(self.by_name)
        while low < high:
            middle = (low + high) // 2
            if bytes(self.encoded[self.by_name[middle]]) < key:
                low = middle + 1
            else:
                high = middle
        if low < len(self.by_name):
            at = int(self.by_name[low])
            if bytes(self.encoded[at]) == key:
                return at
        raise KeyError(reach)

    def locate(self, reaches: Iterable[str]) -> NDArray[np.int64]:
        """The index of many reaches at once, -1 where there is none.

        >>> names = encode(["b", "a"])
        >>> ReachIndex(names, by_name(names)).locate(["a", "c", "b"]).tolist()
        [1, -1, 0]
        """
        return find(self.encoded[self.by_name], self.by_name, encode(reaches))


def encode(names: Iterable[str]) -> NDArray[np.bytes_]:
    """Ids as UTF-8 bytes of fixed width."""
    return np.array([name.encode() for name in names] or [b""][:0], dtype=np.bytes_)


def by_name(encoded: NDArray[np.bytes_]) -> NDArray[np.int32]:
    """The positions of the ids in their alphabetic (byte) order, equal ones by position."""
    return np.argsort(encoded, kind="stable").astype(np.int32)


def find(in_order: NDArray[np.bytes_], number: NDArray[np.int32], wanted: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """For each wanted id the `number` of its equal in the sorted array, -1 without one."""
    if not len(in_order) or not len(wanted):
        return np.full(len(wanted), -1, dtype=np.int64)
    # Looked up in order: a million jumps through the memory cost more than the sort.
    order = np.argsort(wanted, kind="stable")
    at = np.minimum(np.searchsorted(in_order, wanted[order]), len(in_order) - 1)
    found = np.empty(len(wanted), dtype=np.int64)
    found[order] = np.where(in_order[at] == wanted[order], number[at], -1)
    return found
